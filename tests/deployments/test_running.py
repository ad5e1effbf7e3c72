"""What a deployment runs against a file: from the Console, else from what is kept here, and no value is shown."""

from pathlib import Path
from typing import Any

import pytest

from cockpit.clients.akash.console import ConsoleClient
from cockpit.local.containers import cluster
from cockpit.local.containers.engine import Engine
from cockpit.operations.clusters import containers
from cockpit.operations.deployments import account, deploying
from cockpit.operations.deployments.deploying import Tools
from cockpit.operations.deployments.preparing import Wish, outgoing, prepare
from cockpit.sdl.document import SdlDocument
from tests.akash_sim.console import Dialect, SimConsole
from tests.akash_sim.wire import client_of
from tests.deployments.sources import ConsoleSource
from tests.deployments.stage import CPU
from tests.wire.commands import here

pytestmark = pytest.mark.usefixtures("session_secrets")
OTHER = CPU.replace("caddy:2.10.2", "caddy:2.10.1").replace("count: 2", "count: 3")


class Deployed:
    """A deployment of `lab.yaml`, and other files to compare with."""

    def __init__(self, sim: SimConsole, folder: Path) -> None:
        self.sim, self.folder, self.dseq = sim, folder, ""

    def file(self, name: str, text: str) -> str:
        """Write a file."""
        path = self.folder / name
        path.write_text(text)
        return str(path)

    async def deploy(self) -> None:
        """Rent it."""
        done = await here("deploy", self.file("lab.yaml", CPU), "--yes", "--no-wait", "--json")
        assert done.code == 0, done.err
        self.dseq = done.data["dseq"]

    async def compare(self, file: str) -> Any:
        """`sdl diff FILE --deployed DSEQ --json`."""
        done = await here("sdl", "diff", file, "--deployed", self.dseq, "--scope", "lab", "--json")
        assert done.code == 0, done.err
        assert "canary" not in done.text + done.err
        return done.data


def _deployed(dialect: Dialect, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Deployed:
    sim = SimConsole(dialect=dialect)

    def opened(_: str | None = None, *, with_key: bool = True) -> ConsoleClient:
        return client_of(sim, key="" if with_key else None)

    async def answers(*_: object) -> None:
        return None

    monkeypatch.setattr(account, "open_console", opened)
    monkeypatch.setattr(deploying, "TOOLS", Tools(source=lambda client, _: ConsoleSource(client), probe=answers))
    return Deployed(sim, folder)


@pytest.mark.parametrize("dialect", ["autumn", "august"])
async def test_a_file_against_what_runs(dialect: Dialect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the newer Console, and from the unchanged file where the older keeps none; values count as their names."""
    one = _deployed(dialect, tmp_path, monkeypatch)
    await one.deploy()
    same = await one.compare(one.file("same.yaml", f"# a comment makes no difference\n{CPU}"))
    assert (same["differences"], same["in_place"]) == ([], True)
    assert same["source"] == ("Akash Console" if dialect == "autumn" else str(tmp_path / "lab.yaml"))
    found = await one.compare(one.file("other.yaml", OTHER))
    assert [(row["subject"], row["what"], row["in_place"]) for row in found["differences"]] == [
        ("ray-worker", "count", False),
        ("gateway", "image", True),
    ]
    assert (found["differences"][1]["before"], found["differences"][1]["after"]) == ("caddy:2.10.2", "caddy:2.10.1")


async def test_a_file_that_changed_since_leaves_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy holds no values; those that the file has now are not compared, and named."""
    one = _deployed("august", tmp_path, monkeypatch)
    secret = CPU.replace("ac-secret://RAY_AUTH_TOKEN", "canary-" + "y" * 40)
    done = await here("deploy", one.file("lab.yaml", secret), "--yes", "--no-wait", "--json")
    assert done.code == 0, done.err
    one.dseq = done.data["dseq"]
    found = await one.compare(one.file("lab.yaml", CPU))
    assert found["source"] == "the copy that was kept here"
    assert found["differences"] == []
    assert found["not_compared"] == ["RAY_AUTH_TOKEN"]
    assert not [path for path in (tmp_path / "home").rglob("*.sdl") if "canary" in path.read_text()]
    script = await one.compare(one.file("lab.yaml", CPU.replace("case ${RAY_AUTH_TOKEN:-} in", "case x in", 1)))
    assert [row["what"] for row in script["differences"]] == ["args"]


async def test_values_inside_what_runs_are_the_references_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an update that took no seal the Console keeps the values; another value is a difference."""
    one = _deployed("autumn", tmp_path, monkeypatch)
    await one.deploy()
    world = one.sim.world.deployments[one.dseq]
    token = "canary-" + "x" * 40
    world.sdl = world.sdl.replace("ac-secret://RAY_AUTH_TOKEN", token)
    assert (await one.compare(str(tmp_path / "lab.yaml")))["differences"] == []
    world.sdl = world.sdl.replace(token, "canary-" + "z" * 40)
    names = [row["what"] for row in (await one.compare(str(tmp_path / "lab.yaml")))["differences"]]
    assert set(names) == {"env RAY_AUTH_TOKEN"}


async def test_what_nobody_keeps_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And two files, or none, are a wrong use."""
    one = _deployed("august", tmp_path, monkeypatch)
    other = one.sim.world.create(CPU, name="someone else's")
    one.sim.world.clock.advance(60)
    file = one.file("lab.yaml", CPU)
    done = await here("sdl", "diff", file, "--deployed", other.dseq)
    assert done.code == 2
    assert "is not known" in done.err
    assert (await here("sdl", "diff", file)).code == 2
    assert (await here("sdl", "diff", file, file, "--deployed", "1")).code == 2


async def test_render_up_and_deploy_resolve_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One reference, one value: in a rendered copy, in containers here, inside a create and under its seal."""
    monkeypatch.setenv("RAYAKASH_SECRET_RAY_AUTH_TOKEN", "token-" + "q" * 40)
    file = tmp_path / "lab.yaml"
    file.write_text(CPU)
    document, values = SdlDocument(CPU), []
    rendered = await here("sdl", "render", str(file), "--reveal")
    values.append(SdlDocument(rendered.text).cluster.view.services["ray-head"].env_value("RAY_AUTH_TOKEN"))
    dialects: tuple[Dialect, ...] = ("august", "autumn")
    for dialect in dialects:
        sim = SimConsole(dialect=dialect)
        client = client_of(sim)
        sent = await outgoing(client, await prepare(client, document, file, Wish()))
        if sent.sealed is None:
            view = SdlDocument(sent.sdl.reveal()).cluster.view
            values.append(view.services["ray-head"].env_value("RAY_AUTH_TOKEN"))
        else:
            now = sim.world.clock.time()
            values.append(sim.sealing.open(sent.sealed, sent.sdl.reveal(), now)["RAY_AUTH_TOKEN"])

    def start(*given: Any, **_: object) -> list[Any]:
        plan = given[3]
        values.append(next(one for one in plan.containers if one.service == "ray-head").env["RAY_AUTH_TOKEN"].reveal())
        return []

    monkeypatch.setattr(cluster, "start", start)
    monkeypatch.setattr(Engine, "capacity", lambda _: (64, 2**40))
    monkeypatch.setattr(containers, "_fingerprint", lambda _: None)
    containers.bring_up(Engine("podman", "podman"), document, file, containers.Wish(), report=lambda _: None)
    assert values == ["token-" + "q" * 40] * 4
