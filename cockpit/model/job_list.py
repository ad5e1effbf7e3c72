"""The jobs of a cluster, with those that a restarted head has forgotten."""

from collections import Counter

import msgspec

from cockpit.model.cluster import Rows
from cockpit.model.jobs import Job

PREVIOUS_LIMIT = 1000


class JobList(msgspec.Struct, frozen=True, kw_only=True):
    """Every job that the head remembers, newest first, and those of its sessions before a restart.

    `previous` jobs are as they were last seen: nothing is known of them since. `unreadable` counts rows that were not
    even objects.
    """

    rows: tuple[Job, ...] = ()
    unreadable: int = 0
    previous: tuple[Job, ...] = ()

    def counts(self) -> dict[str, int]:
        """The number of jobs by status, without those of previous sessions."""
        return dict(Counter(job.status for job in self.rows if job.status is not None))


def has_lost_jobs(known: JobList, found: Rows[Job]) -> bool:
    """Whether a job that was listed before is missing now: deleted, or forgotten in a restart."""
    ids = {job.id for job in found.rows}
    return any(job.id not in ids for job in known.rows)


def after_restart(known: JobList, found: Rows[Job]) -> JobList:
    """The list of a new session: what the old one knew is kept as previous, the newest thousand."""
    return _joined(known.rows + known.previous, found)


def same_session(known: JobList, found: Rows[Job]) -> JobList:
    """The list of the same session: a missing job was deleted."""
    return _joined(known.previous, found)


def _joined(previous: tuple[Job, ...], found: Rows[Job]) -> JobList:
    ids = {job.id for job in found.rows}
    kept = tuple(job for job in previous if job.id not in ids)
    return JobList(rows=found.rows, unreadable=found.unreadable, previous=kept[:PREVIOUS_LIMIT])
