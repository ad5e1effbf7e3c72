"""What leases cost is in sight: by the journal at once, by the Console with pauses, and each alarm once."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from cockpit.clients.akash.console import ConsoleClient
from cockpit.errors import AuthenticationError
from cockpit.model.akash.lease_money import LeaseMoney
from cockpit.operations.deployments.ending import close
from cockpit.operations.deployments.flow import Terms
from cockpit.operations.deployments.journal import Journal, attempts
from cockpit.operations.deployments.money import MoneyBook, lease_price
from cockpit.operations.deployments.register import read
from cockpit.operations.deployments.telling import notes
from cockpit.render.lease_money import left, notice, words
from tests.akash_sim.console import SimConsole
from tests.akash_sim.wire import client_of
from tests.deployments.stage import Run

pytestmark = pytest.mark.usefixtures("session_secrets")
HOUR = 3600.0


class Book(MoneyBook):
    """One that asks the simulated Console, and keeps what is told."""

    def __init__(self, sim: SimConsole, **options: Any) -> None:
        self.told: list[LeaseMoney] = []

        def opened() -> ConsoleClient:
            return client_of(sim)

        super().__init__(**{"on_alarm": self.told.append, "open_console": opened, "clock": sim.world.clock, **options})

    def lab(self) -> LeaseMoney:
        """The money of the cluster."""
        found = self.of("lab")
        assert found is not None
        return found


async def _leased(console: SimConsole, **wish: Any) -> Run:
    run = Run(console, **wish)
    await run(Terms())
    return run


def _nobody() -> ConsoleClient:
    raise AuthenticationError("No API key for Akash Console.", status=401)


async def test_price_spent_and_time_left_are_those_of_the_chain() -> None:
    """One list, one read of the settings; between readings the price moves them on."""
    console = SimConsole()
    await _leased(console, hours=None)
    (one,) = console.world.deployments.values()
    console.world.clock.advance(10 * HOUR)
    book = Book(console)
    before = len(console.requests)
    await book.refresh()
    asked = [str(request.path) for request in console.requests[before:]]
    assert asked == ["/v1/deployments", f"/v2/deployment-settings/{one.dseq}"]
    console.world.settle(one)
    assert book.lab().spent_usd == pytest.approx(one.spent / 1_000_000, rel=Decimal("0.01"))
    assert book.lab().escrow_usd == pytest.approx(one.funds / 1_000_000, rel=Decimal("0.01"))
    console.world.clock.advance(HOUR)
    assert book.lab().spent_usd == pytest.approx(book.lab().usd_per_hour * 11, rel=Decimal("0.01"))
    await book.refresh()
    assert len(console.requests) == before + 4


async def test_without_a_key_the_journal_alone_tells_all_but_the_escrow() -> None:
    """Nothing is asked of the user for it."""
    console = SimConsole()
    await _leased(console, hours=24)
    console.world.clock.advance(4 * HOUR)
    book = Book(console, open_console=_nobody)
    await book.refresh()
    money = book.lab()
    assert money.escrow_usd is None
    assert money.spent_usd == pytest.approx(money.usd_per_hour * 4, rel=Decimal("0.02"))
    assert left(money) in ("19 h of runtime left", "20 h of runtime left")
    assert lease_price("lab") == pytest.approx(float(money.usd_per_hour), abs=1e-4)
    assert lease_price("other") is None


async def test_a_runtime_that_ends_soon_is_told_once_with_the_way_to_extend_it() -> None:
    console = SimConsole()
    await _leased(console, hours=24)
    book = Book(console)
    console.world.clock.advance(23.2 * HOUR)
    for _ in range(3):
        await book.refresh()
    assert [money.alarm for money in book.told] == ["runtime-1h"]
    assert "7, then e" in notice(book.told[0])
    assert "its data is lost then" in notice(book.told[0])


async def test_an_escrow_that_is_not_filled_is_told_at_24_and_at_2_hours() -> None:
    """The Console stopped topping it up."""
    console = SimConsole()
    await _leased(console, hours=None)
    console.world.auto_funds = False
    book = Book(console)
    for _ in range(48):
        console.world.clock.advance(HOUR)
        await book.refresh()
    assert [money.alarm for money in book.told[:2]] == ["escrow-24h", "escrow-2h"]
    assert "console.akash.network/billing" in notice(book.told[0])


async def test_a_lease_that_ended_says_why_and_what_is_next() -> None:
    console = SimConsole()
    await _leased(console, hours=None)
    (one,) = console.world.deployments.values()
    book = Book(console)
    await book.refresh()
    console.world.close_lease(one.leases[0], 10001)
    await book.refresh()
    await book.refresh()
    (told,) = book.told
    assert told.ended == "the provider takes the machine out of service"
    assert "7, then x" in notice(told)
    (row,) = (await read(client_of(console))).rows
    assert row.is_orphan
    assert notes(row) == "lease ended: the provider takes the machine out of service; close it to get its escrow back"
    assert words(book.lab()).endswith("lease ended: the provider takes the machine out of service")
    await close(client_of(console), Journal.resume(attempts()[0].path), one.dseq)
    await book.refresh()
    assert book.of("lab") is None


async def test_a_runtime_limit_that_ended_it_is_named() -> None:
    """Nothing is locked any more, so nothing needs to be closed."""
    console = SimConsole()
    await _leased(console, hours=2)
    book = Book(console)
    console.world.clock.advance(3 * HOUR)
    await book.refresh()
    assert (book.told[-1].ended, book.told[-1].is_closed) == ("its runtime limit of 2 h", True)
    assert "then x" not in notice(book.told[-1])


@pytest.mark.parametrize(
    ("escrow", "runtime", "alarm"),
    [(48, None, ""), (23.9, None, "escrow-24h"), (1.9, None, "escrow-2h"), (5, 5.1, ""), (5, 10, "escrow-24h"),
     (48, 0.9, "runtime-1h"), (0.9, 0.95, "runtime-1h"), (None, None, "")],
)  # fmt: skip
def test_the_alarm_is_of_what_ends_it_first(escrow: float | None, runtime: float | None, alarm: str) -> None:
    """An escrow that lasts up to the runtime limit is not short."""
    money = LeaseMoney(
        context="lab", dseq="1", at=0.0, usd_per_hour=Decimal(2), spent_usd=Decimal(3),
        escrow_usd=None if escrow is None else Decimal(escrow) * 2, ends_at=None if runtime is None else runtime * HOUR,
    )  # fmt: skip
    assert money.alarm == alarm
    assert bool(notice(money)) == bool(alarm)
    later = money.moved_to(1800.0)
    assert later.spent_usd == Decimal(4)
    assert msgspec.structs.replace(later, ended="x").moved_to(1e6).spent_usd == Decimal(4)
