"""What the deploy screen does for a job: asks for it before the question, shows its log, and goes on after a crash."""

import time

import msgspec

from cockpit.clients.akash.console import ConsoleClient
from cockpit.clients.ray import RayClient
from cockpit.feeds.follower import LogFollower
from cockpit.feeds.log_source import JobLog, LogState
from cockpit.feeds.patience import Outage
from cockpit.feeds.spool import Spool
from cockpit.model.jobs import Job
from cockpit.operations.background import aside
from cockpit.operations.deployments.cluster_runner import RETRY_S, Face, check_run, run_on
from cockpit.operations.deployments.journal import Attempt
from cockpit.operations.deployments.news import News
from cockpit.operations.deployments.preparing import Prepared
from cockpit.operations.deployments.reaching import Ready
from cockpit.operations.deployments.run_plan import RunPlan
from cockpit.operations.jobs.saved import job_files
from cockpit.render import jobs as render
from cockpit.render.sanitize import LogSanitizer
from cockpit.screens.deploy_page import DeployPage
from cockpit.screens.run_dialog import RunDialog


async def asked_for_run(page: DeployPage, prepared: Prepared) -> Prepared:
    """The plan with what is to follow, as it was typed; the same as before where that was left."""

    async def check(plan: RunPlan) -> None:
        if plan != RunPlan(into=plan.into):
            await check_run(plan, prepared.document, prepared.scope)

    known = await aside(job_files)
    beside = [path for path in known if path.parent == prepared.file.parent]
    likely = next(iter((*beside, *known)), None)
    plan = await page.app.push_screen_wait(RunDialog(prepared.run, check, likely=str(likely) if likely else ""))
    if plan is None:
        return prepared
    is_empty = plan.job is None and plan.close_when is None and not plan.fetch
    return msgspec.structs.replace(prepared, run=None if is_empty else plan)


async def run_job(
    page: DeployPage, console: ConsoleClient, attempt: Attempt, plan: RunPlan, ready: Ready
) -> Ready | None:
    """Carry the plan out on the page; None where its end is that all is closed."""
    page.progress.has_run = True

    async def follow(client: RayClient, job_id: str) -> Job:
        listener = _PageLog(page, job_id)
        with Spool() as spool:
            source = JobLog(client, job_id)
            follower = LogFollower(source, spool, listener, retry_for=RETRY_S, retry_from_start=True)
            job = (await follower.run()).job
        listener.close()
        page.hear(News(text=render.outcome(job, time.time())))
        return job

    ran = await run_on(console, attempt, plan, ready.context, Face(report=page.hear, follow=follow, ask=page.ask))
    if ran.ended is None:
        return ready
    page.show_end(ran.ended, f"{ran.job_id} {ran.job.status}." if ran.job is not None else "")
    return None


class _PageLog:
    """Hears of a followed log, and puts its end on the page."""

    def __init__(self, page: DeployPage, job_id: str) -> None:
        self._page = page
        self._safe = LogSanitizer()
        page.log_title = f"{job_id}: log"

    def wrote(self, chunk: bytes) -> None:
        """Bytes of the log."""
        self._page.hear(News(output=self._safe.feed(chunk)))

    def close(self) -> None:
        """The log has ended."""
        self._page.hear(News(output=self._safe.finish()))

    def waiting(self, state: LogState) -> None:
        """The log is not there yet."""
        why = render.reason(state.job) if state.job else ""
        self._page.hear(News(text=state.words + (f": {why}" if why else ".")))

    def away(self, outage: Outage) -> None:
        """The cluster does not answer."""
        self._page.hear(News(text=f"{outage.error.title} Trying again."))

    def reconnected(self, *, proven: bool) -> None:
        """It is back."""
        self._page.hear(News(text="Reconnected." if proven else "Reconnected; lines may be missing."))

    def replaced(self) -> None:
        """Another file follows."""
        self._page.hear(News(text="The log on the cluster was replaced; the new one follows."))

    def noted(self, sentence: str) -> None:
        """A note on the log."""
        self._page.hear(News(text=sentence))
