"""Dialogs about clusters that have a name: adding one, and a token that is not taken any more."""

from pathlib import Path
from typing import ClassVar

import msgspec
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Label

from cockpit.model.secret import Secret
from cockpit.render.text import visible
from cockpit.screens.dialog import BETWEEN_FIELDS, Dialog
from cockpit.widgets.fields import Field, HiddenField
from cockpit.widgets.key_hints import Hint


class NewCluster(msgspec.Struct, frozen=True):
    """What was typed; `sdl` and `ssh`, the bastion in front, are None where none was named."""

    name: str = ""
    where: str = ""
    sdl: Path | None = None
    ssh: str | None = None


class AddClusterDialog(Dialog[NewCluster]):
    """Asks for a name, an address as people have it, an SDL that knows token and certificate, and a bastion."""

    BINDINGS: ClassVar[list[BindingType]] = BETWEEN_FIELDS
    HINTS = (Hint("⏎", "add", "submit"), Hint("↑↓", "fields"), Hint("esc", "cancel", "cancel", keep=True))

    def __init__(self, typed: NewCluster | None = None, problem: str = "") -> None:
        super().__init__("Add a cluster")
        self._typed = typed or NewCluster()
        self._problem = problem

    def contents(self) -> list[Widget]:
        """Four fields and what was wrong."""
        typed = self._typed
        return [
            Label("name", classes="secret-label"),
            Field(typed.name, placeholder="lab", id="cluster-name"),
            Label("address: a URL, HOST:PORT of a lease, or an Akash host name", classes="secret-label"),
            Field(typed.where, placeholder="provider.example:31871", id="cluster-where"),
            Label("SDL that it was deployed from; its token and certificate are taken", classes="secret-label"),
            Field(str(typed.sdl or ""), placeholder="lab.yaml, or nothing", id="cluster-sdl"),
            Label("bastion in front of it, as one writes it after `ssh`", classes="secret-label"),
            Field(typed.ssh or "", placeholder="me@bastion.example, or nothing", id="cluster-ssh"),
            Label(visible(self._problem), id="cluster-problem", classes="dialog-problem", markup=False),
        ]

    def on_mount(self) -> None:
        """One can type at once."""
        self.query_one("#cluster-name").focus()

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Give what was typed; an empty field that is needed gets the keys."""
        name, where, sdl, ssh = (field.value.strip() for field in self.query(Field))
        for text, field in ((name, "#cluster-name"), (where, "#cluster-where")):
            if not text:
                self.query_one(field).focus()
                return
        self.dismiss(NewCluster(name, where, Path(sdl).expanduser() if sdl else None, ssh or None))


class TokenAnswer(msgspec.Struct, frozen=True):
    """A token that was typed, or None to look again where it came from; `keep` writes it into the store."""

    token: Secret | None
    keep: bool = False


class TokenDialog(Dialog[TokenAnswer]):
    """Asks for the token of a cluster that does not take the one it was shown; `name` is what it is kept under."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "keep", "Keep", show=False)]

    def __init__(self, title: str, hint: str, *, name: str | None, problem: str = "") -> None:
        super().__init__(title)
        self._hint, self._name, self._problem = hint, name, problem
        keep = (Hint("ctrl+s", f"keep it as {name}", "keep"),) if name else ()
        self.HINTS = (Hint("⏎", "go on", "submit"), *keep, Hint("esc", "later", "cancel", keep=True))  # type: ignore[misc]

    def contents(self) -> list[Widget]:
        """What to do, the field, and what was wrong with the last answer."""
        again = "With nothing typed it is looked for again where it was found before."
        return [
            Label(visible(f"{self._hint} {again}".strip()), classes="field-hint", markup=False),
            HiddenField(placeholder="token", id="token"),
            Label(visible(self._problem), classes="dialog-problem", markup=False),
        ]

    def on_mount(self) -> None:
        """One can type at once."""
        self.query_one("#token").focus()

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Use it from now on."""
        self._answer(keep=False)

    def action_keep(self) -> None:
        """Use it, and keep it."""
        if self._name is not None:
            self._answer(keep=True)

    def _answer(self, *, keep: bool) -> None:
        typed = self.query_one(HiddenField).value.strip()
        self.dismiss(TokenAnswer(Secret(typed) if typed else None, keep and bool(typed)))
