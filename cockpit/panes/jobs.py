"""The Jobs pane: every job, what became of it, and what can be done with it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace
from textual import on
from textual.geometry import Size
from textual.widget import Widget

from cockpit.actions import Action
from cockpit.feeds.topics import JOBS, Topic
from cockpit.feeds.watch import Watch
from cockpit.model.job_list import JobList
from cockpit.model.jobs import Job
from cockpit.model.snapshot import Moment, Snapshot
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.jobs.glance import JobGlance, glance_topic
from cockpit.operations.resources import Scope, job_scope
from cockpit.operations.why.reasons import PENDING_REASONS
from cockpit.panes.glance import Glance
from cockpit.panes.job_summary import JobSummary
from cockpit.panes.table_pane import TablePane
from cockpit.render import jobs as render
from cockpit.render.job_preview import job_preview
from cockpit.render.jobs import is_as_made, job_row, ordered_jobs
from cockpit.render.preview import Preview
from cockpit.render.table import Row, RowContext, TableSpec
from cockpit.widgets.live_table import LiveTable

PREVIOUS = "previous:"
REBUILD_SECONDS = 60.0


class JobsPane(TablePane[JobList]):
    """All jobs of the cluster, newest first; those that a restarted head has forgotten come last."""

    SPEC: ClassVar[TableSpec[Any]] = render.JOBS
    SCOPES = ("rows", "sources")
    TOPIC: ClassVar[Topic[Any]] = JOBS
    ROW = "Job"
    EMPTY = "No jobs yet. Press s to submit one."

    HANDLERS = {"show_detail": "job_actions:show_detail"}  # noqa: RUF012 - read only

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.glance: Glance[JobGlance] = Glance(self, self.show_preview)
        self._jobs: dict[str, Job] = {}
        self._ordered: list[Job] = []
        self._rows: list[Row] = []
        self._built: JobList | None = None
        self._since: Moment | None = None  # when the oldest of the rows was made
        self._reasons: Mapping[str, str] = {}

    def watched(self, cluster: LiveCluster) -> list[Watch[Any]]:
        """The jobs, and why the pending ones wait."""
        self._reasons = {}
        return [*super().watched(cluster), cluster.hub.watch(PENDING_REASONS, self._explained, paused=True)]

    def context(self, now: Moment) -> RowContext:
        """With the reasons of pending jobs."""
        return replace(super().context(now), waiting=self._reasons)

    def wake(self) -> None:
        """Reasons are asked for only while a job is pending."""
        super().wake()
        self._ask_for_reasons()

    # The preview

    def preview_changed(self) -> None:
        """Ask about the job under the cursor, if its preview is seen and there is more to know than the list says."""
        job = self.job if self._is_awake and self.has_preview and not self._is_previous else None
        has_more = job is not None and not job.is_driver
        self.glance.look_at(self.cluster, glance_topic(job) if job is not None and has_more else None)

    def preview(self, room: Size) -> Preview:
        """Why the job waits, how it ended, or the last it said."""
        job, found = self.job, self.glance.value
        if job is None:
            return super().preview(room)
        return job_preview(
            job,
            self.now().wall if self.cluster else 0.0,
            room.width,
            room.height,
            explanation=found.explanation if found else None,
            log=found.log if found else None,
            waiting=self._reasons.get(job.submission_id or "", ""),
            is_previous=self._is_previous,
            glyphs=self.glyphs,
        )

    @property
    def _is_previous(self) -> bool:
        return (self.table.row_key or "").startswith(PREVIOUS)

    @property
    def summary(self) -> str:
        """How many jobs run, wait, and have failed."""
        found = self.snapshot.value if self.snapshot is not None else None
        counts = found.counts() if found else {}
        words = (("RUNNING", "running"), ("PENDING", "pending"), ("FAILED", "failed"))
        return " · ".join(f"{counts[status]:,} {word}" for status, word in words if counts.get(status))

    def show(self, snapshot: Snapshot[JobList]) -> None:
        """Put the jobs on the screen, and ask why the pending ones wait."""
        super().show(snapshot)
        self._ask_for_reasons()

    def _ask_for_reasons(self) -> None:
        jobs = self.snapshot.value.rows if self.snapshot is not None and self.snapshot.value else ()
        is_wanted = self._is_awake and any(job.status == "PENDING" for job in jobs)
        for watch in self._watches[1:]:
            if is_wanted:
                watch.resume()
            else:
                watch.pause()

    def _explained(self, snapshot: Snapshot[Mapping[str, str]]) -> None:
        reasons = snapshot.value or {}
        if reasons != self._reasons:
            self._reasons = reasons
            if self.snapshot is not None and self.snapshot.value is not None and self.is_mounted:
                super().show(self.snapshot)

    def compose_below(self) -> Iterable[Widget]:
        """What is known of the job under the cursor."""
        yield JobSummary(glyphs=self.glyphs)

    def rows_of(self, value: JobList, now: Moment) -> Iterator[Row]:
        """Rows of the present session, those first that have not ended, then rows of the session before."""
        jobs: dict[str, Job] = {}
        rows: list[Row] = []
        known = self._known_rows(now)
        ordered = ordered_jobs(value.rows, self.context(now))
        for job in ordered:
            row = known.get(id(job)) if job.is_terminal else None
            rows.append(row or self._row(job, now))
            jobs[rows[-1].key] = job
            yield rows[-1]
        for job in ordered_jobs(value.previous, self.context(now)):
            rows.append(job_row(job, self.context(now), is_previous=True))
            jobs[rows[-1].key] = job
            yield rows[-1]
        self._jobs, self._rows, self._ordered = jobs, rows, ordered
        self._since = now if not known or self._since is None else self._since
        self._built = value
        self.call_after_refresh(self._summarise)

    def _known_rows(self, now: Moment) -> dict[int, Row]:
        """Rows by the identity of their job; those of ended jobs change at most at midnight."""
        if self._built is None or self._since is None or now.since(self._since) > REBUILD_SECONDS:
            return {}
        return {id(job): row for job, row in zip(self._ordered, self._rows, strict=False)}

    def _row(self, job: Job, now: Moment) -> Row:
        stopping = self.cluster.stopping if self.cluster else set()
        return job_row(job, self.context(now), stopping=stopping)

    def tick(self) -> None:
        """Durations of running jobs go on."""
        super().tick()
        if self.snapshot is None or self.snapshot.value is None or self._making is not None:
            return
        now = self.now()
        if self._built is not self.snapshot.value or self._since is None or now.since(self._since) > REBUILD_SECONDS:
            self.show(self.snapshot)
        else:
            self.table.set_rows(self._aged(now))
            self.show_preview()

    def _aged(self, now: Moment) -> list[Row]:
        """The rows at this moment, where those of ended jobs, which may be thousands, stay."""
        stopping = self.cluster.stopping if self.cluster else set()
        for index, job in enumerate(self._ordered):
            if not job.is_terminal and not is_as_made(self._rows[index], job, now.wall, stopping):
                self._rows[index] = self._row(job, now)
        return list(self._rows)

    @property
    def job(self) -> Job | None:
        """The job under the cursor."""
        return self._jobs.get(self.table.row_key or "")

    @property
    def here(self) -> Scope | None:
        """The job under the cursor, unless it is of a session that is over."""
        job = None if self._is_previous else self.job
        return None if job is None else job_scope(job)

    def chosen(self, action: Action) -> list[Job]:
        """The jobs an action is for; those of a previous session cannot be acted on."""
        keys = self.table.chosen_keys if action.many else [self.table.row_key or ""]
        return [self._jobs[key] for key in keys if key in self._jobs and not key.startswith(PREVIOUS)]

    def find(self, job_id: str) -> bool:
        """Put the cursor on a job."""
        return self.table.move_to(job_id)

    def why_disabled(self, action: Action) -> str | None:
        """Say why nothing can be done with the job under the cursor, or with none of those that are marked."""
        if action.scope != self.NAME:
            return super().why_disabled(action)
        jobs = self.chosen(action)
        if not jobs:
            forgotten = self.job is not None
            return "The head was restarted and has forgotten this job." if forgotten else "No job is selected."
        if action.why_not is None:
            return None
        reasons = [action.why_not(job) for job in jobs]
        return None if None in reasons else reasons[0]

    @on(LiveTable.RowHighlighted)
    def _summarise(self) -> None:
        now = self.now().wall if self.cluster else 0.0
        waiting = self._reasons.get((self.job.submission_id if self.job else None) or "", "")
        self.query_one(JobSummary).show(self.job, now, is_previous=self._is_previous, waiting=waiting)
        self.preview_changed()
        self.show_preview()
        self.post_message(self.StateChanged())

    @on(LiveTable.MarksChanged)
    def _marked(self) -> None:
        self.post_message(self.StateChanged())
