"""Bytes of a stranger's job or file reach no terminal, whatever key is pressed on them."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from textual.keys import key_to_character

from cockpit.actions import ACTIONS
from cockpit.panes.registry import PANES, Entry
from tests.ui.pty_cockpit import PATIENCE, ROOT, FrozenCluster, Terminal, cockpit_in_a_terminal

ATTACK = (
    "\x1b]52;c;T1dORUQ=\x07"  # the clipboard
    "\x1b]0;OWNED\x07"  # the title
    "\x1b[2J\x1b[1;1HFAKE"  # the screen
    "\x9b31m\x00\x08\x7f\u202eevil\u200b"
)
RAW = re.compile(rb"\x1b\]52;c;T1dORUQ|\x1b\]0;OWNED|\x1b\[1;1HFAKE|\xc2\x9b31m|\x00|\x08|\xe2\x80\xae|\xe2\x80\x8b")
KEYS = {
    "enter": b"\r", "escape": b"\x1b", "slash": b"/", "question_mark": b"?", "colon": b":", "space": b" ",
    "exclamation_mark": b"!", "asterisk": b"*", "plus": b"+", "minus": b"-",
    "home": b"\x1b[H", "delete": b"\x1b[3~", "f3": b"\x1bOR",
    "f8": b"\x1b[19~", "ctrl+@": b"\x00",
}  # fmt: skip
LEFT_OUT = {"quit", "suspend", "log_suspend", "open_dashboard"}  # they leave the screen, or the terminal


def key_bytes(name: str) -> bytes:
    """What a terminal sends for a key."""
    if name in KEYS:
        return KEYS[name]
    if name.startswith("ctrl+"):
        return bytes([ord(name[-1]) & 0x1F])
    character = name if len(name) == 1 else key_to_character(name)
    assert character is not None, name
    return character.encode()


def post(url: str, job: dict[str, object]) -> None:
    request = urllib.request.Request(
        f"{url}/api/jobs/", data=json.dumps(job).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    urllib.request.urlopen(request, timeout=PATIENCE).close()


def hostile_job(url: str) -> None:
    """A job of another tenant: every text that one may choose holds the attack."""
    post(
        url,
        {
            "entrypoint": f"echo {ATTACK}",
            "submission_id": f"stranger{ATTACK}",
            "metadata": {f"k{ATTACK}": f"v{ATTACK}", "owner": ATTACK},
            "runtime_env": {"working_dir": f"gcs://{ATTACK}.zip", "env_vars": {f"E{ATTACK}": ATTACK}},
            "entrypoint_resources": {f"r{ATTACK}": 1},
        },
    )


def press(terminal: Terminal, key: bytes) -> None:
    """A key, what it opens, and out of that again; what comes later is looked at with the next key."""
    terminal.send(key)
    terminal.settle(0.1)
    for _ in range(2):
        terminal.send(b"\x1b")
        terminal.settle(0.1)


WALKED = [
    pytest.param(pane, id=pane.name, marks=() if pane.name == "jobs" else pytest.mark.slow)
    for pane in PANES
    if pane.name not in ("sdl", "secrets", "clusters")
]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
@pytest.mark.parametrize("pane", WALKED)
def test_every_key_on_a_stranger_s_job(pane: Entry, tmp_path: Path) -> None:
    with FrozenCluster() as cluster:
        hostile_job(cluster.url)
        with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path, seen="stranger") as terminal:
            terminal.settle()
            terminal.send(pane.key.encode() or f":{pane.name}\r".encode())
            terminal.settle(0.3)
            for action in ACTIONS:
                if action.keys and action.scope in ("app", "rows", pane.name) and action.name not in LEFT_OUT:
                    press(terminal, key_bytes(action.keys[0]))
                    assert not RAW.search(terminal.written), f"{action.name} on {pane.name}"
            terminal.settle()
            assert not RAW.search(terminal.written)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_the_fields_of_a_stranger_s_job(tmp_path: Path) -> None:
    with FrozenCluster() as cluster:
        hostile_job(cluster.url)
        with cockpit_in_a_terminal("--address", cluster.url, home=tmp_path, seen="stranger") as terminal:
            terminal.send(next(pane.key for pane in PANES if pane.name == "jobs").encode())
            terminal.settle(0.3)
            terminal.send(b"\x1b[H")
            terminal.settle(0.2)
            terminal.send(b"c")
            terminal.wait_for("␛]52;c;T1dORUQ")
            terminal.settle()
            terminal.send(b"\t\t\x1b[F\x1b[D\x1b[D")
            terminal.settle()
            assert not RAW.search(terminal.written)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_the_form_of_a_stranger_s_sdl(tmp_path: Path) -> None:
    quoted = json.dumps(ATTACK).replace("\\u009b", "\\x9b").replace("\\u007f", "\\x7f")
    template = (ROOT / "sdl" / "ray-cpu.yaml").read_text()
    path = tmp_path / "forum.yaml"
    path.write_text(re.sub(r"(?m)^(    image: ).*$", lambda found: f"{found[1]}{quoted}", template))
    terminal = Terminal(["sdl", "edit", str(path)], tmp_path)
    try:
        terminal.wait_for("image")
        terminal.settle()
        seen = False
        for _ in range(12):
            terminal.send(b"\r")
            terminal.settle(0.2)
            seen = seen or "␀␈␡" in terminal.text
            assert not RAW.search(terminal.written)
            terminal.send(b"\x1b")
            terminal.settle(0.15)
            terminal.send(b"\x1b[B")
            terminal.settle(0.15)
        assert seen, terminal.text
        assert not RAW.search(terminal.written)
    finally:
        terminal.close()


COMMANDS = (
    ["jobs"], ["jobs", "--json"], ["nodes"], ["gpus"], ["doctor"], ["logs", f"stranger{ATTACK}".replace("\x00", "")],
    ["stop", "nobody"], ["wait", "nobody"], ["delete", "nobody"], ["submit", "--no-wait", "--", "true"],
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0] + ("-json" if "--json" in words else ""))
def test_commands_on_a_terminal(command: list[str], tmp_path: Path) -> None:
    with FrozenCluster() as cluster:
        hostile_job(cluster.url)
        terminal = Terminal([*command, "--address", cluster.url] if command[0] != "submit" else
                            ["--address", cluster.url, *command], tmp_path)  # fmt: skip
        try:
            terminal.wait_for_end()
            assert terminal.written
            assert not RAW.search(terminal.written)
        finally:
            terminal.close()


def test_a_server_cannot_choose_the_id_that_is_printed(tmp_path: Path) -> None:
    from tests.ui.hostile_server import serving

    with serving({"job_id": ATTACK + "\nx", "submission_id": ATTACK + "\nx"}) as url:
        done = subprocess.run(
            [sys.executable, "-m", "cockpit", "--address", url, "submit", "--no-wait", "--id", "mine", "--", "true"],
            cwd=ROOT,
            env=os.environ | {"HOME": str(tmp_path)},
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 3
    assert done.stdout == b""
    assert b"another submission ID" in done.stderr
    assert not RAW.search(done.stderr)
