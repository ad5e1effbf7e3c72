"""What a deployment that is under way tells: in words for both faces, and as figures for the screen."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec

from cockpit.operations.deployments.bids import BidRow

Phase: TypeAlias = Literal["plan", "bids", "lease", "start", "ready", "job", "results", "close"]
PHASES: tuple[Phase, ...] = ("plan", "bids", "lease", "start", "ready")
RUN_PHASES: tuple[Phase, ...] = ("job", "results", "close")
"""What follows where a cluster is rented for a job, or until it is idle."""


class ServiceNews(msgspec.Struct, frozen=True, kw_only=True):
    """A service that starts: its replicas, what Kubernetes said of it, and the end of its log, the newest last."""

    name: str
    available: int
    total: int
    events: tuple[str, ...] = ()
    log: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether every replica is available."""
        return self.available >= self.total > 0


class StartNews(msgspec.Struct, frozen=True, kw_only=True):
    """How the services of a lease are doing; `closes_at` is when the provider closes it, None once all are ready."""

    services: tuple[ServiceNews, ...]
    closes_at: float | None = None

    @property
    def culprit(self) -> ServiceNews | None:
        """The service that keeps the others from being a cluster: one that has a complaint, else the first unready."""
        unready = [one for one in self.services if not one.is_ready]
        return next((one for one in unready if one.events), next(iter(unready), None))


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, in words; without a `text` only figures changed.

    `bids` are the open ones while they are collected, None when they are not reported.
    """

    text: str = ""
    phase: Phase | None = None
    bids: tuple[BidRow, ...] | None = None
    start: StartNews | None = None
    output: bytes = b""


Report = Callable[[News], None]
