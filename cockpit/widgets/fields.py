"""Fields to type in, with a still cursor, that a paste of a whole file by mistake does not stall."""

from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, get_character_cell_size
from rich.text import Text
from textual import events
from textual.expand_tabs import expand_tabs_inline
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, TextArea

from cockpit.render.text import pictured

TAB_CELLS = 4  # as Textual's Input counts them
LONGEST_FIELD = 20_000
LONGEST_PASTE = 64 * 1024


@dataclass
class PasteRefused(Message):
    """A paste had too many characters, and nothing of it was taken."""

    characters: int


async def act_at_once(widget: Widget, event: events.Key) -> None:
    """Do what a key is bound to in the widget itself, now.

    Textual lets such keys travel up to the app first, where letters that were typed after them overtake them: a
    backspace, or Enter, among letters that arrive together would be done too late.
    """
    for binding in widget._bindings.key_to_bindings.get(event.key, ()):
        if await widget.app.run_action(binding.action, widget):
            event.stop()
            event.prevent_default()
            return


class Field(Input):
    """One line. Control characters in it are shown as pictures of one cell; its value keeps them."""

    def __init__(self, value: str = "", *, max_length: int = LONGEST_FIELD, **options: Any) -> None:
        super().__init__(value, max_length=max_length, **options)
        # A blinking cursor costs 2.6 kB/s on the way to the terminal.
        self.cursor_blink = False

    @property
    def _value(self) -> Text:
        if self.password:
            return super()._value
        return Text(pictured(self.value), no_wrap=True, overflow="ignore", end="")

    def _position_to_cell(self, position: int) -> int:
        return cell_len(expand_tabs_inline(pictured(self.value[:position]), TAB_CELLS))

    def _cell_offset_to_index(self, offset: int) -> int:
        """The character at a cell of the visible part, where a click goes."""
        cell, wanted = 0, offset + self.scroll_offset.x
        for index, character in enumerate(pictured(self.value)):
            cell += get_character_cell_size(character)
            if wanted < cell:
                return index
        return len(self.value)

    async def _on_key(self, event: events.Key) -> None:
        await act_at_once(self, event)

    def _on_paste(self, event: events.Paste) -> None:
        _refuse_long(self, event, room=self._room)

    @property
    def _room(self) -> int:
        """How many more characters it takes; what is selected makes room."""
        selected = abs(self.selection.end - self.selection.start)
        return (self.max_length or LONGEST_FIELD) - len(self.value) + selected


class HiddenField(Field):
    """One line that is not shown, and that cannot be copied out of."""

    def __init__(self, **options: Any) -> None:
        super().__init__(password=True, **options)

    def action_copy(self) -> None:
        """Nothing: what is hidden stays off the clipboard."""

    def action_cut(self) -> None:
        """Nothing, for the same reason."""


class LinesField(TextArea):
    """Several lines; Tab leaves it. Control characters are shown as in Field."""

    def __init__(self, text: str = "", **options: Any) -> None:
        super().__init__(text, show_line_numbers=False, tab_behavior="focus", **options)
        self.cursor_blink = False

    def get_line(self, line_index: int) -> Text:
        """A line as it is drawn."""
        return Text(pictured(self.document.get_line(line_index)), end="", no_wrap=True)

    def get_column_width(self, row: int, column: int) -> int:
        """The cells up to a character of a line."""
        return cell_len(expand_tabs_inline(pictured(self.document[row][:column]), self.indent_width))

    async def _on_key(self, event: events.Key) -> None:
        await act_at_once(self, event)

    async def _on_paste(self, event: events.Paste) -> None:
        _refuse_long(self, event)


def _refuse_long(field: Input | TextArea, event: events.Paste, room: int = LONGEST_PASTE) -> None:
    """Refuse a paste that the field would drop without a word; a field of one line takes the first line of it."""
    wanted = len(event.text.split("\n", 1)[0]) if isinstance(field, Input) else len(event.text)
    if len(event.text) > LONGEST_PASTE or wanted > room:
        event.stop()
        event.prevent_default()
        field.post_message(PasteRefused(len(event.text)))
