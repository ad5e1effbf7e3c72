"""With real gateways of providers, on TLS: the start as they tell it, and the way into a service."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.clients.address import Address
from cockpit.clients.akash.console import ConsoleClient
from cockpit.operations.deployments import account, deploying
from cockpit.operations.deployments.deploying import Tools
from tests.akash_sim.console import SimConsole
from tests.akash_sim.gateway import SimGateway
from tests.akash_sim.market import SimProvider
from tests.akash_sim.pods import PodPlan
from tests.akash_sim.wire import client_of
from tests.akash_sim.world import SimWorld
from tests.deployments.stage import CPU
from tests.wire.commands import here


class Rented:
    """One provider, its gateway, and the file to deploy there."""

    def __init__(self, sim: SimConsole, server: SimGateway, folder: Path, file: str) -> None:
        self.sim, self.server, self.folder, self.file = sim, server, folder, file

    async def deploy(self) -> str:
        """Deploy; returns the dseq."""
        done = await here("deploy", self.file, "--yes", "--json")
        assert done.code == 0, done.err
        return str(done.data["dseq"])


@pytest.fixture
async def rented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rented]:
    """A network of one provider whose gateway is a real server."""
    folder, file = tmp_path / "container", tmp_path / "lab.yaml"
    folder.mkdir()
    file.write_text(CPU)
    provider = SimProvider(address="akash1" + "q" * 38, host="p.sim.example", nodes=[8])
    sim = SimConsole(SimWorld(market=[provider]))

    def opened(_: str | None = None, *, with_key: bool = True) -> ConsoleClient:
        return client_of(sim, key="" if with_key else None)

    async def answers(_: Address, __: str | None) -> None:
        return None

    for name in ("RAY_AUTH_TOKEN", "GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY"):
        monkeypatch.setenv(f"RAYAKASH_SECRET_{name}", "canary-" + "x" * 40)
    monkeypatch.setattr(account, "open_console", opened)
    monkeypatch.setattr(deploying, "TOOLS", Tools(source=deploying.TOOLS.source, probe=answers))
    async with SimGateway(sim.world, provider, folder=folder) as server:
        yield Rented(sim, server, folder, str(file))


async def test_the_start_is_asked_of_the_provider_and_not_of_the_slow_console(rented: Rented) -> None:
    """With a token for this lease alone."""
    dseq = await rented.deploy()
    assert [path for path, _ in rented.server.requests if path.endswith("/status")]
    console = rented.sim.requests
    assert sum(one.path == f"/v1/deployments/{dseq}" for one in console) <= 2


async def test_how_a_deployment_is_doing_is_asked_of_the_provider(rented: Rented, tmp_path: Path) -> None:
    """The slow call of the Console only where the provider does not answer, or its services are not known here."""
    dseq = await rented.deploy()

    async def show() -> tuple[dict[str, Any], bool]:
        before = len(rented.sim.requests)
        done = await here("deployments", "show", dseq, "--json")
        assert done.code == 0, done.err
        is_slow = any(one.path == f"/v1/deployments/{dseq}" for one in rented.sim.requests[before:])
        (lease,) = done.data["deployment"]["leases"]
        assert {one["name"]: one["available"] for one in lease["services"]}["ray-worker"] == 2
        assert [port["port"] for port in lease["ports"]] == [8443]
        return lease, is_slow

    lease, is_slow = await show()
    assert (lease["status_source"], is_slow) == ("provider", False)
    assert lease["reason"] is None  # though the chain writes one from the beginning
    (tmp_path / "lab.yaml").unlink()  # the copy beside the journal names the services too
    before = len(rented.sim.requests)
    assert (await here("deployments", "logs", dseq, "ray-head")).code == 0
    assert all(one.path != f"/v1/deployments/{dseq}" for one in rented.sim.requests[before:])
    assert (await show())[1] is False
    await rented.server.refuse()
    lease, is_slow = await show()
    assert (lease["status_source"], is_slow) == ("console", True)
    assert "as Akash Console last saw them" in (await here("deployments", "show", dseq)).err


async def test_the_culprit_and_its_last_event_are_named(rented: Rented) -> None:
    """With the clock of what ends it."""
    rented.server.provider.plans = {"ray-worker": PodPlan(trouble="pull-error")}
    done = await here("deploy", rented.file, "--yes", "--bid-timeout", "60s")
    assert done.code == 1
    assert "ray-worker 0/2" in done.err
    assert "closes the lease in about" in done.err
    assert "ErrImagePull" in done.err or "Back-off pulling image" in done.err


async def test_log_events_and_a_command(rented: Rented) -> None:
    """One service each; the command's exit code is ours."""
    dseq = await rented.deploy()
    rented.server.lines = {"ray-head": ["Ray runtime started.", "ready"]}
    log = await here("deployments", "logs", dseq, "ray-head")
    assert (log.code, log.text.count("\n")) == (0, 2), log.err
    assert "Ray runtime started." in log.text
    events = await here("deployments", "events", dseq)
    assert "Started" in events.text, events.err
    ran = await here("deployments", "shell", dseq, "ray-head", "--", "sh", "-c", "echo hello; exit 7")
    assert (ran.code, ran.text) == (7, "hello\n"), ran.err
    assert "Name a service" in (await here("deployments", "logs", dseq)).err


async def test_files_are_copied_out_and_in(rented: Rented, tmp_path: Path) -> None:
    """And compared."""
    dseq = await rented.deploy()
    (rented.folder / "results.txt").write_text("loss 0.1\n")
    out = await here("deployments", "cp", f"{dseq}:ray-head:results.txt", str(tmp_path / "here.txt"))
    assert out.code == 0, out.err
    assert (tmp_path / "here.txt").read_text() == "loss 0.1\n"
    (tmp_path / "data.txt").write_text("in\n")
    into = await here("deployments", "cp", str(tmp_path / "data.txt"), f"{dseq}:ray-head:data.txt", "--json")
    assert into.code == 0, into.err
    assert (rented.folder / "data.txt").read_text() == "in\n"
    assert (await here("deployments", "cp", "a", "b")).code == 2


async def test_a_gateway_that_is_down_leaves_the_console(rented: Rented) -> None:
    """The start goes on by what the Console tells, and its cluster is added."""
    await rented.server.refuse()
    dseq = await rented.deploy()
    assert rented.server.requests == []
    assert "does not answer" in (await here("deployments", "logs", dseq, "ray-head")).err


async def test_a_provider_of_another_name_gets_no_token(rented: Rented) -> None:
    """The start goes on by the Console."""
    rented.server.common_name = "akash1other"
    await rented.server.refuse()
    await rented.server.listen()
    await rented.deploy()
    assert rented.server.requests == []
