"""A view of a log that may have a million lines and grow while one reads it."""

import os
from asyncio import TimerHandle
from typing import ClassVar

import msgspec
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var

from cockpit.feeds.line_index import Source
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.widgets.later import after
from cockpit.widgets.logs.pages import PREFIX, LogPages, Place
from cockpit.widgets.tones import tone_classes, tone_css

# So many bytes are counted before the next key is looked at: a few milliseconds.
_COUNTED_AT_ONCE = 2 * 1024 * 1024
WHEEL_CELLS = 8
# Signs of lines and of what is found in them, beside the tones.
SIGNS = ("found", "found-now", "now", "marked", "context")
WHEEL_LINES = 3


class LogStatus(msgspec.Struct, frozen=True):
    """What a line above the log may say: sizes, where the screen is (`top` counts from 0), and whether it follows.

    `lines` is None while lines are still being counted; `top` is a line of the log, whatever is left out.
    """

    lines: int | None = 0
    bytes: int = 0
    top: int = 0
    following: bool = True
    is_wrapped: bool = False
    is_pretty: bool = False


class LogView(LogPages, can_focus=True):
    """Draws the lines on the screen from their bytes, and keeps nothing of the others but their count.

    The owner says `notify_grown` when the source has grown, as often as it likes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_by(-1)", "Up", show=False, id="log.up"),
        Binding("down,j", "scroll_by(1)", "Down", show=False, id="log.down"),
        Binding("pageup", "scroll_pages(-1)", "Page up", show=False, id="log.page-up"),
        Binding("pagedown", "scroll_pages(1)", "Page down", show=False, id="log.page-down"),
        Binding("home,g", "first", "First line", show=False, id="log.first"),
        Binding("end,G", "follow", "Follow", show=False, id="log.follow"),
        Binding("p", "pause", "Pause", show=False, id="log.pause"),
        Binding("left", "scroll_cells(-1)", "Scroll left", show=False, id="log.left"),
        Binding("right", "scroll_cells(1)", "Scroll right", show=False, id="log.right"),
    ]
    """
    | Key(s) | Description |
    | :- | :- |
    | up, k, down, j | Scroll by a line; up pauses. |
    | pageup, pagedown | Scroll by a page; up pauses. |
    | home, g | Go to the first line that is there. |
    | end, G | Go to the end and follow it. |
    | p | Pause, or follow again. |
    | left, right | Scroll by half a screen, along long lines. |
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = tone_classes(PREFIX) | {f"{PREFIX}--{sign}" for sign in SIGNS}

    DEFAULT_CSS = """
    LogView {
        height: 1fr;
        width: 1fr;
        padding-left: 1;
        background: $background;
        color: $foreground;
    }
    LogView > .log-view--found { background: $warning; color: $background; }
    LogView > .log-view--found-now { background: $primary; color: $background; text-style: bold underline; }
    LogView > .log-view--now { background: $primary 20%; }
    LogView > .log-view--marked { background: $foreground 25%; }
    LogView > .log-view--context { color: $text-muted; }
    """ + tone_css("LogView", PREFIX)

    following: var[bool] = var(True)
    """Whether the view moves with the end of the log."""

    class StatusChanged(Message):
        """Lines, bytes, place or following are others than before."""

        def __init__(self, log_view: "LogView", status: LogStatus) -> None:
            super().__init__()
            self.log_view = log_view
            self.status = status

        @property
        def control(self) -> "LogView":
            """The log."""
            return self.log_view

        def can_replace(self, message: Message) -> bool:
            """Whether `message` is older news of the same log."""
            return isinstance(message, LogView.StatusChanged) and message.log_view is self.log_view

    class StartReached(Message):
        """The user wants to see what comes before the first line that is there, or (`wants_first`) the log's first."""

        def __init__(self, log_view: "LogView", *, wants_first: bool = False) -> None:
            super().__init__()
            self.log_view = log_view
            self.wants_first = wants_first

        @property
        def control(self) -> "LogView":
            """The log."""
            return self.log_view

    def __init__(
        self,
        source: Source,
        *,
        repaints_per_second: float | None = None,
        empty_sentence: str = "no output yet",
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(source, empty_sentence=empty_sentence, glyphs=glyphs, id=id, classes=classes)
        self.status = LogStatus()
        self._interval = 1 / (repaints_per_second or (4 if "SSH_CONNECTION" in os.environ else 10))
        self._rest: TimerHandle | None = None
        self._has_grown = False

    def set_source(self, source: Source) -> None:
        """Show another log, from its end."""
        self._open(source)
        self.following = True
        self._grow()

    # Growth

    def notify_grown(self) -> None:
        """The source has more bytes (or fewer: it was replaced); repaints are spaced out here."""
        self._has_grown = True
        if self._rest is None and self.is_attached:
            self._grow()
            self._rest = after(self._interval, self, self._rested)

    def _rested(self) -> None:
        self._rest = None
        if self._has_grown:
            self.notify_grown()

    def _grow(self) -> None:
        self._has_grown = False
        if not self._index.extend(_COUNTED_AT_ONCE):
            after(0.0, self, self._grow)  # with a moment in between, in which Textual paints what is there
        self._show()

    def _number_lines(self) -> None:
        """Count every line now, since the user leaves the end: a gigabyte takes half a second."""
        if not self._index.is_complete:
            while not self._index.extend(_COUNTED_AT_ONCE):
                pass
            self._show()

    def on_mount(self) -> None:
        """Show the end of what is there."""
        self._grow()

    def on_resize(self) -> None:
        """Stay at the end while following."""
        self._show()

    def _show(self) -> None:
        """Bring the screen up to date."""
        if self._index.is_complete:
            last = self.show_extent()
            if self.following or Place(self.scroll_offset.y, self._part) > last:
                self.go_to_place(last)
        self.find_rows(at_end=self.following)
        self.sync_lines()
        self._report()

    def _report(self) -> None:
        lines = self._index.line_count if self._index.is_complete else None
        top = self.line_of(self.scroll_offset.y) if lines else 0
        status = LogStatus(lines, self._source.size, top, self.following, self.is_wrapped, self.is_pretty)
        if status != self.status:
            self.status = status
            self.post_message(self.StatusChanged(self, status))

    # Moving

    def watch_following(self, following: bool) -> None:
        """Go to the end, or let it go on alone."""
        if following:
            self._grow()
        else:
            self._number_lines()
        self._report()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling up stops following: the user reads."""
        if new_value < old_value and new_value < self.max_scroll_y:
            self.following = False
        super().watch_scroll_y(old_value, new_value)
        self._report()

    def scrolled(self) -> None:
        """Find the lines that are on the screen now."""
        self.find_rows(at_end=self.following)

    def goto_line(self, number: int) -> None:
        """Pause, and bring a line (counted from 0) into the upper part of the screen."""
        self.following = False
        self.go_to_place(Place(self.row_of(number), 0))
        if number > 0:
            self.go_to_place(self.place_below(-(self.view_size.height // 3)))

    def goto_offset(self, offset: int) -> None:
        """Pause, and bring the line that holds a byte into the upper part of the screen."""
        self.following = False
        self.goto_line(self._index.number_at(offset))

    def action_scroll_by(self, lines: int) -> None:
        """Scroll by lines; upwards pauses."""
        self._number_lines()
        if lines < 0 and Place(self.scroll_offset.y, self._part) == Place(0, 0):
            self.post_message(self.StartReached(self))
        place = self.place_below(lines)
        if lines < 0 and self.is_tall and place < self.last_place():
            self.following = False
        self.go_to_place(place)

    def action_scroll_pages(self, pages: int) -> None:
        """Scroll by pages, a line of the last one staying; upwards pauses."""
        self.action_scroll_by(pages * max(1, self.view_size.height - 1))

    def action_first(self) -> None:
        """Go to the first line that is there."""
        self.goto_line(0)
        self.post_message(self.StartReached(self, wants_first=True))

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.following = True

    def action_pause(self) -> None:
        """Pause, or follow again."""
        self.following = not self.following

    def action_scroll_cells(self, halves: int) -> None:
        """Scroll along long lines by halves of the screen."""
        self.scroll_cells(halves * max(1, self.view_size.width // 2))

    # The mouse

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """With shift or ctrl, along the lines; the rest is Textual's."""
        if event.shift or event.ctrl:
            self.scroll_cells(-WHEEL_CELLS)
            event.stop()
        elif self.scroll_offset.y == 0 or self.is_tall:
            self.action_scroll_by(-WHEEL_LINES if self.is_tall else -1)
            event.stop()
            event.prevent_default()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """With shift or ctrl, along the lines; the rest is Textual's."""
        if event.shift or event.ctrl:
            self.scroll_cells(WHEEL_CELLS)
            event.stop()
        elif self.is_tall:
            self.action_scroll_by(WHEEL_LINES)
            event.stop()
            event.prevent_default()

    def on_mouse_scroll_left(self) -> None:
        """Scroll along the lines."""
        self.scroll_cells(-WHEEL_CELLS)

    def on_mouse_scroll_right(self) -> None:
        """Scroll along the lines."""
        self.scroll_cells(WHEEL_CELLS)
