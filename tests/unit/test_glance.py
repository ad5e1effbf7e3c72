"""What is asked about the row under the cursor is not asked any more once it was left."""

from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

from cockpit.feeds.topics import Topic
from cockpit.panes.glance import Glance


def test_a_tick_that_was_on_its_way_when_it_was_stopped_asks_nothing() -> None:
    ticks: list[Callable[[], None]] = []
    owner, cluster = MagicMock(), MagicMock()
    owner.set_timer.side_effect = lambda _, callback: ticks.append(callback)
    topic: Topic[Any] = Topic(name="job-glance:x", fetch=MagicMock(), interval=600.0)
    glance: Glance[Any] = Glance(owner, lambda: None)
    glance.look_at(cluster, topic)
    glance.stop()
    ticks[0]()
    cluster.hub.watch.assert_not_called()
    glance.look_at(cluster, topic)
    ticks[1]()
    cluster.hub.watch.assert_called_once()
