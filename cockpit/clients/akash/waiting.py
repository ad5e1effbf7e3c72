"""The time as the clients of Akash need it, so that tests wait for a virtual clock."""

import asyncio
import time
from typing import Protocol

from cockpit.model.snapshot import Moment


class Clock(Protocol):
    """Tells the time of day in seconds since the epoch, and waits."""

    def now(self) -> Moment:
        """The time by both clocks."""

    async def sleep(self, seconds: float) -> None:
        """Wait for so long."""


class MachineClock:
    """The clock of this machine."""

    def now(self) -> Moment:
        """The time of day, and the monotonic clock."""
        return Moment(time.time(), time.monotonic())

    async def sleep(self, seconds: float) -> None:
        """Sleep in the event loop."""
        await asyncio.sleep(seconds)
