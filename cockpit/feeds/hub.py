"""Everything live of one cluster: one request per topic, however many panes look at it."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

import msgspec

from cockpit.clients.meter import Meter
from cockpit.clients.ray import RayClient
from cockpit.feeds.clock import Clock, SystemClock
from cockpit.feeds.feed import Feed
from cockpit.feeds.pace import Pace
from cockpit.feeds.session import SessionWatch
from cockpit.feeds.topics import Topic, Visit
from cockpit.feeds.watch import Watch
from cockpit.model.snapshot import Snapshot

T = TypeVar("T")

_generations = itertools.count(1)


class Cost(msgspec.Struct):
    """What a hub has asked of its cluster: requests, and bytes of their bodies."""

    requests: int = 0
    bytes: int = 0


class Hub:
    """The live topics of one cluster; to change clusters close it and make another.

    The client stays the caller's. Failures that a user may meet go into the snapshots; anything else is a bug and
    goes to `on_crash`, those of watchers' callbacks too. `generation` differs for each hub and is in every
    snapshot: one that was posted as a message and is read after a change of clusters can be recognized by it.
    """

    def __init__(
        self,
        client: RayClient,
        *,
        on_crash: Callable[[BaseException], None],
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.client = client
        self.clock: Clock = clock or SystemClock()
        self.generation = next(_generations)
        self.cost = Cost()
        self._on_crash = on_crash
        self._chance = chance
        self._session = SessionWatch(client, self._restarted)
        self._feeds: dict[str, Feed[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_away = False
        self._is_closed = False

    @property
    def session(self) -> str | None:
        """The name of the head's session; None until it is known."""
        return self._session.name

    def watch(
        self,
        topic: Topic[T],
        callback: Callable[[Snapshot[T]], None],
        *,
        interval: float | None = None,
        paused: bool = False,
    ) -> Watch[T]:
        """Hear of a topic: at once what is known, be it nothing yet, and from then on whatever is new.

        `interval` in seconds is for watchers who need it less often than the topic can be had; the most eager active
        watcher decides.
        """
        if self._is_closed:
            raise RuntimeError("the hub is closed")
        return self._feed(topic).watch(callback, interval, paused=paused)

    def snapshot(self, topic: Topic[T]) -> Snapshot[T]:
        """What is known of a topic now, without watching it."""
        feed: Feed[T] | None = self._feeds.get(topic.name)
        return feed.snapshot if feed is not None else Snapshot(generation=self.generation)

    def kick(self, *topics: Topic[Any]) -> None:
        """Request the given topics, or all, now; only those that are watched.

        One that is being asked for is asked for once more afterwards: the answer on its way may be older than what
        was just done. Kicks in between add nothing.
        """
        names = [topic.name for topic in topics] or list(self._feeds)
        for name in names:
            if name in self._feeds:
                self._feeds[name].kick()

    async def settled(self) -> None:
        """Wait until nothing is in flight."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Ask for nothing more; no callback is called from here on."""
        self._is_closed = True
        for feed in self._feeds.values():
            feed.close()
        for task in self._tasks:
            task.cancel()
        await self._session.close()
        await self.settled()

    def _feed(self, topic: Topic[T]) -> Feed[T]:
        self._drop_passing()
        if topic.name not in self._feeds:
            self._feeds[topic.name] = self._new_feed(topic)
        return self._feeds[topic.name]

    def _new_feed(self, topic: Topic[T]) -> Feed[T]:
        def fetch(last: Snapshot[T], early: Callable[[T], None]) -> Awaitable[T]:
            return topic.fetch(Visit(self.client, self._session, last, early))

        return Feed(
            topic,
            fetch=fetch,
            session=lambda: self._session.name,
            clock=self.clock,
            pace=Pace(self._chance, is_costly=topic.is_costly),
            spawn=self.spawn,
            attempted=self._attempted,
            generation=self.generation,
        )

    def _drop_passing(self) -> None:
        gone = [name for name, feed in self._feeds.items() if feed.topic.passing and not feed.has_watches]
        for name in gone:
            del self._feeds[name]

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this as part of what is in flight: an error in it is a bug, and it ends with the hub."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_crash(error)

    def _attempted(self, feed: Feed[Any], meter: Meter) -> None:
        """Count, and when a cluster that was lost answers again, ask for the rest without waiting for their turns."""
        self.cost.requests += meter.requests
        self.cost.bytes += meter.bytes
        watched = [other for other in self._feeds.values() if other.is_watched]
        if feed.is_away:
            self._is_away = all(other.is_away for other in watched)
        elif self._is_away:
            self._is_away = False
            _nudge(other for other in watched if other.is_away)

    def _restarted(self) -> None:
        """Another session answers: everything known is from a head that is gone."""
        _nudge(self._feeds.values())


def _nudge(feeds: Iterable[Feed[Any]]) -> None:
    for feed in list(feeds):
        feed.nudge()
