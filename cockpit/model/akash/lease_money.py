"""What the lease behind a cluster costs, and how long it lasts."""

from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

SLACK_HOURS = Decimal("0.25")
_HOUR = Decimal(3600)

Alarm: TypeAlias = Literal["", "escrow-24h", "escrow-2h", "runtime-1h", "ended"]


class LeaseMoney(msgspec.Struct, frozen=True, kw_only=True):
    """The money of one lease as of `at`, in seconds since the epoch; amounts in USD, None where they are not known.

    `ends_at` is when its runtime limit ends it, None where none does. `ended` says why it is over, empty while it runs;
    `is_closed` then tells that its deployment is closed too, so that nothing is locked any more.
    """

    context: str
    dseq: str
    at: float
    usd_per_hour: Decimal
    spent_usd: Decimal | None = None
    escrow_usd: Decimal | None = None
    ends_at: float | None = None
    ended: str = ""
    is_closed: bool = False

    def moved_to(self, now: float) -> "LeaseMoney":
        """The same at another time, by its price alone: what was spent since has left the escrow."""
        if self.ended:
            return self
        cost = self.usd_per_hour * Decimal(now - self.at) / _HOUR
        spent = None if self.spent_usd is None else self.spent_usd + cost
        left = None if self.escrow_usd is None else max(Decimal(0), self.escrow_usd - cost)
        return msgspec.structs.replace(self, at=now, spent_usd=spent, escrow_usd=left)

    @property
    def escrow_hours(self) -> Decimal | None:
        """How long the escrow lasts."""
        return self.escrow_usd / self.usd_per_hour if self.escrow_usd is not None and self.usd_per_hour else None

    @property
    def runtime_hours(self) -> Decimal | None:
        """How long until the runtime limit ends it; None without a limit."""
        return None if self.ends_at is None else max(Decimal(0), Decimal(self.ends_at - self.at) / _HOUR)

    @property
    def escrow_ends_first(self) -> bool:
        """Whether the escrow runs dry before the runtime limit; one that is funded up to its limit does not count."""
        escrow, runtime = self.escrow_hours, self.runtime_hours
        return escrow is not None and (runtime is None or escrow < runtime - SLACK_HOURS)

    @property
    def hours_left(self) -> Decimal | None:
        """How long it goes on by whatever ends it first; None where nothing is known to."""
        return self.escrow_hours if self.escrow_ends_first else self.runtime_hours

    @property
    def alarm(self) -> Alarm:
        """The most urgent thing that its owner should know."""
        escrow = self.escrow_hours if self.escrow_ends_first else None
        runtime = self.runtime_hours
        if self.ended:
            return "ended"
        if escrow is not None and escrow < 2:
            return "escrow-2h"
        if runtime is not None and runtime < 1:
            return "runtime-1h"
        return "escrow-24h" if escrow is not None and escrow < 24 else ""
