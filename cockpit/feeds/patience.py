"""How long to go on when the cluster does not answer, and how to space the attempts."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from cockpit.errors import NotRayError, ServerError, UnreachableError

T = TypeVar("T")

FIRST_DELAY = 0.5
LONGEST_DELAY = 15.0


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """A failed attempt: what was said, and the seconds until the next one."""

    error: UnreachableError
    next_try: float


class Patience:
    """Counts failures since the last success and decides whether to go on.

    `retry_for` is in seconds. With `from_start` False the very first request gets no second chance: an address where
    nothing has answered yet is more likely wrong than away.
    """

    def __init__(
        self, retry_for: float, *, from_start: bool = False, report: Callable[[Outage], None] = lambda _: None
    ) -> None:
        self._retry_for = retry_for
        self._report = report
        self._trusted = from_start
        self._failures = 0
        self._away_since: float | None = None

    @property
    def is_away(self) -> bool:
        """Whether the last attempt failed."""
        return self._away_since is not None

    def succeeded(self) -> bool:
        """Note a success; returns whether it ended an outage that was reported."""
        reported = self._failures > 1
        self._trusted, self._failures, self._away_since = True, 0, None
        return reported

    async def through(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to `ask`, which is called again while nothing answers; it must not do anything twice.

        An answer that is a failure is one too: ServerError and NotRayError are raised at once.
        """
        while True:
            try:
                answer = await ask()
            except (NotRayError, ServerError):
                raise
            except UnreachableError as error:
                await self.failed(error)
            else:
                self.succeeded()
                return answer

    async def failed(self, error: UnreachableError, *, silently: bool = False) -> None:
        """Wait before the next attempt; raises `error` once there has been no success for `retry_for` seconds.

        With `silently` the first failure is not reported and not waited for: a stream that was cut, by a proxy say,
        is nothing to tell while opening it again works.
        """
        now = asyncio.get_running_loop().time()
        self._away_since = now if self._away_since is None else self._away_since
        if not self._trusted or now - self._away_since >= self._retry_for:
            raise error
        self._failures += 1
        if silently and self._failures == 1:
            return
        delay = min(FIRST_DELAY * 2 ** min(self._failures - 1, 8), LONGEST_DELAY) * random.uniform(0.8, 1.2)
        delay = min(delay, max(0.0, self._away_since + self._retry_for - now))
        self._failures = max(self._failures, 2)
        self._report(Outage(error=error, next_try=delay))
        await asyncio.sleep(delay)
