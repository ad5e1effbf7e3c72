"""The Nodes pane and the GPUs pane: two views of one topic."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from textual import on
from textual.geometry import Size

from cockpit.actions import Action
from cockpit.feeds.topics import HEADER_JOBS_SECONDS, JOBS, NODES, Topic
from cockpit.feeds.watch import Watch
from cockpit.model.cluster import Rows
from cockpit.model.history import ClusterHistory
from cockpit.model.job_list import JobList
from cockpit.model.nodes import Gpu, Node, NodeGpu
from cockpit.model.snapshot import Moment, Snapshot
from cockpit.model.state import StateRows
from cockpit.model.workers import Worker
from cockpit.operations.clusters.gpus import named, submission_ids
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.recent import KeptPast, Samples, joined, seen
from cockpit.operations.resources import Scope, gpu_scope, node_scope, topic_of
from cockpit.panes.glance import Glance
from cockpit.panes.table_pane import TablePane
from cockpit.render import nodes as render_nodes
from cockpit.render.gpus import GPUS, gpu_row, ordered_gpus
from cockpit.render.node_preview import GPU_SECONDS, NODE_SECONDS, gpu_preview, node_preview
from cockpit.render.preview import Preview
from cockpit.render.table import Row, TableSpec
from cockpit.widgets.live_table import LiveTable


class NodesPane(TablePane[Rows[Node]]):
    """The dead first, then the head, then the others by name."""

    SPEC: ClassVar[TableSpec[Any]] = render_nodes.NODES
    SCOPES = ("rows", "sources", "curves")
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

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.glance: Glance[StateRows[Worker]] = Glance(self, self.show_preview)
        self.past = PastCurves(self, NODE_SECONDS)

    def preview_changed(self) -> None:
        """Ask for the workers of the node under the cursor, if its preview is seen."""
        node = self.node if self._is_awake and self.has_preview else None
        wanted = node is not None and node.is_alive
        self.glance.look_at(self.cluster, topic_of("workers", node_scope(node)) if node and wanted else None)

    def preview(self, room: Size) -> Preview:
        """Its last hour, and its workers."""
        node, cluster = self.node, self.cluster
        if node is None or cluster is None:
            return super().preview(room)
        key, history, found = node.node_id or "", cluster.history, self.glance.value
        rings = {"CPU": history.cpu, "memory": history.memory}
        curves = {name: self.past.curve(key, name.lower(), seen(ring, key, self.now())) for name, ring in rings.items()}
        workers = found.rows if found is not None else None
        context = self.context(self.now())
        return node_preview(
            node, context, room.width, room.height, curves=curves, workers=workers, seconds=self.past.seconds
        )

    @property
    def summary(self) -> str:
        """How many nodes are alive, where some are not."""
        rows = self.snapshot.value.rows if self.snapshot and self.snapshot.value else ()
        dead = sum(not node.is_alive for node in rows)
        return f"{len(rows) - dead:,} alive · {dead:,} dead" if dead else ""

    @property
    def words(self) -> str:
        """What the log that is looked for is called; any will do."""
        return ""

    @on(LiveTable.RowHighlighted)
    def _moved(self) -> None:
        self.post_message(self.StateChanged())

    def why_disabled(self, action: Action) -> str | None:
        """Only a living node serves its logs."""
        if action.name != "node_logs":
            return super().why_disabled(action)
        if self.node is None:
            return "No node is selected."
        return None if self.node.is_alive else "The node is gone, and its logs with it."


class GpusPane(TablePane[Rows[Node]]):
    """Every GPU of the living nodes, with the jobs that hold them."""

    SPEC: ClassVar[TableSpec[Any]] = GPUS
    SCOPES = ("rows", "sources", "curves", "radar")
    TOPIC: ClassVar[Topic[Any]] = NODES
    ROW = "GPU of"

    _names: dict[str, str] = {}  # noqa: RUF012 - replaced, never changed

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.past = PastCurves(self, GPU_SECONDS)

    @property
    def gpu(self) -> Gpu | None:
        """The GPU under the cursor."""
        index = (self.table.row_key or "").rpartition("/")[2]
        return next((gpu for gpu in (self.node.gpus if self.node else ()) if str(gpu.index) == index), None)

    def preview(self, room: Size) -> Preview:
        """Its last ten minutes, and the processes on it."""
        node, gpu, cluster = self.node, self.gpu, self.cluster
        if node is None or gpu is None or cluster is None:
            return super().preview(room)
        key, now = (node.node_id or "", gpu.index if gpu.index is not None else -1), self.now()
        samples = self.past.curve(f"{key[0]}/{gpu.index}", "use", seen(cluster.history.gpu, key, now))
        since = cluster.history.idle.since(key)
        names = self._names | cluster.supervised
        return gpu_preview(
            node,
            named(gpu, names),
            self.context(now),
            room.width,
            room.height,
            samples=samples,
            seconds=self.past.seconds,
            idle_seconds=None if since is None else now.steady - since,
        )

    @property
    def summary(self) -> str:
        """How many GPUs are held without being used."""
        history = self.cluster.history.idle if self.cluster else None
        idle = sum(history.since(_gpu_key(key)) is not None for key in self.table.shown_keys) if history else 0
        return f"{idle:,} held and idle" if idle else ""

    @property
    def node(self) -> Node | None:
        """The node of the GPU under the cursor."""
        node_id = (self.table.row_key or "").rpartition("/")[0]
        rows = self.snapshot.value.rows if self.snapshot and self.snapshot.value else ()
        return next((node for node in rows if node.node_id == node_id), None)

    @property
    def here(self) -> Scope | None:
        """What holds the GPU under the cursor."""
        return None if self.node is None or self.gpu is None else gpu_scope(self.node, self.gpu)

    @property
    def words(self) -> str:
        """The process that holds the GPU, which is part of the names of its logs; empty where several do, or none."""
        pids = {holder.pid for holder in (self.gpu.holders if self.gpu else ()) if holder.pid}
        return f"-{pids.pop()}." if len(pids) == 1 else ""

    def why_disabled(self, action: Action) -> str | None:
        """Logs are those of a node."""
        if action.name != "gpu_logs":
            return super().why_disabled(action)
        return "Select a GPU first." if self.node is None else None

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


SPANS = (600.0, 3600.0, 6 * 3600.0, 24 * 3600.0)


class PastCurves:
    """The past of the row under the cursor, read beside the screen as soon as it is asked for.

    It shows the last `seconds`, which is one of the SPANS.
    """

    def __init__(self, pane: TablePane[Any], seconds: float) -> None:
        self._pane = pane
        self.seconds = seconds
        self._kept = KeptPast()

    def zoom(self, step: int) -> None:
        """Show the next longer time, or the next shorter one."""
        at = min(max(0, SPANS.index(self.seconds) + step), len(SPANS) - 1)
        if SPANS[at] != self.seconds:
            self.seconds = SPANS[at]
            self._kept = KeptPast()
            self._pane.show_preview()

    def curve(self, key: str, name: str, recent: Samples) -> Samples:
        """A curve of a node by its ID, or of a GPU as `NODE_ID/INDEX`, up to now."""
        cluster, now = self._pane.cluster, self._pane.now().wall
        if cluster is not None and self._kept.is_due(key, now):
            self._pane.run_worker(self._read(cluster, key, now), group="past", exit_on_error=False)
        return joined(self._kept.of(key, name), recent)

    async def _read(self, cluster: LiveCluster, key: str, now: float) -> None:
        known = cluster.hub.snapshot(NODES).value
        await self._kept.read(cluster, known.rows if known else (), key, seconds=self.seconds, now=now)
        if self._pane.cluster is cluster:
            self._pane.show_preview()


def _gpu_key(row_key: str) -> tuple[str, int]:
    node_id, _, index = row_key.rpartition("/")
    return node_id, int(index) if index.isdecimal() else -1


def _pairs(nodes: Iterable[Node]) -> Iterator[NodeGpu]:
    return ((node, gpu) for node in nodes if node.is_alive for gpu in node.gpus)
