"""Lines of styled text as they come out of `render`: curves, frames; only lines that look different are repainted."""

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from cockpit.render.frames import FRAME
from cockpit.render.plot import PlotLine
from cockpit.widgets.tones import Palette, tone_classes, tone_css

PREFIX = "part-view"
Painter = Callable[[int, int], Sequence[PlotLine]]


class PartView(Widget, can_focus=False):
    """Shows what a `painter` makes for its width and height; the painter is asked again by `paint`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = tone_classes(PREFIX) | {f"{PREFIX}--{FRAME}"}
    DEFAULT_CSS = f"PartView > .{PREFIX}--{FRAME} {{ color: $foreground 25%; }}\n" + tone_css("PartView", PREFIX)

    def __init__(self, painter: Painter, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._painter = painter
        self._lines: list[PlotLine] = []
        self._palette: Palette | None = None

    def paint(self) -> None:
        """Ask the painter, and have the lines repainted that are others than before."""
        width, height = self.size
        before, self._lines = self._lines, list(self._painter(width, height))
        changed = [y for y in range(height) if _at(before, y) != _at(self._lines, y)]
        if changed:
            self.refresh(*[Region(0, y, width, 1) for y in changed])

    def on_resize(self, event: events.Resize) -> None:
        """Another size is another picture."""
        self._lines = list(self._painter(*event.size))
        self.refresh()

    def notify_style_update(self) -> None:
        """The theme or a style rule has changed."""
        super().notify_style_update()
        self._palette = None

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        if self._palette is None:
            self._palette = Palette(self, PREFIX, extra=(FRAME,))
        palette = self._palette
        segments = [Segment(part.text, palette.style(part.tone)) for part in _at(self._lines, y)]
        return Strip(segments).adjust_cell_length(self.size.width, palette.style())


def _at(lines: Sequence[PlotLine], y: int) -> PlotLine:
    return lines[y] if y < len(lines) else ()
