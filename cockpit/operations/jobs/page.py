"""What the page of a job shows beside the job itself; each part is asked for only while it is looked at."""

from collections.abc import Sequence

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.feeds.topics import JOB_REQUEST_SECONDS, Topic, Visit
from cockpit.model.actors import Actor
from cockpit.model.asked import Asked
from cockpit.model.events import ClusterEvent
from cockpit.model.jobs import Job
from cockpit.model.query import Query
from cockpit.model.tasks import Task
from cockpit.model.why.verdicts import Explanation
from cockpit.operations.jobs.asked import asked_for
from cockpit.operations.logs.tails import job_lines
from cockpit.operations.why.explain import explain_job

LOG_LINES = 200


class JobFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job waits, what was asked for it, what runs in it; `is_cut` where Ray had more tasks than it looked at."""

    explanation: Explanation | None = None
    asked: Asked | None = None
    tasks: Sequence[Task] = ()
    actors: Sequence[Actor] = ()
    is_cut: bool = False


def facts_topic(job_id: str) -> Topic[JobFacts]:
    """The facts of one job; the head filters each request."""

    async def fetch(visit: Visit[JobFacts]) -> JobFacts:
        return await job_facts(visit.client, await visit.client.jobs.get(job_id), visit.last.value)

    return Topic(
        name=f"job-facts:{job_id}",
        fetch=fetch,
        interval=5.0,
        passing=True,
        is_costly=True,
        request_seconds=JOB_REQUEST_SECONDS,
    )


def log_topic(job_id: str) -> Topic[Sequence[str]]:
    """The last lines of a job's log, which do not wait for lists of thousands of tasks."""

    async def fetch(visit: Visit[Sequence[str]]) -> Sequence[str]:
        return await job_lines(visit.client, await visit.client.jobs.get(job_id), lines=LOG_LINES)

    return Topic(name=f"job-log:{job_id}", fetch=fetch, interval=4.0, passing=True)


def events_topic(job: Job) -> Topic[Sequence[ClusterEvent]]:
    """What happened to one job."""

    async def fetch(visit: Visit[Sequence[ClusterEvent]]) -> Sequence[ClusterEvent]:
        found = await visit.client.events.list(Query(job_id=job.job_id), submission_id=job.submission_id)
        return found.rows

    return Topic(
        name=f"job-events:{job.id}",
        fetch=fetch,
        interval=10.0,
        passing=True,
        is_costly=True,
        request_seconds=JOB_REQUEST_SECONDS,
    )


async def job_facts(client: RayClient, job: Job, last: JobFacts | None = None) -> JobFacts:
    """Ask for what is known of a job now; what was asked for it stays the same once it runs, and comes from `last`."""
    explanation = await explain_job(client, job) if job.status == "PENDING" else None
    asked = await asked_for(client, job) if last is None or job.status == "PENDING" else last.asked
    if job.job_id is None:
        return JobFacts(explanation=explanation, asked=asked)
    tasks = await client.workloads.tasks(Query(job_id=job.job_id, everything=True))
    actors = await client.workloads.actors(Query(job_id=job.job_id, everything=True))
    return JobFacts(
        explanation=explanation,
        asked=asked,
        tasks=tasks.rows,
        actors=actors.rows,
        is_cut=tasks.is_truncated,
    )
