"""A few lines about the job under the cursor: how it ended and the last it said."""

from textual.app import ComposeResult
from textual.containers import Vertical

from cockpit.model.jobs import Job
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.jobs import outcome, own_lines, reason, waits_for
from cockpit.render.text import visible
from cockpit.widgets.state_line import Piece, StateLine

LINES = 4


class JobSummary(Vertical):
    """The first line says what became of the job, the others are the end of Ray's message about it."""

    def __init__(self, *, glyphs: Glyphs = UNICODE) -> None:
        super().__init__()
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """A rule and a few lines."""
        for index in range(LINES):
            yield StateLine(id=f"summary-{index}", ellipsis=self._glyphs.ellipsis)

    def show(self, job: Job | None, now: float, *, is_previous: bool = False, waiting: str = "") -> None:
        """Say what is known of a job; `now` in seconds since the epoch, `is_previous` of one that Ray has forgotten.

        `waiting` says why a pending job waits, if known.
        """
        lines = [] if job is None else _lines(job, now, is_previous=is_previous, waiting=waiting)
        for index in range(LINES):
            self.query_one(f"#summary-{index}", StateLine).show(lines[index : index + 1])


def _lines(job: Job, now: float, *, is_previous: bool = False, waiting: str = "") -> list[Piece]:
    head = outcome(job, now) if job.is_terminal else _forgotten(job) if is_previous else _running(job, waiting)
    tone = "error" if job.status == "FAILED" else "strong"
    tail = _message_tail(job) if job.status == "FAILED" and not job.was_stopped_at_start else []
    return [Piece(visible(head), tone, 0), *(Piece(f"  {visible(line)}", "", 0) for line in tail)]


def _forgotten(job: Job) -> str:
    last = (job.status or "unknown").lower()
    return f"{job.id} was last seen {last}; the head was restarted and has forgotten it."


def _running(job: Job, waiting: str) -> str:
    if job.status == "PENDING" and waiting:
        return f"{job.id} pending: {waiting}. Press enter for what each node has."
    waits = waits_for(job)
    why = f"waits for {' or '.join(waits)}?" if waits else reason(job) or job.entrypoint or ""
    return f"{job.id} {(job.status or 'unknown').lower()}: {why}"


def _message_tail(job: Job) -> list[str]:
    """The last lines that mean something; a traceback ends with its reason."""
    lines = own_lines(job)
    return lines[-(LINES - 1) :]
