"""The time of the simulated cluster: it stands still, or runs as ours does."""

import asyncio
import time
from contextlib import suppress


class SimClock:
    """Seconds since the epoch in the simulated cluster; frozen until `run`, and moved by `advance` in either case."""

    def __init__(self, start: float, *, frozen: bool = True) -> None:
        self._offset = start
        self._since: float | None = None
        self._moved = asyncio.Event()
        if not frozen:
            self.run()

    def now(self) -> float:
        """The time there."""
        return self._offset + (0.0 if self._since is None else time.monotonic() - self._since)

    def run(self) -> None:
        """Let it run from here."""
        self._since = self._since or time.monotonic()
        self._wake()

    def advance(self, seconds: float) -> None:
        """Leap ahead."""
        self._offset += seconds
        self._wake()

    async def until(self, moment: float) -> None:
        """Wait for a time; forever if the clock stands still before it."""
        while (wait := moment - self.now()) > 0:
            moved = self._moved
            with suppress(TimeoutError):
                async with asyncio.timeout(None if self._since is None else wait):
                    await moved.wait()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
