"""What keys do that open a resource of Ray narrowed to the job, the node or the GPU under the cursor."""

from msgspec.structs import replace

from cockpit.operations.resources import Scope
from cockpit.panes.base import Pane
from cockpit.screens.workspace import Workspace


def actors(work: Workspace, pane: Pane) -> None:
    """Show its actors."""
    _show(work, pane, "actors")


def tasks(work: Workspace, pane: Pane) -> None:
    """Show its tasks."""
    _show(work, pane, "tasks")


def events(work: Workspace, pane: Pane) -> None:
    """Show its events; of a GPU those of its node, since Ray tells none of a GPU."""
    if (scope := pane.here) is not None:
        of_node = Scope(query=replace(scope.query, pids=None), job=scope.job)
        work.go_into("events").look_at(of_node)


def _show(work: Workspace, pane: Pane, name: str) -> None:
    if (scope := pane.here) is not None:
        work.go_into(name).look_at(scope)
