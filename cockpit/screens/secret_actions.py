"""Actions on secrets: confirmed, done in the background, and reported without a value."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cockpit.errors import CockpitError, UsageError
from cockpit.model.env_names import is_issued
from cockpit.model.secret_rows import SecretRow
from cockpit.operations.background import aside
from cockpit.operations.sdl_editor.files import OpenFile
from cockpit.operations.sdl_editor.recent import recent, remember
from cockpit.operations.secrets.sdl_import import Imported, NameTakenError, import_secrets, lines_of_secrets, planned
from cockpit.panes.sdl_messages import SdlLooked
from cockpit.panes.secrets import SecretsPane
from cockpit.render.secrets import detail_lines
from cockpit.screens.confirm import Confirm
from cockpit.screens.sdl_dialogs import OpenDialog
from cockpit.screens.secret_dialogs import ImportPreview, SecretDialog, SecretEntry
from cockpit.screens.text import TextDialog
from cockpit.screens.workspace import Workspace
from cockpit.sdl.document import SdlDocument
from cockpit.secrets.names import CERTIFICATE_NAME, DEFAULT_SCOPE, KEY_NAME, Place, checked_scope
from cockpit.secrets.references import process_store
from cockpit.secrets.store import Stored
from cockpit.secrets.tls import generate_tls
from cockpit.secrets.values import advice_on

PAIR = (KEY_NAME, CERTIFICATE_NAME)


class SecretActions:
    """Acts on the secrets of this machine; every method is to be run as a worker and may raise CockpitError."""

    def __init__(self, work: Workspace, pane: SecretsPane) -> None:
        self._app = work.app
        self._pane = pane

    async def set_value(self, row: SecretRow | None) -> None:
        title = f"Set {row.name}" if row else "Keep a secret"
        entry = await self._entry(title, row)
        if entry is None or entry.value is None:
            return
        value = entry.value
        stored = await aside(lambda: process_store().put(entry.name, value, scope=entry.scope))
        self._tell_stored([entry.name], stored)
        if advice := advice_on(entry.name, value):
            self._tell(advice, severity="warning")

    async def generate(self, row: SecretRow | None) -> None:
        entry = await self._entry(f"Generate {row.name}" if row else "Generate a secret", row, made=_made_for(row))
        if entry is None:
            return
        if entry.name in PAIR:
            await self._generate_pair(entry.scope)
            return
        if is_issued(entry.name):
            raise UsageError(_not_ours(entry.name), hint="Set the value that you were given: e.")
        replace = await self._may_replace([entry.name], entry.scope, "Replace it by a new random token?")
        if replace is None:
            return
        made = await aside(lambda: process_store().generate(entry.name, scope=entry.scope, replace=replace))
        self._tell_stored([entry.name], made[1])

    async def _generate_pair(self, scope: str) -> None:
        """Make the gateway's key and its certificate, for neither is of use without the other."""
        replace = await self._may_replace(PAIR, scope, "Replace them by a new key and certificate?")
        if replace is None:
            return
        made = await aside(lambda: generate_tls(process_store(), scope=scope, replace=replace))
        self._tell_stored(list(made.stored), *made.stored.values())
        names = ", ".join(made.certificate.names)
        self._tell(f"The certificate is for {names}. Its fingerprint: {made.certificate.fingerprint}")

    async def _entry(self, title: str, row: SecretRow | None, *, made: str = "") -> SecretEntry | None:
        name, scope = (row.name, row.scope or DEFAULT_SCOPE) if row else ("", DEFAULT_SCOPE)
        return await self._app.push_screen_wait(SecretDialog(title, name=name, scope=scope, made=made))

    async def _may_replace(self, names: Sequence[str], scope: str, question: str) -> bool | None:
        """False where there is nothing to replace, True where the user agreed to it, None where not."""
        rows = self._pane.listing.rows if self._pane.listing else ()
        there = [row for row in rows if row.name in names and row.scope == scope and row.place is not None]
        if not there:
            return False
        lines = [f"{row.name}, scope {row.scope}, in the {row.place}" for row in there]
        consequence = "A running cluster keeps the old value until you redeploy."
        agreed = await self._app.push_screen_wait(Confirm(question, lines, consequence))
        return True if agreed else None

    async def delete(self, row: SecretRow) -> None:
        uses = [f"{use.kind} {use.where}" for use in row.uses]
        consequence = "They cannot be rendered or opened without it." if uses else "No known context or SDL uses it."
        names = [f"{row.name}, scope {row.scope}, in the {row.place}", *(f"used by {use}" for use in uses)]
        if not await self._app.push_screen_wait(Confirm(f"Delete {row.name}?", names, consequence)):
            return
        scope = row.scope or DEFAULT_SCOPE
        removed = await aside(lambda: process_store().delete(row.name, scope=scope))
        self._tell(f"Deleted {row.name} from the {', '.join(removed)}, scope {scope}.")

    # --- import ---

    async def import_file(self) -> None:
        path = await self._app.push_screen_wait(OpenDialog(await aside(recent), "Move secrets out of an SDL"))
        if path is None:
            return
        document = await aside(lambda: _read(path))
        moves, others = planned(document), lines_of_secrets(document)
        if not moves:
            more = f" Lines {_listed(others)} look like one, but cannot be a reference." if others else ""
            self._tell(f"{path.name} holds no secret in plain text that could move.{more}")
            return
        scope = checked_scope(path.stem)
        if await self._app.push_screen_wait(ImportPreview(path, scope, moves, others)):
            self._tell_imported(path, await self._imported(path, document, scope))

    async def _imported(self, path: Path, document: SdlDocument, scope: str) -> Imported | None:
        """Move them; where the store holds another value already, ask which one counts."""
        try:
            return await aside(lambda: import_secrets(path, document, scope=scope))
        except NameTakenError as error:
            consequence = "The value in the store is replaced by the one in the file."
            if not await self._app.push_screen_wait(Confirm(error.title, [error.name], consequence)):
                return None
        return await aside(lambda: import_secrets(path, document, scope=scope, replace=True))

    def _tell_imported(self, path: Path, done: Imported | None) -> None:
        if done is None:
            return
        self._tell(
            f"Moved {', '.join(done.services)} out of {path.name}. Copies and version control hold the old text."
        )
        self._app.post_message(SdlLooked())  # an editor that has the file open reads it again, and forgets
        left = sorted({*done.lines, *done.others})
        if left:
            self._tell(f"{path.name}: look at line {_listed(left)}; it still seems to contain a secret.", "warning")

    # --- telling ---

    def _tell_stored(self, names: Sequence[str], *stored: Stored) -> None:
        """Say once for all of them where they are; the list already says why not in a keyring."""
        reason = self._pane.listing.status.keyring.reason if self._pane.listing else ""
        notes = dict.fromkeys(note for one in stored for note in one.notes)
        what, place = " and ".join(names), stored[-1].place
        if Place.SESSION in (one.place for one in stored):
            verb = "is" if len(names) == 1 else "are"
            self._tell(f"{what} {verb} kept in memory only, until the cockpit ends. {' '.join(notes)}", "warning")
            return
        news = [note for note in notes if not reason or reason not in note]
        self._tell(" ".join((f"Stored {what} in the {place}, scope {stored[-1].scope}.", *news)))

    def _tell(self, text: str, severity: Any = "information") -> None:
        self._app.notify(text, severity=severity, markup=False)


