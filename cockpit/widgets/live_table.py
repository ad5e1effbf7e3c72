"""A table for thousands of rows that change all the time."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import msgspec
from textual.message import Message

from cockpit.render.layout import chosen
from cockpit.render.table import Arrangement, Row, Sort, cell_at, text_of
from cockpit.widgets.table.filters import FilterError, Haystacks, RowFilter
from cockpit.widgets.table.keys import TableKeys
from cockpit.widgets.table.state import Counts, Phase
from cockpit.widgets.tones import tone_classes, tone_css

MEASURED_AT_ONCE = 100
# Of more rows than that no key shall wait until all are measured: their columns keep the width that they had.
MEASURED_ANEW = 2000


@dataclass
class TableMessage(Message):
    """Something that a table tells its pane."""

    table: "LiveTable"

    @property
    def control(self) -> "LiveTable":
        """The table."""
        return self.table


class StateMessage(TableMessage):
    """What is so from now on; one that has not been read yet is replaced by the next."""

    def can_replace(self, message: Message) -> bool:
        """Whether `message` is older news of the same kind."""
        return type(message) is type(self) and message.control is self.control


class LiveTable(TableKeys, can_focus=True):
    """Rows with a cursor and marks that belong to keys, a filter, an order, and columns to choose from.

    `set_rows` takes all rows each time; only lines that look different afterwards are written to the terminal.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = tone_classes("live-table") | {
        "live-table--header",
        "live-table--cursor",
        "live-table--marked",
    }
    """
    | Class | Description |
    | :- | :- |
    | `live-table--header` | The line of titles. |
    | `live-table--cursor` | The row under the cursor. |
    | `live-table--marked` | Marked rows. |
    | `live-table--error`, `--warn`, `--accent`, `--strong`, `--quiet` | Cells in these tones. |
    """

    DEFAULT_CSS = """
    LiveTable {
        height: 1fr;
        width: 1fr;
        background: $background;
        color: $foreground;
        & > .live-table--header { color: $text-muted; text-style: bold; }
        & > .live-table--cursor { background: $foreground 8%; }
        & > .live-table--marked { text-style: bold; }
        &:focus > .live-table--cursor { background: $primary 20%; }
        &:ansi > .live-table--cursor { background: ansi_default; }
        &:ansi:focus > .live-table--cursor { background: ansi_default; text-style: reverse; }
    }
    """ + tone_css("LiveTable", "live-table")

    @dataclass
    class RowHighlighted(StateMessage):
        """The cursor is on another row; `key` is None where no rows are left."""

        key: str | None

    @dataclass
    class RowSelected(TableMessage):
        """Enter was pressed on a row, or the row under the cursor was clicked."""

        key: str

    @dataclass
    class MarksChanged(StateMessage):
        """Other rows are marked."""

        marks: frozenset[str]

    @dataclass
    class MarksHidden(TableMessage):
        """The filter hides rows that were marked, so these `count` marks are gone."""

        count: int

    @dataclass
    class CountsChanged(StateMessage):
        """The number of rows, shown rows or marked rows changed."""

        counts: Counts

    @dataclass
    class SortChanged(StateMessage):
        """Rows are sorted otherwise; None is the order in which they came."""

        sort: Sort | None

    @dataclass
    class FilterChanged(StateMessage):
        """The filter is another one; with an `error` the last good one still decides what is shown."""

        text: str
        error: str

    @dataclass
    class ArrangementChanged(StateMessage):
        """The user has changed something that is worth keeping in the settings."""

        arrangement: Arrangement

    @dataclass
    class TitleChanged(StateMessage):
        """What the frame around the table says of it, `filter_shown`, `state_shown` and `counts_shown`, has changed."""

    _title: tuple[str, ...] | None = None
    _last_filter = ""
    _has_grown = False
    _haystacks: Haystacks | None = None

    @contextmanager
    def _changing(self, *, moved: bool = False) -> Iterator[None]:
        cursor, marks, counts = self._model.cursor, self._model.marks, self._model.counts
        with super()._changing(moved=moved):
            yield
        hidden = [key for key in marks if self._model.row(key) and key not in self._model.places]
        if hidden:
            self.post_message(self.MarksHidden(self, len(hidden)))
        if self._model.cursor != cursor:
            self.post_message(self.RowHighlighted(self, self._model.cursor))
        if self._model.marks != marks:
            self.post_message(self.MarksChanged(self, self._model.marks))
        if self._model.counts != counts:
            self.post_message(self.CountsChanged(self, self._model.counts))

    def update_title(self) -> None:
        """Update the frame's title."""
        if self.is_framed and (title := (self.filter_shown, *self.state_shown, self.counts_shown)) != self._title:
            self._title = title
            self.post_message(self.TitleChanged(self))

    def row_chosen(self, key: str) -> None:
        """Tell the pane that the user wants to go into a row."""
        self.post_message(self.RowSelected(self, key))

    # Rows

    def set_rows(self, rows: Iterable[Row], *, prepared: bool = False) -> None:
        """Show these rows and no others; of rows with the same key the first counts.

        `prepared` ones have come out of `preparing`.
        """
        with self._changing():
            before = self._model.keys
            changed = self._taken(rows, prepared)
            if self._has_shrunk(before) or (self._has_grown if prepared else self._widths.measure(changed)):
                self._lay_out_again()
                self._has_grown = False

    def _has_shrunk(self, before: Collection[str]) -> bool:
        """Whether columns are wider than the rows that are left need them; only looked at when rows have gone."""
        now = self._model.keys
        if now is before or len(now) > MEASURED_ANEW or all(key in now for key in before):
            return False
        return self._widths.renew(self._model.rows)

    def preparing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows for `set_rows`, one by one: most of what it has to do is done on the way."""
        fresh: list[Row] = []
        for row in rows:
            known = self._model.row(row.key)
            if known is not None and known == row:
                yield known
                continue
            fresh.append(row)
            if len(fresh) == MEASURED_AT_ONCE:
                self._measure(fresh)
                fresh = []
            yield row
        self._measure(fresh)

    def _measure(self, rows: list[Row]) -> None:
        self._has_grown = self._widths.measure(rows) or self._has_grown
        if self._haystacks is not None:
            self._haystacks.prepare(rows)

    def _taken(self, rows: Iterable[Row], prepared: bool) -> list[Row]:
        given = list(rows)
        try:
            return self._model.set_rows(given, compared=prepared)
        except FilterError as error:
            # The rows matter more than a regex that has become too slow for them.
            self._model.set_filter(None)
            self._set_filter_state(self._filter_text, str(error))
            return self._model.set_rows(given, compared=prepared)

    def set_state(self, phase: Phase, sentence: str = "") -> None:
        """How far the rows can be trusted, and a sentence that says so to the user."""
        with self._changing():
            self._phase, self._sentence = phase, sentence

    @property
    def row_key(self) -> str | None:
        """The key of the row under the cursor."""
        return self._model.cursor

    @property
    def shown_keys(self) -> list[str]:
        """The keys of the rows that pass the filter, in order."""
        return [row.key for row in self._model.view]

    @property
    def marked_keys(self) -> list[str]:
        """The keys of marked rows, in the order shown; a hidden row is never marked."""
        return [row.key for row in self._model.marked_rows]

    @property
    def chosen_keys(self) -> list[str]:
        """What an action is about: the marked rows, or the one under the cursor."""
        return self.marked_keys or [key for key in (self.row_key,) if key is not None]

    @property
    def counts(self) -> Counts:
        """How many rows are shown, there and marked."""
        return self._model.counts

    def cell_text(self, column: str, key: str | None = None) -> str:
        """The whole text of a cell as it came, for the clipboard; without a `key` that of the row under the cursor."""
        row = self._model.row(key or self.row_key or "")
        index = next((index for index, one in enumerate(self.columns) if one.key == column), None)
        return "" if row is None or index is None else text_of(cell_at(row, index))

    def move_to(self, key: str) -> bool:
        """Put the cursor on a row and bring it into sight; False where it is not shown."""
        place = self._model.places.get(key)
        if place is not None:
            self._move(place)
        return place is not None

    def set_marks(self, keys: Iterable[str]) -> None:
        """Mark these rows and no others."""
        with self._changing():
            self._model.set_marks(keys)

    # Filter

    @property
    def filter(self) -> str:
        """`words` that must all occur, `/regex`, or `!` before either for the rows that do not match."""
        return self._filter_text

    @filter.setter  # noqa: A003 - the property itself
    def filter(self, text: str) -> None:
        if text != self._filter_text:
            self._apply_filter(text)

    @property
    def filter_error(self) -> str:
        """Why the filter cannot be used; empty where it can."""
        return self._filter_error

    def clear_filter(self) -> None:
        """Show all rows again."""
        self.filter = ""

    def recall_filter(self) -> None:
        """Filter again as the last time."""
        self.filter = self._last_filter

    def _apply_filter(self, text: str) -> None:
        with self._changing():
            try:
                self._model.set_filter(RowFilter(text, self._searched()).verdicts if text else None)
                self._set_filter_state(text, "")
            except FilterError as error:
                self._set_filter_state(text, str(error))

    def _searched(self) -> Haystacks:
        indexes = tuple(chosen(self.columns, self._arrangement))
        if self._haystacks is None or self._haystacks.searched != indexes:
            self._haystacks = Haystacks(indexes)
        return self._haystacks

    def _set_filter_state(self, text: str, error: str) -> None:
        self._filter_text, self._filter_error = text, error
        if text and not error:
            self._last_filter = text
        if not text:
            self._haystacks = None
        self.post_message(self.FilterChanged(self, text, error))

    # Order and columns

    @property
    def sort(self) -> Sort | None:
        """By which column rows are sorted."""
        return self._arrangement.sort

    def sort_by(self, column: str | None, *, descending: bool = False) -> None:
        """Sort by a column; None goes back to the order in which rows come."""
        sort = Sort(column, descending) if column is not None else None
        self.arrangement = msgspec.structs.replace(self._arrangement, sort=sort)

    @property
    def arrangement(self) -> Arrangement:
        """What the user has chosen: columns and their order, sort, width."""
        return self._arrangement

    @arrangement.setter
    def arrangement(self, arrangement: Arrangement) -> None:
        self.rearrange(arrangement)

    def rearrange(self, arrangement: Arrangement) -> None:
        """Take over what the user has chosen."""
        before = self._arrangement
        if arrangement == before:
            return
        super().rearrange(arrangement)
        if arrangement.sort != before.sort:
            self.post_message(self.SortChanged(self, arrangement.sort))
        if self._filter_text and arrangement.hidden != before.hidden:
            self._apply_filter(self._filter_text)
        self.post_message(self.ArrangementChanged(self, arrangement))

    def show_column(self, key: str, shown: bool = True) -> None:
        """Show or hide a column; the last one stays."""
        visible = {self.columns[index].key for index in chosen(self.columns, self._arrangement)}
        wanted = visible | {key} if shown else visible - {key}
        hidden = tuple(column.key for column in self.columns if column.key not in wanted)
        self.arrangement = msgspec.structs.replace(self._arrangement, hidden=hidden)

    def move_column(self, key: str, by: int) -> None:
        """Move a shown column to the left (below 0) or to the right."""
        order = [self.columns[index].key for index in chosen(self.columns, self._arrangement)]
        if key in order:
            place = order.index(key)
            order.insert(min(max(0, place + by), len(order) - 1), order.pop(place))
            self.arrangement = msgspec.structs.replace(self._arrangement, order=tuple(order))
