"""`deploy --run`: a job on a cluster that is rented for it: followed here, its results fetched, and all closed."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import output
from cockpit.errors import EXIT_FAILED, EXIT_OK, UsageError

if TYPE_CHECKING:
    from cockpit.clients.akash.console import ConsoleClient
    from cockpit.clients.ray import RayClient
    from cockpit.model.jobs import Job
    from cockpit.operations.deployments.journal import Attempt
    from cockpit.operations.deployments.run_plan import RunPlan
    from cockpit.operations.deployments.run_to_end import Ran
    from cockpit.sdl.document import SdlDocument


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--run` and what follows it."""
    group = parser.add_argument_group("a job for which the cluster is rented")
    group.add_argument("--run", dest="job", type=Path, metavar="JOB.yaml", help="submit this job file and follow it")
    group.add_argument(
        "--close-when", metavar="WHEN", help="done: close after the job; idle:30m: once no job has run for so long"
    )
    group.add_argument(
        "--fetch", action="append", default=[], metavar="SERVICE:PATH", help="copy this out at the end; repeatable"
    )
    group.add_argument("--into", type=Path, default=Path(), metavar="DIR", help="where results go (default: here)")


async def run_plan_of(args: argparse.Namespace, document: "SdlDocument", scope: str) -> "RunPlan | None":
    """What is to follow, checked as far as can be before there is a cluster; None for a cluster alone.

    `scope` is where the secrets of the SDL are.

    Raises UsageError.
    """
    from cockpit.operations.deployments.cluster_runner import check_run
    from cockpit.operations.deployments.run_plan import RunPlan, close_when_of

    when = close_when_of(args.close_when) if args.close_when is not None else None
    if args.job is None and when is None and not args.fetch:
        return None
    if args.no_wait:
        raise UsageError("--no-wait ends at the lease; it does not go with --run, --close-when or --fetch.")
    job = args.job.absolute() if args.job is not None else None
    plan = RunPlan(job=job, close_when=when, fetch=tuple(args.fetch), into=args.into)
    await check_run(plan, document, scope)
    return plan


async def run_to_end(
    args: argparse.Namespace, console: "ConsoleClient", attempt: "Attempt", plan: "RunPlan", context: str | None
) -> "Ran":
    """Carry out what a deployment was rented for, its log on stdout (with --json on stderr).

    Raises RejectedError where it has no cluster to run on.
    """
    from cockpit.cli.deploy_progress import Teller
    from cockpit.cli.session import asker
    from cockpit.operations.deployments.cluster_runner import RETRY_S, Face, run_on

    async def show(client: "RayClient", job_id: str) -> "Job":
        from cockpit.cli.following import Printer, conclude, follow
        from cockpit.feeds.log_source import JobLog

        printer = Printer(sys.stderr) if args.json else Printer()
        options = argparse.Namespace(retry_for=RETRY_S)
        followed = await follow(JobLog(client, job_id), options, has_answered=True, printer=printer)
        conclude(followed)
        return followed.job

    face = Face(report=Teller(), follow=show, ask=asker(), agreed=getattr(args, "yes", False))
    return await run_on(console, attempt, plan, context, face)


def conclude_run(ran: "Ran") -> int:
    """Say how it ended; exit 1 for a job that failed."""
    from cockpit.operations.deployments.progress_words import end_words

    if ran.ended is not None:
        output.message(end_words(ran.ended))
    return EXIT_OK if ran.job is None or ran.job.is_success else EXIT_FAILED


def run_record(ran: "Ran") -> dict[str, Any]:
    """For JSON."""
    from cockpit.render.deployments import money

    return {
        "job": None if ran.job is None else {"submission_id": ran.job_id, "status": ran.job.status},
        "fetched": list(ran.fetched),
        "closed": ran.ended is not None,
        "spent": money(ran.ended.spent_usd) if ran.ended else None,
    }
