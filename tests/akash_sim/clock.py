"""The time of the simulated network: it stands still unless somebody sleeps, or runs as fast as it is told to."""

import asyncio
import heapq
import itertools
import time

from cockpit.model.snapshot import Moment

AUTUMN_2026 = 1_790_000_000.0


class VirtualClock:
    """Seconds since the epoch; a sleeper moves it to where it wants to wake, the earliest of several first.

    With `scale` it runs by itself too, so many virtual seconds a real one.
    """

    def __init__(self, start: float = AUTUMN_2026, *, scale: float = 0.0) -> None:
        self._offset = start
        self._began = time.monotonic()
        self._scale = scale
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int]] = []

    def time(self) -> float:
        """The time there."""
        return self._offset + (time.monotonic() - self._began) * self._scale

    def now(self) -> Moment:
        """The time there, by both clocks."""
        return Moment(self.time(), self.time())

    def advance(self, seconds: float) -> None:
        """Leap ahead."""
        self._offset += max(0.0, seconds)

    async def sleep(self, seconds: float) -> None:
        """Be woken once the clock has moved so far, after all who wake earlier."""
        mine = (self.time() + max(0.0, seconds), next(self._order))
        heapq.heappush(self._sleepers, mine)
        try:
            while self.time() < mine[0]:
                if self._scale:
                    await asyncio.sleep(min(0.05, (mine[0] - self.time()) / self._scale))
                    continue
                for _ in range(3):  # whoever else runs may want to wake earlier
                    await asyncio.sleep(0)
                if self._sleepers[0] == mine:
                    self.advance(mine[0] - self.time())
            await asyncio.sleep(0)
        finally:
            self._sleepers.remove(mine)
            heapq.heapify(self._sleepers)
