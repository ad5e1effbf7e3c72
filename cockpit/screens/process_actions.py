"""What keys do on a row of what runs inside the cluster: its page, its log, a look into its process."""

from cockpit.model.actors import Actor
from cockpit.model.workers import Worker
from cockpit.operations.logs.node_logs import list_files
from cockpit.operations.profiling.rows import label_of, log_of, target_of
from cockpit.operations.profiling.targets import Target
from cockpit.operations.replica_logs import output_log
from cockpit.panes.nodes import NodesPane
from cockpit.panes.resources import ResourcePane
from cockpit.screens.actor_page import ActorPage
from cockpit.screens.node_logs import NodeLogs, follow_file
from cockpit.screens.node_page import NodePage
from cockpit.screens.profiles import profile_page
from cockpit.screens.workspace import Workspace


async def stack(work: Workspace, pane: ResourcePane) -> None:
    """Show the stack of the process behind the row."""
    _profile(work, pane, "stack")


async def flame(work: Workspace, pane: ResourcePane) -> None:
    """Draw where the process behind the row spends its CPU time."""
    _profile(work, pane, "flame")


async def memory(work: Workspace, pane: ResourcePane) -> None:
    """Save what the process behind the row allocates."""
    _profile(work, pane, "memory")


def _profile(work: Workspace, pane: ResourcePane, kind: str) -> None:
    cluster, item = work.cluster, pane.item
    if cluster is None or item is None:
        return

    async def find() -> Target:
        return await target_of(cluster.client, item)

    work.app.push_screen(profile_page(kind, cluster, find, label_of(item)))


async def follow_log(work: Workspace, pane: ResourcePane) -> None:
    """Follow the log of the row in the Log pane; of a worker one of its files is chosen."""
    cluster, item = work.cluster, pane.item
    if cluster is None or item is None:
        return
    if isinstance(item, Worker):
        files = await list_files(cluster.client, item.node_id or "")
        dialog = NodeLogs(f"Logs of {label_of(item)}", files, words=f"-{item.pid}.")
        file = await work.app.push_screen_wait(dialog)
    else:
        file = log_of(item)
    if file is not None:
        follow_file(work, file)


async def follow_output(work: Workspace, pane: ResourcePane) -> None:
    """Follow what the code of a replica prints."""
    if pane.item is not None:
        follow_file(work, output_log(pane.item))


async def actor_page(work: Workspace, pane: ResourcePane) -> None:
    """Show everything about the actor under the cursor."""
    if work.cluster is not None and isinstance(pane.item, Actor):
        work.app.push_screen(ActorPage(work.cluster, pane.item))


async def node_page(work: Workspace, pane: NodesPane) -> None:
    """Show everything about the node under the cursor."""
    if work.cluster is not None and pane.node is not None:
        work.app.push_screen(NodePage(work.cluster, pane.node))
