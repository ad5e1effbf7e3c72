"""Stopping and deleting jobs, and telling what really came of it."""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError, RejectedError
from cockpit.feeds.job_watch import JobWatch
from cockpit.feeds.patience import Patience
from cockpit.model.jobs import Job
from cockpit.render.text import last_word

# Ray sends SIGTERM, waits 3 s and sends SIGKILL; a job that is still PENDING after this many polls will stay so.
PENDING_POLLS = 5
# Ray looks at a supervisor once a second; `ray stop` of an actor takes up to 10.
SUPERVISOR_SECONDS = 15.0
LOOK_SECONDS = 0.5
LOOKS = 4
# The monitor looks at a job once a second, and then pings its supervisor (job_manager.py, 2.60).
MONITOR_SECONDS = 2.0
FRESH_SECONDS = 60.0


async def request_stop(client: RayClient, job_id: str) -> Job:
    """Ask Ray to stop a job; returns the job as it was before, and asks nothing where it had ended.

    Raises NotFoundError, and RejectedError for a driver, which only its own process can end.
    """
    job = await client.jobs.get(job_id)
    if job.is_driver:
        raise not_a_submission(job)
    if not job.is_terminal:
        await client.jobs.stop(job_id)
    return job


async def until_stopped(client: RayClient, job_id: str, patience: Patience, report: Callable[[Job], None]) -> Job:
    """Wait until a job that was asked to stop has ended; `report` hears of it still going, once.

    Raises RejectedError for a job that stays PENDING: Ray says that it stopped it and does not (measured on 2.60).
    """
    watch = JobWatch(client, job_id)
    patience.succeeded()  # the cluster answered the stop request
    for _ in range(PENDING_POLLS):
        job = await watch.poll_through(patience)
        if job.status != "PENDING":
            break
        await asyncio.sleep(watch.interval)
    else:
        raise RejectedError(
            f"Stop requested for job {job_id}, which is still PENDING.",
            hint="Ray cannot stop a job before it starts: it ends the job as soon as it has started it, "
            "or when it gives up waiting, after 15 minutes by default.",
        )
    if not job.is_terminal:
        report(job)
    return await watch.until_terminal(patience)


async def delete(client: RayClient, job_id: str, *, pause: float = LOOK_SECONDS) -> None:
    """Delete the record of an ended job, and see that it stays deleted; `pause` is in seconds, between two looks.

    A job that has just ended still has its supervisor actor, and Ray's monitor of that actor writes the record again,
    as FAILED "Entrypoint not found" (measured on 2.60): so the actor's death is waited for, and the job looked for
    afterwards. Raises NotFoundError, and RejectedError for a driver, a live job, or one that Ray keeps.
    """
    job = await client.jobs.get(job_id)
    if job.is_driver:
        raise not_a_submission(job)
    submission_id = job.submission_id or job_id  # supervisors are named by it, and Ray takes its own job ID as well
    is_fresh = job.is_terminal and (
        await _until_supervisor_is_gone(client, submission_id, pause) or _has_just_ended(job)
    )
    if is_fresh:
        await asyncio.sleep(MONITOR_SECONDS)
    await client.jobs.delete(job_id)
    for _ in range(LOOKS if is_fresh else 1):
        await asyncio.sleep(pause if is_fresh else 0)
        if await _exists(client, job_id):
            with suppress(NotFoundError):  # gone between the two calls
                await client.jobs.delete(job_id)
    if await _exists(client, job_id):
        raise RejectedError(
            f"Ray deleted job {job_id} and lists it again.",
            hint=f"Wait some seconds, then repeat: rayakash-tui delete {last_word(job_id)}",
        )


async def _until_supervisor_is_gone(client: RayClient, job_id: str, pause: float) -> bool:
    """Whether the job's supervisor actor was still there. Raises RejectedError where it outlives SUPERVISOR_SECONDS."""
    actor_id = await client.state.supervisor_of(job_id)
    if actor_id is None:
        return False
    for _ in range(math.ceil(SUPERVISOR_SECONDS / pause)):
        if await _has_ended(client, actor_id):
            return True
        await asyncio.sleep(pause)
    raise RejectedError(
        f"Ray keeps job {job_id}: its supervisor is still alive after {SUPERVISOR_SECONDS:g} s.",
        hint=f"Nothing was deleted. Wait some seconds, then repeat: rayakash-tui delete {last_word(job_id)}",
    )


async def _has_ended(client: RayClient, actor_id: str) -> bool:
    try:
        return (await client.state.actor(actor_id)).is_over
    except NotFoundError:
        return True


def _has_just_ended(job: Job) -> bool:
    """Whether the monitor may not have seen its end yet; the head's clock may be another than ours."""
    return job.end_time is not None and abs(time.time() - job.end_time / 1000) < FRESH_SECONDS


async def _exists(client: RayClient, job_id: str) -> bool:
    try:
        await client.jobs.get(job_id)
    except NotFoundError:
        return False
    return True


def not_a_submission(job: Job) -> RejectedError:
    """Why a driver cannot be stopped or deleted, and what to do instead."""
    info = job.driver_info
    where = f" on {info.node_ip_address}" if info and info.node_ip_address else ""
    command = f"kill {info.pid}" if info and info.pid else "kill it"
    return RejectedError(
        f"Job {job.id} is a driver that was started by hand, and Ray stops and deletes only submitted jobs.",
        hint=f"End the process where it runs: `{command}`{where}.",
    )
