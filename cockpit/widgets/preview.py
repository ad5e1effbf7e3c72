"""The panel beside a table that explains the row under its cursor."""

from collections.abc import Sequence

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cockpit.render.cell_text import clip
from cockpit.render.preview import Line, Preview
from cockpit.widgets.panel import Panel
from cockpit.widgets.state_line import Piece
from cockpit.widgets.tones import Palette, tone_classes, tone_css


class StyledLines(Widget, can_focus=False):
    """Lines of text in tones; only those that change are written to the terminal."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = tone_classes("styled-lines")
    DEFAULT_CSS = "StyledLines { height: 1fr; width: 1fr; padding: 0 1; }\n" + tone_css("StyledLines", "styled-lines")

    def __init__(self, *, ellipsis: str = "…") -> None:
        super().__init__()
        self._lines: Sequence[Line] = ()
        self._ellipsis = ellipsis
        self._palette: Palette | None = None

    def show(self, lines: Sequence[Line]) -> None:
        """The lines from now on."""
        before, self._lines = self._lines, tuple(lines)
        most = min(self.content_size.height, max(len(before), len(self._lines)))
        changed = [y for y in range(most) if before[y : y + 1] != self._lines[y : y + 1]]
        if changed:
            self.refresh(*[Region(0, y, self.size.width, 1) for y in changed])

    def notify_style_update(self) -> None:
        """The theme or a style rule has changed."""
        super().notify_style_update()
        self._palette = None

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        palette = self._palette = self._palette or Palette(self, "styled-lines")
        width, ground = self.content_size.width, palette.style()
        segments: list[Segment] = []
        room = width
        for part in self._lines[y] if y < len(self._lines) else ():
            text, size = clip(part.text, room, self._ellipsis)
            segments.append(Segment(text, palette.style(part.tone)))
            room -= size
        return Strip(segments).adjust_cell_length(width, ground).simplify()


class PreviewPanel(Panel):
    """Shows what is known of the row under the cursor."""

    class Opened(Message):
        """It was clicked, as one who wants to know more does."""

    def on_click(self) -> None:
        """Ask for the page of the row."""
        self.post_message(self.Opened())

    def __init__(self, *, ellipsis: str = "…", id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        self._body = StyledLines(ellipsis=ellipsis)
        super().__init__(self._body, id=id)

    @property
    def room(self) -> Size:
        """Cells for its lines."""
        return self._body.content_size

    @property
    def lines(self) -> list[str]:
        """What it says, line by line."""
        return ["".join(part.text for part in line).rstrip() for line in self._body._lines]

    def show(self, preview: Preview | None) -> None:
        """What it says from now on; None is nothing."""
        found = preview or Preview("")
        self.show_title([Piece(found.title, "strong", 0)], [Piece(found.state, "quiet", 1)] if found.state else [])
        self._body.show(found.lines)
