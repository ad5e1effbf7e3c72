"""Runs a job on the cluster that was rented for it, the same for both faces; how its log is shown is the face's own."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from cockpit.clients.akash.console import ConsoleClient
from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError, RejectedError, UsageError
from cockpit.feeds.patience import Patience
from cockpit.model.jobs import Job
from cockpit.operations.clusters.connect import Selection, choose, connect
from cockpit.operations.deployments.copying import copy, parse_copy
from cockpit.operations.deployments.journal import Attempt, Journal
from cockpit.operations.deployments.news import News, Report
from cockpit.operations.deployments.run_plan import RunPlan
from cockpit.operations.deployments.run_to_end import JobEnd, Ran, RunToEnd
from cockpit.operations.jobs import job_file
from cockpit.operations.jobs.capacity import wait_for_capacity
from cockpit.operations.jobs.submit import fresh_id, prepare, submit
from cockpit.operations.logs.archive import save_logs
from cockpit.operations.question import Ask
from cockpit.operations.sending import Consent
from cockpit.sdl.document import SdlDocument
from cockpit.secrets.names import scopes_for

RETRY_S = 3600.0
"""How long a cluster may be away before following its job ends: it costs meanwhile, and its limit ends it."""


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """What a face does for a job: `follow` shows its log until it has ended, and returns the job as it ended.

    `ask` is None where nobody can be asked; `agreed` says that secrets may go out as the job file says.
    """

    report: Report
    follow: Callable[[RayClient, str], Awaitable[Job]]
    ask: Ask | None = None
    agreed: bool = False


async def check_run(plan: RunPlan, document: SdlDocument, scope: str) -> None:
    """Check before anything is rented: the cluster, where results go, and the job with its code and secrets.

    Raises UsageError, and what preparing the job raises.
    """
    plan.check()
    plan.check_cluster(document, scope)
    if plan.job is not None:
        await prepare(job_file.load(plan.job).form, scopes=scopes_for(scope=scope))


async def run_on(console: ConsoleClient, attempt: Attempt, plan: RunPlan, context: str | None, face: Face) -> Ran:
    """Carry out what a deployment was rented for, or go on with it; never a second time what is done.

    Raises RejectedError where it has no cluster to run on, and what the steps raise: the deployment stays then.
    """
    journal = Journal.resume(attempt.path)
    try:
        if context is None:
            dseq = journal.attempt.dseq  # `attempt` may have been read before it was known
            raise RejectedError(
                f"Deployment {dseq} has no reachable Ray dashboard, so no job was run.",
                hint=f"Close it: rayakash-tui deployments close {dseq}",
                fault="no-cluster",
            )
        runner = ClusterRunner(console, face, context, plan.job)
        return await RunToEnd(console, journal, plan, runner, face.report).run(fresh_id())
    finally:
        journal.close()


class ClusterRunner:
    """Submits, follows and fetches on the cluster of a context."""

    def __init__(self, console: ConsoleClient, face: Face, context: str, job: Path | None) -> None:
        self._console = console
        self._face = face
        self._context = context
        self._job = job

    def _say(self, text: str) -> None:
        self._face.report(News(text=text))

    async def _client(self) -> RayClient:
        return await connect(choose(Selection(context=self._context)), ask=self._face.ask)

    async def submit(self, job_id: str) -> None:
        """Submit under this ID, once the cluster has the nodes that the file waits for."""
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
                    on_missing=lambda text: self._say(f"Waiting: the cluster has {text}."),
                )
            await submit(
                client,
                prepared,
                consent=Consent(self._face.ask, self._face.agreed),
                patience=Patience(RETRY_S, from_start=True),
            )

    async def follow(self, job_id: str) -> JobEnd:
        """Show the log until the job has ended."""
        async with await self._client() as client:
            job = await self._face.follow(client, job_id)
        return JobEnd(status=job.status or "", is_success=job.status == "SUCCEEDED" and job.outcome_is_known)

    async def is_busy(self) -> bool:
        """Whether any job runs or waits."""
        async with await self._client() as client:
            return any(not job.is_terminal for job in (await client.jobs.list()).rows)

    async def fetch(self, dseq: str, place: str, into: Path) -> str:
        """Copy SERVICE:PATH into a folder."""
        _make(into)
        copied = await copy(self._console, parse_copy(f"{dseq}:{place}", str(into)), on_progress=lambda _, __: None)
        self._say(f"Copied {place} to {copied.path}.")
        return str(copied.path)

    async def save_log(self, job_id: str, into: Path) -> str:
        """Save all that the job wrote as a tar file."""
        _make(into)
        path = into / f"{self._context}-{job_id}-logs.tar.gz"
        async with await self._client() as client:
            saved = await save_logs(client, job_id, path)
        for sentence in saved.missing:
            self._say(sentence)
        self._say(f"Saved the logs of {job_id} to {path}.")
        return str(path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be made.", detail=str(error)) from error
