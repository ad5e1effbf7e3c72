"""The page of a job: why it waits, what runs in it, what it said; one tab at a time is asked for."""

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from textual.binding import BindingType

from cockpit.feeds.topics import JOBS, NODES
from cockpit.feeds.watch import Watch
from cockpit.model.job_list import JobList
from cockpit.model.jobs import Job
from cockpit.model.snapshot import Snapshot
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.job_past import past_topic
from cockpit.operations.jobs.page import JobFacts, events_topic, facts_topic, log_topic
from cockpit.operations.profiling.targets import Target, find_target
from cockpit.panes.base import Pane
from cockpit.render import job_page as render
from cockpit.render.asked import asked_text
from cockpit.render.job_fields import detail_lines, environment_lines
from cockpit.render.progress import job_progress
from cockpit.screens.profiles import PROFILING_BINDINGS, PROFILING_HINTS, profile_page
from cockpit.screens.tabbed_page import Lines, TabbedPage
from cockpit.widgets.key_hints import Hint


class JobPage(TabbedPage):
    """Everything about a job, and what becomes of it while one looks; of one that is gone, the last. Esc leads back."""

    TABS = ("Summary", "Log", "Tasks", "Actors", "GPUs", "Events", "Environment")
    HINTS: ClassVar[tuple[Hint, ...]] = (*TabbedPage.HINTS, *PROFILING_HINTS)
    BINDINGS: ClassVar[list[BindingType]] = [*PROFILING_BINDINGS]

    def __init__(self, cluster: LiveCluster, job: Job) -> None:
        self._job = job
        self._is_forgotten = False
        self._told = ""
        now = cluster.hub.clock.now().wall
        super().__init__(cluster, f"Job {job.id}", detail_lines(job, now))

    def watched(self) -> dict[str, Watch[Any]]:
        """The list is asked for anyway, by the pane behind."""
        hub = self.cluster.hub
        return {
            "jobs": hub.watch(JOBS, self._heard),
            "facts": hub.watch(facts_topic(self._job.id or ""), self.refresh_lines, paused=True),
            "log": hub.watch(log_topic(self._job.id or ""), self.refresh_lines, paused=True),
            "nodes": hub.watch(NODES, self.refresh_lines, paused=True),
            "events": hub.watch(events_topic(self._job), self.refresh_lines, paused=True),
            "past": hub.watch(past_topic(self.cluster, self._job), self.refresh_lines, paused=True),
        }

    def wanted(self, tab: str) -> Collection[str]:
        """The job itself always; of one that Ray has forgotten nothing else."""
        if self._is_forgotten:
            return ("jobs",)
        more = {
            "Summary": ("facts", "log", "past"),
            "Log": ("log",),
            "GPUs": ("nodes", "past"),
            "Events": ("events",),
            "Environment": (),
        }
        return ("jobs", *more.get(tab, ("facts",)))

    def on_unmount(self) -> None:
        """Reset the terminal's title."""
        self._tell("")

    async def action_profile(self, kind: str) -> None:
        """Look into the process of its driver."""
        await self.app.push_screen(profile_page(kind, self.cluster, self._find_driver, self._job.id or ""))

    async def _find_driver(self) -> Target:
        return await find_target(self.cluster.client, self._job.id or "")

    def _heard(self, snapshot: Snapshot[JobList]) -> None:
        known = snapshot.value or JobList()
        present = next((job for job in known.rows if job.id == self._job.id), None)
        self._is_forgotten = present is None and any(job.id == self._job.id for job in known.previous)
        self._job = present or self._job
        self.refresh_lines()

    def tab_lines(self, tab: str) -> Lines:
        """The lines of a tab as they are now."""
        facts: JobFacts | None = self.of("facts").value
        match tab:
            case "Summary":
                return self._summary(facts)
            case "Environment":
                return environment_lines(self._job)
            case "GPUs":
                return self._gpus()
            case "Events":
                return self._events()
            case "Log" if self.of("log").taken is None:
                return self.unknown("log", "log of this job")
            case "Log":
                return render.log_lines(self.of("log").value or ())
            case _ if facts is None:
                return self.unknown("facts", f"{tab.lower()} of this job")
            case "Tasks":
                return render.task_lines(facts.tasks, self.row_context, self.width, is_cut=facts.is_cut)
            case _:
                return render.actor_lines(facts.actors, self.row_context, self.width)

    def _summary(self, facts: JobFacts | None) -> Lines:
        lines = detail_lines(self._job, self.now, is_forgotten=self._is_forgotten)
        past = render.past_lines(self.of("past").value, self.width, self.row_context)
        if facts is None:
            return [*lines, *past]
        waits = render.why_lines(facts.explanation if self._job.status == "PENDING" else None, self.now)
        lines_of_log: Sequence[str] = self.of("log").value or ()
        log = render.last_log_lines(lines_of_log) if not self._job.is_terminal else []
        progress = job_progress(self._job, lines_of_log, now=self.now)
        self._tell(f"{progress} · {self._job.id}" if progress else "")
        said = [("progress", progress)] if progress else []
        said += [("asked for", asked_text(facts.asked))] if facts.asked is not None else []
        said += render.place_lines(facts.tasks, facts.actors, self.row_context)
        tasks = render.progress_lines(facts.tasks, is_cut=facts.is_cut, glyphs=self.row_context.glyphs)
        return [lines[0], *said, *waits, *past, *lines[1:], *tasks, *log]

    def _tell(self, progress: str) -> None:
        """Have the terminal's title say how far the job is."""
        if progress != self._told:
            self._told = progress
            self.app.post_message(Pane.Progressed(progress))

    def _gpus(self) -> Lines:
        ids = {one for one in (self._job.job_id, self._job.submission_id) if one}
        held = render.gpu_lines(self.known_nodes, ids, self.row_context, self.width)
        return [*held, *render.past_lines(self.of("past").value, self.width, self.row_context)]

    def _events(self) -> Lines:
        if self.of("events").taken is None:
            return self.unknown("events", "events of this job")
        return render.event_lines(self.of("events").value or (), self.row_context, self.width)
