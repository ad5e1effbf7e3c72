"""The Log pane: the log of one job, followed while it is seen."""

from typing import Any

from textual import on
from textual.app import ComposeResult

from cockpit.clients.ray.log_files import LogFile
from cockpit.feeds.log_session import TAIL_LINES, LogSession
from cockpit.feeds.log_source import JobLog, LogSource, LogState, source_of
from cockpit.feeds.spool import Spool
from cockpit.feeds.topics import job_topic
from cockpit.feeds.watch import Watch
from cockpit.model.jobs import Job
from cockpit.model.snapshot import Snapshot
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.jobs.runs import run_name
from cockpit.panes.log_find import LogFind
from cockpit.panes.log_plotting import LogPlotting
from cockpit.panes.log_progress import LogProgress
from cockpit.panes.log_reading import LogReading, Part
from cockpit.render.jobs import outcome, status
from cockpit.render.log_numbers import names_in, numbers_in
from cockpit.render.progress import job_progress
from cockpit.render.text import visible
from cockpit.render.units import size
from cockpit.widgets.log_plots import LogPlots
from cockpit.widgets.log_reader import LogReader
from cockpit.widgets.log_view import LogStatus, LogView
from cockpit.widgets.state_line import Piece, StateLine

PROGRESS_BYTES = 16 * 1024
AROUND = 64 * 1024  # bytes around a line in which its numbers have to come again
NO_JOB, NO_OUTPUT = "No log yet. Press l on a job to follow it.", "no output yet"


