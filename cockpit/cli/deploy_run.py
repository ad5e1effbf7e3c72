"""`deploy --run`: a job on a cluster that is rented for it: followed here, its results fetched, and all closed."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cockpit.cli import output
from cockpit.errors import EXIT_FAILED, EXIT_OK, RejectedError, UsageError

if TYPE_CHECKING:
    from cockpit.clients.akash.console import ConsoleClient
    from cockpit.clients.ray import RayClient
    from cockpit.operations.deployments.journal import Attempt
    from cockpit.operations.deployments.run_plan import RunPlan
    from cockpit.operations.deployments.run_to_end import JobEnd, Ran

RETRY_S = 3600.0
"""How long a cluster may be away before following its job ends: it costs meanwhile, and its limit ends it."""


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


async def run_plan_of(args: argparse.Namespace, scopes: tuple[str, ...]) -> "RunPlan | None":
    """What is to follow, checked as far as can be before there is a cluster; None for a cluster alone.

    Raises UsageError.
    """
    from cockpit.operations.deployments.run_plan import RunPlan, close_when_of

    when = close_when_of(args.close_when) if args.close_when is not None else None
    if args.job is None and when is None and not args.fetch:
        return None
    if args.no_wait:
        raise UsageError("--no-wait ends at the lease; it does not go with --run, --close-when or --fetch.")
    job = args.job.absolute() if args.job is not None else None
    plan = RunPlan(job=job, close_when=when, fetch=tuple(args.fetch), into=args.into)
    plan.check()
    if job is not None:
        await _checked(job, scopes)
    return plan


async def _checked(job: Path, scopes: tuple[str, ...]) -> None:
    """Look at the job before anything is rented: its file, its code, its secrets."""
    from cockpit.operations.jobs import job_file
    from cockpit.operations.jobs.submit import prepare

    await prepare(job_file.load(job).form, scopes=scopes)


class ClusterRunner:
    """Runs the job on the cluster of a context, its log on stdout (with --json on stderr)."""

    def __init__(self, console: "ConsoleClient", args: argparse.Namespace, context: str, job: Path | None) -> None:
        self._console = console
        self._args = args
        self._context = context
        self._job = job

    async def _client(self) -> "RayClient":
        from cockpit.cli.session import asker
        from cockpit.operations.clusters.connect import Selection, choose, connect

        return await connect(choose(Selection(context=self._context)), ask=asker())

    async def submit(self, job_id: str) -> None:
        """Submit under this ID, once the cluster has the nodes that the file waits for."""
        import msgspec

        from cockpit.cli.session import asker
        from cockpit.errors import NotFoundError
        from cockpit.feeds.patience import Patience
        from cockpit.operations.jobs import job_file
        from cockpit.operations.jobs.capacity import wait_for_capacity
        from cockpit.operations.jobs.submit import prepare, submit
        from cockpit.operations.sending import Consent
        from cockpit.secrets.names import scopes_for

        assert self._job is not None
        found = job_file.load(self._job)
        form = msgspec.structs.replace(found.form, submission_id=job_id)
        prepared = await prepare(form, scopes=scopes_for(context=self._context))
        async with await self._client() as client:
            try:
                await client.jobs.get(job_id)
            except NotFoundError:
                pass
            else:  # it was sent before a crash
                return
            if found.wait_for is not None:
                await wait_for_capacity(
                    client,
                    found.wait_for,
                    patience=Patience(RETRY_S, from_start=True),
                    on_missing=lambda text: output.message(f"Waiting: the cluster has {text}."),
                )
            await submit(
                client,
                prepared,
                consent=Consent(asker(), getattr(self._args, "yes", False)),
                patience=Patience(RETRY_S, from_start=True),
            )

    async def follow(self, job_id: str) -> "JobEnd":
        """Print the log until the job has ended."""
        from cockpit.cli.following import Printer, conclude, follow
        from cockpit.feeds.log_source import JobLog
        from cockpit.operations.deployments.run_to_end import JobEnd

        printer = Printer(sys.stderr) if self._args.json else Printer()
        args = argparse.Namespace(retry_for=RETRY_S)
        async with await self._client() as client:
            followed = await follow(JobLog(client, job_id), args, has_answered=True, printer=printer)
        code = conclude(followed)
        return JobEnd(status=followed.job.status or "", is_success=code == EXIT_OK)

    async def is_busy(self) -> bool:
        """Whether any job runs or waits."""
        async with await self._client() as client:
            return any(not job.is_terminal for job in (await client.jobs.list()).rows)

    async def fetch(self, dseq: str, place: str, into: Path) -> str:
        """Copy SERVICE:PATH into a folder."""
        from cockpit.operations.deployments.copying import copy, parse_copy

        _make(into)
        copied = await copy(self._console, parse_copy(f"{dseq}:{place}", str(into)), on_progress=lambda _, __: None)
        output.message(f"Copied {place} to {copied.path}.")
        return str(copied.path)

    async def save_log(self, job_id: str, into: Path) -> str:
        """Save all that the job wrote as a tar file."""
        from cockpit.operations.logs.archive import save_logs

        _make(into)
        path = into / f"{self._context}-{job_id}-logs.tar.gz"
        async with await self._client() as client:
            saved = await save_logs(client, job_id, path)
        for sentence in saved.missing:
            output.warning(sentence)
        output.message(f"Saved the logs of {job_id} to {path}.")
        return str(path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be made.", detail=str(error)) from error


async def run_to_end(
    args: argparse.Namespace, console: "ConsoleClient", attempt: "Attempt", plan: "RunPlan", context: str | None
) -> "Ran":
    """Carry out what a deployment was rented for. Raises RejectedError without a cluster to run on."""
    from cockpit.cli.deploy_progress import Teller
    from cockpit.operations.deployments.journal import Journal
    from cockpit.operations.deployments.run_to_end import RunToEnd
    from cockpit.operations.jobs.submit import fresh_id

    if context is None:
        raise RejectedError(
            f"Deployment {attempt.dseq} has no Ray dashboard that is reached from here, so no job was run.",
            hint=f"Close it: rayakash-tui deployments close {attempt.dseq}",
            fault="no-cluster",
        )
    journal = Journal.resume(attempt.path)
    try:
        runner = ClusterRunner(console, args, context, plan.job)
        return await RunToEnd(console, journal, plan, runner, Teller()).run(fresh_id())
    finally:
        journal.close()


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
