"""The money of every lease that has a cluster here: from our journals immediately, then polled from the Console.

One list of deployments answers for all leases; the slow call about a single one is made only once it has ended.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from cockpit.clients.akash.waiting import Clock, MachineClock
from cockpit.errors import CockpitError
from cockpit.model.akash.lease_money import Alarm, LeaseMoney
from cockpit.model.akash.money import usd_per_hour
from cockpit.operations.background import aside
from cockpit.operations.deployments.journal import Attempt, attempts
from cockpit.secrets.passphrase import unasked

if TYPE_CHECKING:
    from cockpit.clients.akash.console import ConsoleClient

MINUTE_S = 60.0
POLL_S = 300.0
SOON_S = 60.0
"""The pause while something is about to end."""
LIMIT_S = 3600.0
WITHOUT_S = 30.0
"""The pause while no lease is known: only the disk is looked at."""

Open = Callable[[], "ConsoleClient"]
OnAlarm = Callable[[LeaseMoney], None]


def leased_clusters() -> list[Attempt]:
    """The deployments with a lease and a cluster of ours, by their journals. Raises UsageError."""
    newest: dict[str, Attempt] = {}
    for attempt in attempts():
        context = attempt.last.context
        if context is not None and attempt.may_cost and attempt.leased_at is not None:
            newest.setdefault(context, attempt)
    return list(newest.values())


def money_of(attempt: Attempt, now: float) -> LeaseMoney:
    """What the journal alone knows of a lease's money: all but the escrow."""
    price = usd_per_hour(attempt.last.uact_per_block or Decimal(0))
    began, limit = attempt.leased_at or now, attempt.last.runtime_hours
    return LeaseMoney(
        context=attempt.last.context or "",
        dseq=attempt.dseq or "",
        at=now,
        usd_per_hour=price,
        spent_usd=price * Decimal(max(0.0, now - began)) / 3600,
        ends_at=None if limit is None else began + limit * 3600,
    )


def lease_price(context: str) -> float | None:
    """What the lease of a cluster costs in USD per hour, by our journal; None where there is none, or none is read."""
    try:
        found = next((one for one in leased_clusters() if one.last.context == context), None)
    except CockpitError:
        return None
    return float(round(usd_per_hour(found.last.uact_per_block), 4)) if found and found.last.uact_per_block else None


def _open_quietly() -> "ConsoleClient":
    """The user did not ask for this, so do not ask for a passphrase."""
    from cockpit.operations.deployments.account import open_console

    with unasked():
        return open_console()


