"""A line to type a filter or a search into, with what came of it at its right."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from cockpit.widgets.fields import Field
from cockpit.widgets.state_line import Piece, StateLine

LONGEST = 500
MOST_REMEMBERED = 50


class LineInput(Field):
    """An input of one line; its cursor does not blink, which would cost 2.6 kB/s of an idle terminal."""

    DEFAULT_CSS = """
    LineInput { width: 2fr; }
    LineInput, LineInput:focus { background: transparent; background-tint: transparent; }
    """

    def __init__(self, *, placeholder: str = "") -> None:
        super().__init__(placeholder=placeholder, compact=True, max_length=LONGEST, select_on_focus=False)


class FilterBar(Horizontal):
    """Tells what is typed at each key; enter keeps it, escape takes it back, up and down recall earlier ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="filter.cancel"),
        Binding("up", "recall(1)", "Earlier", show=False, id="filter.earlier"),
        Binding("down", "recall(-1)", "Later", show=False, id="filter.later"),
    ]

    DEFAULT_CSS = """
    FilterBar {
        height: 1;
        background: $surface;
        & > .filter-bar--prompt { width: auto; padding: 0 1; color: $text-primary; text-style: bold; }
        & > .filter-bar--result { width: 1fr; }
    }
    """

    @dataclass
    class FilterMessage(Message):
        """Something that the line tells its pane, with the text as it is."""

        filter_bar: "FilterBar"
        text: str

        @property
        def control(self) -> "FilterBar":
            """The line."""
            return self.filter_bar

    class Changed(FilterMessage):
        """A key has changed the text."""

    class Submitted(FilterMessage):
        """Enter: the text stays, and the line may go."""

    class Cancelled(FilterMessage):
        """Escape: the text is that from before the line was opened."""

    def __init__(
        self,
        prompt: str = "/",
        *,
        placeholder: str = "",
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._prompt = prompt
        self._input = LineInput(placeholder=placeholder)
        self._result = StateLine(classes="filter-bar--result")
        self._before = ""
        self._known = ""
        self._history: list[str] = []
        self._recalled = -1

    def compose(self) -> ComposeResult:
        """Prompt, input, result."""
        yield Static(self._prompt, markup=False, classes="filter-bar--prompt")
        yield self._input
        yield self._result

    @property
    def text(self) -> str:
        """The text of the line."""
        return self._input.value

    def open(self, text: str = "") -> None:
        """Begin with a text, which escape will bring back, and take the focus."""
        self._before, self._recalled = text, -1
        self._put(text)
        self.result()
        # At once: keys that come in one burst with the one that opened the line belong into it.
        self.screen.set_focus(self._input)

    def result(self, text: str = "", tone: str = "quiet") -> None:
        """Show the result of the text, such as `12 of 212` or why the regex is invalid."""
        self._result.show([], [Piece(text, tone, priority=0)] if text else [])

    def _put(self, text: str) -> None:
        # The text is known before the input's message arrives, so that it does not count as typing.
        self._known = self._input.value = text[:LONGEST]
        self._input.cursor_position = len(self._input.value)

    @on(Input.Changed)
    def _text_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._known:
            self._known = event.value
            self.post_message(self.Changed(self, event.value))

    @on(Input.Submitted)
    def _text_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value:
            self._history = [event.value, *(one for one in self._history if one != event.value)][:MOST_REMEMBERED]
        self.post_message(self.Submitted(self, event.value))

    def action_cancel(self) -> None:
        """Bring back the text from before."""
        self._put(self._before)
        self.post_message(self.Cancelled(self, self._before))

    def action_recall(self, back: int) -> None:
        """Go back to what was entered earlier, or forth again."""
        self._recalled = min(max(-1, self._recalled + back), len(self._history) - 1)
        text = self._history[self._recalled] if self._recalled >= 0 else ""
        if text != self._input.value:
            self._put(text)
            self.post_message(self.Changed(self, text))
