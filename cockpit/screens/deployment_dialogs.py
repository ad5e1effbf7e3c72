"""Dialogs about deployments: the end of one, which offers its results first, and what is to be copied out."""

from pathlib import Path
from typing import ClassVar, Literal, TypeAlias

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Label

from cockpit.errors import UsageError
from cockpit.operations.deployments.copying import Copy, parse_copy
from cockpit.render.text import visible
from cockpit.screens.dialog import BETWEEN_FIELDS, Dialog
from cockpit.widgets.fields import Field
from cockpit.widgets.key_hints import Hint

End: TypeAlias = Literal["close", "copy"]


class EndDialog(Dialog[End]):
    """Asks before a deployment is closed; its results can be copied out first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "end('close')", "Yes", show=False),
        Binding("c", "end('copy')", "Copy results", show=False),
        Binding("n,enter", "cancel", "No", show=False),
    ]
    HINTS = (Hint("y", "yes", "end('close')"), Hint("c", "copy results first", "end('copy')"),
             Hint("n", "no", "cancel", keep=True))  # fmt: skip

    def __init__(self, name: str, consequence: str) -> None:
        super().__init__("Close this deployment?")
        self._name_of_it = name
        self._consequence = consequence

    def contents(self) -> list[Widget]:
        """What is closed, and what follows."""
        return [
            Label(visible(self._name_of_it), markup=False, classes="confirm-name"),
            Label(self._consequence, id="confirm-consequence", markup=False),
        ]

    def action_end(self, how: End) -> None:
        """Close it, or copy first."""
        self.dismiss(how)


class CopyDialog(Dialog[Copy]):
    """Asks what to copy out of a deployment, and where to."""

    BINDINGS: ClassVar[list[BindingType]] = BETWEEN_FIELDS
    HINTS = (Hint("⏎", "copy", "submit"), Hint("↑↓", "fields"), Hint("esc", "cancel", "cancel", keep=True))

    def __init__(self, dseq: str) -> None:
        super().__init__(f"Copy results of {dseq}")
        self._dseq = dseq

    def contents(self) -> list[Widget]:
        """Two fields, and what is wrong with them."""
        return [
            Label("service and path in its container", classes="secret-label"),
            Field("", placeholder="ray-head:/home/ray/results", id="copy-from"),
            Label("folder or file on this machine", classes="secret-label"),
            Field(f"results-{self._dseq}", id="copy-to"),
            Label("", id="copy-problem", classes="dialog-problem", markup=False),
        ]

    def on_mount(self) -> None:
        """One can type at once."""
        self.query_one("#copy-from").focus()

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Give what was typed; what cannot be copied so is said."""
        source, local = (field.value.strip() for field in self.query(Field))
        try:
            found = parse_copy(f"{self._dseq}:{source}", str(Path(local or ".").expanduser()))
        except UsageError:
            self.query_one("#copy-problem", Label).update("Write SERVICE:PATH, such as ray-head:/home/ray/results.")
            self.query_one("#copy-from").focus()
            return
        self.dismiss(found)
