"""The part of the cockpit that acts on jobs, and follows logs."""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, cast

from textual import on

from cockpit.model.certificates import halves
from cockpit.model.jobs import Job
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.question import Question
from cockpit.panes.base import Pane
from cockpit.panes.jobs import JobsPane
from cockpit.panes.requests import JobSubmitted, SaveLogAsked
from cockpit.screens.job_notices import JobNotices
from cockpit.screens.pane_screen import PaneScreen
from cockpit.widgets.terminal_app import TerminalApp

if TYPE_CHECKING:
    from cockpit.panes.log import LogPane
    from cockpit.screens.job_actions import JobActions


class JobsApp(TerminalApp):
    """An app with the Jobs, the Nodes, the GPUs and the Log pane; whoever extends it knows the cluster."""

    cluster: LiveCluster | None
    _notices: JobNotices
    _screens: dict[str, PaneScreen]

    @property
    def pane_screen(self) -> PaneScreen | None:
        """The screen of the pane that is in front."""
        return self._screens.get(self.current_mode)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background, which may ask the user; what goes wrong is told."""
        self.run_worker(work, group="actions", exit_on_error=False)

    @on(JobsPane.Asked)
    def _asked(self, message: JobsPane.Asked) -> None:
        if self.cluster is None or not message.jobs:
            return
        actions = self._job_actions(self.cluster)
        match message.name:
            case "job_files":
                self._run(self._follow_chosen(self.cluster, message.jobs[0]))
            case "show_detail":
                self._run(actions.show_detail(message.jobs[0]))
            case "show_log":
                self.show_log(message.jobs[0].id or "")
            case "clone":
                self._run(actions.clone(message.jobs))
            case "stop":
                self._run(actions.stop(message.jobs))
            case "delete":
                self._run(actions.delete(message.jobs))

    async def _ask(self, question: Question) -> bool:
        names = [*(half for line in question.lines for half in halves(line)), "It is remembered for this address."]
        from cockpit.screens.confirm import Confirm

        answer = await self.push_screen_wait(Confirm(question.text, names))
        return bool(answer)

    def _job_actions(self, cluster: LiveCluster) -> "JobActions":
        from cockpit.operations.sending import Consent
        from cockpit.screens.job_actions import JobActions

        return JobActions(self, cluster, Consent(self._ask))

    def do_submit(self) -> None:
        """Submit a job."""
        if self.cluster is not None:
            self._run(self._job_actions(self.cluster).submit())

    @on(JobSubmitted)
    def _submitted(self, message: JobSubmitted) -> None:
        """Put the cursor on a new job, for that is what one looks at next."""
        self._notices.follow(message.job_id)
        screen = self._screens.get("jobs")
        if screen is not None and isinstance(screen.pane, JobsPane):
            screen.pane.find(message.job_id)

    def show_log(self, job_id: str) -> None:
        """Follow the log of a job in its pane."""
        self._show_log_pane().follow(job_id)
        self._notices.follow(job_id)

    def _show_log_pane(self) -> "LogPane":
        self.switch_mode("log")
        return cast("LogPane", self._screens["log"].pane)

    def do_actors(self) -> None:
        """Show the actors of the job or node under the cursor."""
        self._show_resource("actors")

    def do_tasks(self) -> None:
        """Show the tasks of the job or node under the cursor."""
        self._show_resource("tasks")

    def do_events(self) -> None:
        """Show the events of the job or node under the cursor."""
        self._show_resource("events")

    def _show_resource(self, name: str) -> None:
        scope = self.pane_screen.pane.here if self.pane_screen else None
        if scope is not None:
            self.switch_mode(name)
            self._screens[name].pane.look_at(scope)

    def do_node_logs(self) -> None:
        """Choose one of the log files of a node, or of who holds its GPU, and follow it."""
        pane = self.pane_screen.pane if self.pane_screen else None
        if self.cluster is not None and pane is not None:
            self._run(self._follow_chosen(self.cluster, pane))

    do_gpu_logs = do_node_logs

    async def _follow_chosen(self, cluster: LiveCluster, of: "Pane | Job") -> None:
        from cockpit.screens.node_logs import choose_log

        file = await choose_log(self, cluster, of)
        if file is not None and cluster is self.cluster:
            self._show_log_pane().follow_file(file)

    @on(SaveLogAsked)
    def _save_log_asked(self) -> None:
        from cockpit.screens.log_actions import LogActions

        self._run(LogActions(self, cast("LogPane", self._screens["log"].pane)).save())