class LogPane(LogReading):
    """Shows the end of the log first; going up to its beginning fetches the whole."""

    NAME = "log"
    TITLE = "Log"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.session = LogSession(self)
        self._job_id: str | None = None
        self._job: Job | None = None
        self._file: LogFile | None = None
        self._plots = LogPlots(glyphs=self.glyphs, id="log-plots")
        self.plotting = LogPlotting(self._plots, self)
        self._progress = LogProgress(self, self._read_progress, self._progressed)

    def compose(self) -> ComposeResult:
        """A line about the log, the log, a line about what is seen of it."""
        yield StateLine(id="log-head", ellipsis=self.glyphs.ellipsis)
        yield self._plots
        reader = LogReader(self.session.spool, empty_sentence=NO_JOB, glyphs=self.glyphs, id="log-view")
        yield reader
        yield StateLine(id="log-foot", ellipsis=self.glyphs.ellipsis)
        yield LogFind(reader, glyphs=self.glyphs)

    def on_unmount(self) -> None:
        """Give the file of the log back."""
        self.plotting.take(None)
        self.session.close()

    # What is shown

    def follow(self, job_id: str) -> None:
        """Show the log of a job from its end; the one shown already just goes on."""
        if job_id == self._job_id:
            return
        self._job_id, self._job, self._file = job_id, None, None
        self._open()

    def follow_file(self, file: LogFile) -> None:
        """Show a log that does not belong to a job."""
        if file == self._file:
            return
        self._job_id, self._job, self._file = None, None, file
        self._open()

    def _open(self) -> None:
        self.plotting.begin(self._subject or "", "")
        if self.is_mounted:
            self._watch_job()
            self.session.open(self._source if self.cluster is not None else None)

    def _source(self) -> LogSource:
        assert self.cluster is not None
        client = self.cluster.client
        return source_of(client, self._file) if self._file else JobLog(client, self._job_id or "")

    @property
    def _subject(self) -> str | None:
        """What the log is called; None where none is shown."""
        if self._file is None:
            return self._job_id
        return self._file.filename or self._file.actor_id or self._file.task_id

    def watched(self, cluster: LiveCluster) -> list[Watch[Any]]:
        """The job whose log it is."""
        return [cluster.hub.watch(job_topic(self._job_id), self._heard, paused=True)] if self._job_id else []

    def _watch_job(self) -> None:
        if self.cluster is not None:
            for watch in self._watches:
                watch.close()
            self._watches = self.watched(self.cluster)
            if self._is_awake:
                for watch in self._watches:
                    watch.resume()

    def attach(self, cluster: LiveCluster) -> None:
        """Follow what was asked for before there was a screen; the log of another cluster is not shown on."""
        wanted, file = (self._job_id, self._file) if self.cluster is None else (None, None)
        super().attach(cluster)
        cluster.on_let_in(self.session.try_again)
        if wanted is not None:
            self.follow(wanted)
        elif file is not None:
            self.follow_file(file)

    def detach(self) -> None:
        """Stop following, and show nothing."""
        super().detach()
        self._job_id = self._job = self._file = None
        self.plotting.begin("", "")
        if self.is_mounted:
            self.session.open(None)
            self._draw()

    def wake(self) -> None:
        """The pane is visible: continue where it was."""
        super().wake()
        self.session.wake()
        self.view.resume()
        self._progressed()
        if self.app.focused is None:
            self.view.focus()
        self._draw()

    def sleep(self) -> None:
        """The pane is hidden: no stream is kept open for it."""
        super().sleep()
        self.session.sleep()
        self.view.rest()
        self.app.post_message(self.Progressed(""))  # a hidden screen passes nothing on

    # The whole

    @on(LogView.StartReached)
    def _start_reached(self, event: LogView.StartReached) -> None:
        self.want_whole(wants_first=event.wants_first)

    def want_whole(self, *, wants_first: bool = False) -> None:
        """Fetch the whole log behind the end of it that is on the screen."""
        if self.session.is_coming or self.is_tail:
            self.session.want_whole(wants_first=wants_first)

    @property
    def is_tail(self) -> bool:
        """Whether the log may begin before the local copy."""
        return not self.session.is_whole and (self.view.status.lines or 0) >= TAIL_LINES

    # What the session tells

    def grew(self) -> None:
        """The log has grown."""
        self.view.notify_grown()

    def changed(self) -> None:
        """Its status line changed."""
        self._draw()

    def heard(self, state: LogState) -> None:
        """The job is known as it was asked for just now."""
        self._job = state.job

    def replaced_by(self, spool: Spool, *, shift: int | None, at_start: bool) -> None:
        """Another spool holds the log: the whole, or another's."""
        if self.is_mounted:
            self.view.empty_sentence = NO_OUTPUT if self._subject else NO_JOB
            if shift is None:
                self.view.set_source(spool)
            else:
                self.view.replace_source(spool, shift)
            if at_start:
                self.view.goto_line(0)
        self.plotting.take(spool)

    def crashed(self, error: BaseException) -> None:
        """A bug: the app reports those of its workers."""
        self.run_worker(_raised(error), exit_on_error=False)

    # What is drawn

    def _heard(self, snapshot: Snapshot[Job]) -> None:
        if snapshot.value is not None:
            self._job = snapshot.value
            self.plotting.begin(self._job_id or "", run_name(snapshot.value))
        self._draw()

    @on(LogView.StatusChanged)
    def _draw(self) -> None:
        if not self.is_mounted:
            return
        self.plotting.look()
        self._progress.look()
        self._draw_head()
        self.query_one("#log-foot", StateLine).show(self._foot(self.view.status), [])
        self.post_message(self.StateChanged())

    def _read_progress(self) -> str:
        lines = self.session.end_of_log(PROGRESS_BYTES).decode(errors="replace").split("\n")
        return job_progress(self.job, lines, now=self.now().wall) if self.cluster is not None else ""

    def _progressed(self) -> None:
        text = f"{self._progress.text} · {self._job_id}" if self._progress.text else ""
        self.app.post_message(self.Progressed(text if self._is_awake else ""))
        self._draw_head()

    def _draw_head(self) -> None:
        if self.is_mounted:
            self.query_one("#log-head", StateLine).show(self._head(), [Piece(*self.session.note)])

    def _head(self) -> list[Piece]:
        if self._subject is None:
            return [Piece("no job", "quiet")]
        pieces, ended = [Piece(visible(self._subject), "accent", 0)], self.session.ended
        if self._file is not None:
            place = f"node {self._file.node_id[:12]}" if self._file.node_id else self._file.suffix
            return [*pieces, Piece(visible(ended.state.words if ended else place), "quiet", 1)]
        if ended is not None and self.cluster is not None:
            tone = "error" if ended.job.status == "FAILED" else ""
            return [*pieces, Piece(visible(outcome(ended.job, self.now().wall)), tone, 1)]
        return [
            *pieces,
            Piece(status(self._job) if self._job else "", "", 1),
            Piece(self._progress.text, "accent", 2),
        ]

    def _foot(self, seen: LogStatus) -> list[Piece]:
        if self._subject is None:
            return []
        at_end = "following" if self.session.ended is None else "end"
        state = at_end if seen.following else "paused"
        beginning = f"the last {TAIL_LINES:,} lines, Home for the whole" if self.is_tail else ""
        return [
            Piece(state, "accent" if state == "paused" else "quiet", 0),
            Piece("counting…" if seen.lines is None else f"{seen.lines:,} lines", "quiet", 1),
            Piece(size(seen.bytes), "quiet", 2),
            Piece(beginning, "quiet", 3),
            Piece("wrapped" if seen.is_wrapped else "", "quiet", 4),
            Piece("JSON" if seen.is_pretty else "", "quiet", 4),
        ]

    def action_pause(self) -> None:
        """Stay where one is, or follow again."""
        self.view.action_pause()

    def action_log_end(self) -> None:
        """Go to the end, and follow it."""
        self.view.action_follow()

    def action_log_start(self) -> None:
        """Go to the beginning, for which the whole log is fetched."""
        self.view.action_first()

    @property
    def job(self) -> Job | None:
        """The job whose log it is, as far as it is known."""
        return self._job if self._job_id else None

    def numbers_at_hand(self) -> list[str]:
        """Names of numbers that come again: those of the chosen line first, or of the last on the screen with one."""
        for span in reversed(self.view.chosen()):
            around = self.session.spool.read(max(0, span.start - AROUND // 2), AROUND)
            line = self.session.spool.read(span.start, min(span.end - span.start, AROUND)).decode(errors="replace")
            here = list(numbers_in(line))
            if here:
                again = names_in(around)
                return [name for name in here if name in again] + [name for name in again if name not in here]
        return names_in(self.session.end_of_log(AROUND))

    def part_to_save(self) -> Part:
        """The marked lines, or all that is held."""
        name = f"{(self._subject or 'log').removesuffix('.log')}.log".replace("/", "_")
        if self.view.is_marking:
            spans = self.view.chosen()
            what = f"{len(spans):,} marked lines"
            return Part(self.session.spool, spans[0].start, min(spans[-1].end + 1, self.session.spool.size), what, name)
        what = (
            f"the last {self.view.status.lines or 0:,} lines; Home fetches the others"
            if self.is_tail
            else "the whole log"
        )
        return Part(self.session.spool, 0, self.session.spool.size, what, name)


async def _raised(error: BaseException) -> None:
    raise error
