"""Tells once for each job that GPUs that it holds have fallen idle, where the settings ask for it."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from textual.app import App

from cockpit.errors import CockpitError
from cockpit.feeds.topics import BACKGROUND_NODES_SECONDS, NODES
from cockpit.feeds.watch import Watch
from cockpit.model.gpu_use import IdleGpu
from cockpit.model.jobs import Job
from cockpit.model.snapshot import Snapshot
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.jobs.notices import run_notice
from cockpit.render.idle import idle_sentence
from cockpit.render.notices import notice_sequence
from cockpit.settings import Notify

IDLE = "IDLE"  # in the place of a status


class IdleNotices:
    """Judges what the background asks for anyway; a job is reported again after its GPUs were used."""

    def __init__(self, app: App[Any], notify: Notify, write: Callable[[str], None]) -> None:
        self._app, self._notify, self._write = app, notify, write
        self._cluster: LiveCluster | None = None
        self._watch: Watch[Any] | None = None
        self._told: set[str] = set()

    def attach(self, cluster: LiveCluster | None) -> None:
        """Another cluster has other GPUs."""
        if self._watch is not None:
            self._watch.close()
        self._watch, self._cluster, self._told = None, cluster, set()
        if cluster is not None and self._notify.idle:
            self._watch = cluster.hub.watch(NODES, self._heard, interval=BACKGROUND_NODES_SECONDS)

    def _heard(self, snapshot: Snapshot[Any]) -> None:
        if self._cluster is not None and snapshot.value is not None and snapshot.error is None:
            self._cluster.hub.spawn(self._judge(self._cluster))

    async def _judge(self, cluster: LiveCluster) -> None:
        try:
            found = [gpu for gpu in await cluster.idle_gpus() if gpu.counts]
        except CockpitError:  # the Overview reports a history that cannot be read
            return
        if self._cluster is not cluster:
            return
        by_job: dict[str, list[IdleGpu]] = {}
        for gpu in found:
            by_job.setdefault(gpu.submission_id or gpu.job_id or "", []).append(gpu)
        for job in by_job.keys() - self._told:
            self._tell(job, by_job[job])
        self._told = set(by_job)

    def _tell(self, job: str, gpus: Sequence[IdleGpu]) -> None:
        self._app.notify(idle_sentence(job, gpus), severity="warning", markup=False)
        named = Job(submission_id=job, status=IDLE)
        self._write(notice_sequence(named, self._notify.osc, os.environ))
        if self._notify.command:
            self._app.run_worker(run_notice(self._notify.command, named), group="notices", exit_on_error=False)
