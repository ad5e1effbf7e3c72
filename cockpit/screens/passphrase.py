"""The vault's passphrase, asked for on the screen: a terminal question would be written over it."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from textual import on
from textual.app import App
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Input, Label

from cockpit.errors import UsageError
from cockpit.model.secret import Secret
from cockpit.render.text import visible
from cockpit.screens.dialog import BETWEEN_FIELDS, Dialog
from cockpit.secrets.passphrase import Ask, PassphraseRequest
from cockpit.secrets.vault import checked_passphrase
from cockpit.widgets.fields import HiddenField
from cockpit.widgets.key_hints import Hint


class PassphraseDialog(Dialog[Secret]):
    """Gives the passphrase that was typed, None where the user gave up.

    For a new vault, or a new passphrase, it is typed twice and must be long enough; mistakes are shown here.
    `gone` gets the answer when the dialog has left the screen, for any reason.
    """

    BINDINGS: ClassVar[list[BindingType]] = BETWEEN_FIELDS
    HINTS = (Hint("⏎", "go on", "submit"), Hint("esc", "cancel", "cancel", keep=True))

    def __init__(
        self,
        request: PassphraseRequest,
        *,
        title: str = "",
        gone: Callable[[Secret | None], None] = lambda _: None,
    ) -> None:
        super().__init__(title or ("Make a vault for secrets" if request.is_new else "Unlock the vault"))
        self._request = request
        self._gone = gone
        self._answer: Secret | None = None

    def contents(self) -> list[Widget]:
        """What it is for, one field or two, and what was wrong."""
        what = "Without its passphrase its secrets cannot be recovered." if self._request.is_new else ""
        text = " ".join(part for part in (f"Passphrase of {self._request.vault}.", what) if part)
        widgets: list[Widget] = [
            Label(visible(text), classes="field-hint", markup=False),
            HiddenField(placeholder="passphrase", id="passphrase"),
        ]
        if self._request.is_new:
            widgets.append(HiddenField(placeholder="once more", id="passphrase-again"))
        return [*widgets, Label(visible(self._request.problem), id="passphrase-problem", markup=False)]

    def on_mount(self) -> None:
        """One can type at once."""
        self.query_one("#passphrase").focus()

    def on_unmount(self) -> None:
        """Deliver the answer to its waiter, even if the app has ended."""
        self._gone(self._answer)

    @on(Input.Submitted)
    def action_submit(self) -> None:
        """Take what is typed; from the first of two fields go to the second."""
        typed = [field.value for field in self.query(HiddenField)]
        if self._request.is_new and typed[0] and not typed[1]:
            self.query_one("#passphrase-again").focus()
        elif problem := self._problem(typed):
            self.query_one("#passphrase-problem", Label).update(problem)
        else:
            self._answer = Secret(typed[0])
            self.dismiss(self._answer)

    def _problem(self, typed: list[str]) -> str:
        if not typed[0]:
            return "Type the passphrase, or leave with Esc."
        if not typed[0].isprintable():
            return "The input contains control characters."
        if not self._request.is_new:
            return ""
        try:
            checked_passphrase(Secret(typed[0]))
        except UsageError as error:
            return error.title
        return "" if typed[0] == typed[1] else "The two do not match."


def passphrase_asker(app: App[Any]) -> Ask:
    """How the library asks on the screen, to be given to `secrets.passphrase.ask_with`.

    It is called on a thread beside the app's own and blocks it until the dialog is left; on the app's thread it raises
    RuntimeError, since it would deadlock there.
    """

    async def asked(request: PassphraseRequest) -> Secret | None:
        if not app.is_running:
            return None
        answer: asyncio.Future[Secret | None] = asyncio.get_running_loop().create_future()
        app.push_screen(PassphraseDialog(request, gone=answer.set_result))
        return await answer

    def ask(request: PassphraseRequest) -> Secret | None:
        waiting: Any = asked  # whose type Textual's signature cannot say
        answer: Secret | None = app.call_from_thread(waiting, request)
        return answer

    return ask
