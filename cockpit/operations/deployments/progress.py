"""What a screen shows of a deployment that is under way, made of its news alone."""

from collections import deque

from cockpit.operations.deployments.bids import BidRow, BidRule, ranked
from cockpit.operations.deployments.news import PHASES, RUN_PHASES, News, Phase, StartNews

BID_OPEN_S = 300.0
"""Providers withdraw a bid after five minutes (akash-network/provider, `bid-timeout`)."""
KEPT_LINES = 500
KEPT_BYTES = 16 * 1024


class Progress:
    """The phase, what was said, the bids and the services; times in seconds since the epoch."""

    def __init__(self) -> None:
        self.phase: Phase = "plan"
        self.said: deque[str] = deque(maxlen=KEPT_LINES)
        self.bids: tuple[BidRow, ...] = ()
        self.bids_close_at: float | None = None
        self.start: StartNews | None = None
        self.has_run = False
        """Whether something follows once the cluster is there."""
        self.output = b""
        """The end of what the job wrote."""

    @property
    def phases(self) -> tuple[Phase, ...]:
        """All phases, the coming ones included."""
        return (*PHASES, *RUN_PHASES) if self.has_run else PHASES

    def hear(self, news: News, now: float) -> None:
        """Take in what happened."""
        if news.phase is not None:
            self.phase = news.phase
        if news.phase == "bids":
            self.bids, self.bids_close_at, self.start = (), None, None
        if news.text:
            self.said.append(news.text)
        if news.bids is not None:
            self.bids = tuple(ranked(news.bids, BidRule("best")))
            oldest = max((row.age_s for row in self.bids), default=None)
            self.bids_close_at = None if oldest is None else now - oldest + BID_OPEN_S
        if news.start is not None:
            self.start = news.start
        if news.output:
            self.output = (self.output + news.output)[-KEPT_BYTES:]
