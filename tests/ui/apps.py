"""Tiny apps around one widget, and logs in memory."""

from collections.abc import Iterable, Sequence

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from cockpit.render.table import Column, Fixed, Flexible, Measured, Row, Value
from cockpit.widgets.live_table import LiveTable
from cockpit.widgets.log_view import LogView

COLUMNS = (
    Column(key="id", title="ID", width=Measured(4, 20), priority=0),
    Column(key="state", title="STATE", width=Fixed(8), priority=0),
    Column(key="command", title="COMMAND", width=Flexible(10, 60), priority=1),
    Column(key="size", title="SIZE", align="right", priority=2),
    Column(key="note", title="NOTE", width=Measured(6, 30), priority=3),
    Column(key="secret", title="SECRET", hidden=True),
)


def row(key: str, *cells: Value) -> Row:
    """A row whose missing cells are made up from its key."""
    return Row(key, (*cells, *(key, "ok", f"run {key}", "1", "note", "s")[len(cells) :]))


def rows(count: int) -> list[Row]:
    """Rows `r0`, `r1` and so on."""
    return [row(f"r{number}") for number in range(count)]


class CountingTable(LiveTable):
    """A table that remembers what it had repainted."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        self.repainted: list[int | str] = []

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> "CountingTable":
        """Count, then do it."""
        if repaint:
            self.repainted += [region.y for region in regions] or ["all"]
        super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        return self


class TableApp(App[None]):
    """One table, and the messages that it sent."""

    BINDINGS = [Binding("escape", "left", "Out")]  # noqa: RUF012 - Textual's own way

    def __init__(self, columns: Sequence[Column] = COLUMNS, given: Iterable[Row] = ()) -> None:
        super().__init__()
        self.table = CountingTable(columns)
        self.given = list(given)
        self.messages: list[Message] = []
        self.escapes = 0

    def compose(self) -> ComposeResult:
        """The table alone."""
        yield self.table

    def on_mount(self) -> None:
        """Fill it."""
        self.table.set_rows(self.given)
        self.table.focus()

    def action_left(self) -> None:
        """Escape came through to us."""
        self.escapes += 1

    def on_live_table_row_highlighted(self, message: LiveTable.RowHighlighted) -> None:
        """Keep it."""
        self.messages.append(message)

    def on_live_table_row_selected(self, message: LiveTable.RowSelected) -> None:
        """Keep it."""
        self.messages.append(message)

    def on_live_table_marks_changed(self, message: LiveTable.MarksChanged) -> None:
        """Keep it."""
        self.messages.append(message)

    def on_live_table_sort_changed(self, message: LiveTable.SortChanged) -> None:
        """Keep it."""
        self.messages.append(message)

    def on_live_table_filter_changed(self, message: LiveTable.FilterChanged) -> None:
        """Keep it."""
        self.messages.append(message)

    def on_live_table_arrangement_changed(self, message: LiveTable.ArrangementChanged) -> None:
        """Keep it."""
        self.messages.append(message)

    def on_live_table_counts_changed(self, message: LiveTable.CountsChanged) -> None:
        """Keep it."""
        self.messages.append(message)


class OneWidgetApp(App[None]):
    """Any one widget."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.messages: list[Message] = []

    def compose(self) -> ComposeResult:
        """The widget alone."""
        yield self.widget


class MemoryLog:
    """A log that grows in memory."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    @property
    def size(self) -> int:
        """Bytes held."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`."""
        return self.data[offset : offset + length]


class LogApp(OneWidgetApp):
    """One log view over a log in memory."""

    def __init__(self, data: bytes = b"", *, rate: float = 1000) -> None:
        self.log_source = MemoryLog(data)
        self.view = LogView(self.log_source, repaints_per_second=rate)
        super().__init__(self.view)

    def on_mount(self) -> None:
        """Keys go to the log."""
        self.view.focus()

    def on_log_view_status_changed(self, message: LogView.StatusChanged) -> None:
        """Keep it."""
        self.messages.append(message)

    def on_log_view_start_reached(self, message: LogView.StartReached) -> None:
        """Keep it."""
        self.messages.append(message)

    def grow(self, data: bytes) -> None:
        """More of the log has come."""
        self.log_source.data += data
        self.view.notify_grown()


def lines_of(widget: Widget) -> list[str]:
    """What a widget shows, line by line, without the space at the ends."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]
