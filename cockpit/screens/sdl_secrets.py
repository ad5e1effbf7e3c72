"""Secrets of an SDL that is edited: values go into the store, and references into the text."""

from textual.app import App

from cockpit.errors import UsageError
from cockpit.model.env_names import purpose_of
from cockpit.model.secret import REFERENCE_PREFIX, Secret
from cockpit.operations.background import aside
from cockpit.operations.sdl_editor.form_edits import SECRET
from cockpit.operations.sdl_editor.form_rows import FormRow
from cockpit.panes.sdl import SdlPane
from cockpit.screens.choose import Choose
from cockpit.screens.prompt import Prompt
from cockpit.secrets.names import checked_name
from cockpit.secrets.references import process_store


class SdlSecrets:
    """The secrets of one pane's SDL; a value is never part of the text, nor of its history."""

    def __init__(self, app: App[int], pane: SdlPane) -> None:
        self._app = app
        self._pane = pane

    async def typed(self, row: FormRow, text: str) -> None:
        """A value was typed that looks like a secret: ask where it shall be."""
        name, value = (str(row.args[1]), text) if row.field == "env" else _parted(text)
        secret = Secret(value.strip())
        options = [
            ("store", f"in the secret store; the file says secret {name}"),
            ("file", "in the file, in plain text, where everybody reads it who gets the file"),
        ]
        answer = await self._app.push_screen_wait(Choose(f"{name} looks like a secret. Where shall it be?", options))
        if answer == "store":
            await self._store(name, secret)
            self._pane.enter(row, f"{SECRET}{name}" if row.field == "env" else f"{name}={SECRET}{name}")
        elif answer == "file":
            self._pane.enter(row, text)

    async def keep(self, row: FormRow | None) -> None:
        """Move the value of an env row into the store, or give a missing secret its value."""
        if row is None or row.field != "env":
            raise UsageError("No variable is selected.", hint="Go to a line of env in the form.")
        service, variable = str(row.args[0]), str(row.args[1])
        value = str(self._pane.desk.session.document.get(("services", service, "env", variable)))
        if value.startswith(REFERENCE_PREFIX):
            await self._give(value.removeprefix(REFERENCE_PREFIX))
            return
        prompt = Prompt(f"Name of the secret for {variable}", variable, check=checked_name)
        name = await self._app.push_screen_wait(prompt)
        if name is None:
            return
        if value:
            await self._store(name, Secret(value))
        if self._pane.enter(row, SECRET + name) and value:
            self._pane.forget()

    async def _give(self, name: str) -> None:
        """Ask for the value of a secret."""
        hint = purpose_of(name) or "It is kept in the secret store; the file holds its name alone."
        typed = await self._app.push_screen_wait(Prompt(f"Value of the secret {name}", hint=hint, hidden=True))
        if typed:
            await self._store(name, Secret(typed))

    async def _store(self, name: str, value: Secret) -> None:
        scope = self._pane.desk.scopes[0]
        stored = await aside(lambda: process_store().put(name, value, scope=scope))
        notes = " ".join(stored.notes)
        self._app.notify(f"{name} is kept: {stored.place}, scope {stored.scope}. {notes}".strip(), markup=False)
        self._pane.look_at_secrets()


def _parted(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value
