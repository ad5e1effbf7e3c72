"""The Deployments pane: what costs, what was left behind, and an end that is proven."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from textual.app import App
from textual.widgets import Input

from cockpit.clients.akash.console import ConsoleClient
from cockpit.operations.clusters.connect import Selection, choose
from cockpit.operations.clusters.opening import target_opener
from cockpit.operations.deployments import account
from cockpit.operations.deployments.journal import Entry, Journal
from cockpit.panes.deployments import DeploymentsPane
from cockpit.screens import deployment_actions
from tests.akash_sim.console import SimConsole
from tests.akash_sim.faults import HTML_502, Fault
from tests.akash_sim.gateway import SimGateway
from tests.akash_sim.samples import PLAIN
from tests.akash_sim.wire import client_of
from tests.ui.driver import Driver, cockpit_on, simulated
from tests.wire.commands import home as home
from tests.wire.commands import write_contexts


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


async def _typed(driver: Driver, key: str = "x", verb: str = "close") -> None:
    """Press a key on the row under the cursor, which was made elsewhere: its number must be typed."""
    dseq = pane(driver).table.row_key
    assert dseq is not None
    await driver.press(key)
    await driver.opened(f"Type the dseq to {verb} a deployment that was not made on this machine")
    await driver.press(*dseq, "enter")


@pytest.mark.usefixtures("home", "console")
async def test_what_costs_comes_first_and_orphans_are_marked() -> None:
    async with shown() as driver:
        await driver.wait_until(lambda: pane(driver).register is not None, "the list")
        driver.sees("lab", "active", "orphan: holds money; close it", "/h in all", "hold money without a lease")
        assert pane(driver).table.cell_text("name", pane(driver).table.shown_keys[0]) == "lab"
        await driver.press("enter")
        (await driver.opened("Deployment 1790001200000")).says("price", "so far", "in escrow")


@pytest.mark.usefixtures("home")
async def test_a_close_is_asked_and_proven(console: SimConsole) -> None:
    async with shown() as driver:
        await driver.wait_until(lambda: pane(driver).register is not None, "the list")
        await driver.press("x", "7", "enter")
        driver.sees("That is not 179000")
        await driver.press("escape")
        await _typed(driver)
        (await driver.opened("Close this deployment?")).says("It was not made on this machine", "data")
        await driver.answer("y")
        await driver.wait_until(lambda: any("is closed" in one for one in driver.told), "the proof")
        await driver.wait_until(lambda: len(pane(driver).table.shown_keys) == 1, "one row less")
    assert [one.state for one in console.world.deployments.values()] == ["active", "closed"]


@pytest.mark.usefixtures("home")
async def test_results_are_offered_before_the_close(
    console: SimConsole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied through the provider's gateway; a wrong place is said, and nothing is closed by it."""
    monkeypatch.chdir(tmp_path)
    made = next(one for one in console.world.deployments.values() if one.costing)
    (tmp_path / "container").mkdir()
    (tmp_path / "container" / "loss.txt").write_text("0.1\n")
    service = made.groups[0].services[0].name
    async with SimGateway(console.world, made.leases[0].provider, folder=tmp_path / "container"), shown() as driver:
        await driver.wait_until(lambda: pane(driver).register is not None, "the list")
        await _typed(driver)
        (await driver.opened("Close this deployment?")).says("copy results first")
        await driver.press("c")
        await driver.opened(f"Copy results of {made.dseq}")
        await driver.press("n", "o", "enter")
        driver.sees("Write SERVICE:PATH")
        driver.app.screen.query_one("#copy-from", Input).value = f"{service}:loss.txt"
        driver.app.screen.query_one("#copy-to", Input).value = "kept.txt"
        await driver.press("enter")
        await driver.wait_until(lambda: any("the checksum is right" in one for one in driver.told), "the copy")
        assert (tmp_path / "kept.txt").read_text() == "0.1\n"
        await driver.opened("Close this deployment?")
        await driver.answer("n")
    assert made.state == "active"


