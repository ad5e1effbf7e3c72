"""Something to read: details, help, an error."""

import textwrap
from typing import ClassVar

from rich.cells import cell_len, chop_cells
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from cockpit.render.cell_text import clip, tamed
from cockpit.render.text import visible
from cockpit.screens.dialog import Dialog
from cockpit.widgets.key_hints import Hint

NARROWEST = 8
LONGEST_LABEL = 30
WIDEST_BOX = 110  # as in the stylesheet


class TextDialog(Dialog[None]):
    """Lines of label and text, scrolled with the arrow keys."""

    HINTS: ClassVar[tuple[Hint, ...]] = (
        Hint("↑↓", "scroll"),
        Hint("y", "copy all", "copy"),
        Hint("esc", "close", "cancel", keep=True),
    )
    BINDINGS = [("y", "copy", "Copy"), ("q", "cancel", "Close")]  # noqa: RUF012 - Textual's own way

    def __init__(self, title: str, lines: list[tuple[str, str]]) -> None:
        super().__init__(title)
        self._lines = lines

    def contents(self) -> list[Widget]:
        """The lines, labels in a column of their own."""
        return [VerticalScroll(Static(id="text-body"), id="text-scroll")]

    def on_resize(self) -> None:
        """Wrap long texts beside their labels."""
        self.call_after_refresh(self._draw)

    def show(self, lines: list[tuple[str, str]]) -> None:
        """Other lines from now on; one stays where one has scrolled to."""
        if lines != self._lines:
            self._lines = lines
            self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        room = self.query_one("#text-scroll").scrollable_content_region.width
        self.query_one("#text-body", Static).update(self._content(room))

    def _content(self, room: int) -> Content:
        shown = [(*clip(label, LONGEST_LABEL), _safe(text)) for label, text in self._lines]
        width = max((size for _, size, text in shown if text), default=0)
        parts: list[Content] = []
        for label, size, text in shown:
            if not text:
                parts.append(Content.styled(f"\n{label}", "$text-primary bold") if label else Content(""))
            else:
                body = ("\n" + " " * (width + 2)).join(_wrapped(text, room - width - 2))
                parts.append(Content.styled(label + " " * (width - size + 2), "$text-muted") + Content(body))
        return Content("\n").join(parts)

    def action_copy(self) -> None:
        """Copy everything."""
        self.app.copy_to_clipboard("\n".join(f"{label}\t{text}" for label, text in self._lines))
        self.notify("Copied.", timeout=2)

    def on_mount(self) -> None:
        """The keys scroll at once."""
        self.query_one("#text-scroll").focus()


def room_for_text(screen: int) -> int:
    """How wide a text without a label may be on a screen of that width, until it is wrapped."""
    # Nine tenths of the screen; a border, a padding, the scrollbar, the gap behind the labels.
    return max(20, min(WIDEST_BOX, screen * 9 // 10) - 8)


def _safe(text: str) -> str:
    return tamed("\n".join(map(visible, text.split("\n"))))


def _wrapped(text: str, room: int) -> list[str]:
    return [piece for line in text.split("\n") for piece in _wrapped_line(line, max(NARROWEST, room)) or [""]]


def _wrapped_line(line: str, room: int) -> list[str]:
    """Pieces that fit; only where every character takes one cell can it be done between words."""
    if cell_len(line) == len(line):
        return textwrap.wrap(line, room, drop_whitespace=False)
    return chop_cells(line, room)
