"""GPUs as rows and records."""

from collections.abc import Iterable

import msgspec

from cockpit.model.history import ClusterHistory
from cockpit.model.nodes import Gpu, GpuHolder, GpuProcess, NodeGpu
from cockpit.render.load import load_tone
from cockpit.render.meters import meter_cell, sparkline
from cockpit.render.nodes import gib_cell, node_order, whole_cell
from cockpit.render.table import Cell, Column, Fixed, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.times import iso
from cockpit.render.units import duration, size

SPARK_WIDTH = 8
HOT_CELSIUS = 85
_NO_HISTORY = ClusterHistory()

GPU_COLUMNS = (
    Column(key="node", title="NODE", width=Measured(8, 24), priority=0),
    Column(key="gpu", title="GPU", width=Fixed(4), align="right", priority=0),
    Column(key="model", title="MODEL", width=Measured(8, 26), priority=6),
    Column(key="util", title="USE", width=Fixed(15), priority=0),
    Column(key="spark", title="PAST", width=Fixed(SPARK_WIDTH), sortable=False, live=True, priority=5),
    Column(key="memory", title="MEMORY GiB", width=Fixed(13), align="right", priority=2),
    Column(key="power", title="W", width=Fixed(4), align="right", priority=3),
    Column(key="temperature", title="°C", width=Fixed(3), align="right", priority=4),
    Column(key="idle", title="IDLE", width=Fixed(7), align="right", live=True, priority=0),
    Column(key="holder", title="HELD BY", width=Flexible(26, 120), priority=1),
    Column(key="outside", title="OUTSIDE RAY", width=Measured(4, 40), hidden=True, priority=6),
    Column(key="uuid", title="UUID", width=Measured(8, 44), hidden=True, priority=7),
)


def gpu_row(pair: NodeGpu, context: RowContext, *, history: ClusterHistory | None = None, steady: float = 0.0) -> Row:
    """One GPU; `steady` is now, in seconds of the clock of the samples in `history`."""
    node, gpu = pair
    history = _NO_HISTORY if history is None else history
    glyphs = context.glyphs
    key = (node.node_id or "", gpu.index if gpu.index is not None else -1)
    idle_since = history.idle.since(key)
    past = sparkline(history.gpu.values(key, SPARK_WIDTH), SPARK_WIDTH, glyphs=glyphs)
    util_tone = "warn" if idle_since is not None else load_tone(gpu.utilization_gpu)
    return Row(
        key=f"{key[0]}/{gpu.index}",
        cells=(
            context.node_name(node.node_id) or node.hostname,
            Cell("–" if gpu.index is None else str(gpu.index), sort=gpu.index),
            Cell(short_model(gpu.name), tone="quiet"),
            meter_cell(gpu.utilization_gpu, tone=util_tone, glyphs=glyphs),
            Cell(past, tone="quiet"),
            gib_cell(gpu.memory_used, gpu.memory_total),
            whole_cell(None if gpu.power_mw is None else gpu.power_mw / 1000),
            whole_cell(gpu.temperature_c, warn_from=HOT_CELSIUS),
            _idle(idle_since, steady),
            _holders(gpu),
            outside_ray(gpu),
            gpu.uuid,
        ),
    )


def _idle(since: float | None, now: float) -> Cell:
    """How long; sorted by when it began, which does not change all the time."""
    return Cell("") if since is None else Cell(duration(now - since), tone="warn", sort=-since)


def short_model(name: str | None) -> str:
    """The model without the vendor's name."""
    return (name or "–").removeprefix("NVIDIA ").removeprefix("GeForce ")


def _holders(gpu: Gpu) -> Cell:
    if not gpu.holders:
        return Cell(f"not Ray: {outside_ray(gpu)}", tone="warn") if gpu.processes_pids else Cell("free", tone="quiet")
    others = _known_others(gpu)
    more = [f"{others} other process{'es' if others > 1 else ''}"] if others else []
    return Cell(", ".join([*map(holder_text, gpu.holders), *more]))


def holder_text(held: GpuHolder) -> str:
    """A holder: job, actor, fraction, pid."""
    fraction = "" if held.allocation in (None, 1.0) else f" ×{held.allocation:g}"
    actor = f" actor {held.actor_id[:8]}" if held.actor_id else ""
    return f"{held.submission_id or held.job_id or 'unknown'}{actor}{fraction} pid {held.pid or '–'}"


def outside_ray(gpu: Gpu) -> str:
    """Processes on a GPU that no Ray worker of it is."""
    return ", ".join(f"pid {process.pid} {size(process.gpu_memory_usage)}" for process in _others(gpu))


def _others(gpu: Gpu) -> list[GpuProcess]:
    held = {holder.pid for holder in gpu.holders}
    return [process for process in gpu.processes_pids if process.pid not in held]


def _known_others(gpu: Gpu) -> int:
    """How many processes share a held GPU unknown to Ray.

    Where no holder is among its processes their ids may be those of the host, seen from inside a container: then the
    one process is most likely the holder itself, and nothing is claimed.
    """
    others = _others(gpu)
    return len(others) if len(others) < len(gpu.processes_pids) else 0


def ordered_gpus(pairs: Iterable[NodeGpu], context: RowContext) -> list[NodeGpu]:
    """By node as in the table of nodes, then by index."""
    return sorted(pairs, key=lambda pair: (node_order(pair[0], context), _index(pair[1])))


def _index(gpu: Gpu) -> int:
    return gpu.index if gpu.index is not None else 1 << 30


def gpu_record(pair: NodeGpu) -> Record:
    """The JSON record of a GPU with the node it is in: one flat row."""
    node, gpu = pair
    place: Record = {
        "node_id": node.node_id,
        "hostname": node.hostname,
        "ip": node.ip,
        "is_head_node": node.is_head_node,
        "now": iso(node.now),
    }
    place.update(msgspec.to_builtins(gpu))
    return place


GPUS: TableSpec[NodeGpu] = TableSpec(
    name="gpus",
    title="GPUs",
    columns=GPU_COLUMNS,
    row=gpu_row,
    record=gpu_record,
    order=ordered_gpus,
    noun="GPUs",
    empty="No GPUs in this cluster.",
    id_column="uuid",
    names_nodes=True,
)
