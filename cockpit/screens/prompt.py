"""One line that is asked for."""

from collections.abc import Callable

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from cockpit.errors import UsageError
from cockpit.render.text import visible
from cockpit.screens.dialog import Dialog
from cockpit.widgets.fields import Field, HiddenField
from cockpit.widgets.key_hints import Hint


class Prompt(Dialog[str]):
    """One line to type; `check` raises UsageError for what cannot be taken."""

    HINTS = (Hint("⏎", "take it"), Hint("esc", "cancel", "cancel", keep=True))

    def __init__(
        self, title: str, text: str = "", *, hint: str = "", hidden: bool = False,
        check: Callable[[str], object] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(title)
        self._text, self._hint, self._is_hidden, self._check = text, hint, hidden, check

    def contents(self) -> list[Widget]:
        """A hint, the field, and what is wrong with it."""
        field = HiddenField(id="prompt") if self._is_hidden else Field(self._text, id="prompt")
        return [
            Label(visible(self._hint), classes="field-hint", markup=False),
            field,
            Static("", id="prompt-error", markup=False),
        ]

    def on_mount(self) -> None:
        """The field has the keys."""
        self.query_one("#prompt", Input).focus()

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        try:
            if self._check is not None:
                self._check(event.value)
        except UsageError as error:
            self.query_one("#prompt-error", Static).update(" ".join(filter(None, (error.title, error.hint))))
        else:
            self.dismiss(event.value)
