"""Jobs as rows of a table, and one job in words."""

from collections.abc import Container

from cockpit.model.jobs import METADATA_PREFIX, Job
from cockpit.render.jobs import reason, seconds_run, status_word, waits_for
from cockpit.render.times import clock_time
from cockpit.render.units import duration
from cockpit.widgets.table.rows import Cell, Column, Fixed, Flexible, Measured, Row

COLUMNS = (
    Column(key="status", title="STATUS", width=Fixed(11), priority=0),
    Column(key="id", title="SUBMISSION ID", width=Measured(10, 32), priority=0),
    Column(key="entrypoint", title="ENTRYPOINT", width=Flexible(24, 200, weight=3), priority=1),
    Column(key="message", title="WHY", width=Flexible(16, 200, weight=2), priority=3),
    Column(key="started", title="STARTED", width=Fixed(11), align="right", priority=4),
    Column(key="duration", title="DURATION", width=Fixed(9), align="right", priority=2),
    Column(key="metadata", title="METADATA", width=Measured(6, 28), priority=5),
    Column(key="job_id", title="JOB ID", width=Fixed(8), hidden=True, priority=6),
    Column(key="type", title="TYPE", width=Fixed(10), hidden=True, priority=6),
)

_DURATION = [column.key for column in COLUMNS].index("duration")

TONES = {"FAILED": "error", "PENDING": "warn", "STOPPING": "warn", "RUNNING": "accent"}
UNICODE_GLYPHS = {
    "RUNNING": "●",
    "PENDING": "○",
    "SUCCEEDED": "✔",
    "FAILED": "✖",
    "STOPPED": "■",
    "STOPPING": "◌",
    "ENDED": "◇",
    "FORGOTTEN": "◇",
}
ASCII_GLYPHS = {
    "RUNNING": "*",
    "PENDING": "o",
    "SUCCEEDED": "+",
    "FAILED": "x",
    "STOPPED": "#",
    "STOPPING": "~",
    "ENDED": "-",
    "FORGOTTEN": "-",
}
# The order in which statuses matter: trouble first.
RANKS = ("FAILED", "PENDING", "STOPPING", "RUNNING", "STOPPED", "ENDED", "SUCCEEDED", "FORGOTTEN")


def shown_status(job: Job, stopping: Container[str | None], *, is_previous: bool = False) -> str:
    """The word for a job's state: ours for what Ray has no word for."""
    if is_previous and not job.is_terminal:
        return "FORGOTTEN"
    if job.id in stopping and not job.is_terminal:
        return "STOPPING"
    return status_word(job)


def job_row(
    job: Job, now: float, *, stopping: Container[str | None] = (), is_previous: bool = False, ascii_only: bool = False
) -> Row:
    """One row; `now` in seconds since the epoch."""
    word = shown_status(job, stopping, is_previous=is_previous)
    glyph = (ASCII_GLYPHS if ascii_only else UNICODE_GLYPHS).get(word, " ")
    seconds = None if is_previous and not job.is_terminal else seconds_run(job, now)
    quiet = "quiet" if is_previous or word in ("SUCCEEDED", "STOPPED", "ENDED") else ""
    why = "previous session" if is_previous else _why(job)
    return Row(
        key=("previous:" if is_previous else "") + (job.id or "?"),
        cells=(
            Cell(f"{glyph} {word}", tone=quiet or TONES.get(word, ""), sort=RANKS.index(word) if word in RANKS else 99),
            Cell(job.id or "?", tone=quiet),
            Cell(job.entrypoint or "–", tone=quiet),
            Cell(why, tone="error" if word == "FAILED" and not is_previous else "quiet"),
            Cell(clock_time(job.start_time, now), tone="quiet", sort=job.start_time),
            Cell(duration(seconds), tone=quiet, sort=_as_written(seconds)),
            Cell(metadata_text(job), tone="quiet"),
            job.job_id,
            job.type,
        ),
    )


def is_as_made(row: Row, job: Job, now: float, stopping: Container[str | None]) -> bool:
    """Whether the row of a job that has not ended would be the same now; its duration changes once in a while."""
    status, written = row.cells[0], row.cells[_DURATION]
    if job.id in stopping or not isinstance(status, Cell) or not isinstance(written, Cell):
        return False
    return not status.text.endswith("STOPPING") and written.sort == _as_written(seconds_run(job, now))


def _why(job: Job) -> str:
    waits = waits_for(job)
    return reason(job) if waits is None else f"{' or '.join(waits)}?" if waits else "not started yet"


def _as_written(seconds: float | None) -> float | None:
    """Seconds as exact as `duration` writes them, so that a row is another one only when it looks different."""
    if seconds is None:
        return None
    step = 1 if seconds < 60 else 60 if seconds < 86_400 else 3600
    return max(0.0, seconds // step * step)


def metadata_text(job: Job) -> str:
    """The user's metadata in one line; what we and Ray put there is left out."""
    pairs = (job.metadata or {}).items()
    return " ".join(f"{key}={value}" for key, value in pairs if is_users(key))


def is_users(key: str) -> bool:
    """Whether a metadata key was written by the user."""
    return not key.startswith(METADATA_PREFIX) and key != "job_submission_id"
