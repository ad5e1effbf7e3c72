"""The tabs of a job's page as lines of label and text."""

import re
from collections.abc import Sequence
from typing import Any

from cockpit.model.actors import Actor
from cockpit.model.events import ClusterEvent
from cockpit.model.nodes import Gpu, Node
from cockpit.model.past import JobPast
from cockpit.model.tasks import TASK_ENDS, Task
from cockpit.model.why.placement import holders
from cockpit.model.why.verdicts import Explanation
from cockpit.render import plain, why
from cockpit.render.actors import ACTORS
from cockpit.render.cell_text import cell_width, clip
from cockpit.render.curves import money
from cockpit.render.events import EVENTS
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.gpus import GPUS
from cockpit.render.pages import curve_plot
from cockpit.render.table import RowContext, TableSpec
from cockpit.render.tasks import TASKS
from cockpit.render.units import UNKNOWN

Lines = list[tuple[str, str]]

LAST_LOG_LINES = 8
BAR = 20
MOST_FUNCTIONS = 12
MOST_NODES = 8
MOST_ROWS = 500
_COLORS = re.compile(r"\x1b\[[0-9;]*m")


def why_lines(found: Explanation | None, now: float) -> Lines:
    """Why it waits: the sentence, the countdown, and what each node has."""
    if found is None:
        return []
    lines: Lines = [("why it waits", ""), ("reason", found.cause.reason)]
    if said := why.countdown(found, now):
        lines.append(("timeout", said))
    if found.cause.nodes:
        lines.append(("needs", why.demand_text(found.cause.nodes[0].demand)))
    for one in found.cause.nodes:
        _, _, free, verdict, held = why.row(one, now)
        by = f"; held by {held}" if held != UNKNOWN and holders(one) else ""
        lines.append((f"  {one.offer.label}", f"{verdict}; free: {free}{by}"))
    return [*lines, ("job", "")]


def progress_lines(tasks: Sequence[Task], *, is_cut: bool = False, glyphs: Glyphs = UNICODE) -> Lines:
    """Tasks by function: how many have ended, and how many of these failed, which are the last part of the bar."""
    counts: dict[str, list[int]] = {}
    for task in tasks:
        if task.type == "ACTOR_CREATION_TASK":
            continue
        count = counts.setdefault(task.func_or_class_name or task.name or UNKNOWN, [0, 0, 0])
        count[0] += 1
        count[1] += task.state in TASK_ENDS
        count[2] += task.state == "FAILED"
    lines: Lines = [
        (f"  {name}", _progress(count, glyphs)) for name, count in sorted(counts.items(), key=lambda pair: -pair[1][0])
    ]
    more = len(lines) - MOST_FUNCTIONS
    rest: Lines = [("", f"and {more} more functions")] if more > 0 else []
    cut: Lines = [("", "Ray looked at 10,000 tasks; there are more.")] if is_cut else []
    return [("tasks by function", ""), *lines[:MOST_FUNCTIONS], *rest, *cut] if lines else []


def _progress(count: Sequence[int], glyphs: Glyphs) -> str:
    total, ended, failed = count
    done = round(BAR * ended / total)
    broken = min(done, max(1, round(BAR * failed / total))) if failed else 0  # one failure in thousands is seen too
    good, bad, rest = ("#", "x", ".") if glyphs.is_ascii else ("█", "▚", "░")
    bar = good * (done - broken) + bad * broken + rest * (BAR - done)
    return f"{bar} {ended}/{total}" + (f"  {glyphs.state('FAILED')} {failed} failed" if failed else "")


def place_lines(tasks: Sequence[Task], actors: Sequence[Actor], context: RowContext) -> Lines:
    """The nodes on which its tasks run and its actors live."""
    living = [actor.node_id for actor in actors if not actor.is_over] + [
        task.node_id for task in tasks if task.is_running
    ]
    names = sorted({context.node_name(node_id) or node_id for node_id in living if node_id})
    more = f" and {len(names) - MOST_NODES} more" if len(names) > MOST_NODES else ""
    return [("runs on", ", ".join(names[:MOST_NODES]) + more)] if names else []


