"""Names that others choose reach no terminal raw: nodes, cards, actors, tasks, log files, deployments, contexts."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from cockpit.actions import ACTIONS
from cockpit.panes.registry import PANES
from tests.akash_sim.console import SimConsole
from tests.akash_sim.samples import PLAIN
from tests.akash_sim.server import SimServer
from tests.ui.hostile_server import poisoning
from tests.ui.pty_cockpit import FrozenCluster, Terminal, cockpit_in_a_terminal
from tests.ui.test_foreign_bytes import ATTACK, LEFT_OUT, RAW, key_bytes, press

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")]

# They draw texts that the user wrote, and are walked elsewhere; the others have rows of the cluster's.
OTHERS = {"sdl", "secrets"}
NAME = ATTACK.replace("\x00", "")


def walk(url: str, variables: dict[str, str], home: Path) -> set[str]:
    """Press every key on the first row of every pane; the panes on which the attack can be read."""
    seen: set[str] = set()
    with cockpit_in_a_terminal("--address", url, home=home, seen="Nodes", variables=variables) as terminal:
        terminal.settle()
        for pane in PANES:
            if pane.name in OTHERS:
                continue
            _open(terminal, pane.name)
            terminal.read_for(5.0, until="\\x")  # what a provider or a node says comes later
            if "\\x" in terminal.text:
                seen.add(pane.name)
            # What every pane does, such as the palette, once.
            scopes = ("rows", pane.name, "app") if pane.name == "nodes" else ("rows", pane.name)
            for action in ACTIONS:
                if action.keys and action.scope in scopes and action.name not in LEFT_OUT:
                    press(terminal, key_bytes(action.keys[0]))
                    assert not RAW.search(terminal.written), f"{action.name} on {pane.name}"
                    terminal.written = b""
                    _open(terminal, pane.name)
    return seen


def _open(terminal: Terminal, name: str) -> None:
    terminal.send(b":")
    terminal.settle(0.15)
    terminal.send(f"{name}\r".encode())
    terminal.settle(0.3)


async def test_every_key_on_names_of_others(tmp_path: Path) -> None:
    console = SimConsole()
    for name in (f"lab{NAME}", f"job{NAME}"):
        console.world.create(PLAIN, name=name)
    console.world.clock.advance(60)  # the Console lists one only after a while
    for provider in console.world.providers:
        provider.host = f"x{NAME}.example"
    config = tmp_path / ".config" / "rayakash-tui" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        f'[contexts.{json.dumps("evil" + NAME)}]\naddress = "http://127.0.0.1:9"\n'.replace("\\u007f", "\\u007F")
    )
    with FrozenCluster() as cluster, poisoning(cluster.url, ATTACK) as url:
        async with SimServer(console) as server:
            variables = {"AKASH_CONSOLE_URL": server.url, "AKASH_API_KEY": console.world.keys[0].value}
            seen = await asyncio.to_thread(walk, url, variables, tmp_path)
    # Else the walk proves nothing of them.
    assert seen >= {"nodes", "gpus", "actors", "tasks", "placement_groups", "events", "clusters", "deployments"}, seen
