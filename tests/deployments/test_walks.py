"""Deployments under random faults: one create per confirmation, and never something that costs and is called closed."""

import random
import re
from pathlib import Path

import pytest

from cockpit.errors import CockpitError
from cockpit.operations.deployments.deploying import Deploying, Tools
from cockpit.operations.deployments.ending import close
from cockpit.operations.deployments.flow import Terms
from cockpit.operations.deployments.journal import Journal, attempts, unfinished
from cockpit.operations.deployments.register import settle
from cockpit.operations.deployments.telling import what_exists
from tests.akash.lives import broken
from tests.akash_sim.console import Dialect, SimConsole
from tests.deployments.sources import ConsoleSource
from tests.deployments.stage import Run

WALKS, MORE_WALKS = 15, 300


@pytest.mark.usefixtures("session_secrets")
@pytest.mark.parametrize("dialect", ["autumn", "august"])
async def test_no_fault_hides_what_costs(dialect: Dialect) -> None:
    """A few seeds at each run."""
    for seed in range(WALKS):
        await _walk(seed, dialect)


@pytest.mark.slow
@pytest.mark.usefixtures("session_secrets")
@pytest.mark.parametrize("dialect", ["autumn", "august"])
async def test_no_fault_hides_what_costs_in_many_walks(dialect: Dialect) -> None:
    """Many more."""
    for seed in range(WALKS, WALKS + MORE_WALKS):
        await _walk(seed, dialect)


async def _walk(seed: int, dialect: Dialect) -> None:
    chance = random.Random(seed)
    sim = SimConsole(dialect=dialect)
    run = Run(sim)
    before = {one.path for one in attempts()}
    prepared = await run.prepared()
    sim.faults.add(*broken(chance))
    tools = Tools(source=lambda console, _: ConsoleSource(console), probe=run.probe)
    deploying = Deploying(run.client, prepared, Terms(bid_timeout_s=120.0), run.hear, tools=tools)
    try:
        await deploying.run(run.ask)
    except CockpitError as error:
        told = f"{error.title} {error.hint}"
        assert not (run.costing() and re.search("nothing costs|costs? nothing", told.lower())), (seed, told)
    confirmations = 1 + len(run.asked)
    assert sim.count("POST", "/v1/deployments") <= confirmations, seed
    _hold(seed, run, before)
    sim.faults.clear()
    run.client.clock.advance(60)  # type: ignore[attr-defined]
    await settle(run.client)
    _hold(seed, run, before)
    for one in unfinished():
        if one.path not in before:
            assert one.dseq is not None, seed
            await close(run.client, Journal.resume(one.path), one.dseq, try_it=run.probe)
    assert run.costing() == [], seed
    assert sim.count("POST", "/v1/deployments") <= confirmations, seed


def _hold(seed: int, run: Run, before: set[Path]) -> None:
    """Whatever exists is known to a journal as something that may cost."""
    ours = [one for one in attempts() if one.path not in before]
    known = {one.dseq for one in ours if one.may_cost}
    for dseq in run.costing():
        assert dseq in known or any(one.step == "creating" for one in ours), (seed, dseq, [one.step for one in ours])
    for one in ours:
        exists = one.dseq in run.costing()
        assert not (exists and "Nothing" in what_exists(one)), seed
