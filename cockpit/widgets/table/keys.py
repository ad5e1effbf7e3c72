"""The keys and the mouse of a live table."""

from typing import ClassVar

import msgspec
from textual import events
from textual.binding import Binding, BindingType

from cockpit.render.table import Column, Sort
from cockpit.widgets.table.paint import GUTTER
from cockpit.widgets.table.view import HEADER, TableView


class TableKeys(TableView):
    """Moves the cursor, marks rows, and asks for another order; what a chosen row means is left to LiveTable."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_by(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "cursor_by(1)", "Down", show=False, id="table.down"),
        Binding("pageup", "cursor_page(-1)", "Page up", show=False, id="table.page-up"),
        Binding("pagedown", "cursor_page(1)", "Page down", show=False, id="table.page-down"),
        Binding("home,g", "cursor_first", "First row", show=False, id="table.first"),
        Binding("end,G", "cursor_last", "Last row", show=False, id="table.last"),
        Binding("left", "scroll_columns(-1)", "Scroll left", show=False, id="table.left"),
        Binding("right", "scroll_columns(1)", "Scroll right", show=False, id="table.right"),
        Binding("enter", "select", "Open", show=False, id="table.select"),
        Binding("space", "mark", "Mark", show=False, id="table.mark"),
        Binding("shift+up", "range_by(-1)", "Mark upwards", show=False, id="table.range-up"),
        Binding("shift+down", "range_by(1)", "Mark downwards", show=False, id="table.range-down"),
        Binding("v", "range", "Mark a range", show=False, id="table.range"),
        Binding("asterisk", "mark_shown", "Mark all or none", show=False, id="table.mark-shown"),
        Binding("escape", "back", "End the range, clear the filter, clear the marks", show=False, id="table.back"),
        Binding("o", "sort_next", "Sort by the next column", show=False, id="table.sort-next"),
        Binding("O", "sort_reverse", "Reverse the order", show=False, id="table.sort-reverse"),
        Binding("w", "wide", "All columns", show=False, id="table.wide"),
    ]
    """
    | Key(s) | Description |
    | :- | :- |
    | up, k, down, j | Move the cursor. |
    | pageup, pagedown | Move the cursor by a page. |
    | home, g, end, G | Move the cursor to the first or last row. |
    | left, right | Scroll by a column, if not all columns fit. |
    | enter | Select the row. |
    | space | Mark the row, or take its mark away. |
    | shift+up, shift+down | Mark rows while moving. |
    | v | Mark whatever the cursor passes, until v or escape. |
    | * | Mark all rows that the filter shows, or none of them. |
    | escape | End the range, else clear the filter, else clear the marks. |
    | o, O | Sort by the next column; reverse the order. |
    | w | Show all columns in their full width, or as many as fit. |
    """

    _range_is_sticky = False
    _focus_is_new = False

    def row_chosen(self, key: str) -> None:
        """Called when the user opens a row."""

    # The cursor

    def action_cursor_by(self, rows: int) -> None:
        """Move the cursor down by so many rows, or up."""
        self._move((self._model.place or 0) + rows)

    def action_cursor_page(self, pages: int) -> None:
        """Move the cursor down by so many pages, or up."""
        self._move((self._model.place or 0) + pages * max(1, self.page_height))

    def action_cursor_first(self) -> None:
        """Move the cursor to the first row."""
        self._move(0)

    def action_cursor_last(self) -> None:
        """Move the cursor to the last row."""
        self._move(len(self._model.view))

    def action_select(self) -> None:
        """Go into the row under the cursor."""
        if self._model.cursor is not None:
            self.row_chosen(self._model.cursor)

    def _move(self, place: int, *, ranging: bool = False) -> None:
        """Move the cursor; a range goes along if it was begun with `v`, or if the move itself is `ranging`."""
        with self._changing(moved=True):
            self._model.move_to(place)
            if self._model.in_range and (ranging or self._range_is_sticky):
                self._model.extend_range()
            else:
                self._model.end_range()

    # Marks

    def action_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        cursor = self._model.cursor
        if cursor is not None:
            with self._changing():
                self._model.set_marks(self._model.marks ^ {cursor})

    def action_mark_shown(self) -> None:
        """Mark all rows that pass the filter; where all are marked, none of them."""
        with self._changing():
            self._model.mark_shown()

    def action_range_by(self, rows: int) -> None:
        """Move the cursor and mark what it passes."""
        self._range_to((self._model.place or 0) + rows)

    def _range_to(self, place: int) -> None:
        if not self._model.in_range:
            self._model.begin_range()
            self._range_is_sticky = False
        self._move(place, ranging=True)

    def action_range(self) -> None:
        """Mark whatever the cursor passes from now on, or no longer."""
        with self._changing():
            if self._model.in_range and self._range_is_sticky:
                self._model.end_range()
            else:
                self._model.begin_range()
                self._range_is_sticky = True

    def action_back(self) -> None:
        """Close exactly one thing, the innermost: the range, the filter, the marks."""
        is_ranging = self._model.in_range and self._range_is_sticky
        if self._filter_text and not is_ranging:
            self.clear_filter()
            return
        with self._changing():
            self._model.end_range()
            if not is_ranging:
                self._model.set_marks(())

    def clear_filter(self) -> None:
        """Show all rows again; the filter itself belongs to LiveTable."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave escape to others while there is nothing to close."""
        if action == "back" and not (self._model.in_range or self._filter_text or self._model.marks):
            return False
        return super().check_action(action, parameters)

    # Order and columns

    def action_sort_next(self) -> None:
        """Sort by the next column that can be sorted; after the last, as rows come."""
        keys: list[str | None] = [None, *[column.key for column in self._sortable()]]
        sort = self._arrangement.sort
        place = keys.index(sort.column) if sort is not None and sort.column in keys else 0
        following = keys[(place + 1) % len(keys)]
        self._sort(Sort(following) if following is not None else None)

    def action_sort_reverse(self) -> None:
        """Turn the order round."""
        sort = self._arrangement.sort
        if sort is not None:
            self._sort(Sort(sort.column, not sort.descending))

    def action_wide(self) -> None:
        """Show all columns in their full width, to be scrolled; or as many as fit."""
        self.rearrange(msgspec.structs.replace(self._arrangement, wide=not self._arrangement.wide))

    def action_scroll_columns(self, columns: int) -> None:
        """Scroll to the next column on the right, or on the left."""
        layout = self._current_layout(self.view_size.width)
        starts = [place.x - layout.sticky for place in layout.placed if place.x >= layout.sticky]
        here = self.scroll_offset.x
        right, left = [x for x in starts if x > here], [x for x in starts if x < here]
        self.scroll_to(x=min(right, default=here) if columns > 0 else max(left, default=0), animate=False, force=True)

    def _sort(self, sort: Sort | None) -> None:
        self.rearrange(msgspec.structs.replace(self._arrangement, sort=sort))

    def _sortable(self) -> list[Column]:
        """Columns on the screen: an order by a hidden one could not be understood."""
        placed = self._current_layout(self.view_size.width).placed
        return [place.column for place in placed if place.column.sortable]

    # The mouse

    def on_focus(self) -> None:
        """The click that brings the focus is not yet one that opens a row."""
        self._focus_is_new = True

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on a row; on the row under the cursor, go into it; on a title, sort."""
        offset = event.get_content_offset(self)
        opens, self._focus_is_new = not self._focus_is_new, False
        if offset is None:
            return
        if offset.y < HEADER:
            self._title_clicked(offset.x)
        elif offset.y < self.view_size.height - self.foot_height:
            self._row_clicked(self.top + offset.y - HEADER, event, opens=opens)

    def _title_clicked(self, x: int) -> None:
        layout = self._current_layout(self.view_size.width)
        inside = x - GUTTER
        column = layout.column_at(inside if inside < layout.sticky else inside + self.scroll_offset.x)
        if column is None or not column.sortable:
            return
        sort = self._arrangement.sort
        if sort is None or sort.column != column.key:
            self._sort(Sort(column.key))
        else:
            self._sort(None if sort.descending else Sort(column.key, descending=True))

    def _row_clicked(self, place: int, event: events.Click, *, opens: bool) -> None:
        if place >= len(self._model.view):
            return
        key = self._model.view[place].key
        if event.shift:
            self._range_to(place)
        elif event.ctrl:
            self._move(place)
            self.action_mark()
        elif opens and key == self._model.cursor:
            self.row_chosen(key)
        else:
            self._move(place)
