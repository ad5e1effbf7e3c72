"""What a preview asks the cluster for: a moment after the cursor has come to rest, and only while it is seen."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from textual.timer import Timer
from textual.widget import Widget

from cockpit.feeds.topics import Topic
from cockpit.feeds.watch import Watch
from cockpit.model.snapshot import Snapshot
from cockpit.operations.clusters.live import LiveCluster

T = TypeVar("T")

REST_SECONDS = 0.3
MOST_KEPT = 64


class Glance(Generic[T]):
    """The answer about one row at a time; answers about the rows before are kept, to be shown at once."""

    def __init__(self, owner: Widget, on_heard: Callable[[], None]) -> None:
        self._owner = owner
        self._on_heard = on_heard
        self._name = ""
        self._timer: Timer | None = None
        self._watch: Watch[Any] | None = None
        self._kept: OrderedDict[str, T] = OrderedDict()

    @property
    def value(self) -> T | None:
        """What is known about the row that is looked at; None while it is not."""
        return self._kept.get(self._name)

    def look_at(self, cluster: LiveCluster | None, topic: Topic[T] | None) -> None:
        """Ask for this topic, once the cursor has been still for a moment; None is nothing."""
        name = topic.name if topic is not None else ""
        if name == self._name:
            return
        self.stop()
        self._name = name
        if cluster is not None and topic is not None:
            self._timer = self._owner.set_timer(REST_SECONDS, lambda: self._ask(cluster, topic))

    def _ask(self, cluster: LiveCluster, topic: Topic[T]) -> None:
        if self._name != topic.name:
            return  # stopped when the timer's tick was on its way; the hub may be closed by now
        self._watch = cluster.hub.watch(topic, self._heard)

    def _heard(self, snapshot: Snapshot[T]) -> None:
        if snapshot.taken is not None and snapshot.value is not None:
            self._kept[self._name] = snapshot.value
            self._kept.move_to_end(self._name)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            self._on_heard()

    def stop(self) -> None:
        """Ask for nothing."""
        if self._timer is not None:
            self._timer.stop()
        if self._watch is not None:
            self._watch.close()
        self._timer = self._watch = None
        self._name = ""

    def forget(self) -> None:
        """Nothing is known: another cluster is looked at."""
        self.stop()
        self._kept.clear()
