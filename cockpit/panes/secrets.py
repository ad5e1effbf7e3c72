"""The Secrets pane: names, where each lives and who uses it, the missing ones first; it works without any cluster."""

import time
from collections.abc import Iterable
from typing import Any, ClassVar

from textual import work
from textual.widget import Widget
from textual.widgets import Label

from cockpit.actions import Action
from cockpit.errors import UsageError
from cockpit.model.secret_rows import SecretRow
from cockpit.operations.background import aside
from cockpit.operations.secrets.uses import SecretList, secret_list
from cockpit.panes.own_table import OwnTablePane
from cockpit.render.secrets import SECRETS, secret_row
from cockpit.render.table import RowContext, TableSpec
from cockpit.render.text import visible
from cockpit.secrets.references import process_store
from cockpit.widgets.table.state import Phase

NEED_ROW = frozenset(("secret_delete", "show_detail", "copy"))


NEED_CLUSTER = frozenset(("submit", "open_dashboard"))
NOT_HERE = frozenset(("mark",))


class SecretsPane(OwnTablePane[SecretList]):
    """Asks keyring and vault beside the screen; while they are slow, what was seen last stays."""

    SPEC: ClassVar[TableSpec[Any]] = SECRETS
    HANDLERS = {"show_detail": "secret_actions:show_detail"}  # noqa: RUF012 - read only
    ROW = "Secret"
    EMPTY = "No secrets yet. Press a to store one, i to move those of an SDL into the store."

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.listing: SecretList | None = None
        self._is_looking = False
        self._again = False

    def compose_below(self) -> Iterable[Widget]:
        """Where new secrets go, and what is wrong."""
        return [Label("", id="secrets-status", markup=False)]

    # --- what is there ---

    def action_refresh(self) -> None:
        """Look again."""
        if self._is_looking:
            self._again = True
        else:
            self._look()

    @work(group="secrets", exit_on_error=False)
    async def _look(self) -> None:
        self._is_looking = True
        if self.listing is None:
            self.table.set_state(Phase.LOADING, "asking the keyring…")
        try:
            self.show_list(await aside(lambda: secret_list(process_store())))
        except UsageError as error:
            self.table.set_state(Phase.FAILED, " ".join(part for part in (error.title, error.hint) if part))
        finally:
            self._is_looking = False
        if self._again:
            self._again = False
            self.action_refresh()

    def show_list(self, listing: SecretList) -> None:
        """Put what was found on the screen."""
        self.listing = listing
        context = RowContext(now=time.time(), glyphs=self.glyphs)
        self.table.set_rows([secret_row(row, context) for row in listing.rows])
        self.table.set_state(Phase.READY)
        self.query_one("#secrets-status", Label).update(visible(_status_line(listing)))
        self.post_message(self.StateChanged())
        self.show_preview()

    @property
    def row(self) -> SecretRow | None:
        """The secret under the cursor."""
        rows = self.listing.rows if self.listing else ()
        return next((row for row in rows if row.key == self.table.row_key), None)

    # --- what is done ---

    def why_disabled(self, action: Action) -> str | None:
        """What needs a row needs one, and a cluster nothing here."""
        row = self.row
        if action.name in NOT_HERE:
            return "Secrets are acted on one at a time."
        if action.name in NEED_CLUSTER and self.cluster is None:
            return "No cluster is open. Press ctrl+k to choose one."
        if action.name in NEED_ROW and row is None:
            return "No secret is selected."
        if action.name == "secret_delete" and row is not None and (row.place is None or row.scope is None):
            where = "nowhere yet" if row.place is None else "in the environment of this process"
            return f"{row.name} lives {where}; there is nothing to delete."
        if action.name == "secret_unlock" and not _can_unlock(self.listing):
            return "The vault is not locked."
        return None


def _can_unlock(listing: SecretList | None) -> bool:
    return listing is not None and listing.status.vault.exists and not listing.status.vault.is_unlocked


def _status_line(listing: SecretList) -> str:
    """Where a new secret goes, then what could not be read."""
    found = listing.status
    place = {
        "keyring": f"New secrets go to the keyring ({found.keyring.backend}).",
        "vault": f"New secrets go to the vault; no keyring: {found.keyring.reason}.",
        "session": f"New secrets live in memory only, until the cockpit ends; no keyring: {found.keyring.reason}.",
    }.get(found.place, "")
    locked = "The vault is locked." if _can_unlock(listing) else ""
    missing = sum(row.presence == "missing" for row in listing.rows)
    lacking = f"{missing} missing." if missing else ""
    return " ".join(part for part in (lacking, place, locked, *listing.problems[:2]) if part)