# What keys do; after each the pane looks again.


async def add(work: Workspace, pane: SecretsPane) -> None:
    """Store another secret."""
    await SecretActions(work, pane).set_value(None)
    pane.action_refresh()


async def set_value(work: Workspace, pane: SecretsPane) -> None:
    """Set the value of the secret under the cursor."""
    await SecretActions(work, pane).set_value(pane.row)
    pane.action_refresh()


async def generate(work: Workspace, pane: SecretsPane) -> None:
    """Generate a random token."""
    await SecretActions(work, pane).generate(pane.row)
    pane.action_refresh()


async def delete(work: Workspace, pane: SecretsPane) -> None:
    """Delete the secret under the cursor."""
    if pane.row is not None:
        await SecretActions(work, pane).delete(pane.row)
        pane.action_refresh()


async def import_file(work: Workspace, pane: SecretsPane) -> None:
    """Move secrets out of an SDL."""
    await SecretActions(work, pane).import_file()
    pane.action_refresh()


async def unlock(_: Workspace, pane: SecretsPane) -> None:
    """Open the vault."""
    await aside(process_store().vault.open)
    pane.action_refresh()


async def show_detail(work: Workspace, pane: SecretsPane) -> None:
    """Show where the secret under the cursor is stored and what uses it."""
    if (row := pane.row) is not None:
        await work.app.push_screen_wait(TextDialog(f"Secret {row.name}", detail_lines(row)))


def _made_for(row: SecretRow | None) -> str:
    """What would be generated. Raises UsageError for a value that is issued elsewhere."""
    if row is not None and row.name in PAIR:
        return "Key and certificate are made together, valid for ten years; the key is never shown."
    if row is not None and is_issued(row.name):
        raise UsageError(_not_ours(row.name), hint="Set the value that you were given: e.")
    return "A random token of 256 bits is made; it is never shown."


def _not_ours(name: str) -> str:
    return f"{name} is issued by another service, so a generated value would not work."


def _read(path: Path) -> SdlDocument:
    """The SDL, which is YAML; it is known from now on."""
    document = SdlDocument(OpenFile.read(path).text)
    _ = document.tree
    with suppress(CockpitError):  # a list that cannot be written costs a convenience, and no import
        remember(path)
    return document


def _listed(lines: list[int]) -> str:
    return ", ".join(map(str, lines))
