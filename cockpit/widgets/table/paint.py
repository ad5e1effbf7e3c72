"""Rows, header and foot of a table as strips."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cockpit.render.cell_text import clip
from cockpit.render.glyphs import Glyphs
from cockpit.render.layout import GAP, Layout, Placed
from cockpit.render.table import Cell, Part, Row, Sort, Value, cell_at, text_of
from cockpit.widgets.tones import Palette

# Cursor, mark, and a space before the first column.
GUTTER = 3


class Look(NamedTuple):
    """How a row is drawn: under the cursor, marked, or dim since its figures are old."""

    cursor: bool = False
    marked: bool = False
    dim: bool = False

    @property
    def base(self) -> str:
        """The component whose background the row has."""
        return "cursor" if self.cursor else "marked" if self.marked else ""


class RowPainter:
    """Draws rows in one layout; to be thrown away with it."""

    def __init__(self, layout: Layout, palette: Palette, glyphs: Glyphs, *, width: int, scroll: int) -> None:
        self.layout = layout
        self._palette = palette
        self._glyphs = glyphs
        self.width = width
        self.scroll = scroll
        self._strips: dict[tuple[str, Look], tuple[Row, Strip]] = {}

    def row(self, row: Row, look: Look) -> Strip:
        """A row as it is seen: scrolled, and exactly as wide as the view."""
        known = self._strips.get((row.key, look))
        if known is not None and known[0] is row:
            return known[1]
        if len(self._strips) > 2000:
            self._strips.clear()
        strip = self._windowed(self._row_segments(row, look), self._palette.style(base=look.base))
        self._strips[row.key, look] = row, strip
        return strip

    def header(self, sort: Sort | None) -> Strip:
        """The titles; an arrow beside the sorted one."""
        ground = self._palette.style(base="header")
        segments = [Segment(" " * GUTTER, ground)]
        for place in self.layout.placed:
            is_sorted = sort is not None and sort.column == place.column.key
            style = self._palette.style("accent" if is_sorted else "", "header")
            segments += self._title(place, sort if is_sorted else None, style, ground)
        return self._windowed(segments, ground)

    def _title(self, place: Placed, sort: Sort | None, style: Style, ground: Style) -> list[Segment]:
        # Beyond the last column there may be no gap, and an order that cannot be seen is worse than a title cut short.
        is_last = sort is not None and GUTTER + place.x + place.width >= max(self.width, GUTTER + self.layout.width)
        text, size = clip(place.column.title, place.width - (1 if is_last else 0), self._glyphs.ellipsis)
        room = place.width - size + GAP
        if sort is not None:
            arrow = self._glyphs.descending if sort.descending else self._glyphs.ascending
            text, room = text + arrow, room - 1
        # Elsewhere the arrow of a column of numbers may use the gap after it.
        before = max(0, place.width - size - (1 if sort is not None else 0)) if place.column.align == "right" else 0
        return [Segment(" " * before, ground), Segment(text, style), Segment(" " * (room - before), ground)]

    def _row_segments(self, row: Row, look: Look) -> list[Segment]:
        style = self._palette.style
        blank = Segment(" ", style(base=look.base))
        segments = [
            Segment(self._glyphs.cursor, style("accent", look.base)) if look.cursor else blank,
            Segment(self._glyphs.mark, style("strong", look.base)) if look.marked else blank,
            blank,
        ]
        for place in self.layout.placed:
            segments += self._cell_segments(place, cell_at(row, place.index), look)
        return segments

    def _cell_segments(self, place: Placed, value: Value, look: Look) -> list[Segment]:
        style, ground = self._palette.style, self._palette.style(base=look.base)
        parts, size = self._fitted(value, place.width)
        drawn = [Segment(text, style("quiet" if look.dim else tone, look.base)) for text, tone in parts]
        room = place.width - size
        if place.column.align == "right":
            return [Segment(" " * room, ground), *drawn, Segment(" " * GAP, ground)]
        return [*drawn, Segment(" " * (room + GAP), ground)]

    def _fitted(self, value: Value, width: int) -> tuple[list[tuple[str, str]], int]:
        """The parts of a cell that can be seen, with their tones, and the cells that they take."""
        if value is None:
            return [(self._glyphs.unknown, "quiet")], 1
        if isinstance(value, Cell) and value.parts:
            return self._fitted_parts(value.parts, width)
        text, size = clip(text_of(value), width, self._glyphs.ellipsis)
        return [(text, value.tone if isinstance(value, Cell) else "")], size

    def _fitted_parts(self, parts: Sequence[Part], width: int) -> tuple[list[tuple[str, str]], int]:
        fitted, used = [], 0
        for part in parts:
            text, size = clip(part.text, width - used, self._glyphs.ellipsis)
            fitted.append((text, part.tone))
            used += size
        return fitted, used

    def _windowed(self, segments: list[Segment], ground: Style) -> Strip:
        """What of a whole line is seen: the sticky columns, and the others from the scroll position on."""
        stays, cells = GUTTER + self.layout.sticky, GUTTER + self.layout.width + GAP
        missing = self.width + self.scroll - cells
        if missing > 0:
            segments.append(Segment(" " * missing, ground))
        line = Strip(Segment.simplify(segment for segment in segments if segment.text), cells + max(0, missing))
        if self.scroll:
            line = Strip.join([line.crop(0, stays), line.crop(stays + self.scroll)])
        return line.adjust_cell_length(self.width, ground)
