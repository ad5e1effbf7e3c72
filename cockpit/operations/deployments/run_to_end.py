"""From a cluster that answers to zero: submit, follow, fetch, close; each step is on disk before the next.

A job has its ID before it is sent, so that a restart after a crash never runs it twice. Results that could not be
fetched keep the deployment: closing loses them. The runtime limit stays as the net below all of it.
"""

from pathlib import Path
from typing import Protocol

import msgspec

from cockpit.clients.akash.console import ConsoleClient
from cockpit.errors import CockpitError, NotFoundError, UnreachableError
from cockpit.operations.deployments.ending import Ended, close
from cockpit.operations.deployments.journal import Attempt, Entry, Journal
from cockpit.operations.deployments.journal import Step as JournalStep
from cockpit.operations.deployments.news import News, Phase, Report
from cockpit.operations.deployments.probing import Probe, probe
from cockpit.operations.deployments.run_plan import CloseWhen, RunPlan, close_when_of, exists_already, target_of
from cockpit.operations.deployments.starting import lost

IDLE_POLL_S = 30.0
LOGS = "logs"
"""The name of the job's logs among the results; the others are SERVICE:PATH."""


class JobEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended: Ray's status, and whether it succeeded."""

    status: str
    is_success: bool


class Runner(Protocol):
    """Does what needs the cluster; a face brings its own, since a log goes to its screen."""

    async def submit(self, job_id: str) -> None:
        """Submit the job under this ID, unless the cluster has it already."""

    async def follow(self, job_id: str) -> JobEnd:
        """Show its log until it has ended."""

    async def is_busy(self) -> bool:
        """Whether any job runs or waits. Raises UnreachableError."""

    async def fetch(self, dseq: str, place: str, into: Path) -> str:
        """Copy SERVICE:PATH of a deployment into a folder; returns where it is."""

    async def save_log(self, job_id: str, into: Path) -> str:
        """Save the whole log of the job; returns where it is."""


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; `job` is None where none was run, `ended` where the deployment goes on."""

    job_id: str | None = None
    job: JobEnd | None = None
    fetched: tuple[str, ...] = ()
    ended: Ended | None = None


def run_plan_of(attempt: Attempt) -> RunPlan | None:
    """What a deployment was rented for, by its journal; None for a cluster that is simply wanted."""
    last = attempt.last
    if last.job_file is None and last.close_when is None and not last.fetch:
        return None
    return RunPlan(
        job=Path(last.job_file) if last.job_file else None,
        close_when=close_when_of(last.close_when) if last.close_when else None,
        fetch=last.fetch or (),
        into=Path(last.into or "."),
    )


class RunToEnd:
    """Carries a plan out, or goes on with it from where its journal stands."""

    def __init__(
        self,
        console: ConsoleClient,
        journal: Journal,
        plan: RunPlan,
        runner: Runner,
        report: Report,
        *,
        try_it: Probe = probe,
    ) -> None:
        self._console = console
        self._journal = journal
        self._plan = plan
        self._report = report
        self._runner = runner
        self._try_it = try_it

    async def run(self, fresh_id: str) -> Ran:
        """Until it is closed, or for good; `fresh_id` names the job unless the journal has named it.

        Raises what the runner raises, with the deployment left as it is, and OutcomeUnknownError of the close.
        """
        ended_job = await self._run_job(fresh_id) if self._plan.job is not None else None
        if (when := self._plan.close_when) is not None and when.kind == "idle":
            await self._until_idle(when)
        fetched = await self._fetch_all()
        ended = await self._close() if self._plan.close_when is not None else None
        return Ran(job_id=self._job_id, job=ended_job, fetched=fetched, ended=ended)

    @property
    def _attempt(self) -> Attempt:
        return self._journal.attempt

    @property
    def _dseq(self) -> str:
        return self._attempt.dseq or ""

    def _write(self, step: JournalStep, **values: str) -> None:
        self._journal.write(msgspec.convert({"step": step, "at": self._console.clock.now().wall, **values}, Entry))

    def _say(self, text: str, phase: Phase | None = None) -> None:
        self._report(News(text=text, phase=phase))

    @property
    def _job_id(self) -> str | None:
        return self._attempt.last.job_id

    def _has_done(self, *steps: str) -> bool:
        return any(entry.step in steps for entry in self._journal.entries)

    async def _run_job(self, fresh_id: str) -> JobEnd:
        last = self._attempt.last
        job_id = last.job_id or fresh_id
        self._say("", "job")
        if not self._has_done("submitted"):
            self._write("submitting", job_id=job_id)
            await self._runner.submit(job_id)
            self._write("submitted")
            self._say(f"Submitted {job_id}.")
        if self._has_done("ran") and last.job_status is not None:
            return JobEnd(status=last.job_status, is_success=last.job_status == "SUCCEEDED")
        end = await self._runner.follow(job_id)
        self._write("ran", job_status=end.status)
        return end

    async def _until_idle(self, when: CloseWhen) -> None:
        self._say(f"Closes when {when.words}.", "job")
        idle_since: float | None = None
        while True:
            try:
                is_busy = await self._runner.is_busy()
            except UnreachableError:
                await self._require_lease()
                idle_since = None  # what is not seen is not idle
            else:
                now = self._console.clock.now().wall
                idle_since = None if is_busy else now if idle_since is None else idle_since
                if idle_since is not None and now - idle_since >= when.idle_s:
                    return
            await self._console.clock.sleep(IDLE_POLL_S)

    async def _require_lease(self) -> None:
        """Raise LeaseLostError where the Console says that the lease is over."""
        try:
            found = await self._console.deployment(self._dseq)
        except NotFoundError:
            raise
        except CockpitError:
            return
        if not found.costing:
            raise lost(found)

    async def _fetch_all(self) -> tuple[str, ...]:
        if self._has_done("fetched"):
            return ()
        self._say("", "results")
        try:
            logs = [await self._save_log(self._job_id)] if self._job_id is not None else []
            found = [*logs, *[await self._fetch(place) for place in self._plan.fetch]]
        except CockpitError as error:
            error.hint = (
                f"{error.hint} The deployment was kept, so that nothing is lost; it keeps costing money.".strip()
            )
            raise
        self._write("fetched")
        return tuple(found)

    async def _save_log(self, job_id: str) -> str:
        if (saved := self._copied_to(LOGS)) is not None:
            return saved
        saved = await self._runner.save_log(job_id, self._plan.into)
        self._write("copied", result=LOGS, copied_to=saved)
        return saved

    async def _fetch(self, place: str) -> str:
        """Copy one of the results, unless it was copied before.

        A copy appears whole or not at all, so what lies where one was begun is what was to be copied there.
        """
        if (copied := self._copied_to(place)) is not None:
            return copied
        target = target_of(place, self._plan.into)
        if not target.exists():
            self._write("copying", result=place)
            copied = await self._runner.fetch(self._dseq, place, self._plan.into)
        elif any(entry.step == "copying" and entry.result == place for entry in self._journal.entries):
            copied = str(target)
        else:
            raise exists_already(target)
        self._write("copied", result=place, copied_to=copied)
        return copied

    def _copied_to(self, result: str) -> str | None:
        """Where a result is on this machine; None where it was not copied yet."""
        done = (entry for entry in self._journal.entries if entry.step == "copied" and entry.result == result)
        return next((entry.copied_to for entry in done), None)

    async def _close(self) -> Ended:
        self._say(f"Closing deployment {self._dseq}; confirming it takes up to three minutes.", "close")
        return await close(self._console, self._journal, self._dseq, try_it=self._try_it)
