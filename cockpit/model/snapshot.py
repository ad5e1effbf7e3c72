"""What is known of something that is asked for again and again: its last good value, its age, the last error."""

from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from cockpit.errors import CockpitError

T = TypeVar("T")

OVERDUE_INTERVALS = 3
OVERDUE_SECONDS = 20.0


class Moment(msgspec.Struct, frozen=True):
    """A point in time by two clocks: `wall` in seconds since the epoch, `steady` in seconds that only ever grow."""

    wall: float
    steady: float

    def since(self, earlier: "Moment") -> float:
        """Seconds since an earlier moment, never below 0.

        The larger of two differences counts: a wall clock may be set back, and a steady one stands still while the
        machine sleeps; neither may make old data young.
        """
        return max(self.wall - earlier.wall, self.steady - earlier.steady, 0.0)


class State(StrEnum):
    """What a snapshot is good for."""

    LOADING = "loading"
    FRESH = "fresh"
    STALE = "stale"
    FAILED = "failed"


class Snapshot(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """The last good value of a topic, and how the last attempt to renew it ended.

    `value` is valid once `taken` is set; it may itself be None. `interval` is the number of seconds that were
    planned between that value and the next. `due` is when the next attempt begins, by the steady clock; None where
    one is under way or none is planned. `generation` tells one hub's snapshots from another's, and `session` is the
    head's session that the value is from, None where it was not known.
    """

    value: T | None = None
    taken: Moment | None = None
    error: CockpitError | None = None
    interval: float = 0.0
    due: float | None = None
    generation: int = 0
    session: str | None = None

    @property
    def taken_at(self) -> float | None:
        """When the value was last confirmed, in seconds since the epoch."""
        return None if self.taken is None else self.taken.wall

    def age(self, now: Moment) -> float | None:
        """Seconds since the value was last confirmed; None where there was never one."""
        return None if self.taken is None else now.since(self.taken)

    def shown_age(self, now: Moment) -> float | None:
        """The age where it is old enough to show; None while it is not."""
        age = self.age(now)
        return age if age is not None and age > overdue_after(self.interval) else None

    def state(self, now: Moment) -> State:
        """Loading, fresh, stale (an old value, or one that could not be renewed), or failed without any value."""
        if self.taken is None:
            return State.LOADING if self.error is None else State.FAILED
        is_stale = self.error is not None or self.shown_age(now) is not None
        return State.STALE if is_stale else State.FRESH

    def next_try_in(self, now: Moment) -> float | None:
        """Seconds until the next attempt, not below 0; None where one is under way or none is planned."""
        return None if self.due is None else max(0.0, self.due - now.steady)


def overdue_after(interval: float) -> float:
    """The age in seconds from which data is called old: three intervals, or 20 s beyond the due poll if that is sooner.

    The due poll is one `interval` after the last answer.
    """
    return min(OVERDUE_INTERVALS * interval, interval + OVERDUE_SECONDS)
