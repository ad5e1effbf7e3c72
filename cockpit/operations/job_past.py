"""What the recorded history says of one job: the use of its GPUs, and what they have cost so far."""

from cockpit.errors import CockpitError
from cockpit.feeds.topics import Topic, Visit
from cockpit.model.jobs import Job
from cockpit.model.past import JobPast
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.past import SPAN_SECONDS, Past

PAST_SECONDS = 10.0  # the finest step of the history


def past_topic(cluster: LiveCluster, job: Job) -> Topic[JobPast]:
    """The history of one job as the cockpit keeps it, on disk or of a recording: it costs the head nothing."""

    async def fetch(_visit: Visit[JobPast]) -> JobPast:
        now, cost = cluster.hub.clock.now().wall, cluster.usd_per_hour
        return await cluster.recording.ask(
            lambda known: job_past(known.past, job, now=now, cost_per_hour=cost), now=now
        )

    return Topic(name=f"job-past:{job.id}", fetch=fetch, interval=PAST_SECONDS, passing=True)


def job_past(past: Past, job: Job, *, now: float, cost_per_hour: float | None) -> JobPast:
    """Read it; nothing without a history, or if it does not contain the job."""
    since = max(now - SPAN_SECONDS, (job.start_time or 0) / 1000)
    names = {name for name in (job.submission_id, job.job_id) if name}
    uses = past.use(by="job", since=since, until=now, cost_per_hour=cost_per_hour)
    used = next((one for one in uses if one.name in names), None)
    if used is None:
        return JobPast()
    try:
        (curve,) = past.job(used.name, since=since, until=now)
    except CockpitError:
        return JobPast(use=used)
    return JobPast(curve=curve, use=used)
