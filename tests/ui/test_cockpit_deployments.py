"""The Deployments pane: what costs, what was left behind, and an end that is proven."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cockpit.clients.akash.console import ConsoleClient
from cockpit.operations.deployments import account
from cockpit.panes.deployments import DeploymentsPane
from tests.akash_sim.console import SimConsole
from tests.akash_sim.faults import HTML_502, Fault
from tests.akash_sim.samples import PLAIN
from tests.akash_sim.wire import client_of
from tests.ui.driver import Driver, cockpit_on
from tests.wire.commands import home as home


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> SimConsole:
    """The Console that the pane asks, with one lease that costs and one forgotten deployment."""
    sim = SimConsole()
    orphan = sim.world.create(PLAIN, name="forgotten")
    sim.world.clock.advance(1200)
    lab = sim.world.create(PLAIN, name="lab")
    sim.world.clock.advance(60)
    sim.world.lease(lab, [(1, sim.world.bids(lab)[0].provider.address)])
    lab.leases[0].manifest_at = sim.world.clock.time()
    sim.world.clock.advance(3600)
    assert orphan.state == lab.state == "active"

    def opened(_: str | None = None, *, with_key: bool = True) -> ConsoleClient:
        return client_of(sim, key="" if with_key else None)

    monkeypatch.setattr(account, "open_console", opened)
    return sim


@asynccontextmanager
async def shown() -> AsyncIterator[Driver]:
    """The pane without any cluster, once it has an answer."""
    async with cockpit_on(None, size=(130, 30), first_pane="deployments") as driver:
        await driver.wait_until(lambda: driver.has_dialog, "the start dialog")
        await driver.answer("escape")
        yield driver


def pane(driver: Driver) -> DeploymentsPane:
    found = driver.pane("deployments")
    assert isinstance(found, DeploymentsPane)
    return found


@pytest.mark.usefixtures("home", "console")
async def test_what_costs_comes_first_and_orphans_are_marked() -> None:
    async with shown() as driver:
        await driver.wait_until(lambda: pane(driver).register is not None, "the list")
        driver.sees("lab", "active", "orphan: holds money for nothing", "/h in all", "hold money for nothing")
        assert pane(driver).table.cell_text("name", pane(driver).table.shown_keys[0]) == "lab"
        await driver.press("enter")
        (await driver.opened("Deployment 1790001200000")).says("price", "so far", "in escrow")


@pytest.mark.usefixtures("home")
async def test_a_close_is_asked_and_proven(console: SimConsole) -> None:
    async with shown() as driver:
        await driver.wait_until(lambda: pane(driver).register is not None, "the list")
        await driver.press("x")
        (await driver.opened("Close this deployment?")).says("It was not made on this machine", "data")
        await driver.answer("y")
        await driver.wait_until(lambda: any("is closed" in one for one in driver.told), "the proof")
        await driver.wait_until(lambda: len(pane(driver).table.shown_keys) == 1, "one row less")
    assert [one.state for one in console.world.deployments.values()] == ["active", "closed"]


@pytest.mark.usefixtures("home")
async def test_a_close_that_is_not_proven_stays_in_the_list(console: SimConsole) -> None:
    console.faults.add(Fault(match="DELETE /v1/deployments", do="answer", times=999, status=503, body=HTML_502))
    async with shown() as driver:
        await driver.wait_until(lambda: pane(driver).register is not None, "the list")
        await driver.press("x")
        await driver.opened("Close this deployment?")
        await driver.answer("y")
        await driver.wait_until(lambda: any("may still cost" in one for one in driver.told), "the warning")
        assert len(pane(driver).table.shown_keys) == 2


@pytest.mark.usefixtures("home")
async def test_without_a_key_it_says_how_to_give_one() -> None:
    async with shown() as driver:
        await driver.wait_until(lambda: "No API key" in driver.text, "the sentence")
        driver.sees("secrets set AKASH_API_KEY")
