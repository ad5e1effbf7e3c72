"""How long to leave a server alone before it is asked again."""

from collections.abc import Callable

from cockpit.feeds.job_watch import COST_FACTOR, LONGEST_POLL_SECONDS

FIRST_BACKOFF_SECONDS = 1.0
# A list of the state API costs the head for every row that it looks at: so many times its own answer is 1 % of a core.
STATE_FACTOR = 100
JITTER = 0.3  # the share of a delay that chance may take away


class Pace:
    """The rest that an answer earns, and a growing one after failures; seconds.

    `chance` gives numbers from 0 to 1: without it all cockpits that a head has lost would come back at once.
    """

    def __init__(self, chance: Callable[[], float], *, is_costly: bool = False) -> None:
        self._chance = chance
        self._is_costly = is_costly
        self._failures = 0

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt failed."""
        return self._failures > 0

    def answered(self, first_byte_seconds: float) -> float:
        """The least rest after an answer: 20 times what its first byte took, at most 30 s.

        After a costly one 100 times, however long that is.
        """
        self._failures = 0
        return self._cost(first_byte_seconds)

    def failed(self, first_byte_seconds: float) -> float:
        """The rest after a failure: doubled each time up to 30 s, less a random share."""
        backoff = min(LONGEST_POLL_SECONDS, FIRST_BACKOFF_SECONDS * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return max(backoff * (1 - JITTER * self._chance()), self._cost(first_byte_seconds))

    def _cost(self, first_byte_seconds: float) -> float:
        if self._is_costly:
            return STATE_FACTOR * first_byte_seconds
        return min(LONGEST_POLL_SECONDS, COST_FACTOR * first_byte_seconds)
