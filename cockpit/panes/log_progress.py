"""How far a job is, read from the end of its log at most once a second."""

from asyncio import TimerHandle
from collections.abc import Callable, Sequence

from textual.widget import Widget

from cockpit.model.jobs import Job
from cockpit.render.progress import progress_of, progress_text
from cockpit.widgets.later import after

SECONDS = 1.0


class LogProgress:
    """`text` is what `read` said last; `changed` hears when that is something else."""

    def __init__(self, owner: Widget, read: Callable[[], str], changed: Callable[[], None]) -> None:
        self._owner, self._read, self._changed = owner, read, changed
        self._rest: TimerHandle | None = None
        self._has_news = False
        self.text = ""

    def look(self) -> None:
        """The log or the job may be another."""
        self._has_news = True
        if self._rest is None and self._owner.is_attached:
            self._rest = after(SECONDS, self._owner, self._rested)
            self._read_now()

    def _rested(self) -> None:
        self._rest = None
        if self._has_news:
            self.look()

    def _read_now(self) -> None:
        self._has_news = False
        before, self.text = self.text, self._read()
        if self.text != before:
            self._changed()


def job_progress(job: Job | None, lines: Sequence[str], *, now: float) -> str:
    """What the last lines of a job's log say, with the time left; empty for nothing, and once the job has ended.

    `now` is in seconds since the epoch.
    """
    if job is None or job.is_terminal:
        return ""
    progress = progress_of(lines, elapsed=now - job.start_time / 1000 if job.start_time else None)
    return progress_text(progress) if progress else ""
