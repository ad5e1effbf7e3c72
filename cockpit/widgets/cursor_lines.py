"""Lines with a cursor on one of them: it is moved by keys and mouse, and stays in sight."""

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType

from cockpit.widgets.line_view import LineView
from cockpit.widgets.tones import Palette


class CursorLines(LineView, can_focus=True):
    """A subclass names its component classes (`STYLES`), says how many lines it has, and what a click on one does."""

    STYLES: ClassVar[str]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "move(-100000)", "First", show=False),
        Binding("end", "move(100000)", "Last", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._cursor = 0
        self._palette: Palette | None = None

    # For subclasses

    @property
    def count(self) -> int:
        """How many lines the cursor can be on."""
        raise NotImplementedError

    def clicked(self, index: int) -> None:
        """What a click on a line does."""
        raise NotImplementedError

    def moved(self) -> None:
        """Called when the cursor is on another line."""

    def go(self, index: int) -> None:
        """Put the cursor on a line, or on the nearest there is."""
        index = max(0, min(index, self.count - 1))
        if index != self._cursor:
            self._cursor = index
            self._keep_seen()
            self.sync_lines()
            self.moved()

    def show_lines(self, cursor: int) -> None:
        """The lines are others: put the cursor on one of them, and repaint what looks another way."""
        self._cursor = max(0, min(cursor, self.count - 1))
        self.set_extent(0, self.count)
        self._keep_seen()
        self.sync_lines()

    # Keys and mouse

    def action_move(self, by: int) -> None:
        """The cursor goes up or down."""
        self.go(self._cursor + by)

    def action_page(self, by: int) -> None:
        """The cursor goes a page on."""
        self.go(self._cursor + by * max(1, self.view_size.height - 1))

    def on_click(self, event: events.Click) -> None:
        """A click is for the line below it."""
        index = event.y + round(self.scroll_y)
        if 0 <= index < self.count:
            self.clicked(index)

    # Drawing

    def _keep_seen(self) -> None:
        top, height = round(self.scroll_y), self.view_size.height
        if height and not top <= self._cursor < top + height:
            self.scroll_lines_to(self._cursor if self._cursor < top else self._cursor - height + 1)

    def on_resize(self) -> None:
        """The cursor stays in sight."""
        self._keep_seen()
        self.repaint()

    def on_focus(self) -> None:
        """The cursor looks another way."""
        self.repaint()

    def on_blur(self) -> None:
        """The cursor looks another way."""
        self.repaint()

    def style_of(self, tone: str, base: str = "") -> Style:
        """The ink of a tone, on the ground of `base`."""
        if self._palette is None:
            self._palette = Palette(self, self.STYLES)
        return self._palette.style(tone, base)

    def notify_style_update(self) -> None:
        """The theme, the focus or a style rule has changed."""
        super().notify_style_update()
        self._palette = None
