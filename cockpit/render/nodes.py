"""Nodes and GPUs as text."""

from cockpit.model.nodes import Gpu, GpuHolder, Node, Usage
from cockpit.render.cells import Column
from cockpit.render.units import UNKNOWN, size

NODE_COLUMNS = (
    Column("STATE"),
    Column("NODE"),
    Column("ROLE"),
    Column("ADDRESS"),
    Column("HOST", shrink=True),
    Column("CPU %", right=True),
    Column("MEMORY", right=True),
    Column("DISK", right=True),
    Column("OBJECTS", right=True),
    Column("CPUS", right=True),
    Column("GPUS", right=True),
    Column("REASON", shrink=True),
)

GPU_COLUMNS = (
    Column("NODE"),
    Column("GPU", right=True),
    Column("MODEL"),
    Column("UTIL %", right=True),
    Column("MEMORY", right=True),
    Column("W", right=True),
    Column("°C", right=True),
    Column("HELD BY", shrink=True),
)

SHORT_ID = 12
GLYPHS = {"ALIVE": "●", "DEAD": "✖"}


def short_id(node_id: str | None) -> str:
    """The beginning of a node id, enough to tell nodes apart."""
    return node_id[:SHORT_ID] if node_id else UNKNOWN


def number(value: float | None, digits: int = 0) -> str:
    """A plain number; `–` where it is unknown."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def part(used: int | None, total: int | None) -> str:
    """`used / total` in sizes."""
    return UNKNOWN if used is None and total is None else f"{size(used)} / {size(total)}"


def usage(use: Usage | None) -> str:
    """`used/total` of a logical resource."""
    return UNKNOWN if use is None else f"{use.used:g}/{use.total:g}"


def role(node: Node) -> str:
    """What the node is in the cluster."""
    return UNKNOWN if node.is_head_node is None else ("head" if node.is_head_node else "worker")


def node_row(node: Node) -> tuple[str, ...]:
    """One row of the table of nodes; a dead node's figures are those of another time and are not shown."""
    live = node if node.is_alive else Node()
    disk = live.root_disk
    store_total = _sum(live.object_store_used_memory, live.object_store_available_memory)
    return (
        f"{GLYPHS.get(node.state or '', '·')} {node.state or UNKNOWN}",
        short_id(node.node_id),
        role(node),
        node.ip or UNKNOWN,
        node.hostname or UNKNOWN,
        number(live.cpu, 1),
        part(live.mem_used, live.mem_total),
        part(disk.used, disk.total) if disk else UNKNOWN,
        part(live.object_store_used_memory, store_total),
        usage(live.logical.get("CPU")),
        usage(live.logical.get("GPU")),
        "" if node.is_alive else (node.state_message or ""),
    )


def _sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


def holder(held: GpuHolder) -> str:
    """Who holds a share of a GPU: the job, the kind of worker, its pid, and the fraction where it is one."""
    job = held.submission_id or held.job_id or "?"
    what = f"actor {held.actor_id[:8]}" if held.actor_id else "task"
    fraction = "" if held.allocation in (None, 1.0) else f" ×{held.allocation:g}"
    return f"{job} {what} pid {held.pid or '?'}{fraction}"


def gpu_row(node: Node, gpu: Gpu) -> tuple[str, ...]:
    """One row of the table of GPUs."""
    return (
        short_id(node.node_id),
        number(gpu.index),
        gpu.name or UNKNOWN,
        number(gpu.utilization_gpu),
        part(gpu.memory_used, gpu.memory_total),
        number(None if gpu.power_mw is None else gpu.power_mw / 1000),
        number(gpu.temperature_c),
        ", ".join(holder(held) for held in gpu.holders) or "free",
    )
