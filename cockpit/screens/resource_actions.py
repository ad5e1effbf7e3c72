"""What keys do that open a resource of Ray narrowed to the job, the node or the GPU under the cursor."""

from cockpit.panes.base import Pane
from cockpit.screens.workspace import Workspace


def actors(work: Workspace, pane: Pane) -> None:
    """Show its actors."""
    _show(work, pane, "actors")


def tasks(work: Workspace, pane: Pane) -> None:
    """Show its tasks."""
    _show(work, pane, "tasks")


def events(work: Workspace, pane: Pane) -> None:
    """Show its events."""
    _show(work, pane, "events")


def _show(work: Workspace, pane: Pane, name: str) -> None:
    if (scope := pane.here) is not None:
        work.go_into(name).look_at(scope)
