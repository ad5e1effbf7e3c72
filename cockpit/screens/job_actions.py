"""Actions on jobs: confirmed, done and reported."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from cockpit.actions import by_name
from cockpit.errors import CockpitError, UsageError
from cockpit.feeds.patience import Patience
from cockpit.feeds.topics import JOBS
from cockpit.model.jobs import Job
from cockpit.operations import gallery
from cockpit.operations.background import aside
from cockpit.operations.jobs import control as operations
from cockpit.operations.jobs import submissions
from cockpit.operations.jobs.clone import clone_of, with_todays_code
from cockpit.operations.jobs.fields import SubmitFields, fields_of
from cockpit.operations.jobs.submissions import Submission
from cockpit.operations.sending import Consent
from cockpit.panes.base import Pane
from cockpit.panes.jobs import JobsPane
from cockpit.render.jobs import outcome
from cockpit.screens.choose import Choose
from cockpit.screens.confirm import Confirm
from cockpit.screens.job_page import JobPage
from cockpit.screens.node_logs import follow_chosen, show_job_log
from cockpit.screens.recall import from_gallery
from cockpit.screens.submit import SubmitDialog
from cockpit.screens.workspace import Workspace
from cockpit.secrets.overview import entries
from cockpit.secrets.references import process_store

RETRY_SECONDS = 300.0
_NEW_JOB = "submit"


class JobActions:
    """Acts on jobs of one cluster; every method is to be run as a worker and may raise CockpitError."""

    def __init__(self, work: Workspace) -> None:
        """Raises UsageError where no cluster is open."""
        if work.cluster is None:
            raise UsageError("No cluster is open.", hint="Press ctrl+k to choose one.")
        self._work = work
        self._app = work.app
        self._cluster = work.cluster
        self._consent = Consent(work.ask)

    async def submit(self) -> None:
        """Ask for a job and submit it; what was typed before and left with Esc is there again."""
        draft = self._work.drafts.get(_NEW_JOB)
        if isinstance(draft, SubmitFields) and draft != SubmitFields():
            await self._ask_for(draft, note="This is your draft. Press ctrl+n for empty fields.")
        else:
            await self._ask_for(None)

    async def submit_sample(self, name: str) -> None:
        """Ask for what a sample of the gallery shall be run with, and submit it."""
        found = await from_gallery(name)
        await self._submitted(await self._dialog(found.fields, title=f"Submit the sample {name}", note=found.note))

    async def gallery(self) -> None:
        """Choose a sample, and submit it."""
        samples = await aside(gallery.samples)
        options = [(one.name, f"{one.name:18}{one.title}") for one in samples]
        name = await self._app.push_screen_wait(Choose("Sample jobs", options))
        if name is not None:
            await self.submit_sample(name)

    async def _ask_for(self, fields: SubmitFields | None, *, note: str = "") -> None:
        def keep(left: SubmitFields) -> None:
            self._work.drafts[_NEW_JOB] = left

        if await self._submitted(await self._dialog(fields, note=note, on_left=keep)):
            self._work.drafts.pop(_NEW_JOB, None)

    async def clone(self, jobs: Sequence[Job]) -> None:
        """Ask for what shall be different in each job, and submit it again."""
        for job in jobs:
            clone = with_todays_code(clone_of(job), await self._submission_of(job))
            title = f"Submit {job.id} again" + (" with today's code" if clone.package else "")
            dialog = await self._dialog(
                fields_of(clone.form), title=title, withheld=clone.withheld, package=clone.package
            )
            await self._submitted(dialog)

    async def _submission_of(self, job: Job) -> Submission | None:
        """The recorded submission of this job; None with a warning if the record cannot be read."""
        try:
            return await asyncio.to_thread(submissions.of_job, job.submission_id, job.entrypoint)
        except UsageError as error:
            self._tell(f"{error.title} {error.hint}", severity="warning")
            return None

    async def _dialog(self, fields: SubmitFields | None = None, **options: Any) -> SubmitDialog:
        """The dialog, with the names of secrets that can be referred to; asking a keyring may take a moment."""
        names = await asyncio.to_thread(secret_names)
        return SubmitDialog(
            self._cluster.client,
            fields,
            secrets=names,
            scopes=self._cluster.scopes,
            consent=self._consent,
            **options,
        )

    async def _submitted(self, dialog: SubmitDialog) -> bool:
        """Have a job submitted and open its log, which is what one looks at next; False where it was not."""
        submission_id = await self._app.push_screen_wait(dialog)
        if submission_id is None:
            return False
        self._tell(f"Submitted {submission_id}.")
        self._cluster.hub.kick(JOBS)
        await self._cluster.hub.settled()
        self._show_new(submission_id)
        show_job_log(self._work, submission_id)
        return True

    def _show_new(self, job_id: str) -> None:
        """Put the cursor on a new job."""
        screen = self._work.screens.get(JobsPane.NAME)
        if screen is not None and isinstance(screen.pane, JobsPane):
            screen.pane.find(job_id)

    async def show_detail(self, job: Job) -> None:
        """Everything that is known of a job, for as long as one looks."""
        await self._app.push_screen_wait(JobPage(self._cluster, job))

    async def stop(self, jobs: Sequence[Job]) -> None:
        """Stop jobs after a yes; each is shown as stopping until it has really ended."""
        stoppable = [job for job in jobs if not job.is_driver and not job.is_terminal]
        question = f"Stop {_count(stoppable)}?"
        if await self._agreed(question, stoppable, "Ray sends SIGTERM, and SIGKILL 3 seconds later."):
            await self._each(stoppable, self._stop)

    async def delete(self, jobs: Sequence[Job]) -> None:
        """Delete the records of ended jobs after a yes."""
        ended = [job for job in jobs if not job.is_driver and job.is_terminal]
        if await self._agreed(
            f"Delete {_count(ended)}?", ended, "The cluster forgets them; log files stay on the head."
        ):
            await self._each(ended, self._delete)

    async def _agreed(self, question: str, jobs: Sequence[Job], consequence: str) -> bool:
        width = max((len(job.id or "") for job in jobs), default=0)
        names = [f"{job.id:<{width}}   {job.entrypoint or ''}" for job in jobs]
        if not jobs:
            return False
        answer = await self._app.push_screen_wait(Confirm(question, names, consequence))
        return bool(answer)

    async def _each(self, jobs: Sequence[Job], act: Callable[[str], Awaitable[None]]) -> None:
        """Act on all at once; a failure is reported and does not stop the others."""
        results = await asyncio.gather(*(act(job.id or "") for job in jobs), return_exceptions=True)
        self._cluster.hub.kick(JOBS)
        for result in results:
            if isinstance(result, CockpitError):
                self._tell(" ".join(text for text in (result.title, result.hint) if text), severity="error")
            elif isinstance(result, BaseException):
                raise result

    async def _stop(self, job_id: str) -> None:
        stopping = self._cluster.stopping
        stopping.add(job_id)
        self._show_now()
        try:
            before = await operations.request_stop(self._cluster.client, job_id)
            if before.is_terminal:
                return
            self._cluster.stopped_here.add(job_id)
            self._cluster.hub.kick(JOBS)
            patience = Patience(RETRY_SECONDS, from_start=True)
            job = await operations.until_stopped(self._cluster.client, job_id, patience, lambda _: None)
        finally:
            stopping.discard(job_id)
            self._cluster.hub.kick(JOBS)
        self._tell(outcome(job, self._cluster.hub.clock.now().wall))

    def _show_now(self) -> None:
        """Draw what was asked for before the cluster answers."""
        if (screen := self._work.screens.get(JobsPane.NAME)) is not None:
            screen.pane.tick()

    async def _delete(self, job_id: str) -> None:
        await operations.delete(self._cluster.client, job_id)
        self._tell(f"Deleted {job_id}.")

    def _tell(self, text: str, *, severity: str = "information") -> None:
        self._app.notify(text, severity=severity, markup=False)  # type: ignore[arg-type]


# What keys do


async def submit(work: Workspace, _: Pane) -> None:
    """Submit a job."""
    await JobActions(work).submit()


async def choose_sample(work: Workspace, _: Pane) -> None:
    """Submit a sample of the gallery."""
    await JobActions(work).gallery()


async def submit_sample(work: Workspace, name: str) -> None:
    """Submit this sample of the gallery."""
    await JobActions(work).submit_sample(name)


async def clone(work: Workspace, pane: JobsPane) -> None:
    """Submit the job under the cursor again, with changes."""
    await JobActions(work).clone(pane.chosen(by_name("clone")))


async def stop(work: Workspace, pane: JobsPane) -> None:
    """Stop the marked jobs, or the one under the cursor."""
    await JobActions(work).stop(pane.chosen(by_name("stop")))


async def delete(work: Workspace, pane: JobsPane) -> None:
    """Delete the marked jobs from the list, or the one under the cursor."""
    await JobActions(work).delete(pane.chosen(by_name("delete")))


async def show_detail(work: Workspace, pane: JobsPane) -> None:
    """Show what is known of the job under the cursor."""
    if pane.job is not None:
        await JobActions(work).show_detail(pane.job)


def show_log(work: Workspace, pane: JobsPane) -> None:
    """Follow the log of the job under the cursor in its pane."""
    for job in pane.chosen(by_name("show_log"))[:1]:
        show_job_log(work, job.id or "")


async def job_files(work: Workspace, pane: JobsPane) -> None:
    """Follow a log of one of the job's workers or actors."""
    for job in pane.chosen(by_name("job_files"))[:1]:
        await follow_chosen(work, job)


def secret_names() -> tuple[str, ...]:
    """The names of secrets that can be referred to, without duplicates. Raises UsageError for an unreadable index."""
    return tuple(dict.fromkeys(entry.name for entry in entries(process_store()).entries))


def _count(jobs: Sequence[Job]) -> str:
    return f"job {jobs[0].id}" if len(jobs) == 1 else f"{len(jobs)} jobs"
