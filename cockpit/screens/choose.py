"""A list to choose one thing from."""

from collections.abc import Sequence

from textual import on
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from cockpit.render.text import visible
from cockpit.screens.dialog import Dialog
from cockpit.widgets.key_hints import Hint


class Choose(Dialog[str]):
    """Gives the id of what was chosen; `options` are pairs of id and text."""

    HINTS = (Hint("↑↓", "move"), Hint("⏎", "choose"), Hint("esc", "cancel", "cancel", keep=True))

    def __init__(self, title: str, options: Sequence[tuple[str, str]]) -> None:
        super().__init__(title)
        self._options = options

    def contents(self) -> list[Widget]:
        """The list."""
        return [OptionList(*(Option(visible(text), id=name) for name, text in self._options), markup=False)]

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)
