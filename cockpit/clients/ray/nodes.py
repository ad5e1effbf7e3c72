"""Nodes with their hardware and workers, and the logical resources in use (ray-api section 3)."""

import asyncio
from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

import msgspec

from cockpit.clients import decoding
from cockpit.clients.ray.http import NULL, DashboardHttp
from cockpit.clients.ray.node_wire import WireNode, to_node
from cockpit.clients.turns import in_turn
from cockpit.model.cluster import ClusterUsage, Rows
from cockpit.model.nodes import Node, NodeProcess, Usage
from cockpit.model.slices import in_slices


class NodesApi:
    """Calls about nodes and what they have."""

    def __init__(self, http: DashboardHttp) -> None:
        self._http = http

    @in_turn
    async def list(self) -> Rows[Node]:
        """Nodes with their GPUs, living and recently dead; a sample is up to 5 s old.

        Without `nocache` Ray would return the answer of the previous call, however old (ray-api section 0.6).
        """
        body = await self._http.get_list("/nodes", {"view": "summary", "nocache": "1"})
        await asyncio.sleep(self._http.rest)  # taking 15 MB in was long enough
        given, logical = await self._raw_nodes(body)
        reading = decoding.read_rows(given, partial(self._node, logical), address=self._http.address)
        found = await in_slices(reading, rest=self._http.rest)
        nodes = tuple(node for node in found if node is not None)
        return Rows(rows=nodes, unreadable=len(given) - len(nodes))

    async def _raw_nodes(self, body: bytes) -> tuple[Sequence[msgspec.Raw], dict[str, str]]:
        """Nodes, not decoded yet, since those of 1,000 are 15 MB; and their logical resources.

        A key waits for one of the four passes over such a reply, never for all of them.
        """
        parts = await self._http.envelope_in_turns(body, _Nodes)
        logical = self._http.decode(b'{"names":' + bytes(parts.node_logical_resources) + b"}", _Logical).names or {}
        return await self._http.listed_in_turns(parts.summary), logical

    def _node(self, logical: dict[str, str], given: msgspec.Raw) -> Node | None:
        wire = self._http.read_row(WireNode, given)
        return None if wire is None else to_node(wire, logical.get((wire.raylet and wire.raylet.node_id) or ""))

    async def processes(self, node_id: str) -> Sequence[NodeProcess]:
        """Ray's processes on one node, the largest first (100 KB, 7 ms on the head; up to 15 s old)."""
        body = await self._http.get_list(f"/nodes/{quote(node_id, safe='')}")
        detail = bytes(self._http.envelope(body, _Detailed).detail)
        # Of a node that is gone Ray tells an almost empty detail.
        given = self._http.listed(self._http.parts(detail, _Detail).workers) if detail != b"null" else ()
        rows = (self._http.read_row(_Process, raw) for raw in given)
        return sorted((row.process for row in rows if row is not None), key=lambda one: -(one.memory or 0))

    @in_turn
    async def usage(self) -> ClusterUsage:
        """Logical resources used and total, of the cluster and by node ID; lags about 5 s behind."""
        body = await self._http.get_list("/api/cluster_status")
        report = self._http.envelope(body, _ClusterStatus).report
        return ClusterUsage(
            total=_usages(report.usage),
            by_node={node: _usages(use) for node, use in (report.usage_by_node or {}).items()},
        )


def _usages(pairs: dict[str, list[float]] | None) -> dict[str, Usage]:
    return {name: Usage(used=pair[0], total=pair[1]) for name, pair in (pairs or {}).items() if len(pair) == 2}


class _Memory(msgspec.Struct):
    rss: decoding.Number | None = None


class _Process(msgspec.Struct, rename="camel"):
    pid: decoding.Whole | None = None
    cpu_percent: decoding.Number | None = None
    memory_info: _Memory | None = None
    cmdline: list[str | None] | None = None
    job_id: str | None = None

    @property
    def process(self) -> NodeProcess:
        title = " ".join(filter(None, self.cmdline or ())).strip()
        memory = self.memory_info.rss if self.memory_info else None
        return NodeProcess(
            pid=self.pid, title=title, cpu=self.cpu_percent, memory=None if memory is None else int(memory)
        )


class _Detail(msgspec.Struct):
    workers: msgspec.Raw = NULL


class _Detailed(msgspec.Struct):
    detail: msgspec.Raw = msgspec.Raw(b"{}")


class _Logical(msgspec.Struct):
    names: dict[str, str] | None = None


class _Nodes(msgspec.Struct, rename="camel"):
    summary: msgspec.Raw = NULL
    node_logical_resources: msgspec.Raw = NULL


class _LoadMetrics(msgspec.Struct, rename="camel"):
    usage: dict[str, list[decoding.Number]] | None = None
    usage_by_node: dict[str, dict[str, list[decoding.Number]]] | None = None


class _ClusterStatusBody(msgspec.Struct, rename="camel"):
    load_metrics_report: _LoadMetrics | None = None


class _ClusterStatus(msgspec.Struct, rename="camel"):
    cluster_status: _ClusterStatusBody | None = None

    @property
    def report(self) -> _LoadMetrics:
        return (self.cluster_status and self.cluster_status.load_metrics_report) or _LoadMetrics()
