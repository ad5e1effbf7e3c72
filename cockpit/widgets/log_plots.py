"""Over a log: the curves of numbers that it repeats."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from cockpit.render.cell_text import clip
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.number_plots import Run, curves, title
from cockpit.render.plot import PlotLine
from cockpit.render.table import Part
from cockpit.widgets.tones import Palette, tone_classes, tone_css

LEAST_WIDTH = 56  # of a plot that has another one beside it
GAP = 3
PREFIX = "log-plots"

Plots = Mapping[str, Sequence[Run]]


class LogPlots(Widget, can_focus=False):
    """Plots side by side, in as many rows as it takes; only changed lines are repainted."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = tone_classes(PREFIX)
    DEFAULT_CSS = "LogPlots { height: auto; width: 1fr; padding: 0 1; display: none; }\n" + tone_css("LogPlots", PREFIX)

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._glyphs = glyphs
        self._plots: dict[str, list[Run]] = {}
        self._lines: list[PlotLine] = []
        self._palette: Palette | None = None

    @property
    def names(self) -> list[str]:
        """What is plotted."""
        return list(self._plots)

    @property
    def text(self) -> str:
        """All of it as it is seen."""
        return "\n".join("".join(part.text for part in line) for line in self._lines)

    def show(self, plots: Plots) -> None:
        """Draw these, the first run of each on top."""
        self._plots = {name: list(runs) for name, runs in plots.items()}
        self.display = bool(self._plots)
        self._draw()

    def on_resize(self) -> None:
        """Curves are as wide as the screen."""
        self._draw()

    def _draw(self) -> None:
        before, self._lines = self._lines, self._laid_out()
        if len(before) != len(self._lines):
            self.styles.height = len(self._lines)
            self.refresh(layout=True)
            return
        stale = [y for y, (old, new) in enumerate(zip(before, self._lines, strict=True)) if old != new]
        if stale:
            self.refresh(*[Region(0, y, self.size.width, 1) for y in stale])

    def _laid_out(self) -> list[PlotLine]:
        width = self.content_size.width or max(0, self.app.size.width - 2)
        if not self._plots or not width:
            return []
        beside = max(1, min(len(self._plots), (width + GAP) // (LEAST_WIDTH + GAP)))
        each = (width - GAP * (beside - 1)) // beside
        items = list(self._plots.items())
        lines: list[PlotLine] = []
        for first in range(0, len(items), beside):
            blocks = [self._block(name, runs, each) for name, runs in items[first : first + beside]]
            tallest = max(map(len, blocks))
            blank = (Part(" " * each),)
            filled = [[*block, *[blank] * (tallest - len(block))] for block in blocks]
            lines += [_beside(row) for row in zip(*filled, strict=True)]
        return [*lines, (Part(("-" if self._glyphs.is_ascii else "─") * width, "quiet"),)]

    def _block(self, name: str, runs: Sequence[Run], width: int) -> list[PlotLine]:
        height = self._height
        titles = [_fitted(line, width, self._glyphs.ellipsis) for line in title(name, runs, self._glyphs)]
        return [*titles, *curves(runs, width=width, height=height, glyphs=self._glyphs)]

    @property
    def _height(self) -> int:
        """Of the curves of one plot: less on a low screen, and where there are several rows of them."""
        room = self.app.size.height
        return 8 if room >= 40 else 6 if room >= 28 else 4

    def notify_style_update(self) -> None:
        """The theme or a style rule has changed."""
        super().notify_style_update()
        self._palette = None

    def render_line(self, y: int) -> Strip:
        """Paint a line."""
        width = self.content_size.width
        if y >= len(self._lines):
            return Strip.blank(width, self._style(""))
        strip = Strip([Segment(part.text, self._style(part.tone)) for part in self._lines[y]])
        return strip.adjust_cell_length(width, self._style(""))

    def _style(self, tone: str) -> Style:
        if self._palette is None:
            self._palette = Palette(self, PREFIX)
        return self._palette.style(tone)


def _beside(blocks: Sequence[PlotLine]) -> PlotLine:
    parts: list[Part] = []
    for number, block in enumerate(blocks):
        parts += [Part(" " * GAP)] if number else []
        parts += block
    return tuple(parts)


def _fitted(line: PlotLine, width: int, ellipsis: str) -> PlotLine:
    """The line in exactly so many cells."""
    parts: list[Part] = []
    room = width
    for part in line:
        text, cells = clip(part.text, room, ellipsis)
        parts.append(Part(text, part.tone))
        room -= cells
    return (*parts, Part(" " * room))
