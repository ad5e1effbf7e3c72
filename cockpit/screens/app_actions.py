"""What keys do in every pane."""

from cockpit.panes.base import Pane
from cockpit.screens.help import HelpDialog, help_lines
from cockpit.screens.workspace import Workspace


def refresh(work: Workspace, _: Pane) -> None:
    """Ask the cluster now."""
    work.refresh()


async def redraw(work: Workspace, _: Pane) -> None:
    """Draw the screen again."""
    await work.app.run_action("redraw")


async def suspend(work: Workspace, _: Pane) -> None:
    """Suspend to the shell."""
    await work.app.run_action("suspend")


async def open_dashboard(work: Workspace, _: Pane) -> None:
    """Open Ray's dashboard, or copy its address without a browser."""
    from cockpit.screens.web_page import show_dashboard

    if work.cluster is not None:
        await show_dashboard(work.app, work.cluster)


def command_palette(work: Workspace, _: Pane) -> None:
    """Find anything by typing."""
    work.app.action_command_palette()


def help(work: Workspace, pane: Pane) -> None:  # noqa: A001 - the action's name
    """Show every key that does something here."""
    work.app.push_screen(HelpDialog("Keys", help_lines(pane, work.app.focused, work.keys, work.commands)))


def quit(work: Workspace, _: Pane) -> None:  # noqa: A001 - the action's name
    """Leave; jobs go on."""
    work.app.call_next(work.app.action_quit)
