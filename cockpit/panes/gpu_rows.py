"""Nodes and GPUs as rows of tables."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from cockpit.model.history import ClusterHistory
from cockpit.model.nodes import Gpu, GpuHolder, GpuProcess, Node
from cockpit.render.nodes import part, role, short_id, usage
from cockpit.render.units import duration, size
from cockpit.widgets.glyphs import UNICODE, Glyphs
from cockpit.widgets.meters import meter_cell, sparkline
from cockpit.widgets.table.rows import Cell, Column, Fixed, Flexible, Measured, Row

SPARK_WIDTH = 8
HOT_CELSIUS = 85
FULL_PERCENT = 95
FULL_DISK_PERCENT = 90

GPU_COLUMNS = (
    Column(key="node", title="NODE", width=Measured(8, 24), priority=0),
    Column(key="gpu", title="GPU", width=Fixed(4), align="right", priority=0),
    Column(key="model", title="MODEL", width=Measured(8, 26), priority=6),
    Column(key="util", title="UTIL", width=Fixed(15), priority=0),
    Column(key="spark", title="PAST", width=Fixed(SPARK_WIDTH), sortable=False, priority=5),
    Column(key="memory", title="MEMORY GiB", width=Fixed(13), align="right", priority=2),
    Column(key="power", title="W", width=Fixed(4), align="right", priority=3),
    Column(key="temperature", title="°C", width=Fixed(3), align="right", priority=4),
    Column(key="idle", title="IDLE", width=Fixed(7), align="right", priority=0),
    Column(key="holder", title="HELD BY", width=Flexible(26, 120), priority=1),
    Column(key="outside", title="OUTSIDE RAY", width=Measured(4, 40), hidden=True, priority=6),
    Column(key="uuid", title="UUID", width=Measured(8, 44), hidden=True, priority=7),
)

NODE_COLUMNS = (
    Column(key="state", title="STATE", width=Fixed(7), priority=0),
    Column(key="node", title="NODE", width=Measured(8, 24), priority=0),
    Column(key="role", title="ROLE", width=Fixed(6), priority=4),
    Column(key="ip", title="ADDRESS", width=Measured(7, 40), priority=5),
    Column(key="cpu", title="CPU", width=Fixed(15), priority=0),
    Column(key="memory", title="MEMORY GiB", width=Fixed(15), align="right", priority=1),
    Column(key="gpus", title="GPUS", width=Fixed(10), align="right", priority=1),
    Column(key="cpus", title="CPUS", width=Fixed(9), align="right", priority=2),
    Column(key="disk", title="DISK", width=Fixed(5), align="right", priority=3),
    Column(key="objects", title="OBJECT STORE", width=Measured(6, 24), align="right", priority=6),
    Column(key="network", title="NET ↓/↑ per s", width=Measured(8, 24), align="right", priority=7),
    Column(key="reason", title="REASON", width=Flexible(18, 120), priority=3),
    Column(key="id", title="NODE ID", width=Measured(8, 56), hidden=True, priority=8),
)


def node_names(nodes: Sequence[Node]) -> dict[str, str]:
    """A short name for each node id: its host name, with the beginning of its id where that is not enough."""
    hosts = Counter(node.hostname for node in nodes if node.is_alive)
    names = {}
    for node in nodes:
        host = node.hostname or node.ip or ""
        unique = bool(host) and hosts[node.hostname] <= 1
        names[node.node_id or ""] = host if unique else f"{host} {short_id(node.node_id)[:6]}".strip()
    return names


def gpu_row(node: Node, gpu: Gpu, *, name: str, history: ClusterHistory, now: float, glyphs: Glyphs = UNICODE) -> Row:
    """One GPU; `now` in seconds of the steady clock that `history` was told."""
    key = (node.node_id or "", gpu.index if gpu.index is not None else -1)
    idle_since = history.idle.since(key)
    past = sparkline(history.gpu.values(key, SPARK_WIDTH), SPARK_WIDTH, glyphs=glyphs)
    util_tone = "warn" if idle_since is not None else ""
    return Row(
        key=f"{key[0]}/{gpu.index}",
        cells=(
            name,
            Cell("–" if gpu.index is None else str(gpu.index), sort=gpu.index),
            Cell(short_model(gpu.name), tone="quiet"),
            meter_cell(gpu.utilization_gpu, tone=util_tone, glyphs=glyphs),
            Cell(past, tone="quiet"),
            _gib(gpu.memory_used, gpu.memory_total),
            _whole(None if gpu.power_mw is None else gpu.power_mw / 1000),
            _whole(gpu.temperature_c, warn_from=HOT_CELSIUS),
            _idle(idle_since, now),
            _holders(gpu),
            outside_ray(gpu),
            gpu.uuid,
        ),
    )


def _idle(since: float | None, now: float) -> Cell:
    """How long; sorted by when it began, which does not change all the time."""
    return Cell("") if since is None else Cell(duration(now - since), tone="warn", sort=-since)


def short_model(name: str | None) -> str:
    """The model without what every card says of itself."""
    return (name or "–").removeprefix("NVIDIA ").removeprefix("GeForce ")


def _holders(gpu: Gpu) -> Cell:
    if not gpu.holders:
        return Cell("free" if not gpu.processes_pids else "not Ray", tone="quiet" if not gpu.processes_pids else "warn")
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


def node_row(node: Node, *, name: str, glyphs: Glyphs = UNICODE) -> Row:
    """One node; figures of a dead one are of another time and are not shown."""
    live = node if node.is_alive else Node()
    disk = live.root_disk
    word, tone = ("ALIVE", "") if node.is_alive else (node.state or "–", "error")
    glyph = {True: "●", False: "✖"}[node.is_alive] if glyphs is UNICODE else {True: "*", False: "x"}[node.is_alive]
    return Row(
        key=node.node_id or "?",
        cells=(
            Cell(f"{glyph} {word}", tone=tone, sort=0 if node.is_alive else -1),
            Cell(name, tone="" if node.is_alive else "quiet"),
            Cell(role(node), tone="quiet"),
            Cell(node.ip or "–", tone="quiet"),
            meter_cell(live.cpu, glyphs=glyphs),
            _gib(live.mem_used, live.mem_total),
            _usage(live, "GPU"),
            _usage(live, "CPU"),
            _disk(disk.percent if disk else None),
            Cell(_store(live), sort=live.object_store_used_memory, tone="quiet"),
            Cell(_network(live), tone="quiet", sort=sum(live.network_speed) if live.network_speed else None),
            Cell("" if node.is_alive else (node.state_message or "no reason given"), tone="error"),
            node.node_id,
        ),
    )


def _usage(node: Node, resource: str) -> Cell:
    use = node.logical.get(resource)
    return Cell(usage(use), sort=None if use is None else use.used, tone="quiet" if use is None else "")


def _store(node: Node) -> str:
    used, free = node.object_store_used_memory, node.object_store_available_memory
    return part(used, None if used is None or free is None else used + free)


def _network(node: Node) -> str:
    if len(node.network_speed) < 2:
        return "–"
    sent, received = node.network_speed[:2]
    return f"{size(round(received))} / {size(round(sent))}"


def _disk(percent: float | None) -> Cell:
    if percent is None:
        return Cell("–", tone="quiet")
    return Cell(f"{percent:.0f} %", sort=percent, tone="warn" if percent >= FULL_DISK_PERCENT else "quiet")


@lru_cache(4096)
def _gib(used: int | None, total: int | None) -> Cell:
    if used is None and total is None:
        return Cell("–", tone="quiet")
    text = f"{_in_gib(used)}/{_in_gib(total)}"
    is_full = bool(used and total and 100 * used / total >= FULL_PERCENT)
    return Cell(text, sort=used, tone="warn" if is_full else "")


def _in_gib(value: int | None) -> str:
    return "–" if value is None else f"{value / 2**30:.1f}"


def _whole(value: float | None, *, warn_from: float = float("inf")) -> Cell:
    if value is None:
        return Cell("–", tone="quiet")
    return Cell(f"{value:.0f}", sort=value, tone="warn" if value >= warn_from else "")
