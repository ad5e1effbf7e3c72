"""The drawing half of a log view: the lines of a source that are on the screen, from their bytes."""

from typing import NamedTuple

from rich.segment import Segment
from textual.cache import LRUCache
from textual.geometry import Size
from textual.strip import Strip

from cockpit.widgets.cell_text import clip
from cockpit.widgets.glyphs import UNICODE, Glyphs
from cockpit.widgets.line_view import LineView
from cockpit.widgets.logs.line_index import LineIndex, Source, Span
from cockpit.widgets.logs.line_text import Inks, LineText, line_strip, line_text, reaches
from cockpit.widgets.tones import Palette

PREFIX = "log-view"
# How far one can scroll along a line, in cells.
FARTHEST = 16 * 1024

_STRIPS_KEPT = 512


class LogLine(NamedTuple):
    """The token of a line: which bytes, from which cell on, and whether they are all there."""

    start: int
    end: int
    x: int
    is_whole: bool


class LogPages(LineView):
    """Draws the lines on the screen; keys, following and growth are in LogView."""

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
        self._glyphs = glyphs
        self._palette = Palette(self, PREFIX)
        self._strips: LRUCache[tuple[LogLine, int], Strip] = LRUCache(_STRIPS_KEPT)
        self._open(source)

    def _open(self, source: Source) -> None:
        self._source, self._index = source, LineIndex(source)
        self._spans: list[Span] = []
        self._strips.clear()
        self._x = 0

    def find_spans(self, *, at_end: bool) -> None:
        """Find the lines that are on the screen; with `at_end` the last ones, counted or not."""
        height = self.view_size.height
        if at_end and not self._index.is_complete:
            # The last screen is there at once, however long it takes to count what comes before.
            self._spans = self._index.last_spans(height)
        else:
            self._spans = self._index.spans(self.scroll_offset.y, height)

    def line_token(self, y: int, view: Size) -> object:
        """Which bytes a line of the screen shows; None below the end."""
        if y < len(self._spans):
            span = self._spans[y]
            return LogLine(span.start, span.end, self._x, self._is_whole(span))
        return self.empty_sentence if y == 0 and not self._source.size else None

    def _is_whole(self, span: Span) -> bool:
        return span.end < (self._source.size if span.number is None else self._index.indexed)

    def paint_line(self, token: object, view: Size) -> Strip:
        """The strip for a line of the log, from memory where it was on the screen lately."""
        width, inks = view.width, self._inks()
        if not isinstance(token, LogLine):
            text, _ = clip(token if isinstance(token, str) else "", width)
            return Strip([Segment(text, inks.quiet)] if text else []).adjust_cell_length(width, inks.ground)
        strip = self._strips.get((token, width))
        if strip is None:
            strip = line_strip(self._text(token, width), token.x, width, inks)
            self._strips[token, width] = strip
        return strip

    def _text(self, line: LogLine, width: int) -> LineText:
        span = Span(line.start, line.end)
        return line_text(self._source, span, line.x + width + 1, growing=not line.is_whole)

    def _inks(self) -> Inks:
        return Inks(self._palette.style(), self._palette.style("quiet"), self._glyphs)

    def notify_style_update(self) -> None:
        """The theme, the focus or a style rule has changed."""
        super().notify_style_update()
        self._palette = Palette(self, PREFIX)
        self._strips.clear()

    # Along the lines

    def scroll_cells(self, cells: int) -> None:
        """Move along the lines, to the right as long as one on the screen goes on there."""
        x = max(0, min(FARTHEST, self._x + cells))
        if x != self._x and (cells < 0 or self._goes_on()):
            self._x = x
            self.sync_lines()

    def _goes_on(self) -> bool:
        view = self.view_size
        width = view.width
        lines = [token for y in range(len(self._spans)) if isinstance(token := self.line_token(y, view), LogLine)]
        return any(reaches(self._text(line, width), self._x + width, self._inks()) for line in lines)