def past_lines(past: JobPast | None, width: int, context: RowContext) -> Lines:
    """The use of its GPUs as a curve, and what they cost so far; nothing for a job that held none."""
    if past is None or past.use is None:
        return []
    use = past.use
    lines: Lines = [("its GPUs, from the history kept here", "")]
    spent = f"{money(use.cost)} so far" if use.cost is not None else "the cluster's price is not known"
    idle = f", {use.idle_gpu_hours:.2f} of them idle" + (f" ({money(use.idle_cost)})" if use.idle_cost else "")
    lines.append(("  GPU-hours", f"{use.gpu_hours:.2f}{idle if use.idle_gpu_hours >= 0.005 else ''} · {spent}"))
    return [*lines, *(curve_plot(past.curve, width, context) if past.curve else [])]


def last_log_lines(log: Sequence[str]) -> Lines:
    """The end of the log."""
    said = log_lines(log)[-LAST_LOG_LINES:]
    return [("last log lines", ""), *said] if log else []


def log_lines(log: Sequence[str]) -> Lines:
    """A log without its colors; a progress bar is what it was drawn last."""
    if not log:
        return [("", "No log yet.")]
    return [("", _COLORS.sub("", line).rstrip("\r").rpartition("\r")[2] or " ") for line in log]


def table_lines(spec: TableSpec[Any], items: Sequence[Any], context: RowContext, width: int) -> Lines:
    """A table of a resource, or the sentence that there is none."""
    if not items:
        return [("", spec.empty)]
    rows = spec.rows(items[:MOST_ROWS], context)
    lines: Lines = [("", line) for line in plain.lines(spec.columns, rows, width=width)]
    more = len(items) - MOST_ROWS
    return [*lines, ("", f"and {more:,} more: rayakash-tui {spec.name} --job ID")] if more > 0 else lines


def task_lines(tasks: Sequence[Task], context: RowContext, width: int, *, is_cut: bool = False) -> Lines:
    """Its tasks by function, and each of them."""
    progress = _without_labels(progress_lines(tasks, is_cut=is_cut, glyphs=context.glyphs), width)
    return [*progress, *([("", " ")] if progress else []), *table_lines(TASKS, tasks, context, width)]


def _without_labels(lines: Lines, width: int) -> Lines:
    """The same with labels in the text: a column of labels would leave too little room for a table."""
    column = min(width // 2, max((cell_width(label) for label, text in lines if text), default=0))
    return [
        (label, "") if not text else ("", f"{shown}{' ' * (column - size)}  {text}")
        for label, text in lines
        for shown, size in [clip(label, column)]
    ]


def actor_lines(actors: Sequence[Actor], context: RowContext, width: int) -> Lines:
    """Its actors, and why the dead ones died."""
    died: Lines = [
        (f"  {actor.name or actor.class_name or ''}", actor.death_cause.message.strip().splitlines()[0])
        for actor in actors
        if actor.death_cause and not actor.death_cause.is_wanted and (actor.death_cause.message or "").strip()
        if actor.death_cause.message
    ]
    table = table_lines(ACTORS, actors, context, width)
    why_died = _without_labels([("why they died", ""), *died[:MOST_FUNCTIONS]], width)
    return [*table, *([("", " "), *why_died] if died else [])]


def gpu_lines(nodes: Sequence[Node], job_ids: set[str], context: RowContext, width: int) -> Lines:
    """The GPUs that its workers hold."""
    held: list[tuple[Node, Gpu]] = [
        (node, gpu)
        for node in nodes
        if node.is_alive
        for gpu in node.gpus
        if any({holder.job_id, holder.submission_id} & job_ids for holder in gpu.holders)
    ]
    return table_lines(GPUS, held, context, width) if held else [("", "This job holds no GPUs.")]


def event_lines(events: Sequence[ClusterEvent], context: RowContext, width: int) -> Lines:
    """What happened to it."""
    return table_lines(EVENTS, events, context, width)
