"""Jobs as text: rows of tables, and what became of them in a sentence."""

import re
from collections.abc import Container, Iterable, Mapping

import msgspec

from cockpit.model.jobs import METADATA_PREFIX, Job
from cockpit.render.glyphs import UNICODE
from cockpit.render.table import Cell, Column, Fixed, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.times import clock_time, iso_ms
from cockpit.render.units import UNKNOWN, duration

COLUMNS = (
    Column(key="status", title="STATUS", width=Fixed(11), priority=0),
    Column(key="id", title="SUBMISSION ID", width=Measured(10, 32), priority=0),
    Column(key="entrypoint", title="ENTRYPOINT", width=Flexible(24, 200, weight=3), priority=1),
    Column(key="message", title="REASON", width=Flexible(16, 200, weight=2), priority=3),
    Column(key="started", title="STARTED", width=Fixed(11), align="right", priority=4),
    Column(key="duration", title="DURATION", width=Fixed(9), align="right", priority=2),
    Column(key="metadata", title="METADATA", width=Measured(6, 28), priority=5),
    Column(key="job_id", title="JOB ID", width=Fixed(8), hidden=True, priority=6),
    Column(key="type", title="TYPE", width=Fixed(10), hidden=True, priority=6),
)

_DURATION = [column.key for column in COLUMNS].index("duration")

TONES = {"FAILED": "error", "PENDING": "warn", "STOPPING": "warn", "RUNNING": "accent"}
# The order in which statuses matter: trouble first.
RANKS = ("FAILED", "PENDING", "STOPPING", "RUNNING", "STOPPED", "ENDED", "SUCCEEDED", "FORGOTTEN")

# What Ray itself writes into a job's log, and so into the end of it that the message of a failed job quotes (all
# measured on 2.60): the announcement of the entrypoint (job_supervisor.py), then lines of its own logger such as those
# of ray.init, and what raylet and autoscaler tell every driver, of other jobs too.
_ANNOUNCEMENT = "Running entrypoint for job "
_RAYS_OWN = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+\s(?:DEBUG|INFO|WARNING) \S+\.\w+:\d+ -- |"
    r"(?:\x1b\[[0-9;]*m)*\((?:autoscaler|raylet)\b"
)
QUOTED_LINES = 10  # of a log that is longer, in the message of a failed job
_FAILED_ENTRYPOINT = re.compile(r"Job entrypoint command failed with exit code (-?\d+), last available logs")
# Test runners and the like frame their last line, and the frame would be all that a cell has room for.
_DECORATION = re.compile(r"^([!=*_#~-])\1{3,}\s*|\s*([!=*_#~-])\2{3,}$")


def status_word(job: Job) -> str:
    """The status to show: Ray's own, but ENDED for a driver that Ray calls SUCCEEDED however it ended."""
    return (job.status or UNKNOWN) if job.outcome_is_known else "ENDED"


def status(job: Job) -> str:
    """Glyph and word."""
    word = status_word(job)
    return f"{UNICODE.state(word)} {word}"


def seconds_run(job: Job, now: float) -> float | None:
    """How long the job ran, or has been running at `now` (seconds since the epoch)."""
    if job.start_time is None:
        return None
    end = job.end_time / 1000 if job.end_time is not None else (None if job.is_terminal else now)
    return None if end is None else end - job.start_time / 1000


def own_lines(job: Job) -> list[str]:
    """The lines of a job's message that can hold a cause: not empty, and not what Ray writes into every log."""
    return [line.expandtabs(4) for line in _said(job) if not _RAYS_OWN.match(line.strip())]


def is_failed_entrypoint(line: str) -> bool:
    """Whether it is Ray's sentence about the exit code, before the last lines that it quotes."""
    return _FAILED_ENTRYPOINT.match(line.strip()) is not None


def _said(job: Job) -> list[str]:
    lines = [line.rstrip() for line in (job.message or "").splitlines() if line.strip()]
    return [line for line in lines if not line.lstrip().startswith(_ANNOUNCEMENT)]


