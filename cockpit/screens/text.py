"""Something to read: details, help, an error."""

import textwrap

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from cockpit.screens.dialog import Dialog
from cockpit.widgets.key_hints import Hint

NARROWEST = 8


class TextDialog(Dialog[None]):
    """Lines of label and text, scrolled with the arrow keys."""

    HINTS = (Hint("↑↓", "scroll"), Hint("y", "copy all", "copy"), Hint("esc", "close", "cancel", keep=True))
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

    def _draw(self) -> None:
        room = self.query_one("#text-scroll").scrollable_content_region.width
        self.query_one("#text-body", Static).update(self._content(room))

    def _content(self, room: int) -> Content:
        width = max((len(label) for label, text in self._lines if text), default=0)
        parts: list[Content] = []
        for label, text in self._lines:
            if not text:
                parts.append(Content.styled(f"\n{label}", "$text-primary bold") if label else Content(""))
            else:
                body = ("\n" + " " * (width + 2)).join(_wrapped(text, room - width - 2))
                parts.append(Content.styled(f"{label:<{width}}  ", "$text-muted") + Content(body))
        return Content("\n").join(parts)

    def action_copy(self) -> None:
        """Copy everything."""
        self.app.copy_to_clipboard("\n".join(f"{label}\t{text}" for label, text in self._lines))
        self.notify("Copied.", timeout=2)

    def on_mount(self) -> None:
        """The keys scroll at once."""
        self.query_one("#text-scroll").focus()


def _wrapped(text: str, room: int) -> list[str]:
    lines = [textwrap.wrap(line, max(NARROWEST, room), drop_whitespace=False) or [""] for line in text.split("\n")]
    return [piece for line in lines for piece in line]
