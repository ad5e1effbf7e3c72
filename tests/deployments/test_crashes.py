"""Killed by SIGKILL at every point of a deployment's life: the next start says what exists, and ends or resumes it.

Never a second deployment, never one that costs and is not told.
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cockpit.clients.address import Address
from cockpit.clients.akash.console import ConsoleClient
from cockpit.errors import CockpitError
from cockpit.operations.clusters.contexts import known_clusters
from cockpit.operations.deployments.deploying import Tools
from cockpit.operations.deployments.ending import close
from cockpit.operations.deployments.existing import resume
from cockpit.operations.deployments.flow import Terms
from cockpit.operations.deployments.journal import Journal, attempts, unfinished
from cockpit.operations.deployments.register import read, settle
from cockpit.operations.deployments.run_to_end import RunToEnd, run_plan_of
from tests.akash_sim.console import Dialect, SimConsole
from tests.akash_sim.server import SimServer
from tests.akash_sim.wire import client_of
from tests.deployments.job_stub import StubCluster
from tests.deployments.sources import ConsoleSource
from tests.deployments.stage import CPU
from tests.wire.commands import REPOSITORY

# Where it is killed, whether something exists then, and whether that costs by the hour.
POINTS = {
    ("plan", "after"): (False, False),
    ("creating", "after"): (False, False),
    ("created", "before"): (True, False),
    ("created", "after"): (True, False),
    ("bidding", "after"): (True, False),
    ("leasing", "after"): (True, False),
    ("leased", "before"): (True, True),
    ("leased", "after"): (True, True),
    ("starting", "after"): (True, True),
    ("reachable", "after"): (True, True),
    ("context", "before"): (True, True),
    ("closing", "after"): (True, True),
    ("closed", "before"): (False, False),
}


class Crashed:
    """A simulated network with what a killed process left in it."""

    def __init__(self, sim: SimConsole) -> None:
        self.sim = sim
        self.client: ConsoleClient = client_of(sim)

    def costing(self) -> list[str]:
        """What exists."""
        self.sim.world.check()
        return [dseq for dseq, one in self.sim.world.deployments.items() if one.state == "active"]

    async def end(self) -> None:
        """Close what is unfinished, as a user would."""
        for attempt in unfinished():
            if attempt.dseq is not None:
                await close(self.client, Journal.resume(attempt.path), attempt.dseq, try_it=_answers)


async def _answers(_: Address, __: str | None) -> None:
    return None


TOOLS = Tools(source=lambda console, _: ConsoleSource(console), probe=_answers)


@pytest.fixture(scope="module")
async def victims() -> AsyncIterator[asyncio.subprocess.Process]:
    """A process whose forks are killed: it has imported everything once."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.deployments.victim", cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    yield process
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


async def _crash(
    victims: asyncio.subprocess.Process, home: Path, point: tuple[str, str], dialect: Dialect, *, run: bool = False
) -> Crashed:
    """Let a fork deploy until it is killed at this point."""
    sim = SimConsole(dialect=dialect)
    async with SimServer(sim) as server:
        order: dict[str, object] = {
            "url": server.url,
            "key": sim.world.keys[0].value,
            "home": str(home),
            "step": point[0],
        }
        order |= {"when": point[1], "run": run}
        assert victims.stdin is not None
        assert victims.stdout is not None
        victims.stdin.write(json.dumps(order).encode() + b"\n")
        answer = json.loads(await victims.stdout.readline())
    assert answer["signal"] == signal.SIGKILL
    return Crashed(sim)


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    home.mkdir()
    (home / "lab.yaml").write_text(CPU)
    for name in ("RAY_AUTH_TOKEN", "GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY"):
        monkeypatch.setenv(f"RAYAKASH_SECRET_{name}", "canary-" + "x" * 40)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point[1]}-{point[0]}")
async def test_the_next_start_knows_all_that_a_kill_left(
    victims: asyncio.subprocess.Process, home: Path, point: tuple[str, str]
) -> None:
    """What exists is told with its cost, is resumed to the cluster that was wanted, and can be closed."""
    crashed = await _crash(victims, home, point, "autumn")
    await _told(crashed, point)
    if crashed.costing():
        (attempt,) = attempts()
        ready = await resume(crashed.client, attempt, Terms(), lambda _: None, tools=TOOLS)
        assert crashed.costing() == [ready.dseq]
        assert ready.context is not None
    await _ended(crashed)


RUN_POINTS = (
    ("leased", "before"),
    ("context", "after"),
    ("submitting", "after"),
    ("submitted", "before"),
    ("submitted", "after"),
    ("ran", "before"),
    ("copied", "before"),
    ("copied", "after"),
    ("fetched", "before"),
    ("closing", "after"),
)


@pytest.mark.parametrize("point", RUN_POINTS, ids=lambda point: f"{point[1]}-{point[0]}")
async def test_a_killed_run_goes_on_where_it_was_and_runs_its_job_once(
    victims: asyncio.subprocess.Process, home: Path, point: tuple[str, str]
) -> None:
    """Told, resumed, run to its end, and closed; with one deployment and one submission."""
    crashed = await _crash(victims, home, point, "autumn", run=True)
    assert len(crashed.costing()) == 1
    (found,) = await settle(crashed.client)
    assert "deployments resume" in found.sentence
    ready = await resume(crashed.client, found.attempt, Terms(), lambda _: None, tools=TOOLS)
    assert ready.context is not None
    plan, cluster = run_plan_of(found.attempt), StubCluster(home / "jobs")
    assert plan is not None
    journal = Journal.resume(found.attempt.path)
    await RunToEnd(crashed.client, journal, plan, cluster, lambda _: None, try_it=_answers).run("job-2")
    journal.close()
    assert len(cluster.submissions) == 1
    await _ended(crashed)


@pytest.mark.parametrize("point", [("creating", "after"), ("created", "before"), ("leased", "before")])
async def test_an_old_console_knows_no_names_and_is_understood(
    victims: asyncio.subprocess.Process, home: Path, point: tuple[str, str]
) -> None:
    """A lost create is found by its time."""
    crashed = await _crash(victims, home, point, "august")
    await _told(crashed, point)
    await _ended(crashed)


async def _told(crashed: Crashed, point: tuple[str, str]) -> None:
    exists, costs = POINTS[point]
    assert bool(crashed.costing()) == exists
    found = [one for one in await settle(crashed.client) if one.deployment is not None]
    assert [one.deployment.dseq for one in found if one.deployment] == crashed.costing()
    for one in found:
        assert ("costs $" in one.sentence) == costs
        assert "deployments resume" in one.sentence
        assert "deployments close" in one.sentence
    assert {row.dseq for row in (await read(crashed.client)).rows} == set(crashed.costing())


async def _ended(crashed: Crashed) -> None:
    await crashed.end()
    assert crashed.costing() == []
    assert unfinished() == []
    assert known_clusters().rows == ()
    assert crashed.sim.count("POST", "/v1/deployments") <= 1


async def test_without_its_manifest_an_old_console_can_only_close(
    victims: asyncio.subprocess.Process, home: Path
) -> None:
    """The manifest is not on disk, since it can hold secrets: it is said, and the way out."""
    crashed = await _crash(victims, home, ("bidding", "after"), "august")
    await settle(crashed.client)
    (attempt,) = attempts()
    with pytest.raises(CockpitError) as caught:
        await resume(crashed.client, attempt, Terms(), lambda _: None, tools=TOOLS)
    assert "deployments close" in caught.value.hint
    assert crashed.costing()
