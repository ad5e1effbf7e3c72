"""The drawing half of a log view: the lines of a source that are on the screen, from their bytes."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.geometry import Size
from textual.strip import Strip

from cockpit.feeds.finding.line_set import LineSet
from cockpit.feeds.line_index import LineIndex, Source, Span
from cockpit.render import log_json
from cockpit.render.cell_text import clip
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.log_query import Spans
from cockpit.widgets.line_view import LineView
from cockpit.widgets.logs.line_text import (
    Inks,
    LineText,
    Run,
    cropped,
    inked,
    line_text,
    plain,
    reaches,
    runs_of,
    wrapped,
)
from cockpit.widgets.tones import Palette

PREFIX = "log-view"
# How far one can scroll along a line, in cells, and how many of them are shown of it when lines are wrapped.
FARTHEST = 16 * 1024

_LINES_KEPT = 512
# Of a wrapped line 16 KiB are looked at: plain text may fill that many cells, and a flood of escapes takes no long.
_WRAPPED = FARTHEST // 32


class LogLine(NamedTuple):
    """How a line is drawn: which bytes, whether they are all there, from which cell on, and what lies upon it.

    `found` are the matches in each of its paragraphs; `sign` is the style class of the whole line.
    """

    start: int
    end: int
    is_whole: bool
    x: int = 0
    found: tuple[Spans, ...] = ()
    sign: str = ""


class Place(NamedTuple):
    """A line of the screen in the log: a row of the lines that are shown, and which of its own lines on the screen."""

    row: int
    part: int


class LogPages(LineView):
    """Draws the lines on the screen; keys, following and growth are in LogView.

    Rows are the lines of the log, or those of `rows` where some are left out. With `is_wrapped` or `is_pretty` a row
    may take several lines of the screen.
    """

    def __init__(
        self,
        source: Source,
        *,
        empty_sentence: str,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.empty_sentence = empty_sentence
        self.is_wrapped = self.is_pretty = False
        self._glyphs = glyphs
        self._palette = Palette(self, PREFIX)
        self._drawn: LRUCache[tuple[LogLine, int], list[Strip]] = LRUCache(_LINES_KEPT)
        self._open(source)

    def _open(self, source: Source) -> None:
        self._source, self._index = source, LineIndex(source)
        self._rows: LineSet | None = None
        # The lines that the screen shows, from the top, and where each line of the screen is in them.
        self._lines: list[LogLine] = []
        self._screen: list[tuple[int, int]] = []
        self._numbers: list[int | None] = []
        self._drawn.clear()
        self._x = self._part = self._next_part = 0

    # Rows and lines

    @property
    def is_tall(self) -> bool:
        """Whether a row may take several lines of the screen."""
        return self.is_wrapped or self.is_pretty

    @property
    def row_count(self) -> int:
        """Rows that there are to scroll over."""
        return self._index.line_count if self._rows is None else self._rows.count

    def line_of(self, row: int) -> int:
        """The number of the line that a row shows."""
        if self._rows is None or not self._rows.count:
            return row
        return self._rows.select(min(max(0, row), self._rows.count - 1))

    def row_of(self, line: int) -> int:
        """The row that shows a line, or the first one after it."""
        return line if self._rows is None else self._rows.rank(line)

    def _spans(self, first: int, count: int) -> list[Span]:
        """The lines of some rows."""
        if self._rows is None:
            return self._index.spans(first, count)
        last = min(first + count, self._rows.count)
        return [span for row in range(first, last) for span in self._index.spans(self._rows.select(row), 1)]

    # What is on the screen

    def find_rows(self, *, at_end: bool) -> None:
        """Find the lines that are on the screen; with `at_end` the last ones, counted or not."""
        height = self.view_size.height
        if at_end and self._rows is None and not self._index.is_complete:
            # The last screen is there at once, however long it takes to count what comes before.
            self._place(self._index.last_spans(height), 0)
            del self._screen[: max(0, len(self._screen) - height)]
        else:
            self._place(self._spans(self.scroll_offset.y, height), self._part)

    def _place(self, spans: list[Span], part: int) -> None:
        """Put lines on the screen, the first from its line `part` on."""
        self._lines, self._screen, self._numbers = [], [], []
        left = self.view_size.height + part if self._index.is_complete else 1 << 30
        for at, span in enumerate(spans):
            height = self._height(span)
            self._lines.append(LogLine(span.start, span.end, self._is_whole(span), self._x))
            self._numbers.append(span.number)
            self._screen += [(at, number) for number in range(min(height, left))]
            left -= height
            if left <= 0:
                break
        del self._screen[:part]
        self.dress()

    def dress(self) -> None:
        """Put upon the lines of the screen what was found in them, and the signs of their state."""
        texts: list[list[str]] = [self._texts(line) if self.is_finding else [] for line in self._lines]
        found = self.found_in(text for paragraphs in texts for text in paragraphs)
        for at, paragraphs in enumerate(texts):
            spans = tuple(found.get(text, ()) for text in paragraphs)
            self._lines[at] = self._lines[at]._replace(
                found=spans if any(spans) else (), sign=self.sign_of(self._numbers[at])
            )

    @property
    def is_finding(self) -> bool:
        """Whether there may be anything to point at; for subclasses."""
        return False

    def found_in(self, texts: Iterable[str]) -> Mapping[str, Spans]:
        """Where there is something to point at in texts; for subclasses."""
        return {}

    def sign_of(self, line: int | None) -> str:
        """The style class of a line; for subclasses."""
        return ""

    def line_token(self, y: int, view: Size) -> object:
        """Which bytes a line of the screen shows; None below the end."""
        if y < len(self._screen):
            at, part = self._screen[y]
            return self._lines[at], part
        return self.sentence() if y == 0 and not self._screen else None

    def sentence(self) -> str | None:
        """The text for an empty log."""
        return self.empty_sentence if not self._source.size else None

    def _is_whole(self, span: Span) -> bool:
        return span.end < (self._source.size if span.number is None else self._index.indexed)

    # Drawing

    def paint_line(self, token: object, view: Size) -> Strip:
        """The strip for a line of the log, from memory where it was on the screen lately."""
        width, inks = view.width, self._inks()
        if not isinstance(token, tuple):
            text, _ = clip(token if isinstance(token, str) else "", width)
            return Strip([Segment(text, inks.quiet)] if text else []).adjust_cell_length(width, inks.ground)
        line, part = token
        strips = self._strips(line, width)
        return strips[part] if part < len(strips) else Strip.blank(width, inks.ground)

    def _strips(self, line: LogLine, width: int) -> list[Strip]:
        """The lines of the screen that a line takes."""
        strips = self._drawn.get((line, width))
        if strips is None:
            strips = self._drawn[line, width] = self._painted_line(line, width)
        return strips

    def _painted_line(self, line: LogLine, width: int) -> list[Strip]:
        inks, text = self._inks(line.sign), self._text(line, width)
        paragraphs = self._paragraphs(text, inks)
        strips: list[Strip] = []
        for number, runs in enumerate(paragraphs):
            spans = line.found[number] if number < len(line.found) else ()
            more = text.more and len(paragraphs) == 1
            dressed = inked(runs, spans, inks.found)
            if self.is_wrapped:
                strips += wrapped(dressed, width, FARTHEST, inks, more=more)
            else:
                strips.append(cropped(dressed, line.x, width, inks, more=more))
        return strips

    def _paragraphs(self, text: LineText, inks: Inks) -> list[list[Run]]:
        """What a line says: itself, or the lines of the JSON in it."""
        runs = runs_of(text, inks.ground)
        lines = log_json.pretty(plain(runs)) if self.is_pretty and not text.more and not text.growing else None
        if lines is None:
            return [runs]
        key = self._palette.style("accent")
        return [_with_key(line, inks.ground, inks.ground + Style(color=key.color)) for line in lines]

    def _texts(self, line: LogLine) -> list[str]:
        text = self._text(line, self.view_size.width)
        return [plain(runs) for runs in self._paragraphs(text, self._inks())]

    def _height(self, span: Span) -> int:
        if not self.is_tall:
            return 1
        line = LogLine(span.start, span.end, self._is_whole(span), self._x)
        return len(self._strips(line, self.view_size.width))

    def _text(self, line: LogLine, width: int) -> LineText:
        cells = line.x + width + 1
        if self.is_wrapped:
            cells = _WRAPPED
        elif self.is_pretty:
            cells = max(cells, log_json.LONGEST // 32 + 1)
        return line_text(self._source, Span(line.start, line.end), cells, growing=not line.is_whole)

    def _inks(self, sign: str = "") -> Inks:
        base = self._palette.style(base=sign) if sign else self._palette.style()
        quiet = self._palette.style("quiet", sign)
        found = self._palette.style(base="found-now" if sign == "now" else "found")
        return Inks(base, quiet, self._glyphs, found)

    def notify_style_update(self) -> None:
        """The theme, the focus or a style rule has changed."""
        super().notify_style_update()
        self._palette = Palette(self, PREFIX)
        self._drawn.clear()

    # Moving

    def last_place(self) -> Place:
        """The place at the top of the screen when its last line is the last one of the log."""
        height, row, lines = self.view_size.height, self.row_count, 0
        if not self.is_tall:
            return Place(max(0, row - height), 0)
        while row > 0 and lines < height:
            row -= 1
            lines += self._height_of(row)
        return Place(row, max(0, lines - height))

    def _height_of(self, row: int) -> int:
        spans = self._spans(row, 1)
        return self._height(spans[0]) if spans else 1

    def show_extent(self) -> Place:
        """Tell how far one can scroll; returns the last place."""
        last = self.last_place()
        height = self.view_size.height
        fits = last == Place(0, 0)
        # Scrolled as far as it goes, the row of the last place is at the top.
        self.set_extent(self.view_size.width, min(self.row_count, height) if fits else last.row + height)
        return last

    def go_to_place(self, place: Place) -> None:
        """Bring a place to the top of the screen, as far as there are lines below it."""
        place = max(min(place, self.last_place()), Place(0, 0))
        if place.row == self.scroll_offset.y:
            self._part = place.part
            self.scrolled()
            self.sync_lines()
        else:
            self._next_part = place.part
            self.scroll_lines_to(place.row)

    def place_below(self, lines: int) -> Place:
        """The place so many lines of the screen below the top, or above it."""
        row, part = self.scroll_offset.y, self._part
        if not self.is_tall:
            return Place(max(0, row + lines), 0)
        part += lines
        while part < 0 and row > 0:
            row -= 1
            part += self._height_of(row)
        while row < self.row_count - 1 and part >= (height := self._height_of(row)):
            part -= height
            row += 1
        return Place(row, max(0, part))

    def scrolled(self) -> None:
        """Find the lines that are on the screen now; for subclasses, which know whether they follow."""
        self.find_rows(at_end=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Another row is at the top: from which of its lines on was said before, or it is the first."""
        if round(old_value) != round(new_value):
            self._part, self._next_part = self._next_part, 0
        super().watch_scroll_y(old_value, new_value)

    # Along the lines

    def scroll_cells(self, cells: int) -> None:
        """Move along the lines, to the right as long as one on the screen goes on there."""
        x = max(0, min(FARTHEST, self._x + cells))
        if x != self._x and not self.is_wrapped and (cells < 0 or self._goes_on()):
            self._x = x
            self.scrolled()
            self.sync_lines()

    def _goes_on(self) -> bool:
        width, inks = self.view_size.width, self._inks()
        if self.is_pretty:
            return True
        return any(reaches(self._text(line, width), self._x + width, inks) for line in self._lines)


def _with_key(line: str, ground: Style, key: Style) -> list[Run]:
    match = log_json.KEY.match(line)
    end = match.end() if match else 0
    return [Run(line[:end], key), Run(line[end:], ground)] if end else [Run(line, ground)]
