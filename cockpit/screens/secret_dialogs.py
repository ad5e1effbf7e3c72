"""Dialogs of the Secrets pane: a hidden value, and what an import would move."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import msgspec
from textual import events, on
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from cockpit.errors import UsageError
from cockpit.model.env_names import purpose_of
from cockpit.model.secret import Secret
from cockpit.operations.secrets.sdl_import import Move
from cockpit.render.text import visible
from cockpit.screens.confirm import Confirm
from cockpit.screens.dialog import BETWEEN_FIELDS, Dialog
from cockpit.secrets.names import DEFAULT_SCOPE, checked_name, checked_scope
from cockpit.secrets.values import checked_value
from cockpit.widgets.fields import Field, HiddenField
from cockpit.widgets.key_hints import Hint

SEVERAL_LINES = "What was pasted has several lines. Pipe it in: rayakash-tui secrets set NAME < file"


MOST_LINES = 12


class SecretEntry(msgspec.Struct, frozen=True):
    """What was typed: the value is None where one is to be generated."""

    name: str
    scope: str
    value: Secret | None


class ValueField(HiddenField):
    """A hidden line; a paste of several lines is refused, for a field would take the first one only."""

    def _on_paste(self, event: events.Paste) -> None:
        if len(event.text.splitlines()) > 1:
            event.stop()
            event.prevent_default()
            self.screen.query_one("#secret-problem", Static).update(SEVERAL_LINES)


class SecretDialog(Dialog[SecretEntry]):
    """Asks for name, scope and value, or for name and scope of one to be generated; a name that is given stays.

    `made` says what will be generated; without it a value is asked for.
    """

    BINDINGS: ClassVar[list[BindingType]] = BETWEEN_FIELDS
    HINTS = (Hint("⏎", "keep it"), Hint("↑↓", "fields"), Hint("esc", "cancel", "cancel", keep=True))

    def __init__(self, title: str, *, name: str = "", scope: str = DEFAULT_SCOPE, made: str = "") -> None:
        super().__init__(title)
        self._secret, self._scope, self._made = name, scope, made

    def contents(self) -> list[Widget]:
        """Fields with their labels, what the secret is for, and what is wrong."""
        purpose = purpose_of(self._secret) or ""
        what = self._made or "The value stays hidden."
        widgets: list[Widget] = [Label(visible(f"{purpose} {what}".strip()), classes="field-hint", markup=False)]
        if not self._secret:
            widgets += [Label("name", classes="secret-label"), Field(placeholder="HF_TOKEN", id="secret-name")]
        widgets += [
            Label("scope: an SDL's name without its ending, a context's, or default", classes="secret-label"),
            Field(self._scope, id="secret-scope"),
        ]
        if not self._made:
            widgets += [Label("value", classes="secret-label"), ValueField(id="secret-value")]
        return [*widgets, Static("", id="secret-problem", markup=False)]

    def on_mount(self) -> None:
        """One can type at once what is still unknown."""
        first = "#secret-name" if not self._secret else "#secret-scope" if self._made else "#secret-value"
        self.query_one(first, Input).focus()

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        """Enter goes from the name to the value, and from the last field on."""
        if event.input.id == "secret-name" and not self._made:
            self.query_one("#secret-value", Input).focus()
            return
        try:
            entry = self._entry()
        except UsageError as error:
            self.query_one("#secret-problem", Static).update(" ".join(filter(None, (error.title, error.hint))))
        else:
            self.dismiss(entry)

    def _entry(self) -> SecretEntry:
        name = checked_name(self._secret or self.query_one("#secret-name", Input).value.strip())
        scope = checked_scope(self.query_one("#secret-scope", Input).value.strip())
        if self._made:
            return SecretEntry(name, scope, None)
        return SecretEntry(name, scope, checked_value(Secret(self.query_one("#secret-value", Input).value)))


class ImportPreview(Confirm):
    """What an import would move, by line and name, and what it would leave."""

    def __init__(self, path: Path, scope: str, moves: Sequence[Move], others: Sequence[int]) -> None:
        names = [f"line {move.line:>4}  {move.service}: {move.variable} → ac-secret://{move.name}" for move in moves]
        if others:
            lines = ", ".join(map(str, others[:MOST_LINES])) + (", …" if len(others) > MOST_LINES else "")
            names += ["", f"Stays, since only env values and registry passwords can move: line {lines}"]
        one = len(moves) == 1
        super().__init__(
            f"Move {'this secret' if one else f'these {len(moves)} secrets'} out of {path.name}?",
            names,
            f"{'It goes' if one else 'They go'} into the store, scope {scope}; references take "
            f"{'its' if one else 'their'} place in the file.",
        )
