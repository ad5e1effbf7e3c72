"""The idle-GPU radar: GPUs that are held and not used, the greatest waste first."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

import msgspec

from cockpit.actions import Action
from cockpit.errors import CockpitError
from cockpit.feeds.topics import HEADER_JOBS_SECONDS, JOBS, NODES, Topic
from cockpit.feeds.watch import Watch
from cockpit.model.cluster import Rows
from cockpit.model.gpu_use import IdleGpu
from cockpit.model.job_list import JobList
from cockpit.model.jobs import Job
from cockpit.model.nodes import Node
from cockpit.model.snapshot import Moment, Snapshot
from cockpit.operations.clusters.idle import waste_per_hour
from cockpit.operations.clusters.live import LiveCluster
from cockpit.panes.table_pane import TablePane
from cockpit.render.curves import money
from cockpit.render.idle import IDLE_GPUS
from cockpit.render.table import Row, TableSpec
from cockpit.widgets.table.state import Phase


class IdlePane(TablePane[Rows[Node]]):
    """Judged by the history with every report of the nodes."""

    SPEC: ClassVar[TableSpec[Any]] = msgspec.structs.replace(IDLE_GPUS, name="idle")
    TOPIC: ClassVar[Topic[Any]] = NODES
    ROW = "Idle GPU"

    _idle: Sequence[IdleGpu] = ()
    _judging: Snapshot[Rows[Node]] | None = None

    def watched(self, cluster: LiveCluster) -> list[Watch[Any]]:
        """Nodes, and now and then the jobs, whose IDs and owners name the holders."""
        jobs = cluster.hub.watch(JOBS, self._heard_jobs, interval=HEADER_JOBS_SECONDS, paused=True)
        return [*super().watched(cluster), jobs]

    def detach(self) -> None:
        """What was judged is of the cluster that is left."""
        self._idle, self._judging = (), None
        super().detach()

    def _heard_jobs(self, _: Snapshot[JobList]) -> None:
        if self.snapshot is not None:
            self.show(self.snapshot)

    def show(self, snapshot: Snapshot[Rows[Node]]) -> None:
        """Judge the report, then put it on the screen."""
        self._judging = snapshot
        if self.cluster is None or snapshot.value is None or snapshot.taken is None:
            super().show(snapshot)
        else:
            self.cluster.hub.spawn(self._judge(self.cluster, snapshot))

    async def _judge(self, cluster: LiveCluster, snapshot: Snapshot[Rows[Node]]) -> None:
        try:
            found = await cluster.idle_gpus()
        except CockpitError as error:  # the history cannot be read any more
            if self._judging is snapshot and self.cluster is cluster and self.is_mounted:
                self.table.set_state(Phase.STALE if self._idle else Phase.FAILED, error.title)
            return
        if self._judging is snapshot and self.cluster is cluster and self.is_mounted:
            self._idle = found
            super().show(snapshot)

    def rows_of(self, value: Rows[Node], now: Moment) -> Iterator[Row]:
        """A row for each idle GPU."""
        context = self.context(now)
        return (self.SPEC.row(gpu, context) for gpu in self._idle)

    def items_of(self, value: Rows[Node]) -> Iterable[Any]:
        """The idle GPUs."""
        return self._idle

    @property
    def summary(self) -> str:
        """What they cost; empty where that is not known."""
        wasted = waste_per_hour(self._idle)
        return f"{money(wasted)}/h wasted" if wasted else ""

    @property
    def jobs(self) -> list[Job]:
        """The jobs that hold the chosen GPUs, each once."""
        keys = set(self.table.chosen_keys)
        names = {
            name for gpu in self._idle if f"{gpu.node}:{gpu.index}" in keys for name in (gpu.submission_id, gpu.job_id)
        }
        known = self.cluster.hub.snapshot(JOBS).value if self.cluster is not None else None
        return [job for job in (known.rows if known else ()) if {job.submission_id, job.job_id} & names - {None}]

    def why_disabled(self, action: Action) -> str | None:
        """Only a submitted job can be stopped."""
        if action.name != "idle_stop":
            return super().why_disabled(action)
        jobs = self.jobs
        if not jobs:
            return "None of the listed jobs holds this GPU."
        if all(job.is_driver for job in jobs):
            held = next((gpu for gpu in self._idle if f"{gpu.node}:{gpu.index}" == self.table.row_key), None)
            place = f" End process {held.pid} on {held.node} instead." if held and held.pid else ""
            return f"{jobs[0].id} was started by hand, and Ray stops only submitted jobs.{place}"
        return None
