"""What the preview of a job shows beside the list: why it waits, or the end of its log; one request that is narrow."""

from collections.abc import Sequence

import msgspec

from cockpit.feeds.topics import Topic, Visit
from cockpit.model.jobs import Job
from cockpit.model.why.verdicts import Explanation
from cockpit.operations.logs.tails import job_lines
from cockpit.operations.why.explain import explain_job

LOG_LINES = 20
RUNNING_SECONDS = 4.0
ENDED_SECONDS = 600.0


class JobGlance(msgspec.Struct, frozen=True, kw_only=True):
    """Why a pending job waits; the last lines of any other's log."""

    explanation: Explanation | None = None
    log: Sequence[str] = ()


def glance_topic(job: Job) -> Topic[JobGlance]:
    """What is asked about a job in its state: the log of one that has ended is asked for once."""

    async def fetch(visit: Visit[JobGlance]) -> JobGlance:
        if job.status == "PENDING":
            return JobGlance(explanation=await explain_job(visit.client, job))
        return JobGlance(log=await job_lines(visit.client, job, lines=LOG_LINES))

    return Topic(
        name=f"job-glance:{job.id}:{job.status}",
        fetch=fetch,
        interval=ENDED_SECONDS if job.is_terminal else RUNNING_SECONDS,
        passing=True,
        is_costly=job.status == "PENDING",
    )
