"""The previews of a node and of a GPU: their recent past beside what runs there."""

from collections.abc import Mapping, Sequence

from cockpit.model.gpu_use import foreign_processes
from cockpit.model.nodes import Gpu, Node
from cockpit.model.workers import Worker
from cockpit.render import plain
from cockpit.render.gpus import holder_text, short_model
from cockpit.render.load import load_tone
from cockpit.render.nodes import part, role, usage
from cockpit.render.plot import PlotArea, Samples, Trace, plot_with_axes
from cockpit.render.preview import Line, Preview, beside, fact_lines, text_line, wrapped
from cockpit.render.table import Column, Part, RowContext, text_column
from cockpit.render.units import UNKNOWN, coarse, duration, size

NODE_SECONDS = 3600.0
GPU_SECONDS = 600.0
_WORKER_COLUMNS = (
    text_column("PID", right=True),
    text_column("TYPE"),
    text_column("RUNS"),
    text_column("WORKER ID", shrink=True),
)
_PROCESS_COLUMNS = (
    text_column("PID", right=True),
    text_column("MEMORY", right=True),
    text_column("HELD BY", shrink=True),
)
# Of nodes that no pane looks at there is a sample a minute.
GAP_SECONDS = 150.0
LEAST_CURVE = 3
_CURVE_SHARE = 2  # a curve takes half of the width


def node_preview(
    node: Node,
    context: RowContext,
    width: int,
    height: int,
    *,
    curves: Mapping[str, Samples],
    workers: Sequence[Worker] | None,
    seconds: float = NODE_SECONDS,
) -> Preview:
    """A node in so many columns and lines: its last `seconds` by name of the curve, its workers once they are known."""
    name = context.node_name(node.node_id) or node.hostname or UNKNOWN
    title = " · ".join([name, role(node), node.ip or UNKNOWN])
    if not node.is_alive:
        died = wrapped(node.state_message or "Ray gives no reason.", width, "error")
        return Preview(title, "dead", [*died, *fact_lines([("node id", node.node_id or "")], width)])
    half = width // _CURVE_SHARE
    left: list[Line] = []
    each = max(LEAST_CURVE, height // max(1, len(curves)))
    for label, samples in curves.items():
        if len(left) + each <= height or not left:
            left += _curve(label, samples, half - 2, min(each, height), seconds, context)
    right = [*fact_lines(_node_facts(node), width - half), *_workers(workers, width - half, context.now)]
    return Preview(title, _node_state(node), beside(left, right, half))


def _node_state(node: Node) -> str:
    cpu = UNKNOWN if node.cpu is None else f"{node.cpu:.0f} %"
    return f"CPU {cpu} · memory {part(node.mem_used, node.mem_total)}"


def _node_facts(node: Node) -> list[tuple[str, str]]:
    disk = node.root_disk
    reserved = " · ".join(f"{name} {usage(node.logical[name])}" for name in ("CPU", "GPU") if name in node.logical)
    return [
        ("reserved", reserved),
        ("disk", f"{disk.percent:.0f} % of {size(disk.total)}" if disk and disk.percent is not None else ""),
        ("load", " ".join(f"{one:.1f}" for one in node.load_avg)),
    ]


def _workers(workers: Sequence[Worker] | None, width: int, now: float) -> list[Line]:
    if workers is None:
        return []
    alive = sorted((one for one in workers if one.is_alive), key=lambda one: -(one.start_time_ms or 0))
    if not alive:
        return [text_line("No workers.", "quiet")]
    cells = [
        (
            str(one.pid or UNKNOWN),
            (one.worker_type or UNKNOWN).lower(),
            coarse(now - one.start_time_ms / 1000) if one.start_time_ms else UNKNOWN,
            one.worker_id or UNKNOWN,
        )
        for one in alive
    ]
    title = text_line(f"{len(alive)} worker{'s' if len(alive) > 1 else ''}", "strong")
    return [title, *_table(_WORKER_COLUMNS, cells, width)]


def _table(columns: tuple[Column, ...], cells: Sequence[Sequence[str]], width: int) -> list[Line]:
    lines = plain.text_lines(columns, cells, width=width)
    return [text_line(line, "quiet" if at == 0 else "") for at, line in enumerate(lines)]


def gpu_preview(
    node: Node,
    gpu: Gpu,
    context: RowContext,
    width: int,
    height: int,
    *,
    samples: Samples,
    seconds: float = GPU_SECONDS,
    idle_seconds: float | None = None,
) -> Preview:
    """A GPU in so many columns and lines: its use in the last `seconds`, and the processes on it."""
    name = context.node_name(node.node_id) or node.hostname or UNKNOWN
    half = width // _CURVE_SHARE
    left = _curve("use", samples, half - 2, height, seconds, context)
    idle = f"Held and idle for {duration(idle_seconds)}." if idle_seconds is not None else ""
    right = [*wrapped(idle, width - half, "warn"), *_processes(gpu, width - half)]
    return Preview(f"{name} GPU {gpu.index} · {short_model(gpu.name)}", _gpu_state(gpu), beside(left, right, half))


def _gpu_state(gpu: Gpu) -> str:
    use = UNKNOWN if gpu.utilization_gpu is None else f"{gpu.utilization_gpu} %"
    power = "" if gpu.power_mw is None else f"{gpu.power_mw / 1000:.0f} W"
    heat = "" if gpu.temperature_c is None else f"{gpu.temperature_c} °C"
    return " · ".join(text for text in (f"use {use}", part(gpu.memory_used, gpu.memory_total), power, heat) if text)


def _processes(gpu: Gpu, width: int) -> list[Line]:
    memory = {process.pid: process.gpu_memory_usage for process in gpu.processes_pids}
    held = [(str(one.pid or UNKNOWN), size(memory.get(one.pid)), holder_text(one)) for one in gpu.holders]
    # Inside a container Ray's process IDs are others than those that the driver reports.
    known = {one.pid for one in gpu.holders} & set(memory)
    foreign = foreign_processes(gpu) if known or not gpu.holders else []
    others = [(str(pid), size(memory.get(pid)), "not of Ray") for pid in foreign]
    if not held and not others:
        return [text_line("Free: no process is on it.", "quiet")]
    return _table(_PROCESS_COLUMNS, [*held, *others], width)


def _curve(label: str, samples: Samples, width: int, height: int, seconds: float, context: RowContext) -> list[Line]:
    """A curve of percentages under its name."""
    known = [value for _, value in samples if value is not None]
    if not known:
        return [text_line(f"{label}: no history yet", "quiet")]
    end = max(context.now, samples[-1][0] + 1)
    area = PlotArea(width=width, height=max(1, height - 1), begin=end - seconds, end=end)
    ends = (f"{_span(seconds)} ago", "now")
    lines = plot_with_axes(
        [Trace(samples=samples)], area, ends=ends, glyphs=context.glyphs, tone_at=load_tone, gap=GAP_SECONDS
    )
    head = (Part(label, "strong"), Part(f"  mean {sum(known) / len(known):.0f} %  max {max(known):.0f} %", "quiet"))
    return [head, *lines]


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds < 3600 else f"{seconds / 3600:g} h"
