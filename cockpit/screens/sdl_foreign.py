"""A file of KubeRay or Docker Compose that was opened or pasted: imported after a question, with what is lost."""

import asyncio
from functools import partial

from textual.app import App

from cockpit.errors import CockpitError, UsageError
from cockpit.operations.background import aside
from cockpit.panes.sdl import SdlPane
from cockpit.screens.confirm import Confirm
from cockpit.screens.text import TextDialog
from cockpit.sdl.foreign.losses import Losses
from cockpit.sdl.foreign.reading import read_foreign
from cockpit.secrets.names import checked_scope
from cockpit.secrets.references import process_store
from cockpit.secrets.store import LASTING

KINDS = {"kuberay": "KubeRay resource", "compose": "Docker Compose file"}


class ForeignSdl:
    """Imports what one pane was given."""

    def __init__(self, app: App[int], pane: SdlPane) -> None:
        self._app = app
        self._pane = pane

    async def offer(self, text: str, name: str, kind: str) -> tuple[str, str] | None:
        """The text and the name of the SDL that it becomes; None where the user does not want that, or it cannot be."""
        question = Confirm(f"{name} is a {KINDS[kind]}. Import it as an SDL?", [], "The file itself stays as it is.")
        if not await self._app.push_screen_wait(question):
            return None
        try:
            done, losses = await asyncio.to_thread(read_foreign, text, stem=name.rpartition("/")[2].partition(".")[0])
        except CockpitError as error:
            raise UsageError(error.title, detail=error.detail, hint=error.hint) from None
        await self._keep(losses, done.name)
        lines = [(one.path, one.reason) for one in losses.all()]
        if lines:
            await self._app.push_screen_wait(TextDialog(f"{done.title} Not carried over:", lines))
        return done.text, f"{done.name}.yaml"

    async def _keep(self, losses: Losses, scope: str) -> None:
        """Keep the values of secrets where the user says so; otherwise each of them is a loss."""
        if not losses.values:
            return
        question = f"Keep these values in the secret store, scope {scope}?"
        if await self._app.push_screen_wait(Confirm(question, list(losses.values), "The SDL refers to them by name.")):
            await aside(partial(_store, losses, scope))
            return
        for name in losses.values:
            losses.add(name, "The value was not kept; the Secrets pane stores it.")


def _store(losses: Losses, scope: str) -> None:
    store, own = process_store(), checked_scope(scope)
    for name, value in losses.values.items():
        store.put(name, value, scope=own, places=LASTING)
