"""One topic of one cluster: when it is asked for, what became of it, and who hears of that."""

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from cockpit.clients.meter import Meter, metered
from cockpit.errors import AuthenticationError, CockpitError, RejectedError, UnreachableError, without_frames
from cockpit.feeds.clock import Clock, Timer
from cockpit.feeds.pace import Pace
from cockpit.feeds.topics import Topic
from cockpit.feeds.watch import Watch
from cockpit.model.snapshot import Moment, Snapshot, State, overdue_after

T = TypeVar("T")

Spawn = Callable[[Coroutine[Any, Any, None]], None]


class Feed(Generic[T]):
    """Renews one topic for its watchers; there is never more than one attempt in flight.

    `fetch` makes the attempt, `session` names the head's session, `spawn` starts a task whose errors surface, and
    `attempted` hears what each attempt cost.
    """

    def __init__(
        self,
        topic: Topic[T],
        *,
        fetch: Callable[[Snapshot[T], Callable[[T], None]], Awaitable[T]],
        session: Callable[[], str | None],
        clock: Clock,
        pace: Pace,
        spawn: Spawn,
        attempted: "Callable[[Feed[Any], Meter], None]",
        generation: int,
    ) -> None:
        self.topic = topic
        self.snapshot: Snapshot[T] = Snapshot(generation=generation)
        self._fetch = fetch
        self._session = session
        self._clock = clock
        self._pace = pace
        self._spawn = spawn
        self._attempted = attempted
        self._watches: list[Watch[T]] = []
        self._in_flight = False
        self._again = False
        self._halted = False
        self._ended: Moment | None = None  # the last attempt; None where the next is due whatever the rest
        self._rest = 0.0
        self._poll: Timer | None = None
        self._overdue: Timer | None = None

    @property
    def is_watched(self) -> bool:
        """Whether a visible pane watches it."""
        return any(watch.is_active for watch in self._watches)

    @property
    def has_watches(self) -> bool:
        """Whether a pane may watch it again."""
        return bool(self._watches)

    @property
    def is_away(self) -> bool:
        """Whether the last attempt got no answer."""
        return isinstance(self.snapshot.error, UnreachableError)

    def watch(self, callback: Callable[[Snapshot[T]], None], interval: float | None, *, paused: bool) -> Watch[T]:
        """Add a watcher, and call it at once with what is known."""
        watch = Watch(self, callback, max(self.topic.interval, interval or 0.0), paused=paused)
        self._watches.append(watch)
        self.rearrange()
        watch.deliver(self.snapshot)
        return watch

    def leave(self, watch: Watch[T]) -> None:
        """Take a watcher out."""
        if watch in self._watches:
            self._watches.remove(watch)
        self.rearrange()

    def kick(self) -> None:
        """Ask at once, after a refused token too; once more afterwards where an attempt is in flight."""
        self._halted = False
        if self._in_flight:
            self._again = True
        self.nudge()

    def nudge(self) -> None:
        """Ask at once, unless an attempt is in flight or the token was refused; another head may have more to offer."""
        self._halted = self._halted and not _is_unsupported(self.snapshot.error)
        self._ended = None
        self.rearrange()

    def close(self) -> None:
        """Close every watch; a later answer is dropped."""
        for watch in list(self._watches):
            watch.close()

    def rearrange(self) -> None:
        """Set the timers as the watchers of this moment want them."""
        self._plan_poll()
        self._plan_overdue()

    def _plan_poll(self) -> None:
        _cancel(self._poll)
        if self._in_flight or self._halted or not self.is_watched:
            self._known(due=None)
            return
        wait = self._wait()
        if wait <= 0:
            self._begin()
            return
        self._known(due=self._clock.now().steady + wait)
        if not self._pace.is_failing:  # those who look now may be content with older values than those before
            self._known(interval=max(self._interval(), self._rest))
        self._poll = self._clock.call_later(wait, self._begin)

    def _wait(self) -> float:
        """Seconds until the next attempt, counted from the end of the last."""
        if self._ended is None:
            return 0.0
        rest = self._rest if self._pace.is_failing else max(self._interval(), self._rest)
        return rest - self._clock.now().since(self._ended)

    def _interval(self) -> float:
        """The shortest interval that an active watcher asks for, or what the value itself allows if that is longer."""
        wanted = min((watch.interval for watch in self._watches if watch.is_active), default=self.topic.interval)
        if self.topic.interval_at is None or self.snapshot.value is None:
            return wanted
        return max(wanted, self.topic.interval_at(self.snapshot.value))

    def _plan_overdue(self) -> None:
        """Notify the watchers when the value becomes stale: a hung request fails only much later."""
        _cancel(self._overdue)
        now = self._clock.now()
        age = self.snapshot.age(now)
        if age is None or not self.is_watched or self.snapshot.state(now) is not State.FRESH:
            return
        # A moment later than the limit, which is not yet over it.
        wait = overdue_after(self.snapshot.interval) - age + 0.001
        self._overdue = self._clock.call_later(wait, lambda: self._spawn(self._tell()))

    async def _tell(self) -> None:
        self._publish()

    def _begin(self) -> None:
        self._in_flight, self._again = True, False
        self._known(due=None)
        self._spawn(self._attempt())

    async def _attempt(self) -> None:
        with metered() as meter:
            try:
                is_news = self._answered(await self._fetch(self.snapshot, self._early), meter)
            except CockpitError as error:
                is_news = self._failed(error, meter)
            finally:
                # An error of any other kind is a bug: it leaves the feed at rest and surfaces through `spawn`.
                self._in_flight = False
        self._ended = None if self._again else self._clock.now()
        self._attempted(self, meter)
        self.rearrange()
        if is_news:
            self._publish()

    def _early(self, value: T) -> None:
        """Take in the beginning of the first answer, and tell of it."""
        if self._in_flight and self.snapshot.taken is None:
            now = self._clock.now()
            self._known(value=value, taken=now, error=None, session=self._session(), interval=self._interval())
            self._publish()

    def _answered(self, value: T, meter: Meter) -> bool:
        """Take in an answer; returns whether that is news."""
        now, before = self._clock.now(), self.snapshot
        self._rest = max(self._pace.answered(meter.first_byte_seconds), self._earned(meter))
        is_same = before.taken is not None and before.value == value
        was_fresh = before.state(now) is State.FRESH
        self._known(value=before.value if is_same else value, taken=now, error=None, session=self._session())
        self._known(interval=max(self._interval(), self._rest))
        return not (is_same and was_fresh)

    def _failed(self, error: CockpitError, meter: Meter) -> bool:
        """Take in a failure; returns whether it is another one than before."""
        self._rest = max(self._pace.failed(meter.first_byte_seconds), self._earned(meter))
        self._halted = isinstance(error, AuthenticationError) or _is_unsupported(error)
        before = self.snapshot.error
        self._known(error=without_frames(error))
        return before is None or _words(before) != _words(error)

    def _earned(self, meter: Meter) -> float:
        """The rest for the number of requests that were made."""
        return self.topic.request_seconds * meter.requests

    def _known(self, **changes: Any) -> None:
        self.snapshot = replace(self.snapshot, **changes)

    def _publish(self) -> None:
        # A stack calls everybody, even when a callback raises, and the error comes out at its end.
        with ExitStack() as everybody:
            for watch in reversed(self._watches):
                everybody.callback(watch.deliver, self.snapshot)


def _cancel(timer: Timer | None) -> None:
    if timer is not None:
        timer.cancel()


def _is_unsupported(error: CockpitError | None) -> bool:
    """Whether this release of Ray does not have what was asked for: to ask again would get the same answer."""
    return isinstance(error, RejectedError) and error.fault == "unsupported"


def _words(error: CockpitError) -> tuple[str, ...]:
    return (type(error).__name__, error.title, error.detail, error.hint)
