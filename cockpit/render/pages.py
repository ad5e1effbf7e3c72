"""The tabs of the pages of a node and an actor as lines of label and text."""

from collections.abc import Sequence
from itertools import pairwise

from cockpit.model.actor_facts import ActorFacts
from cockpit.model.actors import Actor
from cockpit.model.nodes import Node, NodeProcess
from cockpit.model.past import PERCENT, Curve
from cockpit.model.tasks import Task
from cockpit.render import plain
from cockpit.render.needs import needs
from cockpit.render.plot import PlotArea, Trace, marks_for, plot
from cockpit.render.table import Column, RowContext, text_column
from cockpit.render.times import local_time
from cockpit.render.units import UNKNOWN, coarse, duration, size

Lines = list[tuple[str, str]]

PLOT_HEIGHT, PLOT_LABELS, WIDEST_PLOT = 4, 16, 100
PLOTTED = ("cpu", "memory")
MOST_FILES = 300
PROCESS_COLUMNS = (
    text_column("PID", right=True),
    text_column("MEMORY", right=True),
    text_column("CPU", right=True),
    text_column("PROCESS", shrink=True),
)
FILE_COLUMNS = (text_column("KIND"), text_column("NAME", shrink=True))


def actor_lines(facts: ActorFacts | None, actor: Actor, context: RowContext) -> Lines:
    """The fields of an actor, why it is dead first."""
    actor = facts.actor if facts else actor
    cause = actor.death_cause
    died: Lines = []
    if cause is not None:
        died = [("why it is dead", cause.reason or UNKNOWN)]
        died += [("", line or " ") for line in (cause.message or "").splitlines()]
    fields = [
        ("class", actor.class_name),
        ("name", actor.name),
        ("namespace", actor.ray_namespace),
        ("actor id", actor.actor_id),
        ("job id", actor.job_id),
        ("node", context.node_name(actor.node_id or None) if actor.node_id else None),
        ("pid", actor.pid or None),
        ("restarts", actor.num_restarts),
        ("needs", needs(actor.required_resources)),
        ("labels", ", ".join(f"{name}={value}" for name, value in (actor.label_selector or {}).items())),
        ("placement group", actor.placement_group_id),
        ("detached", "yes: it outlives its job" if actor.is_detached else None),
    ]
    state: Lines = [("state", actor.state or UNKNOWN)]
    return [*state, *died, *((label, str(text)) for label, text in fields if text not in (None, ""))]


def history_lines(facts: ActorFacts, now: float) -> Lines:
    """How the actor came to its state: what Ray noted of its constructor, and its end."""
    steps = _steps(facts.creation)
    lines: Lines = []
    for (state, begin), (_, end) in pairwise([*steps, ("", None)]):
        lasted = "" if begin is None or end is None else f", for {duration((end - begin) / 1000)}"
        lines.append((state, f"{local_time(None if begin is None else int(begin), now)}{lasted}"))
    actor = facts.actor
    lines += [("restarts", str(actor.num_restarts))] if actor.num_restarts else []
    lines.append(("now", actor.state or UNKNOWN))
    return [("constructor", ""), *lines] if steps else [("", "Ray has no record of its constructor."), *lines]


def _steps(creation: Task | None) -> list[tuple[str, float | None]]:
    return [(event.state or UNKNOWN, event.created_ms) for event in (creation.events if creation else None) or ()]


def node_lines(node: Node, now: float) -> Lines:
    """The fields of a node as it was sampled last."""
    disk = node.root_disk
    fields = [
        ("state", node.state),
        ("", node.state_message),
        ("node id", node.node_id),
        ("address", node.ip),
        ("host", node.hostname),
        ("role", "head" if node.is_head_node else "worker"),
        ("CPU", None if node.cpu is None else f"{node.cpu:.0f} % of {node.cpus_logical or UNKNOWN}"),
        ("memory", _share(node.mem_used, node.mem_total)),
        ("disk /", _share(disk.used, disk.total) if disk else None),
        (
            "object store",
            None if node.object_store_used_memory is None else f"{size(node.object_store_used_memory)} used",
        ),
        ("GPUs", str(len(node.gpus)) if node.gpus else None),
        ("workers", None if node.num_workers is None else str(node.num_workers)),
        ("labels", ", ".join(f"{name}={value}" for name, value in sorted(node.labels.items()))),
        ("up for", None if node.boot_time is None else coarse(now - node.boot_time)),
    ]
    reserved: Lines = [
        (f"  {name}", f"{use.used:g} of {use.total:g}")
        for name, use in sorted(node.logical.items())
        if "memory" not in name and not name.startswith("node:")
    ]
    lines = [(label, str(text)) for label, text in fields if text not in (None, "")]
    return [*lines, *([("reserved in Ray", ""), *reserved] if reserved else [])]


def _share(used: int | None, total: int | None) -> str | None:
    return None if used is None or not total else f"{size(used)} of {size(total)} ({100 * used / total:.0f} %)"


def curve_lines(curves: Sequence[Curve], width: int, context: RowContext) -> Lines:
    """CPU and memory over the last hour; a sentence where no history is kept yet."""
    drawn = [line for curve in curves if curve.name in PLOTTED for line in curve_plot(curve, width, context)]
    return [("the last hour", ""), *(drawn or [("  history", "none of this node yet: it is kept from now on")])]


def curve_plot(curve: Curve, width: int, context: RowContext) -> Lines:
    """A curve of percent in a few lines, with its mean; nothing for one without points."""
    known = [point.value for point in curve.points if point.value is not None]
    if len(curve.points) < 2 or not known or curve.unit != PERCENT:
        return []
    begin, end = curve.points[0].at, curve.points[-1].at
    area = PlotArea(width=max(10, min(width, WIDEST_PLOT) - PLOT_LABELS), height=PLOT_HEIGHT, begin=begin, end=end)
    samples = [(point.at, point.value) for point in curve.points]
    rows = plot([Trace(samples=samples)], area, marks=marks_for(context.glyphs))
    labels = [f"  {curve.name} 100 %", *([" "] * (PLOT_HEIGHT - 2)), "  0 %"]
    lines = [(label, "".join(part.text for part in row) or " ") for label, row in zip(labels, rows, strict=True)]
    return [*lines, (f"  mean {curve.name}", f"{sum(known) / len(known):.0f} % in {coarse(end - begin)}")]


def process_lines(processes: Sequence[NodeProcess], width: int) -> Lines:
    """Ray's processes on a node, the largest first."""
    if not processes:
        return [("", "Ray reports no processes on this node.")]
    rows = [
        [
            UNKNOWN if one.pid is None else str(one.pid),
            size(one.memory),
            UNKNOWN if one.cpu is None else f"{one.cpu:.0f} %",
            one.title or UNKNOWN,
        ]
        for one in processes
    ]
    return _table(PROCESS_COLUMNS, rows, width)


def file_lines(names: Sequence[tuple[str, str]], width: int) -> Lines:
    """Kinds and names of log files."""
    more = len(names) - MOST_FILES
    rest: Lines = [("", f"and {more:,} more; l on the node finds them by their name")] if more > 0 else []
    return [*_table(FILE_COLUMNS, names[:MOST_FILES], width), *rest] if names else [("", "No log files.")]


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> Lines:
    return [("", line) for line in plain.text_lines(columns, rows, width=width)]
