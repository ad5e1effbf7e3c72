"""Jobs as text: rows of tables, and what became of them in a sentence."""

import re

from cockpit.model.jobs import Job
from cockpit.render.cells import Column
from cockpit.render.times import clock_time
from cockpit.render.units import UNKNOWN, duration

GLYPHS = {
    "RUNNING": "●",
    "PENDING": "○",
    "SUCCEEDED": "✔",
    "FAILED": "✖",
    "STOPPED": "■",
    "STOPPING": "◌",
    "ENDED": "◇",
}

COLUMNS = (
    Column("STATUS"),
    Column("ID"),
    Column("ENTRYPOINT", shrink=True),
    Column("STARTED", right=True),
    Column("DURATION", right=True),
    Column("MESSAGE", shrink=True),
)

LONGEST_CELL = 200

# What Ray itself writes into a job's log, and so into the end of it that the message of a failed job quotes (all
# measured on 2.60): the announcement of the entrypoint (job_supervisor.py), then lines of its own logger such as those
# of ray.init, and what raylet and autoscaler tell every driver, of other jobs too.
_ANNOUNCEMENT = "Running entrypoint for job "
_RAYS_OWN = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+\s(?:DEBUG|INFO|WARNING) \S+\.\w+:\d+ -- |"
    r"(?:\x1b\[[0-9;]*m)*\((?:autoscaler|raylet)\b"
)
_FAILED_ENTRYPOINT = re.compile(r"Job entrypoint command failed with exit code (-?\d+), last available logs")
# Test runners and the like frame their last line, and the frame would be all that a cell has room for.
_DECORATION = re.compile(r"^([!=*_#~-])\1{3,}\s*|\s*([!=*_#~-])\2{3,}$")


def status_word(job: Job) -> str:
    """The status to show: Ray's own, but ENDED for a driver that Ray calls SUCCEEDED however it ended."""
    return (job.status or UNKNOWN) if job.outcome_is_known else "ENDED"


def status(job: Job) -> str:
    """Glyph and word."""
    word = status_word(job)
    return f"{GLYPHS.get(word, '·')} {word}"


def seconds_run(job: Job, now: float) -> float | None:
    """How long the job ran, or has been running at `now` (seconds since the epoch)."""
    if job.start_time is None:
        return None
    end = job.end_time / 1000 if job.end_time is not None else (None if job.is_terminal else now)
    return None if end is None else end - job.start_time / 1000


def own_lines(job: Job) -> list[str]:
    """The lines of a job's message that can hold a cause: not empty, and not what Ray writes into every log."""
    return [line.expandtabs(4) for line in _said(job) if not _RAYS_OWN.match(line.strip())]


def _said(job: Job) -> list[str]:
    lines = [line.rstrip() for line in (job.message or "").splitlines() if line.strip()]
    return [line for line in lines if not line.lstrip().startswith(_ANNOUNCEMENT)]


def reason(job: Job) -> str:
    """Why the job is where it is, in one line; empty where there is nothing to add to the status."""
    if job.status in ("SUCCEEDED", "RUNNING", "STOPPED"):
        return ""
    lines = [line.strip() for line in own_lines(job)]
    if not lines:
        return f"exit code {job.driver_exit_code}" if job.driver_exit_code else ""
    failed = _FAILED_ENTRYPOINT.match(lines[0]) if job.status == "FAILED" else None
    if failed and len(lines) == 1:
        # Ray quotes the last 10 lines: where all are its own, the cause may stand before them.
        return f"exit code {failed[1]}, " + ("no output" if len(_said(job)) == 1 else "no cause in its last lines")
    if job.status == "FAILED" and job.driver_exit_code not in (None, 0) and len(lines) > 1:
        return f"exit {job.driver_exit_code}: {_DECORATION.sub('', lines[-1]) or lines[-1]}"
    return lines[0]


def waits_for(job: Job) -> list[str] | None:
    """What a job that has not started may be waiting for, in a word each; None where Ray says anything else of it.

    Ray's own sentence tells what matters only after 80 characters.
    """
    said = reason(job)
    if job.status != "PENDING" or not said.startswith("Job has not started yet."):
        return None
    return [word for word, sign in (("resources", "for resources"), ("env", "runtime environment")) if sign in said]


def row(job: Job, now: float) -> tuple[str, ...]:
    """One row of the table; `now` in seconds since the epoch."""
    return (
        status(job),
        job.id or UNKNOWN,
        (job.entrypoint or UNKNOWN)[:LONGEST_CELL],
        clock_time(job.start_time, now),
        duration(seconds_run(job, now)),
        reason(job)[:LONGEST_CELL],
    )


def outcome(job: Job, now: float) -> str:
    """A sentence about a job that has ended."""
    took = duration(seconds_run(job, now))
    if not job.outcome_is_known:
        return f"Job {job.id} ended after {took}; Ray does not say how a driver ended."
    code = f" with exit code {job.driver_exit_code}" if job.driver_exit_code not in (None, 0) else ""
    return f"Job {job.id} {(job.status or 'ended').lower()}{code} after {took}."
