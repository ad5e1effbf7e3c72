"""`jobs --watch`: a line per change."""

import argparse
import asyncio
import math
import time

from cockpit.cli import output
from cockpit.cli.options import RETRY_SECONDS
from cockpit.clients.ray import RayClient
from cockpit.errors import NotRayError, UnreachableError
from cockpit.feeds.job_watch import COST_FACTOR, LONGEST_POLL_SECONDS
from cockpit.feeds.patience import Outage, Patience
from cockpit.model.jobs import Job
from cockpit.render import jobs as render
from cockpit.render.cells import table
from cockpit.render.records import job_record
from cockpit.render.times import iso

POLL_SECONDS = 3.0


def away(outage: Outage) -> None:
    """Say that the cluster does not answer."""
    output.message(f"{outage.error.title} Trying again in {math.ceil(outage.next_try)} s.")


async def watch_jobs(client: RayClient, args: argparse.Namespace, statuses: set[str]) -> int:
    """Print every job, and from then on every job that changed, until interrupted."""
    clock = asyncio.get_running_loop().time
    retry_for = RETRY_SECONDS if args.retry_for is None else args.retry_for
    patience = Patience(retry_for, from_start=args.retry_for is not None, report=away)
    known: dict[str, Job] | None = None
    while True:
        begun = clock()
        try:
            found = await client.jobs.list()
        except UnreachableError as error:
            if known is None and isinstance(error, NotRayError):
                raise
            await patience.failed(error)
            continue
        patience.succeeded()
        jobs = {job.id or "": job for job in reversed(found.rows) if not statuses or job.status in statuses}
        _print_changes(known, jobs, as_json=args.json)
        known = jobs
        await asyncio.sleep(min(LONGEST_POLL_SECONDS, max(POLL_SECONDS, COST_FACTOR * (clock() - begun))))


def _print_changes(before: dict[str, Job] | None, after: dict[str, Job], *, as_json: bool) -> None:
    known = before or {}
    changes = [(job, "added" if key not in known else "changed") for key, job in after.items() if known.get(key) != job]
    changes += [(job, "removed") for key, job in known.items() if key not in after]
    if as_json:
        for job, change in changes:
            output.record({"job": job_record(job), "change": change, "as_of": iso(time.time())})
    else:
        _print_rows(changes, header=before is None)


def _print_rows(changes: list[tuple[Job, str]], *, header: bool) -> None:
    now = time.time()
    cells = [render.row(job, now) for job, change in changes if change != "removed"]
    lines = table(render.COLUMNS, cells, width=output.terminal_width())
    for text in lines if header else lines[1:]:
        output.line(text)
    for job, change in changes:
        if change == "removed":
            output.message(f"{job.id} is no longer listed.")
