"""The Log pane: the log of one job, followed while it is seen."""

import asyncio
from typing import Any

from textual import on, work
from textual.app import ComposeResult

from cockpit.actions import Action
from cockpit.errors import CockpitError
from cockpit.feeds.follower import Followed, LogFollower
from cockpit.feeds.patience import Outage
from cockpit.feeds.spool import Spool
from cockpit.feeds.topics import job_topic
from cockpit.feeds.watch import Watch
from cockpit.model.jobs import Job
from cockpit.model.snapshot import Snapshot
from cockpit.operations.live import LiveCluster
from cockpit.panes.base import Pane
from cockpit.render.jobs import outcome, status
from cockpit.render.text import visible
from cockpit.render.units import size
from cockpit.widgets.log_view import LogStatus, LogView
from cockpit.widgets.state_line import Piece, StateLine

TAIL_LINES = 5000
NO_JOB, NO_OUTPUT = "No log yet. Press l on a job to follow it.", "no output yet"
PATIENCE_SECONDS = 7 * 86400.0


class LogPane(Pane):
    """Shows the end of the log first; going up to its beginning fetches the whole."""

    NAME = "log"
    TITLE = "Log"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._spool = Spool()
        self._job_id: str | None = None
        self._job: Job | None = None
        self._follower: LogFollower | None = None
        self._is_whole = False
        self._note = Piece("")
        self._ended: Followed | None = None

    def compose(self) -> ComposeResult:
        """A line about the log, the log, a line about what is seen of it."""
        yield StateLine(id="log-head", ellipsis=self.glyphs.ellipsis)
        yield LogView(self._spool, empty_sentence=NO_JOB, glyphs=self.glyphs, id="log-view")
        yield StateLine(id="log-foot", ellipsis=self.glyphs.ellipsis)

    def on_unmount(self) -> None:
        """Give the file of the log back."""
        self._spool.close()

    @property
    def view(self) -> LogView:
        """The lines."""
        return self.query_one(LogView)

    # What is shown

    def follow(self, job_id: str) -> None:
        """Show the log of a job from its end; the one shown already just goes on."""
        if job_id == self._job_id:
            return
        self._job_id, self._job, self._ended = job_id, None, None
        if self.is_mounted:
            self._watch_job()
            self._begin(tail=TAIL_LINES)

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
        wanted = self._job_id if self.cluster is None else None
        super().attach(cluster)
        if wanted is not None:
            self.follow(wanted)

    def detach(self) -> None:
        """Stop following, and show nothing."""
        super().detach()
        self._stop()
        self._job_id = self._job = self._ended = None
        if self.is_mounted:
            self._fresh_spool()
            self._draw()

    def wake(self) -> None:
        """The pane is seen: go on where it was."""
        super().wake()
        if self._follower is not None and self._ended is None:
            self._run(self._follower)
        if self.app.focused is None:
            self.view.focus()
        self._draw()

    def sleep(self) -> None:
        """The pane is hidden: no stream is kept open for it."""
        super().sleep()
        self._stop()

    def _begin(self, *, tail: int | None) -> None:
        """Follow from the last `tail` lines, or from the first byte."""
        if self.cluster is None or self._job_id is None:
            return
        self._stop()
        self._fresh_spool()
        self._is_whole, self._ended = tail is None, None
        self._follower = LogFollower(
            self.cluster.client,
            self._job_id,
            self._spool,
            self,
            tail=tail,
            retry_for=PATIENCE_SECONDS,
            retry_from_start=True,
        )
        self._note = Piece("asking for the log…", "quiet")
        if self._is_awake:
            self._run(self._follower)
        self._draw()

    def _fresh_spool(self) -> None:
        old, self._spool = self._spool, Spool()
        if self.is_mounted:
            self.view.empty_sentence = NO_OUTPUT if self._job_id else NO_JOB
            self.view.set_source(self._spool)
        old.close()

    def _stop(self) -> None:
        self.workers.cancel_group(self, "followers")

    @work(exclusive=True, group="followers", exit_on_error=False)
    async def _run(self, follower: LogFollower) -> None:
        try:
            followed = await follower.run()
        except asyncio.CancelledError:
            raise
        except CockpitError as error:
            self._note = Piece(visible(" ".join((error.title, error.hint))), "error")
        else:
            self._ended, self._job = followed, followed.job
            self._note = Piece(visible(followed.missing or ""), "warn")
        self._draw()

    # What the follower tells

    def wrote(self, chunk: bytes) -> None:
        """The log has grown."""
        if self._note.tone == "quiet":
            self._note = Piece("")
        self.view.notify_grown()

    def waiting(self, job: Job) -> None:
        """There is no log yet."""
        self._job = job
        self._note = Piece("waiting for the job to start", "quiet")
        self._draw()

    def away(self, outage: Outage) -> None:
        """The cluster does not answer."""
        self._note = Piece(visible(f"{outage.error.title} Next try in {outage.next_try:.0f} s."), "warn")
        self._draw()

    def reconnected(self, *, proven: bool) -> None:
        """It answers again."""
        self._note = Piece("reconnected, 0 bytes lost" if proven else "reconnected, loss unproven", "quiet")
        self._draw()

    def replaced(self) -> None:
        """Another file follows."""
        self._note = Piece("the log was replaced on the cluster; the new one follows", "warn")
        self._draw()

    # What is drawn

    def _heard(self, snapshot: Snapshot[Job]) -> None:
        if snapshot.value is not None:
            self._job = snapshot.value
        self._draw()

    @on(LogView.StatusChanged)
    def _draw(self) -> None:
        if not self.is_mounted:
            return
        self.query_one("#log-head", StateLine).show(self._head(), [self._note])
        self.query_one("#log-foot", StateLine).show(self._foot(self.view.status), [])
        self.post_message(self.StateChanged())

    def _head(self) -> list[Piece]:
        if self._job_id is None:
            return [Piece("no job", "quiet")]
        pieces = [Piece(visible(self._job_id), "accent", 0)]
        if self._ended is not None and self.cluster is not None:
            tone = "error" if self._ended.job.status == "FAILED" else ""
            return [*pieces, Piece(visible(outcome(self._ended.job, self.now().wall)), tone, 1)]
        return [*pieces, Piece(status(self._job) if self._job else "", "", 1)]

    def _foot(self, seen: LogStatus) -> list[Piece]:
        if self._job_id is None:
            return []
        state = "following" if seen.following and self._ended is None else ("end" if seen.following else "paused")
        beginning = "" if self._is_whole or not seen.bytes else f"the last {TAIL_LINES:,} lines, Home for the whole"
        return [
            Piece(state, "accent" if state == "paused" else "quiet", 0),
            Piece("counting…" if seen.lines is None else f"{seen.lines:,} lines", "quiet", 1),
            Piece(size(seen.bytes), "quiet", 2),
            Piece(beginning if (seen.lines or 0) >= TAIL_LINES else "", "quiet", 3),
        ]

    @on(LogView.StartReached)
    def _fetch_whole(self) -> None:
        if not self._is_whole and (self.view.status.lines or 0) >= TAIL_LINES:
            self._begin(tail=None)
            self.view.goto_line(0)

    def why_disabled(self, action: Action) -> str | None:
        """Nothing to filter or open here."""
        if action.name in ("filter", "sort", "columns", "copy", "copy_row", "mark", "show_detail"):
            return f"{action.label} is not at hand in the log."
        return None
