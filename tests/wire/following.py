"""A follower at work on a scripted dashboard, and what its listener heard."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from cockpit.feeds import follower, job_watch, patience
from cockpit.feeds.follower import Followed, LogFollower
from cockpit.feeds.log_source import JobLog, LogState
from cockpit.feeds.patience import Outage
from cockpit.feeds.spool import Spool
from tests.wire.clients import talking_to
from tests.wire.fake_ray import FakeRay
from tests.wire.server import WireServer, until

JOB = "train"


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that the follower waits for comes fifty times sooner."""
    monkeypatch.setattr(job_watch, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(job_watch, "COST_FACTOR", 0)
    monkeypatch.setattr(patience, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(patience, "LONGEST_DELAY", 0.05)
    monkeypatch.setattr(follower, "FILE_POLL_SECONDS", 0.01)
    monkeypatch.setattr(follower, "SETTLE_SECONDS", 0.05)
    monkeypatch.setattr(follower, "STEADY_SECONDS", 0.1)


class Following:
    """A follower that runs; `events` are what its listener heard, by name."""

    def __init__(self, ray: FakeRay, server: WireServer, spool: Spool) -> None:
        self.ray = ray
        self.server = server
        self.spool = spool
        self.events: list[str] = []
        self.task: asyncio.Task[Followed] | None = None
        self.heard = bytearray()

    def wrote(self, chunk: bytes) -> None:
        """Part of the protocol of a listener."""
        self.heard += chunk

    def waiting(self, state: LogState) -> None:
        """Part of the protocol of a listener."""
        self.events.append(f"waiting {state.job.status if state.job else state.words}")

    def away(self, outage: Outage) -> None:
        """Part of the protocol of a listener."""
        self.events.append("away")

    def reconnected(self, *, proven: bool) -> None:
        """Part of the protocol of a listener."""
        self.events.append("reconnected" if proven else "reconnected unproven")

    def replaced(self) -> None:
        """Part of the protocol of a listener."""
        self.events.append("replaced")

    def noted(self, sentence: str) -> None:
        """Part of the protocol of a listener."""
        self.events.append(f"noted {sentence}")

    @property
    def held(self) -> bytes:
        """What is in the spool."""
        return self.spool.read(0, self.spool.size)

    async def holds(self, size: int) -> None:
        """Wait until so many bytes were spooled."""
        await until(lambda: self.spool.size >= size or self.is_over)

    @property
    def is_over(self) -> bool:
        """Whether the follower has ended."""
        return self.task is None or self.task.done()

    async def result(self, *, seconds: float = 60.0) -> Followed:
        """How it ended."""
        assert self.task is not None
        await until(self.task.done, seconds=seconds)
        return self.task.result()


@asynccontextmanager
async def following(
    ray: FakeRay,
    *,
    tail: int | None = None,
    follow: bool = True,
    retry_for: float = 30.0,
    retry_from_start: bool = False,
    token: str | None = None,
) -> AsyncIterator[Following]:
    """Follow the job `train`."""
    async with talking_to(ray, token=token) as (client, server):
        with Spool() as spool:
            run = Following(ray, server, spool)
            work = LogFollower(
                JobLog(client, JOB),
                spool,
                run,
                tail=tail,
                follow=follow,
                retry_for=retry_for,
                retry_from_start=retry_from_start,
            )
            run.task = asyncio.create_task(work.run())
            try:
                yield run
            finally:
                run.task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await run.task
