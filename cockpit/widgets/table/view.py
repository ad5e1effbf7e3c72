"""The drawing half of a live table: a model, a layout, and the lines that they make on the screen."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip

from cockpit.render.cell_text import clip
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.layout import Layout, Widths, arranged, chosen
from cockpit.render.order import SortKey, sort_key
from cockpit.render.table import Arrangement, Column, Row, Sort, cell_at
from cockpit.render.text import visible
from cockpit.widgets.line_view import LineView
from cockpit.widgets.state_line import justified
from cockpit.widgets.table.model import RowModel
from cockpit.widgets.table.paint import GUTTER, Look, RowPainter
from cockpit.widgets.table.state import Phase
from cockpit.widgets.tones import Palette

HEADER = 1
FOOT = 1
SHORTEST_WITH_FOOT = 5
LONGEST_FILTER_SHOWN = 24

_PHASE_TONES = {Phase.FAILED: "error", Phase.STALE: "warn", Phase.LOADING: "quiet", Phase.READY: "quiet"}


class RowLine(NamedTuple):
    """The token of a line that shows a row."""

    layout: int
    row: Row
    look: Look


class HeaderLine(NamedTuple):
    """The token of the line of titles."""

    layout: int
    sort: Sort | None


class TextLine(NamedTuple):
    """The token of a line of words: one sentence at its left, one at its right."""

    layout: int
    text: str
    tone: str
    right: str = ""
    right_tone: str = "quiet"


class TableView(LineView):
    """Draws rows under a header and above a foot; the keys and the mouse are in LiveTable."""

    PREFIX = "live-table"

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        sticky: int = 1,
        arrangement: Arrangement | None = None,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.glyphs = glyphs
        self.empty_sentence = "nothing here"
        self.noun = "rows"
        self._sticky = sticky
        self._arrangement = arrangement or Arrangement()
        self._model = RowModel()
        self._widths = Widths(self.columns)
        self._layout: Layout | None = None
        self._space = 0
        self._layout_number = 0
        self._painter: RowPainter | None = None
        self._palette = Palette(self, self.PREFIX)
        self._phase, self._sentence = Phase.READY, ""
        self._filter_text, self._filter_error = "", ""
        # Whether the title of a frame shows the foot's text, instead of a foot.
        self.is_framed = False
        self._apply_sort()

    # Geometry

    @property
    def foot_height(self) -> int:
        """Lines taken by the foot: none where every line is needed for rows."""
        return self._foot_of(self.view_size.height)

    def _foot_of(self, height: int) -> int:
        return FOOT if height >= SHORTEST_WITH_FOOT and not self.is_framed else 0

    def _page_of(self, height: int) -> int:
        return max(0, height - HEADER - self._foot_of(height))

    @property
    def page_height(self) -> int:
        """Lines left for rows."""
        return self._page_of(self.view_size.height)

    @property
    def top(self) -> int:
        """The place of the first row on the screen."""
        return self.scroll_offset.y

    def _fit_extent(self) -> None:
        width, height = self.view_size
        lines = len(self._model.view) + height - self._page_of(height)
        self.set_extent(max(width, GUTTER + self._current_layout(width).width), lines)

    # Layout

    def _current_layout(self, width: int) -> Layout:
        space = max(0, width - GUTTER)
        if self._layout is None or self._space != space:
            self._layout, self._space = self._arranged(space), space
        return self._layout

    def _arranged(self, space: int) -> Layout:
        indexes = chosen(self.columns, self._arrangement)
        return arranged(self.columns, indexes, self._widths, space, wide=self._arrangement.wide, sticky=self._sticky)

    def _lay_out_again(self) -> None:
        """Forget the layout where columns, widths or wishes have made it another one."""
        if self._layout is not None and self._layout != self._arranged(self._space):
            self._layout = None

    def rearrange(self, arrangement: Arrangement) -> None:
        """Take over what the user has chosen: columns, their order, the sort."""
        before = self._arrangement
        with self._changing():
            self._arrangement = arrangement
            if arrangement.sort != before.sort:
                self._apply_sort()
            self._lay_out_again()

    def _apply_sort(self) -> None:
        sort = self._arrangement.sort
        index = next((index for index, one in enumerate(self.columns) if sort and one.key == sort.column), None)

        def by_cell(row: Row) -> SortKey:
            return sort_key(cell_at(row, index or 0))

        self._model.set_order(None if index is None else by_cell, descending=bool(sort and sort.descending))

    def _current_painter(self, width: int) -> RowPainter:
        layout, scroll = self._current_layout(width), self.scroll_offset.x
        painter = self._painter
        if painter is None or (painter.layout, painter.width, painter.scroll) != (layout, width, scroll):
            painter = self._painter = RowPainter(layout, self._palette, self.glyphs, width=width, scroll=scroll)
            self._layout_number += 1
        return painter

    def notify_style_update(self) -> None:
        """The theme, the focus or a style rule has changed."""
        super().notify_style_update()
        self._palette = Palette(self, self.PREFIX)
        self._painter = None

    # Lines

    def line_token(self, y: int, view: Size) -> object:
        """What a line of the screen shows: titles, a row, a sentence, the foot, or nothing."""
        left_out = len(self._current_painter(view.width).layout.left_out)
        number = self._layout_number
        if y < HEADER:
            return HeaderLine(number, self._arrangement.sort)
        if y >= view.height - self._foot_of(view.height):
            tone = "accent" if self._filter_text else "quiet"
            return TextLine(number, *self._foot(), self._counts_text(left_out), tone)
        place = self.top + y - HEADER
        if place < len(self._model.view):
            row = self._model.view[place]
            return RowLine(number, row, self._look(row))
        return TextLine(number, *self._said(y - HEADER, view))

    def paint_line(self, token: object, view: Size) -> Strip:
        """The strip for one of the tokens."""
        painter = self._current_painter(view.width)
        if isinstance(token, RowLine):
            return painter.row(token.row, token.look)
        if isinstance(token, HeaderLine):
            return painter.header(token.sort)
        return self._text_strip(token, view.width) if isinstance(token, TextLine) else Strip.blank(view.width)

    def _look(self, row: Row) -> Look:
        dim = self._phase in (Phase.STALE, Phase.FAILED)
        return Look(row.key == self._model.cursor, row.key in self._model.marks, dim)

    def _text_strip(self, line: TextLine, width: int) -> Strip:
        ground = self._palette.style()
        right, used = clip(line.right, width, self.glyphs.ellipsis)
        left, _ = clip(line.text, max(0, width - GUTTER - used - 1), self.glyphs.ellipsis)
        drawn = [Segment(" " * GUTTER + left, self._palette.style(line.tone))] if left else []
        return justified(drawn, [Segment(right, self._palette.style(line.right_tone))] if right else [], width, ground)

    # Words

    def _foot(self) -> tuple[str, str]:
        """The sentence at the left of the foot, and its tone."""
        if self._filter_error:
            return f"{self.glyphs.failed} filter: {self._filter_error}", "error"
        if not self._model.view or not self._sentence:
            return "", ""
        return self._state_text(), self._state_tone

    @property
    def _state_tone(self) -> str:
        """Rows that can be trusted need a look where there is something to say about them."""
        return "warn" if self._phase is Phase.READY and self._sentence else _PHASE_TONES[self._phase]

    @property
    def filter_shown(self) -> str:
        """The filter in force as it is written on the screen; empty without one."""
        return "/" + clip(self._filter_text, LONGEST_FILTER_SHOWN, self.glyphs.ellipsis)[0] if self._filter_text else ""

    @property
    def state_shown(self) -> tuple[str, str]:
        """How far rows that are shown can be trusted, or what is wrong with the filter, and its tone; else empty."""
        return self._foot()

    @property
    def counts_shown(self) -> str:
        """How many rows are shown, there and marked, and how many columns do not fit."""
        return self._counts_text(len(self._current_layout(self.view_size.width).left_out))

    def _counts_text(self, left_out: int) -> str:
        counts = self._model.counts
        noun = self.noun.removesuffix("s") if counts.total == 1 else self.noun
        parts = [f"{counts.shown:,} of {counts.total:,} {noun}" if self._filter_text else f"{counts.total:,} {noun}"]
        if self._filter_text and not self.is_framed:
            parts.insert(0, self.filter_shown)
        if counts.marked:
            parts.append(f"{counts.marked:,} marked")
        if left_out:
            parts.append(f"+{left_out} columns" if left_out > 1 else "+1 column")
        return f" {self.glyphs.separator} ".join(parts) + ("" if self.is_framed else " ")

    def _state_text(self) -> str:
        signs = {Phase.FAILED: self.glyphs.failed, Phase.STALE: self.glyphs.stale, Phase.LOADING: self.glyphs.waiting}
        sign = signs.get(self._phase)
        return f"{sign} {self._sentence}" if sign else self._sentence

    def _said(self, line: int, view: Size) -> tuple[str, str]:
        """One line, and its tone, of what is said in place of rows."""
        if self._model.view:
            return "", ""
        lines = _wrapped(self._why_empty(), max(1, view.width - 2 * GUTTER))
        first = 1 if self._page_of(view.height) > len(lines) else 0
        tone = self._state_tone if not self._model.rows else "quiet"
        return (lines[line - first], tone) if 0 <= line - first < len(lines) else ("", "")

    def _why_empty(self) -> str:
        if self._model.rows:
            return f"none of {len(self._model.rows):,} {self.noun} passes the filter"
        if self._sentence:
            return self._state_text()
        return self.empty_sentence if self._phase is Phase.READY else self._phase.value

    # Changes

    @contextmanager
    def _changing(self, *, moved: bool = False) -> Iterator[None]:
        """Around every change of the model: afterwards the screen follows, in as few lines as possible.

        The row under the cursor keeps its line on the screen as far as it can; a row out of sight brings the
        screen along only where the user has `moved` to it.
        """
        top, place = self.top, self._model.place
        in_sight = place is not None and top <= place < top + self.page_height
        leader = self._model.cursor if in_sight else self._key_at(top)
        offset = place - top if place is not None and in_sight else 0
        yield
        self._fit_extent()
        now = self._model.places.get(leader) if leader is not None and top > 0 and not moved else None
        self.scroll_lines_to(self._showing_cursor(top if now is None else now - offset, in_sight or moved))
        self.sync_lines()
        self.update_title()

    def update_title(self) -> None:
        """Called when the counts, the filter or the columns may be others than before."""

    def _key_at(self, place: int) -> str | None:
        return self._model.view[place].key if 0 <= place < len(self._model.view) else None

    def _showing_cursor(self, top: int, wanted: bool) -> int:
        place = self._model.place
        if place is None or not wanted or self.page_height == 0:
            return top
        return min(max(top, place - self.page_height + 1), place)

    def on_resize(self) -> None:
        """Lay the columns out for the new width, and keep the cursor in sight."""
        with self._changing():
            self._lay_out_again()
        self.scroll_lines_to(self._showing_cursor(self.top, True))
        self.sync_lines()
        self.update_title()


@lru_cache(32)
def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(visible(text)[:2000], width) or [""]
