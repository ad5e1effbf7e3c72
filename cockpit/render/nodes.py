"""Nodes as rows and records."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from cockpit.model.nodes import Node, Usage
from cockpit.render.load import load_tone
from cockpit.render.meters import meter_cell
from cockpit.render.order import natural
from cockpit.render.table import (
    SHORT_ID,
    Cell,
    Column,
    Fixed,
    Flexible,
    Measured,
    Record,
    Row,
    RowContext,
    TableSpec,
)
from cockpit.render.times import iso
from cockpit.render.units import UNKNOWN, size

FULL_PERCENT = 95
FULL_DISK_PERCENT = 90

NODE_COLUMNS = (
    Column(key="state", title="STATE", width=Fixed(7), priority=0),
    Column(key="node", title="NODE", width=Measured(8, 24), priority=0),
    Column(key="role", title="ROLE", width=Fixed(6), priority=4),
    Column(key="ip", title="ADDRESS", width=Measured(7, 40), priority=5),
    Column(key="cpu", title="CPU USE", width=Fixed(15), priority=0),
    Column(key="memory", title="MEMORY GiB", width=Fixed(15), align="right", priority=1),
    Column(key="gpu_use", title="GPU USE", width=Fixed(15), priority=2),
    Column(key="gpus", title="GPUS RESERVED", width=Fixed(13), align="right", priority=1),
    Column(key="cpus", title="CPUS RESERVED", width=Fixed(13), align="right", priority=3),
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


def node_order(node: Node, context: RowContext) -> tuple[bool, bool, str, str]:
    """Sorts the dead first, then the head, then the others by name."""
    name = _name(node, context)
    return (node.is_alive, not node.is_head_node, natural(name), name)


def ordered_nodes(nodes: Iterable[Node], context: RowContext) -> list[Node]:
    """The nodes in the order of their table."""
    return sorted(nodes, key=lambda node: node_order(node, context))


def _name(node: Node, context: RowContext) -> str:
    return context.node_name(node.node_id) or node.hostname or node.ip or UNKNOWN


def short_id(node_id: str | None) -> str:
    """The beginning of a node id, enough to tell nodes apart."""
    return node_id[:SHORT_ID] if node_id else UNKNOWN


def part(used: int | None, total: int | None) -> str:
    """`used / total` in sizes."""
    return UNKNOWN if used is None and total is None else f"{size(used)} / {size(total)}"


def usage(use: Usage | None) -> str:
    """`used/total` of a logical resource."""
    return UNKNOWN if use is None else f"{use.used:g}/{use.total:g}"


def role(node: Node) -> str:
    """What the node is in the cluster."""
    return UNKNOWN if node.is_head_node is None else ("head" if node.is_head_node else "worker")


def node_row(node: Node, context: RowContext) -> Row:
    """One node; figures of a dead one are outdated and not shown."""
    live = node if node.is_alive else Node()
    disk = live.root_disk
    word, tone = (node.state or UNKNOWN, "" if node.is_alive else "error")
    return Row(
        key=node.node_id or "?",
        cells=(
            Cell(f"{context.glyphs.state(word)} {word}", tone=tone, sort=0 if node.is_alive else -1),
            Cell(_name(node, context), tone="" if node.is_alive else "quiet"),
            Cell(role(node), tone="quiet"),
            Cell(node.ip or "–", tone="quiet"),
            meter_cell(live.cpu, tone=load_tone(live.cpu), glyphs=context.glyphs),
            gib_cell(live.mem_used, live.mem_total),
            _gpu_use(live, context),
            _usage(live, "GPU"),
            _usage(live, "CPU"),
            _disk(disk.percent if disk else None),
            Cell(_store(live), sort=live.object_store_used_memory, tone="quiet"),
            Cell(_network(live), tone="quiet", sort=sum(live.network_speed) if live.network_speed else None),
            Cell("" if node.is_alive else (node.state_message or "no reason given"), tone="error"),
            node.node_id,
        ),
    )


def _gpu_use(node: Node, context: RowContext) -> Cell | None:
    """The mean use of the node's GPUs, as far as they report it."""
    known = [gpu.utilization_gpu for gpu in node.gpus if gpu.utilization_gpu is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    return meter_cell(mean, tone=load_tone(mean), glyphs=context.glyphs)


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
def gib_cell(used: int | None, total: int | None) -> Cell:
    """Used and total memory in GiB."""
    if used is None and total is None:
        return Cell("–", tone="quiet")
    text = f"{_ingib_cell(used)}/{_ingib_cell(total)}"
    is_full = bool(used and total and 100 * used / total >= FULL_PERCENT)
    return Cell(text, sort=used, tone="warn" if is_full else "")


def _ingib_cell(value: int | None) -> str:
    return "–" if value is None else f"{value / 2**30:.1f}"


def whole_cell(value: float | None, *, warn_from: float = float("inf")) -> Cell:
    """A whole number."""
    if value is None:
        return Cell("–", tone="quiet")
    return Cell(f"{value:.0f}", sort=value, tone="warn" if value >= warn_from else "")


def node_record(node: Node) -> Record:
    """The JSON record of a node with its GPUs; speeds in bytes per second, `_ops` in operations per second."""
    record: Record = msgspec.to_builtins(node)
    record["now"], record["boot_time"] = iso(node.now), iso(node.boot_time)
    record["load_avg"] = _named(("1m", "5m", "15m"), node.load_avg)
    record["network_speed"] = _named(("sent", "received"), node.network_speed)
    record["disk_io_speed"] = _named(("read", "written", "read_ops", "write_ops"), node.disk_io_speed)
    return record


def _named(names: Sequence[str], values: Sequence[float]) -> dict[str, float | None]:
    """Ray's positional lists with names; all null where the list has another length."""
    return dict(zip(names, values, strict=True)) if len(values) == len(names) else dict.fromkeys(names)


NODES: TableSpec[Node] = TableSpec(
    name="nodes",
    title="Nodes",
    columns=NODE_COLUMNS,
    row=node_row,
    record=node_record,
    order=ordered_nodes,
    empty="No nodes.",
    names_nodes=True,
)
