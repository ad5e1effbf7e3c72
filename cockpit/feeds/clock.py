"""Time as the feeds see it: that of the machine, or one that tests, screenshots and replays move by hand."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from cockpit.model.snapshot import Moment


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Take it back."""


class Clock(Protocol):
    """Tells the time and calls back; delays are seconds of its steady clock."""

    def now(self) -> Moment:
        """The time by both clocks."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call back in the event loop after so long."""

    async def sleep(self, seconds: float) -> None:
        """Wait for so long."""


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> Moment:
        """The time of day, and the monotonic clock."""
        return Moment(time.time(), time.monotonic())

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call back by the running event loop."""
        return asyncio.get_running_loop().call_later(seconds, callback)

    async def sleep(self, seconds: float) -> None:
        """Sleep in the event loop."""
        await asyncio.sleep(seconds)


class _ManualTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    @property
    def is_waiting(self) -> bool:
        return self._callback is not None

    def cancel(self) -> None:
        self._callback = None

    def fire(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


class ManualClock:
    """A clock that stands still until it is moved; `wall` is in seconds since the epoch, the steady one begins at 0."""

    def __init__(self, wall: float = 0.0, *, steady: float = 0.0) -> None:
        self._now = Moment(wall, steady)
        self._order = itertools.count()
        self._timers: list[tuple[float, int, _ManualTimer]] = []

    def now(self) -> Moment:
        """The time of the clock."""
        return self._now

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call back once the clock has been moved so far."""
        timer = _ManualTimer(callback)
        heapq.heappush(self._timers, (self._now.steady + max(0.0, seconds), next(self._order), timer))
        return timer

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved so far."""
        done = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, lambda: None if done.done() else done.set_result(None))
        try:
            await done
        finally:
            timer.cancel()

    @property
    def next_due(self) -> float | None:
        """When the next timer is due, by the steady clock; None where there is none."""
        while self._timers and not self._timers[0][2].is_waiting:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def set_wall(self, wall: float) -> None:
        """Set the time of day, backwards too; nothing is due because of that."""
        self._now = Moment(wall, self._now.steady)

    def advance(self, seconds: float) -> None:
        """Move on, and make the calls that are due on the way, each at its time."""
        end = self._now.steady + seconds
        while (due := self.next_due) is not None and due <= end:
            self._move_to(due)
            heapq.heappop(self._timers)[2].fire()
        self._move_to(end)

    async def run(self, seconds: float, settled: Callable[[], Awaitable[None]]) -> None:
        """Move on from timer to timer, and wait after each until `settled`, so that what it began may set others."""
        end = self._now.steady + seconds
        await settled()
        while (due := self.next_due) is not None and due <= end:
            self.advance(due - self._now.steady)
            await settled()
        self.advance(end - self._now.steady)
        await settled()

    def _move_to(self, steady: float) -> None:
        passed = max(0.0, steady - self._now.steady)
        self._now = Moment(self._now.wall + passed, self._now.steady + passed)
