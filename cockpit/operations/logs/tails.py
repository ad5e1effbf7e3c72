"""The last lines of a log of a node, for what can be read from it."""

from contextlib import suppress

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.errors import NotFoundError, RejectedError, ServerError
from cockpit.model.jobs import Job

MOST_BYTES = 256 * 1024


async def last_lines(client: RayClient, node_id: str, filename: str, *, lines: int) -> list[str]:
    """The last lines, of at most 256 KiB; none if the log does not exist, or Ray cannot serve it."""
    held = bytearray()
    with suppress(NotFoundError, RejectedError, ServerError):
        async with client.logs.open(LogFile(node_id=node_id, filename=filename), lines=lines) as chunks:
            async for chunk in chunks:
                held += chunk
                del held[:-MOST_BYTES]
    return held.decode("utf-8", "replace").splitlines()


async def job_lines(client: RayClient, job: Job, *, lines: int) -> list[str]:
    """The last lines of a job's own log; none where it has none."""
    if job.is_driver or job.driver_node_id is None:
        return []
    return await last_lines(client, job.driver_node_id, f"job-driver-{job.submission_id}.log", lines=lines)
