"""What the Log pane asks a dialog for: where to save."""

from pathlib import Path
from typing import Any

from textual.app import App

from cockpit.operations.logs.save import LogFileExistsError, save_log
from cockpit.panes.log import LogPane
from cockpit.render.units import size
from cockpit.screens.confirm import Confirm
from cockpit.screens.sdl_dialogs import Prompt
from cockpit.screens.workspace import Workspace


class LogActions:
    """Acts on the log of a pane; every method is to be run as a worker and may raise CockpitError."""

    def __init__(self, app: App[Any], pane: LogPane) -> None:
        self._app = app
        self._pane = pane

    async def save(self) -> None:
        """Ask for a name and save what the pane holds, or the marked lines; an existing file is asked about."""
        part = self._pane.part_to_save()
        hint = f"{part.what}: {size(part.end - part.start)}, as they came."
        typed = await self._app.push_screen_wait(Prompt("Save the log as", part.name, hint=hint))
        if not typed or not typed.strip():
            return
        path = _path_of(typed.strip())
        try:
            written = await save_log(part.source, path, start=part.start, end=part.end)
        except LogFileExistsError:
            if not await self._app.push_screen_wait(Confirm("Replace this file?", [str(path)], "Its bytes are lost.")):
                return
            written = await save_log(part.source, path, start=part.start, end=part.end, replace=True)
        self._app.notify(f"Saved {size(written)} in {path}.", markup=False)


async def save(work: Workspace, pane: LogPane) -> None:
    """Save the log, or the marked lines."""
    await LogActions(work.app, pane).save()


def _path_of(typed: str) -> Path:
    return Path(typed).expanduser().absolute()
