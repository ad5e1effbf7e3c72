"""What the app does when something happens in the SDL pane."""

from pathlib import Path
from typing import cast

from textual.worker import WorkType

from cockpit.panes.sdl import SdlPane
from cockpit.panes.sdl_messages import SdlPasted, SecretTyped
from cockpit.screens.sdl_files import SdlFiles
from cockpit.screens.sdl_secrets import SdlSecrets
from cockpit.screens.workspace import Workspace


def secret_typed(work: Workspace, message: SecretTyped) -> None:
    """Ask where a value shall be that looks like a secret."""
    work.run(SdlSecrets(work.app, _pane(work)).typed(message.row, message.text))


def pasted(work: Workspace, message: SdlPasted) -> None:
    """Offer to import a file of another tool."""
    work.run(_files(work).take_pasted(message.text))


def look(work: Workspace) -> None:
    """Keep the draft, and notice what others did to the file."""
    # Not called yet: while the app ends nothing is begun.
    looking: WorkType[None] = _files(work).look
    work.app.run_worker(looking, group="sdl-looks", exit_on_error=False)


def offer_left_behind(work: Workspace) -> None:
    """Offer what was typed and not saved when an editor died."""
    work.run(_files(work).offer_left_behind())


def begin_with(work: Workspace, path: Path) -> None:
    """Open the file that the command line names."""
    work.run(_files(work).begin_with(path))


async def may_leave(work: Workspace) -> bool:
    """Whether the text may go: it is saved, or the user gives it up."""
    return await _files(work).may_leave()


def _files(work: Workspace) -> SdlFiles:
    return SdlFiles(work.app, _pane(work))


def _pane(work: Workspace) -> SdlPane:
    return cast(SdlPane, work.screens[SdlPane.NAME].pane)
