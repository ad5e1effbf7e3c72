"""The question before something is done that cannot be undone."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Label

from cockpit.render.cell_text import tamed
from cockpit.render.text import visible
from cockpit.screens.dialog import Dialog
from cockpit.widgets.key_hints import Hint


class Confirm(Dialog[bool]):
    """Names what will be hit; only `y` does it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes", show=False),
        Binding("n,enter", "cancel", "No", show=False),
    ]

    HINTS: ClassVar[tuple[Hint, ...]] = (Hint("y", "yes", "yes"), Hint("n", "no", "cancel", keep=True))

    def __init__(self, question: str, names: Sequence[str], consequence: str = "") -> None:
        super().__init__(question)
        self._names = names
        self._consequence = consequence

    def contents(self) -> list[Widget]:
        """Every name, and what follows."""
        names = [Label(tamed(visible(name)), markup=False, classes="confirm-name") for name in self._names]
        widgets: list[Widget] = [VerticalScroll(*names, id="confirm-names")]
        if self._consequence:
            widgets.append(Label(tamed(visible(self._consequence)), id="confirm-consequence", markup=False))
        return widgets

    def action_yes(self) -> None:
        """Do it."""
        self.dismiss(True)
