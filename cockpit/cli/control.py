"""`stop`, `delete` and `wait`."""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from cockpit.cli import options, output, session
from cockpit.cli.choosing import can_choose, chosen_job
from cockpit.errors import EXIT_OK, CockpitError, NotFoundError, UnreachableError, UsageError


def add(commands: Any) -> None:
    """Declare the commands."""
    stop = commands.add_parser("stop", help="stop jobs and wait for their end")
    stop.add_argument("--no-wait", action="store_true", help="return without waiting for Ray")
    delete = commands.add_parser("delete", help="delete finished jobs from the cluster (logs stay)")
    wait = commands.add_parser("wait", help="wait for jobs to end; exit with their result")
    wait.add_argument(
        "--timeout", type=options.seconds, metavar="TIME", help="give up after this long, with exit code 3"
    )
    for parser, run in ((stop, stop_jobs), (delete, delete_jobs), (wait, wait_for_jobs)):
        options.add_ids(parser)
        options.add_json(parser)
        options.add_cluster(parser)
        parser.set_defaults(run=run)
    for parser in (stop, wait):
        options.add_retry(parser)


async def _named(client: Any, args: argparse.Namespace) -> list[str]:
    """The ids that were given, that of `--last`, or on a terminal the one that is chosen. Raises UsageError."""
    if not args.ids and not args.last and can_choose():
        return [await chosen_job(client)]
    if bool(args.ids) == args.last:
        raise UsageError("Give at least one job ID, or --last.", hint="`rayakash-tui jobs` lists the jobs.")
    if not args.last:
        return list(dict.fromkeys(args.ids))
    from cockpit.operations.jobs.ids import last_submission

    job_id = await last_submission(client)
    output.message(f"Last job: {job_id}.")
    return [job_id]


async def _each(client: Any, ids: list[str], act: Callable[[str], Awaitable[int]], *, changes: bool) -> int:
    """Act on every id, past failures; returns the highest exit code."""

    async def act_on(given: str) -> int:
        try:
            return await act(given)
        except NotFoundError:
            from cockpit.operations.jobs.ids import complete_id

            return await act(await complete_id(client, given, changes=changes))

    code = EXIT_OK
    for job_id in ids:
        try:
            code = max(code, await act_on(job_id))
        except UnreachableError:
            raise
        except CockpitError as failure:
            output.error(failure)
            code = max(code, failure.exit_code)
    return code


async def stop_jobs(args: argparse.Namespace) -> int:
    """Stop jobs, and wait until Ray says that they have ended."""
    from cockpit.operations.jobs import control as operations

    ended: list[Any] = []
    patience = session.patience_of(args)
    async with session.cluster(args, changes=True) as client:

        async def stop(job_id: str) -> int:
            before = await patience.through(partial(operations.request_stop, client, job_id))
            if before.is_terminal:
                output.message(f"Job {job_id} had ended before: {before.status}.")
                ended.append(before)
                return EXIT_OK
            if args.no_wait:
                output.message(f"Stop requested for job {job_id}.")
                return EXIT_OK
            job = await operations.until_stopped(client, job_id, patience, _stopping)
            ended.append(job)
            return EXIT_OK

        code = await _each(client, await _named(client, args), stop, changes=True)
    _print_jobs(args, ended)
    return code


def _stopping(job: Any) -> None:
    output.message(f"Job {job.id} is stopping…")


def _print_jobs(args: argparse.Namespace, jobs: list[Any]) -> None:
    from cockpit.render.jobs import job_record, status_word

    if args.json:
        output.listing("jobs", [job_record(job) for job in jobs], now=time.time())
        return
    for job in jobs:
        output.line(f"{job.id} {status_word(job)}")


async def delete_jobs(args: argparse.Namespace) -> int:
    """Delete the records of ended jobs."""
    from cockpit.operations.jobs import control as operations

    deleted: list[str] = []
    async with session.cluster(args, changes=True) as client:

        async def delete(job_id: str) -> int:
            await operations.delete(client, job_id)
            deleted.append(job_id)
            return EXIT_OK

        code = await _each(client, await _named(client, args), delete, changes=True)
    if args.json:
        output.record({"deleted": deleted, "total": len(deleted)})
    else:
        for job_id in deleted:
            output.line(f"{job_id} deleted")
    return code


async def wait_for_jobs(args: argparse.Namespace) -> int:
    """Wait for every job; 1 where one of them did not succeed."""
    from cockpit.cli.following import result_code
    from cockpit.cli.notices import tell_end
    from cockpit.feeds.job_watch import JobWatch
    from cockpit.render import jobs as render

    ended: list[Any] = []
    waiting: list[str] = []
    patience = session.patience_of(args)
    async with session.cluster(args) as client:

        def note(job: Any) -> int:
            output.message(render.outcome(job, time.time()))
            ended.append(job)
            return result_code(job)

        async def wait(job_id: str) -> int:
            if job_id not in waiting:
                waiting.append(job_id)
            try:
                job = await JobWatch(client, job_id).until_terminal(patience)
            except NotFoundError:
                waiting.remove(job_id)
                raise
            waiting.remove(job_id)
            code = note(job)
            await tell_end(job)
            return code

        async def look(job_id: str) -> int:
            if job_id in waiting:
                waiting.remove(job_id)
            job = await JobWatch(client, job_id).poll_through(patience)
            if not job.is_terminal:
                waiting.append(job_id)
                return EXIT_OK
            return note(job)

        try:
            # A timeout of zero would end before the first answer; it means one look.
            async with asyncio.timeout(args.timeout or None):
                waiting += await _named(client, args)
                act = look if args.timeout == 0 else wait
                code = await _each(client, list(waiting), act, changes=False)
            if args.timeout == 0 and waiting:
                raise TimeoutError
        except TimeoutError:
            raise UnreachableError(
                f"Not ended within {args.timeout:g} s: {output.joined(waiting)}.", hint="The jobs keep running."
            ) from None
    _print_jobs(args, ended)
    return code
