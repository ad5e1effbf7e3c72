"""A hub over a scripted transport, with a clock that tests move."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from cockpit.errors import UnreachableError
from cockpit.feeds.clock import ManualClock
from cockpit.feeds.hub import Hub
from cockpit.feeds.topics import Topic, Visit
from cockpit.model.snapshot import Snapshot
from tests.scripted import VERSION, ScriptedTransport

T = TypeVar("T")

WALL = 1_795_000_000.0
JOBS_PATH = "/api/jobs/"
VERSION_PATH = "/api/version"
AWAY = UnreachableError("No cluster answers.")


class Bench:
    """A hub over a scripted transport; `moments` are the times at which something was asked."""

    def __init__(self) -> None:
        self.transport = ScriptedTransport()
        self.transport.answers[JOBS_PATH] = []
        self.transport.when_asked = self._asked
        self.clock = ManualClock(WALL)
        self.crashes: list[BaseException] = []
        self.chance = 0.0
        self.moments: dict[str, list[float]] = {}
        self.hub = Hub(
            self.transport.client, on_crash=self.crashes.append, clock=self.clock, chance=lambda: self.chance
        )

    def _asked(self, path: str) -> None:
        self.moments.setdefault(path, []).append(self.clock.now().steady)

    async def elapse(self, seconds: float = 0.0) -> None:
        """Let time go by, with every answer on the way."""
        await self.clock.run(seconds, self.hub.settled)

    def jobs(self, *ids: str, **fields: object) -> None:
        """What the head lists from now on."""
        self.transport.answers[JOBS_PATH] = [{"submission_id": name, "type": "SUBMISSION", **fields} for name in ids]

    def restart(self, session: str = "session_b") -> None:
        """Another session answers from now on."""
        self.transport.answers[VERSION_PATH] = {**VERSION, "session_name": session}


class Heard(list[Snapshot[T]]):
    """The snapshots that a watcher was called with."""

    def __call__(self, snapshot: Snapshot[T]) -> None:
        self.append(snapshot)

    @property
    def last(self) -> Snapshot[T]:
        return self[-1]


def unheard(_: Snapshot[Any]) -> None:
    """A watcher that does not listen."""


def count_topic(path: str = "/count", interval: float = 5.0) -> Topic[int]:
    async def fetch(visit: Visit[int]) -> int:
        reply = await visit.client.transport.request("GET", path)
        return int(reply.body)

    return Topic(name=path, fetch=fetch, interval=interval)


@asynccontextmanager
async def opened_bench() -> AsyncIterator[Bench]:
    """A bench that is put away afterwards; a bug that surfaced and was not looked at fails the test."""
    bench = Bench()
    yield bench
    bench.transport.answers[VERSION_PATH] = VERSION
    await bench.hub.close()
    assert bench.crashes == []
