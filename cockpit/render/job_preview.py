"""The preview of a job: why it waits, how it ended, or the last it said."""

import re
from collections.abc import Mapping, Sequence

from cockpit.model.jobs import Job
from cockpit.model.why.verdicts import Explanation
from cockpit.render import plain, why
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.jobs import metadata_text, outcome, own_lines, reason, seconds_run, status_word
from cockpit.render.preview import Line, Preview, beside, fact_lines, text_line, wrapped
from cockpit.render.progress import job_progress
from cockpit.render.table import text_column
from cockpit.render.times import clock_time
from cockpit.render.units import coarse, duration

_ESCAPES = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]")
_NODE_COLUMNS = (text_column("NODE"), text_column("FREE"), text_column("VERDICT"), text_column("HELD BY", shrink=True))
_MOST_NODES = 40
_BESIDE_FROM = 100


def job_preview(
    job: Job,
    now: float,
    width: int,
    height: int,
    *,
    explanation: Explanation | None = None,
    log: Sequence[str] | None = None,
    waiting: str = "",
    is_previous: bool = False,
    glyphs: Glyphs = UNICODE,
) -> Preview:
    """A job in so many columns and lines. `log` is None while it is not known; `now` in seconds since the epoch."""
    if is_previous:
        gone = f"{job.id} was last seen {status_word(job).lower()}; the head was restarted and has forgotten it."
        return Preview(f"{job.id}", "previous session", [text_line(gone), *_facts(job, now, width)])
    if job.status == "PENDING":
        return Preview(f"{job.id} · why it waits", _state(job, now), _waits(job, now, width, explanation, waiting))
    head = _ending(job, now, width) if job.is_terminal else _facts(job, now, width, log or ())
    said = log_lines(log if log else own_lines(job) if log is not None or job.is_terminal else ())
    rest = [text_line(line) for line in said[-max(0, height - len(head)) :]] if height > len(head) else []
    none = [text_line("No output yet.", "quiet")] if not rest and log is not None and not job.is_terminal else []
    return Preview(f"{glyphs.state(status_word(job))} {job.id}", _state(job, now), [*head, *(rest or none)])


def log_lines(log: Sequence[str]) -> list[str]:
    """Lines of a log without colors; of a progress bar what it was drawn last, and no empty ones."""
    plain_lines = (_ESCAPES.sub("", line).rstrip("\r").rpartition("\r")[2].expandtabs(4).rstrip() for line in log)
    return [line for line in plain_lines if line]


def _state(job: Job, now: float) -> str:
    seconds = seconds_run(job, now)
    took = duration(seconds) if job.is_terminal else coarse(seconds)
    return f"{status_word(job).lower()} · {took}" if seconds is not None else status_word(job).lower()


def _facts(job: Job, now: float, width: int, log: Sequence[str] = ()) -> list[Line]:
    started = clock_time(job.start_time, now) if job.start_time is not None else ""
    progress = job_progress(job, log, now=now)
    facts = {"progress": progress, "started": started, "metadata": metadata_text(job)}
    return [*wrapped(job.entrypoint or "", width, "accent", most=2), *fact_lines(facts.items(), width)]


def _ending(job: Job, now: float, width: int) -> list[Line]:
    """How it ended, and of a failed one its cause."""
    has_failed = job.status == "FAILED"
    cause = wrapped(reason(job), width, "error", most=2) if has_failed else []
    return [*wrapped(outcome(job, now), width, "strong", most=1), *cause]


def _waits(job: Job, now: float, width: int, found: Explanation | None, waiting: str) -> list[Line]:
    if found is None:
        return [*wrapped(waiting or reason(job), width, "warn"), *_facts(job, now, width)]
    nodes = _nodes(found, now)
    room = width * 2 // 5 if nodes and width >= _BESIDE_FROM else width
    facts = _asked(job, found, now)
    left = [
        *wrapped(found.cause.reason, room - 2, "warn" if found.can_start else "error"),
        *fact_lines(facts, room - 2),
    ]
    table = [text_line(line, "quiet" if at == 0 else "") for at, line in enumerate(_table(nodes, width - room))]
    return beside(left, table, room) if room < width else [*left, *table]


def _asked(job: Job, found: Explanation, now: float) -> list[tuple[str, str]]:
    needs = why.demand_text(found.cause.nodes[0].demand) if found.cause.nodes else ""
    asked = ""
    if job.start_time is not None:
        asked = f"{clock_time(job.start_time, now)}, {coarse(now - job.start_time / 1000)} ago"
    return [("needs", needs), ("asked", asked), ("timeout", why.countdown(found, now)), ("runs", job.entrypoint or "")]


def _nodes(found: Explanation, now: float) -> list[tuple[str, ...]]:
    """The nodes that come nearest first: those with room, then the busy ones."""
    order: Mapping[str, int] = {"fits": 0, "busy": 1}
    nodes = sorted(found.cause.nodes[:_MOST_NODES], key=lambda one: order.get(one.verdict, 2))
    rows = [why.row(one, now) for one in nodes]
    return [(node, free, verdict, held) for node, _, free, verdict, held in rows]


def _table(nodes: Sequence[Sequence[str]], width: int) -> list[str]:
    return plain.text_lines(_NODE_COLUMNS, nodes, width=width) if nodes else []
