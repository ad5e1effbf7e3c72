"""Every field of a job, in words."""

from cockpit.feeds.topics import JOBS
from cockpit.feeds.watch import Watch
from cockpit.model.job_list import JobList
from cockpit.model.jobs import Job
from cockpit.model.snapshot import Snapshot
from cockpit.operations.clusters.live import LiveCluster
from cockpit.render.job_fields import detail_lines
from cockpit.screens.text import TextDialog


class JobDetail(TextDialog):
    """Everything that is known of a job, and what becomes of it while one looks; of one that is gone, the last."""

    def __init__(self, cluster: LiveCluster, job: Job) -> None:
        self._cluster = cluster
        self._job = job
        self._watch: Watch[JobList] | None = None
        super().__init__(f"Job {job.id}", detail_lines(job, self._now))

    @property
    def _now(self) -> float:
        return self._cluster.hub.clock.now().wall

    def on_mount(self) -> None:
        """The list is asked for anyway, by the pane behind."""
        self._watch = self._cluster.hub.watch(JOBS, self._heard)

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        if self._watch is not None:
            self._watch.close()

    def _heard(self, snapshot: Snapshot[JobList]) -> None:
        known = snapshot.value or JobList()
        present = next((job for job in known.rows if job.id == self._job.id), None)
        is_forgotten = present is None and any(job.id == self._job.id for job in known.previous)
        if is_forgotten or present not in (None, self._job):
            self._job = present or self._job
            self.show(detail_lines(self._job, self._now, is_forgotten=is_forgotten))
