"""The catalog of what can be watched, how it is asked for, and how often that makes sense."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.errors import CockpitError, JobLostError, NotFoundError
from cockpit.feeds.session import SessionWatch
from cockpit.model.cluster import ClusterUsage, Rows, Version
from cockpit.model.job_list import JobList, after_restart, has_lost_jobs, same_session
from cockpit.model.jobs import Job
from cockpit.model.nodes import Node
from cockpit.model.snapshot import Snapshot

T = TypeVar("T")

ENDED_JOB_SECONDS = 30.0
# Ray's web dashboard makes 21 requests a minute on its page of actors, 30 on those of the cluster, 90 on that of a job:
# with the header's 8 no view of ours makes more. This is for what it shows on the page of a job.
JOB_REQUEST_SECONDS = 1.0


class Visit(msgspec.Struct, Generic[T], frozen=True):
    """One attempt to renew a topic: whom to ask, which session answers, and what was known before.

    `early` takes what can be shown before the whole answer is read; it counts where nothing was known.
    """

    client: RayClient
    session: SessionWatch
    last: Snapshot[T]
    early: Callable[[T], None]


class Topic(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Something to watch: `fetch` raises CockpitError where it fails; `interval` is the shortest in seconds.

    `interval_at` says how long a given value holds at least. A `passing` topic is dropped when its last watch closes.
    A costly one rests 100 times as long as its answer took, without a limit. One of several requests rests
    `request_seconds` for each of them, so that it asks no more often than a page that makes one.
    """

    name: str
    fetch: Callable[[Visit[T]], Awaitable[T]]
    interval: float
    interval_at: Callable[[T], float] | None = None
    passing: bool = False
    is_costly: bool = False
    request_seconds: float = 0.0


async def _jobs(visit: Visit[JobList]) -> JobList:
    """The list of jobs; before one is called gone it is made sure that the head is the same as before."""
    found = await visit.client.jobs.list()
    known = visit.last.value or JobList()
    if has_lost_jobs(known, found):
        await visit.session.ask()
    elif visit.session.name is None:
        with suppress(CockpitError):  # the list is good without it
            await visit.session.ask()
    is_restarted = visit.last.session not in (None, visit.session.name)
    return after_restart(known, found) if is_restarted else same_session(known, found)


def job_topic(job_id: str) -> Topic[Job]:
    """One selected job, by submission id or job id; cheap on any cluster (2.4 ms, ray-api section 0.8)."""

    async def fetch(visit: Visit[Job]) -> Job:
        try:
            return await visit.client.jobs.get(job_id)
        except NotFoundError as error:
            await visit.session.ask()
            if visit.last.session in (None, visit.session.name):
                raise
            raise JobLostError(
                f"The cluster was restarted and has forgotten job {job_id}.",
                detail=f"session {visit.last.session} became {visit.session.name}",
                hint="What is shown is how it was last seen; submit it again.",
            ) from error

    return Topic(name=f"job:{job_id}", fetch=fetch, interval=2.0, interval_at=_job_interval, passing=True)


def _job_interval(job: Job) -> float:
    return ENDED_JOB_SECONDS if job.is_terminal else 0.0


# Ray renews what it knows of a node's hardware every 5 s, of its workers every 15 s (ray-api section 3).
VERSION: Topic[Version] = Topic(name="version", fetch=lambda visit: visit.session.ask(), interval=15.0)
JOBS: Topic[JobList] = Topic(name="jobs", fetch=_jobs, interval=4.0)
NODES: Topic[Rows[Node]] = Topic(name="nodes", fetch=lambda visit: visit.client.nodes.list(), interval=5.0)
USAGE: Topic[ClusterUsage] = Topic(name="usage", fetch=lambda visit: visit.client.nodes.usage(), interval=5.0)
ACTORS: Topic[int | None] = Topic(name="actors", fetch=lambda visit: visit.client.state.actor_count(), interval=15.0)

CATALOG: tuple[Topic[Any], ...] = (VERSION, JOBS, NODES, USAGE, ACTORS)

HEADER_JOBS_SECONDS = 60.0
BACKGROUND_NODES_SECONDS = 60.0
