"""Notifies when jobs end that were followed or submitted here, in any pane."""

import os
from collections.abc import Callable
from typing import Any

import msgspec
from textual.app import App

from cockpit.feeds.topics import HEADER_JOBS_SECONDS, JOBS
from cockpit.feeds.watch import Watch
from cockpit.model.job_list import JobList
from cockpit.model.jobs import Job
from cockpit.model.snapshot import Snapshot
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.jobs.notices import run_notice
from cockpit.render.notices import notice_sequence, notice_text
from cockpit.settings import Notify

LOST = "LOST"  # in the place of a status: the head was restarted and has forgotten the job


class JobNotices:
    """Watches the list of jobs for as long as one of the followed ones goes on, and no longer.

    `on_first` is called when the first job is followed: a user who has not chosen notifications is asked then.
    """

    def __init__(
        self,
        app: App[Any],
        notify: Notify,
        write: Callable[[str], None],
        on_first: Callable[[], None] | None = None,
    ) -> None:
        self._app = app
        self._notify = notify
        self._write = write
        self._on_first = on_first
        self._cluster: LiveCluster | None = None
        self._followed: set[str] = set()
        self._seen: set[str] = set()
        self._watch: Watch[JobList] | None = None

    def attach(self, cluster: LiveCluster | None) -> None:
        """Another cluster has other jobs."""
        self._forget()
        self._cluster = cluster

    def follow(self, job_id: str) -> None:
        """Notify of the end of this job; not of one that has already ended."""
        if self._cluster is None or not job_id:
            return
        known = self._cluster.hub.snapshot(JOBS).value
        if any(job.id == job_id and job.is_terminal for job in (known.rows if known else ())):
            return
        self._followed.add(job_id)
        if self._on_first is not None:
            self._app.call_later(self._on_first)
            self._on_first = None
        if self._watch is None:
            self._watch = self._cluster.hub.watch(JOBS, self._heard, interval=HEADER_JOBS_SECONDS)

    def tell_by(self, notify: Notify) -> None:
        """Tell in this way from now on."""
        self._notify = notify

    def _heard(self, snapshot: Snapshot[JobList]) -> None:
        if snapshot.value is None or snapshot.error is not None:
            return
        for job in snapshot.value.rows:
            if job.id in self._followed and job.is_terminal:
                self._followed.discard(job.id or "")
                self._tell(job)
        for job in snapshot.value.previous:
            if job.id in self._followed:
                self._followed.discard(job.id or "")
                self._tell(msgspec.structs.replace(job, status=LOST))
        present = {job.id or "" for job in snapshot.value.rows}
        self._followed -= self._seen - present  # deleted by a user
        self._seen |= present & self._followed
        if not self._followed:
            self._app.call_later(self._rest)  # a watch cannot be closed inside its callback

    def _rest(self) -> None:
        if self._watch is not None and not self._followed:
            self._watch.close()
            self._watch = None

    def _forget(self) -> None:
        self._followed.clear()
        self._seen.clear()
        self._rest()

    def _tell(self, job: Job) -> None:
        if self._cluster is not None and job.status == "STOPPED" and job.id in self._cluster.stopped_here:
            return  # the action that stopped it reports it
        self._app.notify(
            notice_text(job), severity="information" if job.status == "SUCCEEDED" else "warning", markup=False
        )
        if self._notify.bell:
            self._app.bell()
        self._write(notice_sequence(job, self._notify.osc, os.environ))
        if self._notify.command:
            work = run_notice(self._notify.command, job)
            self._app.run_worker(work, group="notices", exit_on_error=False)
