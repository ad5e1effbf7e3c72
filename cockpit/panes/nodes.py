"""The Nodes pane and the GPUs pane: two views of one topic."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from textual import on

from cockpit.actions import Action
from cockpit.feeds.topics import HEADER_JOBS_SECONDS, JOBS, NODES, Topic
from cockpit.feeds.watch import Watch
from cockpit.model.cluster import Rows
from cockpit.model.history import ClusterHistory
from cockpit.model.job_list import JobList
from cockpit.model.nodes import Node, NodeGpu
from cockpit.model.snapshot import Moment, Snapshot
from cockpit.operations.clusters.gpus import named, submission_ids
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.resources import Scope, node_scope
from cockpit.panes.table_pane import TablePane
from cockpit.render import nodes as render_nodes
from cockpit.render.gpus import GPUS, gpu_row, ordered_gpus
from cockpit.render.table import Row, TableSpec
from cockpit.widgets.live_table import LiveTable


class NodesPane(TablePane[Rows[Node]]):
    """The dead first, then the head, then the others by name."""

    SPEC: ClassVar[TableSpec[Any]] = render_nodes.NODES
    SCOPES = ("rows", "sources")
    TOPIC: ClassVar[Topic[Any]] = NODES
    ROW = "Node"
    HANDLERS = {"show_detail": "process_actions:node_page"}  # noqa: RUF012 - read only

    @property
    def node(self) -> Node | None:
        """The node under the cursor."""
        rows = self.snapshot.value.rows if self.snapshot and self.snapshot.value else ()
        return next((node for node in rows if node.node_id == self.table.row_key), None)

    @property
    def here(self) -> Scope | None:
        """The node under the cursor."""
        return None if self.node is None else node_scope(self.node)

    @property
    def words(self) -> str:
        """What the log that is looked for is called; any will do."""
        return ""

    @on(LiveTable.RowHighlighted)
    def _moved(self) -> None:
        self.post_message(self.StateChanged())

    def why_disabled(self, action: Action) -> str | None:
        """Only a living node hands out its logs."""
        if action.name != "node_logs":
            return super().why_disabled(action)
        if self.node is None:
            return "No node is selected."
        return None if self.node.is_alive else "The node is gone, and its logs with it."


class GpusPane(TablePane[Rows[Node]]):
    """Every GPU of the living nodes, with the jobs that hold them."""

    SPEC: ClassVar[TableSpec[Any]] = GPUS
    SCOPES = ("rows", "sources", "radar")
    TOPIC: ClassVar[Topic[Any]] = NODES
    ROW = "GPU of"

    _names: dict[str, str] = {}  # noqa: RUF012 - replaced, never changed

    @property
    def node(self) -> Node | None:
        """The node of the GPU under the cursor."""
        node_id = (self.table.row_key or "").rpartition("/")[0]
        rows = self.snapshot.value.rows if self.snapshot and self.snapshot.value else ()
        return next((node for node in rows if node.node_id == node_id), None)

    @property
    def here(self) -> Scope | None:
        """The node under the cursor."""
        return None if self.node is None else node_scope(self.node)

    @property
    def words(self) -> str:
        """The process that holds the GPU, which is part of the names of its logs; empty where several do, or none."""
        index = (self.table.row_key or "").rpartition("/")[2]
        gpus = self.node.gpus if self.node else ()
        pids = {holder.pid for gpu in gpus if str(gpu.index) == index for holder in gpu.holders if holder.pid}
        return f"-{pids.pop()}." if len(pids) == 1 else ""

    def why_disabled(self, action: Action) -> str | None:
        """Logs are those of a node."""
        if action.name != "gpu_logs":
            return super().why_disabled(action)
        return "There is no GPU to act on." if self.node is None else None

    def watched(self, cluster: LiveCluster) -> list[Watch[Any]]:
        """Nodes, and now and then the jobs, whose ids name the holders."""
        jobs = cluster.hub.watch(JOBS, self._learn_names, interval=HEADER_JOBS_SECONDS, paused=True)
        return [*super().watched(cluster), jobs]

    def _learn_names(self, snapshot: Snapshot[JobList]) -> None:
        names = submission_ids(snapshot.value.rows) if snapshot.value else {}
        if names != self._names:
            self._names = names
            if self.snapshot is not None:
                self.show(self.snapshot)

    def rows_of(self, value: Rows[Node], now: Moment) -> Iterator[Row]:
        """A row per GPU."""
        history = self.cluster.history if self.cluster else ClusterHistory()
        taken = self.snapshot.taken if self.snapshot else None
        context = self.context(now)
        names = self._names | (self.cluster.supervised if self.cluster else {})
        observed = None
        for node, gpu in ordered_gpus(_pairs(value.rows), context):
            if node is not observed:  # its past may not have been brought up to date yet
                history.observe_node(node, (taken or now).steady)
                observed = node
            yield gpu_row((node, named(gpu, names)), context, history=history, steady=now.steady)


def _pairs(nodes: Iterable[Node]) -> Iterator[NodeGpu]:
    return ((node, gpu) for node in nodes if node.is_alive for gpu in node.gpus)