def reason(job: Job) -> str:
    """Why the job is where it is, in one line; empty where there is nothing to add to the status."""
    if job.status in ("SUCCEEDED", "RUNNING", "STOPPED"):
        return ""
    if job.was_stopped_at_start:
        return "stopped as it started"
    lines = [line.strip() for line in own_lines(job)]
    if not lines:
        return f"exit code {job.driver_exit_code}" if job.driver_exit_code else ""
    failed = _FAILED_ENTRYPOINT.match(lines[0]) if job.status == "FAILED" else None
    if failed and len(lines) == 1:
        # Where all the lines that Ray quotes are its own, the cause may precede them.
        is_whole = len((job.message or "").splitlines()) <= QUOTED_LINES
        return f"exit code {failed[1]}, " + ("no output" if is_whole else "no cause in its last lines")
    if job.status == "FAILED" and job.driver_exit_code not in (None, 0) and len(lines) > 1:
        return f"exit {job.driver_exit_code}: {_DECORATION.sub('', lines[-1]) or lines[-1]}"
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]


def waits_for(job: Job) -> list[str] | None:
    """What a job that has not started may be waiting for, in a word each; None where Ray says anything else of it.

    Ray's own sentence tells what matters only after 80 characters.
    """
    said = reason(job)
    if job.status != "PENDING" or not said.startswith("Job has not started yet."):
        return None
    return [word for word, sign in (("resources", "for resources"), ("env", "runtime environment")) if sign in said]


def shown_status(job: Job, stopping: Container[str | None], *, is_previous: bool = False) -> str:
    """The word for a job's state, ours where Ray has none."""
    if is_previous and not job.is_terminal:
        return "FORGOTTEN"
    if job.id in stopping and not job.is_terminal:
        return "STOPPING"
    return status_word(job)


def job_row(
    job: Job,
    context: RowContext,
    *,
    stopping: Container[str | None] = (),
    is_previous: bool = False,
) -> Row:
    """One job, of those whose stop was requested and of a previous session too."""
    now = context.now
    word = shown_status(job, stopping, is_previous=is_previous)
    seconds = None if is_previous and not job.is_terminal else seconds_run(job, now)
    quiet = "quiet" if is_previous or word in ("SUCCEEDED", "STOPPED", "ENDED") else ""
    why = "previous session" if is_previous else _why(job, context.waiting)
    rank = RANKS.index(word) if word in RANKS else len(RANKS)
    return Row(
        key=("previous:" if is_previous else "") + (job.id or "?"),
        cells=(
            Cell(f"{context.glyphs.state(word)} {word}", quiet or TONES.get(word, ""), rank),
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


def _why(job: Job, waiting: Mapping[str, str]) -> str:
    if job.status == "PENDING" and (known := waiting.get(job.submission_id or "")):
        return known
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


def job_record(job: Job) -> Record:
    """The JSON record; environment values are masked already."""
    record: Record = msgspec.to_builtins(job)
    record["start_time"] = iso_ms(job.start_time)
    record["end_time"] = iso_ms(job.end_time)
    return record


def ordered_jobs(jobs: Iterable[Job], _: RowContext) -> list[Job]:
    """The jobs that have not ended first, otherwise as Ray lists them: newest first."""
    return sorted(jobs, key=lambda job: job.is_terminal)


JOBS: TableSpec[Job] = TableSpec(
    name="jobs",
    title="Jobs",
    columns=COLUMNS,
    row=job_row,
    record=job_record,
    order=ordered_jobs,
    empty="No jobs.",
)


def outcome(job: Job, now: float) -> str:
    """A sentence about a job that has ended."""
    took = duration(seconds_run(job, now))
    if not job.outcome_is_known:
        return f"Job {job.id} ended after {took}; Ray does not say how a driver ended."
    code = f" with exit code {job.driver_exit_code}" if job.driver_exit_code not in (None, 0) else ""
    if job.was_stopped_at_start:
        return f"Job {job.id} was stopped as it started, after {took}; Ray calls it FAILED."
    return f"Job {job.id} {(job.status or 'ended').lower()}{code} after {took}."
