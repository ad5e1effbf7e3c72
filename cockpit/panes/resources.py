"""Panes of what is inside the cluster, of all of it or of one job or node; opened by name."""

from collections.abc import Iterator
from typing import Any, ClassVar

from textual import on

from cockpit.actions import Action
from cockpit.errors import CockpitError, RejectedError
from cockpit.feeds.topics import BACKGROUND_NODES_SECONDS, NODES, Topic
from cockpit.feeds.watch import Watch
from cockpit.model.cluster import Rows
from cockpit.model.nodes import Node
from cockpit.model.query import Query
from cockpit.model.snapshot import Moment, Snapshot, State
from cockpit.model.state import StateRows
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.resources import Scope, topic_of, truncation
from cockpit.panes.base import PHASES, sentence_of
from cockpit.panes.table_pane import TablePane
from cockpit.render.table import Row
from cockpit.widgets.live_table import LiveTable
from cockpit.widgets.table.state import Phase

WHOLE = Scope(query=Query())


MISSING_FAULTS = ("not-installed", "not-tracked", "unsupported")


def what_is_missing(error: CockpitError | None) -> str:
    """What the head lacks to answer, and what to do; empty for other errors.

    It is an answer and not an outage: nothing counts down to the next try.
    """
    if not isinstance(error, RejectedError) or error.fault not in MISSING_FAULTS:
        return ""
    return f"{error.title.rstrip('.')}. {error.hint}".strip()


class ResourcePane(TablePane[StateRows[Any]]):
    """A table of one resource; `look_at` narrows it to a job or a node, and widens it again."""

    TOPIC: ClassVar[Topic[Any]]
    SHOWS_FIRST_ROWS = True
    HEADER_USAGE_SECONDS = 30.0  # the rows have the requests of the page, see operations/resources.py

    scope: Scope = WHOLE

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._items: dict[str, Any] = {}
        self._is_beginning = False

    @property
    def item(self) -> Any:
        """What is under the cursor; None where there is nothing."""
        return self._items.get(self.table.row_key or "")

    def rows_of(self, value: StateRows[Any], now: Moment) -> Iterator[Row]:
        """The rows, each with what it is of for as long as it is shown."""
        context = self.context(now)
        items: dict[str, Any] = {}
        self._items = self._items or items  # the first rows can be acted on before the last are made
        for item in self.SPEC.order(self.items_of(value), context):
            row = self.SPEC.row(item, context)
            items[row.key] = item
            yield row
        self._items = items

    def why_disabled(self, action: Action) -> str | None:
        """Looking into a process and following a log need a row."""
        if action.scope in ("processes", "logs", self.NAME) and self.item is None:
            return f"Select a row in {self.TITLE} first."
        return super().why_disabled(action)

    def _made(self, rows: list[Row]) -> None:
        """Keep the cursor on the first row if it was there before the rest of the rows came."""
        is_at_top = self._is_beginning and self.table.row_key in self.table.shown_keys[:1]
        super()._made(rows)
        self._is_beginning = self.snapshot is not None and _is_partial(self.snapshot)
        if is_at_top and (keys := self.table.shown_keys):
            self.table.move_to(keys[0])

    @on(LiveTable.RowHighlighted)
    def _moved(self) -> None:
        self.post_message(self.StateChanged())

    def look_at(self, scope: Scope | None) -> None:
        """Show the rows of this scope from now on; the answer of another one is not shown meanwhile."""
        scope = scope or WHOLE
        if scope == self.scope:
            return
        self.scope = scope
        if (cluster := self.cluster) is not None:
            self.attach(cluster)

    def watched(self, cluster: LiveCluster) -> list[Watch[Any]]:
        """The rows of the scope, and where rows name nodes now and then the nodes."""
        watches: list[Watch[Any]] = [cluster.hub.watch(topic_of(self.NAME, self.scope), self.show, paused=True)]
        if self.SPEC.names_nodes:
            watches.append(cluster.hub.watch(NODES, self._learn_nodes, interval=BACKGROUND_NODES_SECONDS, paused=True))
        return watches

    def _learn_nodes(self, snapshot: Snapshot[Rows[Node]]) -> None:
        if self.snapshot is not None and self.snapshot.taken is not None and snapshot.value is not None:
            self.show(self.snapshot)

    def _tell_state(self, snapshot: Snapshot[StateRows[Any]], now: Moment) -> None:
        address = self.cluster.address if self.cluster else ""
        what = self.SPEC.noun or self.SPEC.name
        state = snapshot.state(now)
        if (missing := what_is_missing(snapshot.error)) and snapshot.taken is None:
            self.table.set_state(Phase.READY, missing)
            return
        said = sentence_of(snapshot, now, what=what, address=address)
        if state is State.FRESH and snapshot.value is not None:
            said = " · ".join(self._said(snapshot.value, what))
        self.table.set_state(PHASES[state], said)

    def _said(self, found: StateRows[Any], what: str) -> list[str]:
        """What one has to know of a fresh table: its scope, and what is missing."""
        reading = f"reading {found.num_filtered or found.total:,} rows" if found.is_partial else ""
        parts = [text for text in (self.scope.text, reading, truncation(found, what), *found.warnings) if text]
        parts += [f"{found.unreadable} rows unreadable"] if found.unreadable else []
        return parts if found.rows or not parts else [self.EMPTY.rstrip("."), *parts]


def _is_partial(snapshot: Snapshot[StateRows[Any]]) -> bool:
    return snapshot.value is not None and snapshot.value.is_partial