class MoneyBook:
    """The money of each cluster with a lease; `on_alarm` is called once per alarm, `on_change` for every reading."""

    def __init__(
        self,
        *,
        on_alarm: OnAlarm = lambda _: None,
        on_change: Callable[[], None] = lambda: None,
        open_console: Open = _open_quietly,
        clock: Clock | None = None,
    ) -> None:
        self._on_alarm = on_alarm
        self._on_change = on_change
        self._open = open_console
        self.clock = clock or MachineClock()
        self._known: dict[str, LeaseMoney] = {}
        self._was_told: set[tuple[str, Alarm]] = set()
        self._limits: dict[tuple[str, int | None], tuple[float, float | None]] = {}

    def of(self, context: str) -> LeaseMoney | None:
        """The money of a cluster; None where no lease of ours is behind it.

        It is as of the last full minute, so that the screen changes no more often.
        """
        found, now = self._known.get(context), self.clock.now().wall
        return None if found is None else found.moved_to(max(found.at, now - now % MINUTE_S))

    async def run(self) -> None:
        """Read again and again, with pauses, until cancelled."""
        while True:
            await self.refresh()
            await self.clock.sleep(self._pause())

    def _pause(self) -> float:
        running = [one for one in map(self.of, tuple(self._known)) if one is not None and not one.ended]
        if not running:
            return WITHOUT_S
        left = [float(one.hours_left) for one in running if one.hours_left is not None]
        return SOON_S if min(left, default=24.0) < 2 else POLL_S

    async def refresh(self) -> None:
        """Read the journals, then the Console; what it cannot tell now stays as it was, moved on by its price."""
        try:
            leased = await aside(leased_clusters)
        except CockpitError:  # the Deployments pane says what is wrong with the journals
            return
        now = self.clock.now().wall
        known = {one.last.context or "": self._merged(money_of(one, now)) for one in leased}
        # An ended lease stays reported until its deployment is closed.
        self._keep(known)
        if any(not one.ended for one in known.values()):
            await self._ask(leased)

    def _merged(self, new: LeaseMoney) -> LeaseMoney:
        """What the journal says, with what the Console said before of the same deployment."""
        old = self._known.get(new.context)
        if old is None or old.dseq != new.dseq or (old.escrow_usd is None and not old.ended):
            return new
        moved = old.moved_to(new.at)
        return moved if moved.ended or new.ends_at is None else msgspec.structs.replace(moved, ends_at=new.ends_at)

    async def _ask(self, leased: Sequence[Attempt]) -> None:
        try:
            async with await aside(self._open) as console:
                found = await _read(console, leased)
                for context, money in found.items():
                    found[context] = await self._limited(console, money, leased)
        except CockpitError:  # no key, or no answer: the journals' figures stay
            return
        self._keep({**self._known, **found})

    async def _limited(self, console: "ConsoleClient", money: LeaseMoney, leased: Sequence[Attempt]) -> LeaseMoney:
        """The money with the end that the Console keeps, asked for once an hour: it may be set elsewhere too."""
        attempt = next(one for one in leased if one.dseq == money.dseq)
        key = (money.dseq, attempt.last.runtime_hours)
        read_at, ends_at = self._limits.get(key, (0.0, money.ends_at))
        if not money.ended and money.at - read_at >= LIMIT_S:
            ends_at = await _end_set(console, attempt, money.ends_at)
            self._limits[key] = (money.at, ends_at)
        return msgspec.structs.replace(money, ends_at=ends_at)

    def _keep(self, known: Mapping[str, LeaseMoney]) -> None:
        self._known = dict(known)
        for context in self._known:
            found = self.of(context)
            if found is not None and found.alarm and (found.dseq, found.alarm) not in self._was_told:
                self._was_told.add((found.dseq, found.alarm))
                self._on_alarm(found)
        self._on_change()


async def _read(console: "ConsoleClient", leased: Sequence[Attempt]) -> dict[str, LeaseMoney]:
    """What the Console reports; those that it does not know are left out."""
    from cockpit.operations.deployments.register import height_now

    listed = await console.deployments("active")
    by_dseq = {one.dseq: one for one in listed.deployments}
    height = await height_now(console, listed.deployments, leased)
    found: dict[str, LeaseMoney] = {}
    for attempt in leased:
        deployment, base = by_dseq.get(attempt.dseq or ""), money_of(attempt, console.clock.now().wall)
        if deployment is None or not deployment.costing:
            if (ended := await _ended(console, attempt, base)) is not None:
                found[base.context] = ended
            continue
        found[base.context] = LeaseMoney(
            context=base.context,
            dseq=base.dseq,
            at=base.at,
            usd_per_hour=deployment.usd_per_hour,
            spent_usd=deployment.spent_usd(height) if height is not None else base.spent_usd,
            escrow_usd=deployment.left_usd(height) if height is not None else None,
            ends_at=base.ends_at,
        )
    return found


async def _end_set(console: "ConsoleClient", attempt: Attempt, known: float | None) -> float | None:
    """When the runtime limit of the Console ends it; `known` if the Console does not say."""
    try:
        found = await console.settings(attempt.dseq or "")
    except CockpitError:
        return known
    try:
        return datetime.fromisoformat(found.ends_at or "").timestamp()
    except ValueError:  # not set, or in another format: the hours count from the lease
        pass
    hours, began = found.runtime_limit_hours, attempt.leased_at
    return began + hours * 3600 if hours is not None and began is not None else known


async def _ended(console: "ConsoleClient", attempt: Attempt, money: LeaseMoney) -> LeaseMoney | None:
    """The money of a lease that is not listed any more, with why it ended; None where that is not certain."""
    from cockpit.operations.deployments.starting import end_of

    try:
        found = await console.deployment(attempt.dseq or "")
    except CockpitError:
        return None
    if found.costing and not found.is_closed:
        return None
    is_over = money.ends_at is not None and money.at >= money.ends_at - SOON_S
    why = f"its runtime limit of {attempt.last.runtime_hours} h" if is_over else end_of(found)
    return msgspec.structs.replace(money, ended=why, is_closed=found.is_closed)
