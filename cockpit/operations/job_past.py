"""What the recorded history says of one job: the use of its GPUs, and what they have cost so far."""

import asyncio
import time

from cockpit.errors import CockpitError
from cockpit.feeds.topics import Topic, Visit
from cockpit.model.jobs import Job
from cockpit.model.past import JobPast
from cockpit.operations.clusters.connect import Target
from cockpit.operations.clusters.past import SPAN_SECONDS, open_past

PAST_SECONDS = 10.0  # the finest step of the history


def past_topic(target: Target | None, job: Job) -> Topic[JobPast]:
    """The history of one job, read from disk: it costs the head nothing."""

    async def fetch(_visit: Visit[JobPast]) -> JobPast:
        return JobPast() if target is None else await asyncio.to_thread(job_past, target, job)

    return Topic(name=f"job-past:{job.id}", fetch=fetch, interval=PAST_SECONDS, passing=True)


def job_past(target: Target, job: Job) -> JobPast:
    """Read it; nothing where there is no history, or it has nothing of the job."""
    now = time.time()
    since = max(now - SPAN_SECONDS, (job.start_time or 0) / 1000)
    cost = target.context.cost if target.context else None
    names = {name for name in (job.submission_id, job.job_id) if name}
    with open_past(target.history_name) as past:
        used = next(
            (one for one in past.use(by="job", since=since, until=now, cost_per_hour=cost) if one.name in names), None
        )
        if used is None:
            return JobPast()
        try:
            (curve,) = past.job(used.name, since=since, until=now)
        except CockpitError:
            return JobPast(use=used)
    return JobPast(curve=curve, use=used)
