"""One watcher of a topic, as the pane that made it holds it."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from cockpit.model.snapshot import Snapshot

T = TypeVar("T")


class Watched(Protocol[T]):
    """What a watch needs of its feed."""

    @property
    def snapshot(self) -> Snapshot[T]:
        """What is known now."""

    def rearrange(self) -> None:
        """Plan again: a watch was added, closed, or paused."""

    def leave(self, watch: "Watch[T]") -> None:
        """The watch is closed."""


class Watch(Generic[T]):
    """A watcher's handle: `pause` it while the pane is hidden, `close` it with the pane.

    The callback gets every new snapshot, in the event loop, and must not block. It is also
    called while the watch is made and by `resume`, so that a pane shows what it missed. An answer that is equal to the
    one before is not delivered: to draw an age or a state after the callback, read it from `snapshot` here,
    since the snapshot that was delivered has aged.
    """

    def __init__(
        self, feed: Watched[T], callback: Callable[[Snapshot[T]], None], interval: float, *, paused: bool
    ) -> None:
        self._feed = feed
        self._callback = callback
        self._is_paused = paused
        self._is_closed = False
        self.interval = interval

    @property
    def snapshot(self) -> Snapshot[T]:
        """What is known now; its age and next attempt are up to date even where nothing was published."""
        return self._feed.snapshot

    @property
    def is_active(self) -> bool:
        """Whether anything is asked for its sake."""
        return not (self._is_paused or self._is_closed)

    def pause(self) -> None:
        """Hear nothing and ask for nothing until `resume`."""
        if self.is_active:
            self._is_paused = True
            self._feed.rearrange()

    def resume(self) -> None:
        """Hear what is known by now, and from then on every change; asks at once where that is due."""
        if self._is_paused and not self._is_closed:
            self._is_paused = False
            self._feed.rearrange()
            self.deliver(self._feed.snapshot)

    def every(self, interval: float) -> None:
        """Ask that often from now on, in seconds."""
        if interval != self.interval:
            self.interval = interval
            if self.is_active:
                self._feed.rearrange()

    def close(self) -> None:
        """Hear nothing any more."""
        if not self._is_closed:
            self._is_closed = True
            self._feed.leave(self)

    def deliver(self, snapshot: Snapshot[T]) -> None:
        """Call back; for the feed."""
        if self.is_active:
            self._callback(snapshot)
