"""What panes with a table have in common."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Generic, TypeVar, cast

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.geometry import Size
from textual.widget import Widget

from cockpit.actions import Action
from cockpit.feeds.topics import NODES, Topic
from cockpit.feeds.watch import Watch
from cockpit.model.cluster import Rows
from cockpit.model.slices import REST_SECONDS, some_of
from cockpit.model.snapshot import Moment, Snapshot
from cockpit.operations.clusters.live import LiveCluster
from cockpit.panes.base import PHASES, Pane, sentence_of
from cockpit.panes.glance import Glance
from cockpit.render.nodes import node_names
from cockpit.render.preview import Preview, fact_lines, wrapped
from cockpit.render.table import Arrangement, Row, RowContext, TableSpec
from cockpit.render.text import visible
from cockpit.render.units import UNKNOWN
from cockpit.widgets.filter_bar import FilterBar
from cockpit.widgets.live_table import LiveTable
from cockpit.widgets.panel import Panel, PanelEdge
from cockpit.widgets.preview import PreviewPanel
from cockpit.widgets.state_line import Piece
from cockpit.widgets.table.state import Phase

T = TypeVar("T")

ROWS_AT_ONCE = 200
# Below that a frame and a preview would take the lines and columns that rows need.
ROOMY = Size(100, 30)
# Columns that say why a thing is as it is.
CAUSES = ("message", "reason", "error", "cause", "why")
PREVIEW_REST_SECONDS = 0.3


def unreadable_rows(value: Any) -> str:
    """That some rows of a reply could not be read, and so are not among the others; empty where all could."""
    count = getattr(value, "unreadable", 0)
    return f"{count:,} of {len(value.rows) + count:,} rows unreadable" if count else ""


class TablePane(Pane, Generic[T]):
    """A pane whose main thing is a table of one topic."""

    SCOPES: ClassVar[tuple[str, ...]] = ("rows",)
    SPEC: ClassVar[TableSpec[Any]]
    TOPIC: ClassVar[Topic[Any]]
    ON_ENTER: ClassVar[str] = "show_detail"
    ROW: ClassVar[str]
    EMPTY: ClassVar[str]
    # Whether the first rows of many may be seen before the others are made, where there are none on the screen yet.
    SHOWS_FIRST_ROWS: ClassVar[bool] = False

    snapshot: Snapshot[T] | None = None
    arrangement: Arrangement | None = None
    # The user's arrangement of the table in a cluster, by the cluster's name.
    arrangement_in: Callable[[str], Arrangement] | None = None
    glance: Glance[Any] | None = None
    """What the preview asks the cluster for, where it asks."""
    _making: Iterator[Row] | None = None

    def __init_subclass__(cls, **options: Any) -> None:
        """Name the pane as its declaration is named."""
        super().__init_subclass__(**options)
        spec: TableSpec[Any] | None = cls.__dict__.get("SPEC")
        if spec is not None:
            cls.NAME, cls.TITLE = spec.name, spec.title
            cls.EMPTY = cls.__dict__.get("EMPTY", spec.empty)
            cls.ROW = cls.__dict__.get("ROW", spec.title.removesuffix("s"))

    def attach(self, cluster: LiveCluster) -> None:
        """Show this cluster from now on, sorted as the user likes it there."""
        if self.arrangement_in is not None:
            self.table.arrangement = self.arrangement_in(cluster.name)
        super().attach(cluster)

    @property
    def table_id(self) -> str:
        """The id of the table, under which the user's choice of columns is kept."""
        return f"{self.NAME}-table"

    def compose(self) -> ComposeResult:
        """A table, the widgets below it, and the filter."""
        table = LiveTable(self.SPEC.columns, glyphs=self.glyphs, arrangement=self.arrangement, id=self.table_id)
        table.empty_sentence = self.EMPTY
        yield Panel(table, title=self.TITLE, id=f"{self.NAME}-panel")
        yield from self.compose_below()
        yield PreviewPanel(ellipsis=self.glyphs.ellipsis, id=f"{self.NAME}-preview")
        bar = FilterBar(id=f"{self.NAME}-filter")
        bar.display = False
        yield bar

    def compose_below(self) -> Iterable[Widget]:
        """The widgets between table and filter."""
        return ()

    @property
    def table(self) -> LiveTable:
        """The table."""
        return self.query_one(LiveTable)

    def rows_of(self, value: T, now: Moment) -> Iterable[Row]:
        """The rows of a value, each made when it is asked for."""
        context = self.context(now)
        items = self.SPEC.order(self.items_of(value), context)
        return (self.SPEC.row(item, context) for item in items)

    def items_of(self, value: T) -> Iterable[Any]:
        """What the declaration makes rows of."""
        return cast(Rows[Any], value).rows

    def context(self, now: Moment) -> RowContext:
        """What rows depend on beside their items."""
        return RowContext(now=now.wall, glyphs=self.glyphs, node_names=self._node_names())

    def _node_names(self) -> dict[str, str]:
        nodes = self.cluster.hub.snapshot(NODES).value if self.cluster and self.SPEC.names_nodes else None
        return node_names(nodes.rows) if nodes else {}

    def watched(self, cluster: LiveCluster) -> list[Watch[Any]]:
        """One watch, of the pane's own topic."""
        return [cluster.hub.watch(self.TOPIC, self.show, paused=True)]

    def show(self, snapshot: Snapshot[T]) -> None:
        """Put a snapshot on the screen: at once, or where there are many rows as soon as all of them are made.

        Until then the table keeps what it has; whatever is shown meanwhile takes the place of what is half made.
        """
        self.snapshot = snapshot
        rows = () if snapshot.taken is None else self.rows_of(snapshot.value, self.now())  # type: ignore[arg-type]
        making = self._making = self.table.preparing(rows)
        made, is_done = some_of(making, ROWS_AT_ONCE)
        if is_done:
            self._made(made)
        elif self.cluster is not None:
            if self.SHOWS_FIRST_ROWS and not self.table.counts.total:
                self.table.set_rows(made, prepared=True)
            self.cluster.hub.spawn(self._make_rest(making, made))

    async def _make_rest(self, making: Iterator[Row], made: list[Row]) -> None:
        """Make the other rows between keys, unless something newer is to be shown."""
        while making is self._making:
            await asyncio.sleep(REST_SECONDS)
            if making is not self._making:
                return
            more, is_done = some_of(making)
            made += more
            if is_done:
                self._made(made)

    def _made(self, rows: list[Row]) -> None:
        self._making = None
        self.table.set_rows(rows, prepared=True)
        if self.snapshot is not None:
            self._tell_state(self.snapshot, self.now())
        self.post_message(self.StateChanged())
        self.show_preview()

    def _tell_state(self, snapshot: Snapshot[T], now: Moment) -> None:
        address = self.cluster.address if self.cluster else ""
        sentence = sentence_of(snapshot, now, what=self.SPEC.noun or self.SPEC.name, address=address)
        said = " · ".join(part for part in (sentence, unreadable_rows(snapshot.value)) if part)
        self.table.set_state(PHASES[snapshot.state(now)], said)

    def detach(self) -> None:
        """Show no cluster, and nothing of the last one."""
        if self.glance is not None:
            self.glance.forget()
        super().detach()
        self.snapshot = self._making = None
        if self.is_mounted:
            self.table.set_rows(())
            self.table.set_marks(())

    def report(self, sentence: str) -> None:
        """There is nothing to show yet, and this is why."""
        self.table.set_state(Phase.LOADING, sentence)

    def tick(self) -> None:
        """Ages and durations go on while nothing arrives."""
        if self.cluster is None or not self._watches:
            return
        self.snapshot = self._watches[0].snapshot
        if self._making is None or self.table.counts.total:  # no rows yet is not the same as none
            self._tell_state(self.snapshot, self.now())

    def wake(self) -> None:
        """The keys go to the table."""
        super().wake()
        if self.app.focused is None:
            self.table.focus()
        if self.glance is not None:
            self.preview_changed()

    def sleep(self) -> None:
        """What is half made is not wanted any more; to wake shows it again. Nobody looks at a preview."""
        super().sleep()
        if self.glance is not None:
            self.glance.stop()
        self._making = None

    def why_disabled(self, action: Action) -> str | None:
        """Actions on rows need a row."""
        if self.cluster is None and action.name in ("mark", "filter", "sort", "submit"):
            return "No cluster is open. Press ctrl+k to choose one."
        if action.scope == "sources" and self.here is None:
            return f"No row is selected in {self.TITLE}."
        if action.name == "preview" and not self.is_roomy:
            return f"The preview needs {ROOMY.width} columns and {ROOMY.height} lines."
        if action.name in ("copy", "copy_cell", "show_detail") and self.table.row_key is None:
            return f"No row is selected in {self.TITLE}."
        return None

    # The frame and the preview

    @property
    def is_roomy(self) -> bool:
        """Whether there is room for more than the table."""
        size = self.app.size
        return size.width >= ROOMY.width and size.height >= ROOMY.height

    @property
    def has_preview(self) -> bool:
        """Whether the row under the cursor is explained beside the table."""
        return self.is_roomy and self.table.arrangement.preview

    def on_mount(self) -> None:
        """Frame the table."""
        self._fold()

    def on_resize(self) -> None:
        """The frame and the preview fold away if they do not fit."""
        self._fold()

    def _fold(self) -> None:
        self.table.is_framed = self.is_roomy
        self.set_class(self.has_preview, "-previewed")
        self.table.update_title()
        self.call_after_refresh(self.show_preview)

    def action_preview(self) -> None:
        """Show or hide the preview."""
        shown = not self.table.arrangement.preview
        self.table.arrangement = replace(self.table.arrangement, preview=shown)
        self._fold()
        self.preview_changed()

    def preview_changed(self) -> None:
        """Called when the cursor is on another row, or the preview is shown or hidden."""

    def show_preview(self) -> None:
        """Say what is known of the row under the cursor; where that is what is said already, nothing is drawn."""
        if self.is_mounted and self.has_preview:
            panel = self.query_one(PreviewPanel)
            panel.show(self.preview(panel.room) if self.table.row_key is not None and panel.room.width else None)

    def preview(self, room: Size) -> Preview:
        """What is known of the row under the cursor, for so many columns and lines: its cause, then its facts."""
        detail = self.row_detail()
        causes = {column.title for column in self.SPEC.columns if column.key in CAUSES}
        known = [(label, text) for label, text in detail if label and text != UNKNOWN]
        said = [line for label, text in known if label in causes for line in wrapped(text, room.width)]
        facts = [(label.lower(), text) for label, text in known if label not in causes]
        return Preview(self.row_title, lines=[*said, *fact_lines(facts, room.width)])

    @property
    def row_title(self) -> str:
        """What names the row under the cursor."""
        return self.table.cell_text(self.SPEC.id_column)

    @on(LiveTable.RowHighlighted)
    def _preview_row(self) -> None:
        self.show_preview()
        self.preview_changed()

    @on(PreviewPanel.Opened)
    async def _open_preview(self, event: PreviewPanel.Opened) -> None:
        event.stop()
        await self.perform("show_detail")

    @on(PanelEdge.Pressed)
    def _clear_filter(self, event: PanelEdge.Pressed) -> None:
        """A click on the title takes the filter that it names off."""
        event.stop()
        if event.edge.parent is self.query_one(f"#{self.NAME}-panel"):
            self.table.clear_filter()

    @on(LiveTable.TitleChanged)
    def _tell_title(self) -> None:
        left = [Piece(self.TITLE, "strong", 0), Piece(self.table.filter_shown, "accent", 0)]
        text, tone = self.table.state_shown
        counts = " · ".join(part for part in (self.summary, self.table.counts_shown) if part)
        right = [Piece(text, tone, 1), Piece(counts, "quiet", 2 if text else 1)]
        self.query_one(f"#{self.NAME}-panel", Panel).show_title(left, right)

    @property
    def summary(self) -> str:
        """The title's note beside the number of rows."""
        return ""

    # Actions that every table has

    @on(LiveTable.RowSelected)
    async def _selected(self, event: LiveTable.RowSelected) -> None:
        event.stop()
        await self.perform(self.ON_ENTER)

    def action_filter(self) -> None:
        """Filter as one types."""
        bar = self.query_one(FilterBar)
        bar.display = True
        bar.open(self.table.filter)

    @on(FilterBar.Changed)
    def _filter(self, event: FilterBar.Changed) -> None:
        self.table.filter = event.text

    @on(FilterBar.Submitted)
    def _keep_filter(self, event: FilterBar.Submitted) -> None:
        self.table.filter = event.text
        self._leave_filter()

    @on(FilterBar.Cancelled)
    def _take_filter_back(self, event: FilterBar.Cancelled) -> None:
        self.table.filter = event.text
        self._leave_filter()

    @on(LiveTable.MarksHidden)
    def _tell_hidden(self, event: LiveTable.MarksHidden) -> None:
        rows = "1 row" if event.count == 1 else f"{event.count} rows"
        self.notify(f"Unmarked {rows} hidden by the filter.", markup=False, timeout=3)

    def _leave_filter(self) -> None:
        self.query_one(FilterBar).display = False
        self.table.focus()

    @on(LiveTable.FilterChanged)
    @on(LiveTable.CountsChanged)
    def _tell_filter(self) -> None:
        counts, error = self.table.counts, self.table.filter_error
        text = error or (f"{counts.shown} of {counts.total}" if self.table.filter else "words, /regex, !not")
        self.query_one(FilterBar).result(text, "error" if error else "quiet")

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        self.table.action_mark()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.table.action_sort_next()

    def action_copy(self) -> None:
        """Copy the id under the cursor, or those that are marked."""
        # A line break in what a cluster says would be a command of its own where it is pasted.
        texts = [visible(self.table.cell_text(self.SPEC.id_column, key)) for key in self.table.chosen_keys]
        self.app.copy_to_clipboard("\n".join(texts))
        what = f"{len(texts)} ids" if len(texts) > 1 else texts[0]
        self.notify(f"Copied {what}.", markup=False, timeout=2)

    def row_detail(self) -> list[tuple[str, str]]:
        """Titles and whole texts of the row under the cursor, of columns that are hidden or had no room too."""
        return [(column.title, visible(self.table.cell_text(column.key)) or UNKNOWN) for column in self.SPEC.columns]
