"""The page of a job: why it waits, what runs in it, what it said; one tab at a time is asked for."""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from cockpit.feeds.topics import JOBS, NODES
from cockpit.feeds.watch import Watch
from cockpit.model.cluster import Rows
from cockpit.model.events import ClusterEvent
from cockpit.model.job_list import JobList
from cockpit.model.jobs import Job
from cockpit.model.nodes import Node
from cockpit.model.snapshot import Snapshot
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.jobs.page import JobFacts, events_topic, facts_topic
from cockpit.panes.base import Pane
from cockpit.render import job_page as render
from cockpit.render.job_fields import detail_lines, environment_lines
from cockpit.render.nodes import node_names
from cockpit.render.progress import job_progress
from cockpit.render.table import RowContext
from cockpit.screens.text import TextDialog
from cockpit.widgets.key_hints import Hint

TABS = ("Summary", "Log", "Tasks", "Actors", "GPUs", "Events", "Environment")
NARROWEST = 40


class JobPage(TextDialog):
    """Everything about a job, and what becomes of it while one looks; of one that is gone, the last. Esc leads back."""

    HINTS: ClassVar[tuple[Hint, ...]] = (Hint("tab", "next tab", "turn(1)"), *TextDialog.HINTS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,right", "turn(1)", "Next tab", priority=True, show=False),
        Binding("shift+tab,left", "turn(-1)", "Previous tab", priority=True, show=False),
        *(Binding(str(number), f"open({number - 1})", tab, show=False) for number, tab in enumerate(TABS, 1)),
    ]

    def __init__(self, cluster: LiveCluster, job: Job) -> None:
        self._cluster = cluster
        self._job = job
        self._is_forgotten = False
        self._tab = 0
        self._follows = True
        self._told = ""
        self._watches: dict[str, Watch[Any]] = {}
        super().__init__(f"Job {job.id}", detail_lines(job, self._now))

    @property
    def _now(self) -> float:
        return self._cluster.hub.clock.now().wall

    def contents(self) -> list[Widget]:
        """The tabs above the lines."""
        return [Static(id="job-tabs"), *super().contents()]

    def on_mount(self) -> None:
        """The list is asked for anyway, by the pane behind."""
        hub = self._cluster.hub
        self._watches = {
            "jobs": hub.watch(JOBS, self._heard),
            "facts": hub.watch(facts_topic(self._job.id or ""), self._refresh, paused=True),
            "nodes": hub.watch(NODES, self._refresh, paused=True),
            "events": hub.watch(events_topic(self._job), self._refresh, paused=True),
        }
        self._ask()

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        for watch in self._watches.values():
            watch.close()
        self._tell("")

    def on_resize(self) -> None:
        """Tables are as wide as the page."""
        super().on_resize()
        self.call_after_refresh(self._refresh)

    def action_turn(self, step: int) -> None:
        """Show the next tab, or the one before."""
        self.action_open((self._tab + step) % len(TABS))

    def action_open(self, tab: int) -> None:
        """Show a tab, from its beginning."""
        self._tab = tab
        self._ask()
        self.query_one("#text-scroll").scroll_home(animate=False)
        self._follows = True
        self._refresh()

    def _ask(self) -> None:
        """Ask for what this tab shows, and for nothing else."""
        tab = TABS[self._tab]
        wanted = {"jobs", {"GPUs": "nodes", "Events": "events", "Environment": "jobs"}.get(tab, "facts")}
        for name, watch in self._watches.items():
            if name in wanted and not self._is_forgotten:
                watch.resume()
            elif name != "jobs":
                watch.pause()

    def _heard(self, snapshot: Snapshot[JobList]) -> None:
        known = snapshot.value or JobList()
        present = next((job for job in known.rows if job.id == self._job.id), None)
        self._is_forgotten = present is None and any(job.id == self._job.id for job in known.previous)
        self._job = present or self._job
        self._refresh()

    def _refresh(self, _: object = None) -> None:
        if self.is_mounted and self._watches:
            tabs = [Content.styled(f" {tab} ", "reverse" if at == self._tab else "") for at, tab in enumerate(TABS)]
            self.query_one("#job-tabs", Static).update(Content(" ").join(tabs))
            scroll = self.query_one("#text-scroll")
            is_log = TABS[self._tab] == "Log"
            # After scrolling up, a log stays where it is.
            follows = is_log and (self._follows or scroll.is_vertical_scroll_end)
            self._follows = is_log and self._facts is None
            self.show(self._tab_lines())
            if follows:
                self.call_after_refresh(self.call_after_refresh, scroll.scroll_end, animate=False)

    def _tab_lines(self) -> list[tuple[str, str]]:
        facts = self._facts
        match TABS[self._tab]:
            case "Summary":
                return self._summary(facts)
            case "Environment":
                return environment_lines(self._job)
            case "GPUs":
                ids = {one for one in (self._job.job_id, self._job.submission_id) if one}
                return render.gpu_lines(self._known_nodes, ids, self._row_context, self._width)
            case "Events":
                return self._events()
            case tab if facts is None:
                error = self._watches["facts"].snapshot.error
                return [("", error.title if error else f"Asking for the {tab.lower()} of this job…")]
            case "Log":
                return render.log_lines(facts.log)
            case "Tasks":
                return render.task_lines(facts.tasks, self._row_context, self._width, is_cut=facts.is_cut)
            case _:
                return render.actor_lines(facts.actors, self._row_context, self._width)

    def _summary(self, facts: JobFacts | None) -> list[tuple[str, str]]:
        lines = detail_lines(self._job, self._now, is_forgotten=self._is_forgotten)
        if facts is None:
            return lines
        waits = render.why_lines(facts.explanation if self._job.status == "PENDING" else None, self._now)
        log = render.last_log_lines(facts.log) if not self._job.is_terminal else []
        progress = job_progress(self._job, facts.log, now=self._now)
        self._tell(f"{progress} · {self._job.id}" if progress else "")
        said = [("progress", progress)] if progress else []
        return [lines[0], *said, *waits, *lines[1:], *render.progress_lines(facts.tasks, is_cut=facts.is_cut), *log]

    def _tell(self, progress: str) -> None:
        """Have the terminal's title say how far the job is."""
        if progress != self._told:
            self._told = progress
            self.app.post_message(Pane.Progressed(progress))

    def _events(self) -> list[tuple[str, str]]:
        snapshot: Snapshot[Sequence[ClusterEvent]] = self._watches["events"].snapshot
        if snapshot.taken is None:
            return [("", snapshot.error.title if snapshot.error else "Asking for the events of this job…")]
        return render.event_lines(snapshot.value or (), self._row_context, self._width)

    @property
    def _facts(self) -> JobFacts | None:
        snapshot: Snapshot[JobFacts] = self._watches["facts"].snapshot
        return snapshot.value

    @property
    def _known_nodes(self) -> Sequence[Node]:
        snapshot: Snapshot[Rows[Node]] = self._watches["nodes"].snapshot
        return snapshot.value.rows if snapshot.value else ()

    @property
    def _row_context(self) -> RowContext:
        return RowContext(now=self._now, node_names=node_names(self._known_nodes))

    @property
    def _width(self) -> int:
        return max(NARROWEST, self.query_one("#text-scroll").scrollable_content_region.width - 2)
