"""`deployments cp` as a user types it, through real sockets of a simulated Console and provider."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cockpit.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from cockpit.operations.deployments.copying import parse_place
from tests.akash_sim.console import SimConsole
from tests.akash_sim.gateway import SimGateway
from tests.akash_sim.market import SimProvider
from tests.akash_sim.samples import PLAIN
from tests.akash_sim.server import SimServer
from tests.akash_sim.world import SimWorld
from tests.wire.commands import here, home

__all__ = ["home"]


@pytest.fixture
async def dseq(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A deployment that runs, whose containers are the folder `container`."""
    assert home.is_relative_to(tmp_path)
    (tmp_path / "container").mkdir()
    provider = SimProvider(address="akash1" + "q" * 38, host="p.sim.example", nodes=[8])
    world = SimWorld(market=[provider])
    made = world.create(PLAIN, name="lab")
    world.clock.advance(40)
    world.lease(made, [(1, provider.address)])
    made.leases[0].manifest_at = world.clock.time()
    world.clock.advance(60)
    async with (
        SimGateway(world, provider, folder=tmp_path / "container"),
        SimServer(SimConsole(world)) as server,
    ):
        monkeypatch.setenv("AKASH_CONSOLE_URL", server.url)
        monkeypatch.setenv("AKASH_API_KEY", world.keys[0].value)
        yield made.dseq


async def test_results_come_out_and_data_goes_in(dseq: str, tmp_path: Path) -> None:
    source = tmp_path / "container" / "results"
    source.mkdir()
    (source / "loss.txt").write_text("0.1\n")
    out = await here("deployments", "cp", f"{dseq}:ray-head:results", str(tmp_path / "here"))
    assert (out.code, out.err) == (EXIT_OK, "")
    assert "the checksum is right" in out.text
    assert (tmp_path / "here" / "loss.txt").read_text() == "0.1\n"
    back = await here("deployments", "cp", "--json", str(tmp_path / "here"), f"{dseq}:ray-head:again")
    assert back.code == EXIT_OK
    assert (back.data["path"], back.data["resumed"]) == ("again", 0)
    assert (tmp_path / "container" / "again" / "loss.txt").read_text() == "0.1\n"


async def test_bad_input_is_told(dseq: str, tmp_path: Path) -> None:
    cases = {
        ("here", "there"): (EXIT_USAGE, "Neither argument names a container"),
        ("1:a:/x", "2:b:/y"): (EXIT_USAGE, "Both arguments name a container"),
        (str(tmp_path / "absent"), f"{dseq}:ray-head:x"): (EXIT_USAGE, "does not exist"),
        (f"{dseq}:ray-head:absent", str(tmp_path)): (EXIT_FAILED, "absent does not exist in ray-head"),
        (f"{dseq}:nobody:x", str(tmp_path)): (EXIT_FAILED, "has no service 'nobody'"),
        ("1600000000000:ray-head:x", str(tmp_path)): (EXIT_FAILED, "not found"),
    }
    for arguments, (code, words) in cases.items():
        said = await here("deployments", "cp", *arguments)
        assert (said.code, said.out) == (code, b"")
        assert words in said.err
    refused = await here("--read-only", "deployments", "cp", str(tmp_path), f"{dseq}:ray-head:x")
    assert refused.code == EXIT_USAGE
    assert await asyncio.to_thread(lambda: list((tmp_path / "container").iterdir())) == []


@pytest.mark.parametrize("text", ["./a:b:c", "C:\\x", "123", "123:", "x:y:z", "/tmp/1:2:3"])
def test_paths_of_this_machine_are_no_places(text: str) -> None:
    assert parse_place(text) is None