@pytest.mark.usefixtures("home", "console")
async def test_a_shell_is_opened_in_a_service_that_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal that can be lent; elsewhere the command is told."""
    lent: list[tuple[str, str]] = []

    @contextmanager
    def suspend(_: object) -> Iterator[None]:
        yield

    def run(dseq: str, service: str) -> int:
        lent.append((dseq, service))
        return 7

    async with shown() as driver:
        await driver.wait_until(lambda: pane(driver).register is not None, "the list")
        await _typed(driver, "exclamation_mark", "enter")
        await driver.opened("Open a shell in 1790001200000")
        await driver.answer("enter")
        await driver.wait_until(lambda: any("cannot be lent" in one for one in driver.told), "the refusal")
        assert any("deployments shell 1790001200000 gateway" in one for one in driver.told)
        monkeypatch.setattr(App, "suspend", suspend)
        monkeypatch.setattr(deployment_actions, "run_shell", run)
        await _typed(driver, "exclamation_mark", "enter")
        await driver.opened("Open a shell in 1790001200000")
        await driver.press("down")
        await driver.answer("enter")
        await driver.wait_until(lambda: any("exit code 7" in one for one in driver.told), "the end")
    assert lent == [("1790001200000", "ray-head")]


@pytest.mark.usefixtures("home")
async def test_a_close_that_is_not_proven_stays_in_the_list(console: SimConsole) -> None:
    console.faults.add(Fault(match="DELETE /v1/deployments", do="answer", times=999, status=503, body=HTML_502))
    async with shown() as driver:
        await driver.wait_until(lambda: pane(driver).register is not None, "the list")
        await _typed(driver)
        await driver.opened("Close this deployment?")
        await driver.answer("y")
        await driver.wait_until(lambda: any("may still cost" in one for one in driver.told), "the warning")
        assert len(pane(driver).table.shown_keys) == 2


@pytest.mark.usefixtures("home")
async def test_without_a_key_it_says_how_to_give_one() -> None:
    async with shown() as driver:
        await driver.wait_until(lambda: "No API key" in driver.text, "the sentence")
        driver.sees("secrets set AKASH_API_KEY")


def _leased(home: Path, address: str) -> None:
    """A cluster of the config, with the journal of a lease that began two hours ago and ends in 50 minutes."""
    write_contexts(home, f'[contexts.lab]\naddress = "{address}"\ncost = 9.0\n')
    now = time.time()
    journal = Journal.begin(Entry(step="plan", at=now, token="abc", file="/tmp/lab.yaml", runtime_hours=2))
    journal.write(Entry(step="created", at=now, dseq="1790001200000"))
    price = Decimal(3400)  # uact a block: $2.01/h
    began = now - 70 * 60
    journal.write(Entry(step="leased", at=began, providers=("akash1x",), uact_per_block=price, height=1))
    journal.write(Entry(step="context", at=now, context="lab"))
    journal.close()


async def test_the_money_of_a_lease_is_in_sight_and_its_end_is_told(home: Path) -> None:
    """Header and Clusters, also without a key: the journal knows all but the escrow."""
    async with simulated() as server:
        _leased(home, server.url)
        opener = target_opener(choose(Selection(context="lab")))
        async with cockpit_on(opener, size=(160, 30), first_pane="clusters") as driver:
            await driver.wait_until(lambda: "so far" in driver.lines[0], "the money", settled=False)
            assert "$2.01/h   $2.34 so far   49 min of runtime left" in driver.lines[0]
            assert not any("was interrupted" in one for one in driver.told)
            assert any("ends by itself in 49 min" in one and "7, then e" in one for one in driver.told)
            await driver.wait_until(lambda: "49 min" in driver.text.partition("NAME")[2], "the row", settled=False)
            driver.sees("2.01 ", "$2.34")
            await driver.resize(80, 24)
            assert "49 min of runtime left" in driver.lines[0]
