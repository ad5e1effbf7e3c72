"""Stopping and deleting jobs, and telling what really came of it."""

import asyncio
from collections.abc import Callable

from cockpit.clients.ray import RayClient
from cockpit.errors import RejectedError
from cockpit.feeds.job_watch import JobWatch
from cockpit.feeds.patience import Patience
from cockpit.model.jobs import Job

# Ray sends SIGTERM, waits 3 s and sends SIGKILL; a job that is still PENDING after this many polls will stay so.
PENDING_POLLS = 5


async def request_stop(client: RayClient, job_id: str) -> Job:
    """Ask Ray to stop a job; returns the job as it was before, and asks nothing where it had ended.

    Raises NotFoundError, and RejectedError for a driver, which only its own process can end.
    """
    job = await client.job(job_id)
    if job.is_driver:
        raise not_a_submission(job)
    if not job.is_terminal:
        await client.stop(job_id)
    return job


async def until_stopped(client: RayClient, job_id: str, patience: Patience, report: Callable[[Job], None]) -> Job:
    """Wait until a job that was asked to stop has ended; `report` hears of it still going, once.

    Raises RejectedError for a job that stays PENDING: Ray says that it stopped it and does not (measured on 2.60).
    """
    watch = JobWatch(client, job_id)
    patience.succeeded()  # whoever was asked to stop a job has answered
    for _ in range(PENDING_POLLS):
        job = await watch.poll_through(patience)
        if job.status != "PENDING":
            break
        await asyncio.sleep(watch.interval)
    else:
        raise RejectedError(
            f"Ray answered that job {job_id} is stopped, but it is still PENDING.",
            hint="Ray cannot stop a job before it starts; it gives up waiting by itself, after 15 minutes as a rule.",
        )
    if not job.is_terminal:
        report(job)
    return await watch.until_terminal(patience)


async def delete(client: RayClient, job_id: str) -> None:
    """Make the head forget an ended job. Raises NotFoundError, and RejectedError for a driver or a live job."""
    job = await client.job(job_id)
    if job.is_driver:
        raise not_a_submission(job)
    await client.delete(job_id)


def not_a_submission(job: Job) -> RejectedError:
    """Why a driver cannot be stopped or deleted, and what to do instead."""
    info = job.driver_info
    where = f" on {info.node_ip_address}" if info and info.node_ip_address else ""
    command = f"kill {info.pid}" if info and info.pid else "kill it"
    return RejectedError(
        f"Job {job.id} is a driver that was started by hand, and Ray stops and deletes only submitted jobs.",
        hint=f"End the process where it runs: `{command}`{where}.",
    )
