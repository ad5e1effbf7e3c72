"""The traps of `/nodes`: figures that mean something else than they say, and nodes that are no more."""

from typing import Any

import pytest

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.node_wire import MIB, logical_usage
from cockpit.errors import NotRayError
from cockpit.model.nodes import Gpu, GpuHolder, Node, Usage
from cockpit.operations.clusters.gpus import list_gpus
from cockpit.render.gpus import GPUS
from cockpit.render.nodes import NODES
from cockpit.render.table import RowContext, TableSpec, text_of
from cockpit.render.units import UNKNOWN
from tests.wire.clients import Pair, answered_with, replayed, talking_to
from tests.wire.fake_ray import NODE, FakeRay
from tests.wire.samples import sample

RAYLET = {"nodeId": NODE, "state": "ALIVE", "isHeadNode": True}


def summary(*rows: Any, logical: Any = None) -> dict[str, Any]:
    """A reply with these nodes."""
    return {"result": True, "msg": "", "data": {"summary": list(rows), "nodeLogicalResources": logical}}


def cells(spec: TableSpec[Any], item: Any) -> dict[str, str]:
    """The texts of a row by the titles of their columns."""
    row = spec.row(item, RowContext())
    return {column.title: text_of(cell) for column, cell in zip(spec.columns, row.cells, strict=True)}


async def nodes_of(*rows: Any, logical: Any = None) -> tuple[Node, ...]:
    """What the client makes of these nodes."""
    async with answered_with(summary(*rows, logical=logical)) as (client, _):
        return (await client.nodes.list()).rows


async def gpu_of(**fields: Any) -> Gpu:
    """What the client makes of a GPU."""
    (node,) = await nodes_of({"raylet": RAYLET, "gpus": [fields]})
    return node.gpus[0]


async def test_answer_of_the_previous_call_is_not_asked_for() -> None:
    async with replayed("nodes_summary") as (client, server):
        await client.nodes.list()
    assert server.requests[0].target == "/nodes?view=summary&nocache=1"


async def test_summary_as_recorded() -> None:
    async with replayed("nodes_summary") as (client, _):
        (node,) = (await client.nodes.list()).rows
    recorded = sample("nodes_summary").body["data"]["summary"][0]
    assert (node.node_id, node.is_alive, node.is_head_node) == (NODE, True, True)
    assert (node.hostname, node.ip, node.now, node.cpu) == ("vm", "192.0.2.2", recorded["now"], recorded["cpu"])
    assert [node.mem_total, node.mem_available, node.mem_percent, node.mem_used] == recorded["mem"]
    assert [node.cpus_logical, node.cpus_physical] == recorded["cpus"]
    assert list(node.load_avg) == recorded["loadAvg"][0]
    assert node.root_disk is not None
    assert node.root_disk.used == recorded["disk"]["/"]["used"]
    assert node.logical["CPU"] == Usage(used=1.5, total=4.0)
    assert node.logical["GPU"] == Usage(used=1.5, total=2.0)
    first, second = node.gpus
    assert (first.name, first.utilization_gpu, first.power_mw, first.temperature_c) == (
        "NVIDIA A100-SXM4-80GB",
        73,
        287000,
        61,
    )
    assert (first.memory_used, first.memory_total) == (40321 * MIB, 81920 * MIB)
    assert [process.pid for process in first.processes_pids] == [11320, 999999]  # one of them is not Ray's
    assert first.processes_pids[0].gpu_memory_usage == 38000 * MIB
    # A task with half a GPU: slots are named by strings.
    assert second.holders == (GpuHolder(pid=11353, job_id="04000000", allocation=0.5),)
    assert first.holders == ()


async def test_dead_node_keeps_its_reason_and_shows_no_figures() -> None:
    async with replayed("nodes_summary_dead") as (client, _):
        found = await client.nodes.list()
        gpus = (await list_gpus(client)).rows
    alive, dead = found.rows
    assert (alive.state, dead.state) == ("ALIVE", "DEAD")
    assert "missing too many heartbeats" in (dead.state_message or "")
    assert len(dead.gpus) == 4  # those of its last sample
    assert {node.node_id for node, _ in gpus} == {alive.node_id}
    row = cells(NODES, dead)
    assert row["STATE"] == "✖ DEAD"
    assert "missing too many heartbeats" in row["REASON"]
    assert {
        row[title] for title in ("CPU USE", "MEMORY GiB", "DISK", "OBJECT STORE", "CPUS RESERVED", "GPUS RESERVED")
    } == {UNKNOWN}


async def test_two_nodes_are_sorted_with_the_head_first() -> None:
    async with replayed("nodes_summary_2nodes") as (client, _):
        rows = (await list_gpus(client)).rows
    assert [(node.is_head_node, gpu.index) for node, gpu in rows] == [
        (True, 0),
        (True, 1),
        (False, 0),
        (False, 1),
        (False, 2),
        (False, 3),
    ]


async def test_resources_have_the_names_that_they_have_and_not_those_of_the_keys() -> None:
    async with replayed("nodes_summary_2nodes") as (client, _):
        head, worker = (await client.nodes.list()).rows
    exact = {row["node_id"]: row["resources_total"] for row in sample("v0_nodes").body["data"]["result"]["result"]}
    assert head.resources_total == exact[head.node_id]
    assert worker.resources_total["accelerator_type:GeForce-RTX-4090"] == 1  # the key says Geforce-Rtx
    text = "0.0/1.0 my_own\n0B/22.82GiB memory\n0.0/1.0 CPU (0.0 used of 1.0 reserved in placement groups)"
    totals = {"myOwn": 1, "memory": 5, "CPU": 1, "node:InternalHead": 1, "untold": 2, "gone": None}
    (node,) = await nodes_of({"raylet": {**RAYLET, "resourcesTotal": totals}}, logical={NODE: text})
    assert node.resources_total == {"my_own": 1, "memory": 5, "CPU": 1, "node:__internal_head__": 1, "untold": 2}


async def test_utilisation_minus_one_is_unknown_and_zero_is_zero() -> None:
    assert (await gpu_of(utilizationGpu=-1)).utilization_gpu is None
    assert (await gpu_of(utilizationGpu=0)).utilization_gpu == 0
    process = {"pid": 1, "gpuMemoryUsage": 500, "gpuUtilization": -1}
    assert (await gpu_of(processesPids=[process])).processes_pids[0].gpu_utilization is None


async def test_mib_become_bytes() -> None:
    gpu = await gpu_of(memoryUsed=40321, memoryTotal="81920")
    assert (gpu.memory_used, gpu.memory_total) == (40321 * 2**20, 81920 * 2**20)


async def test_nulls_of_mig_and_amd_are_unknown() -> None:
    gpu = await gpu_of(index=1002, name=None, powerMw=None, temperatureC=None, utilizationGpu=None, processesPids=None)
    assert gpu == Gpu(index=1002)
    row = cells(GPUS, (Node(node_id=NODE), gpu))
    assert row["GPU"] == "1002"
    assert {row[title] for title in ("MODEL", "USE", "MEMORY GiB", "W", "°C")} == {UNKNOWN}


async def test_holders_are_joined_to_jobs_by_their_slots() -> None:
    def worker(pid: int, job: str, slot: Any, actor: str = "f" * 32) -> dict[str, Any]:
        slots = {"GPU": {"resourceSlots": [{"slot": slot, "allocation": 1.0}]}}
        return {"pid": pid, "jobId": job, "actorId": actor, "usedResources": slots}

    ray = FakeRay()
    ray.add("train", job_id="02000000")
    workers = [
        worker(10, "02000000", "0", "ab" * 16),
        worker(11, "09000000", "1", "cd" * 16),
        worker(12, "02000000", None),
        7,
    ]
    gpus = [{"index": 0}, {"index": 1}, {"index": 2}]
    ray.nodes = {"summary": [{"raylet": {**RAYLET, "coreWorkersStats": workers}, "gpus": gpus}]}
    ray.overrides[("GET", "/api/v0/actors")] = lambda exchange: exchange.reply(
        {"result": True, "msg": "", "data": {"result": {"result": [7, "x"]}}}
    )
    async with talking_to(ray) as (client, _):
        found = await list_gpus(client)
    rows = found.rows
    assert found.unreadable == 2  # supervisors whose job cannot be told
    held = [[(one.pid, one.submission_id, one.job_id, one.actor_id) for one in gpu.holders] for _, gpu in rows]
    assert held == [[(10, "train", "02000000", "ab" * 16)], [(11, None, "09000000", "cd" * 16)], []]


async def test_jobs_are_asked_for_only_where_something_is_held() -> None:
    ray = FakeRay()
    ray.nodes = {"summary": [{"raylet": RAYLET, "gpus": [{"index": 0}]}]}
    async with talking_to(ray) as (client, server):
        assert len((await list_gpus(client)).rows) == 1
    assert [request.path for request in server.requests] == ["/nodes"]


async def test_nulls_everywhere() -> None:
    names = ("now", "hostname", "ip", "cpu", "cpus", "mem", "shm", "loadAvg", "disk", "gpus", "raylet", "networkSpeed")
    assert await nodes_of({}, dict.fromkeys(names)) == (Node(), Node())
    raylet = dict.fromkeys(("nodeId", "state", "coreWorkersStats", "labels", "resourcesTotal", "numWorkers"))
    sparse: dict[str, Any] = {"raylet": raylet, "cpus": [None], "mem": [None] * 4, "disk": {"/": None}, "gpus": [{}]}
    (node,) = await nodes_of(sparse)
    assert (node.cpus_logical, node.mem_total, node.disk, node.gpus) == (None, None, {}, (Gpu(),))
    assert set(cells(NODES, node).values()) <= {UNKNOWN, f"· {UNKNOWN}", "no reason given"}


async def test_what_cannot_be_read_leaves_its_neighbors_in_their_places() -> None:
    (node,) = await nodes_of(
        {
            "raylet": RAYLET,
            "mem": [100, {"no": "number"}, 8.5, 50],
            "cpus": ["many", 2],
            "networkSpeed": ["fast", 7.0],
            "gpus": [{"index": "first"}, "no object", {"index": 1, "memoryUsed": []}],
            "disk": {"/": {"total": "big", "used": 3}, "/data": 7},
        }
    )
    assert (node.mem_total, node.mem_available, node.mem_percent, node.mem_used) == (100, None, 8.5, 50)
    assert (node.cpus_logical, node.cpus_physical) == (None, 2)
    assert node.network_speed == ()  # the one that is left would be taken for the other
    assert [gpu.index for gpu in node.gpus] == [None, 1]
    assert node.root_disk is not None
    assert (node.root_disk.total, node.root_disk.used) == (None, 3)
    assert set(node.disk) == {"/"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", '"nan"', '"inf"', "9" * 400, "1e300"])
async def test_numbers_that_are_none_are_unknown(number: str) -> None:
    body = (
        '{"result": true, "data": {"summary": [{"now": 5, "cpu": NUMBER, "mem": [NUMBER, 2, 3, 4], "shm": NUMBER,'
        '"disk": {"/": {"percent": NUMBER, "used": NUMBER, "total": 8}}, "raylet": {"objectStoreUsedMemory": NUMBER},'
        '"gpus": [{"index": 0, "memoryUsed": NUMBER, "powerMw": NUMBER, "utilizationGpu": NUMBER}]}]}}'
    ).replace("NUMBER", number)
    async with answered_with(body) as (client, _):
        (node,) = (await client.nodes.list()).rows
    assert (node.cpu, node.mem_total, node.shm, node.object_store_used_memory) == (None, None, None, None)
    assert (node.now, node.mem_available) == (5, 2)
    assert node.gpus == (Gpu(index=0),)
    assert node.root_disk is not None
    assert (node.root_disk.percent, node.root_disk.used, node.root_disk.total) == (None, None, 8)


async def test_row_that_is_no_object_is_counted() -> None:
    async with answered_with(summary({"raylet": RAYLET}, "... trimmed", None, 3)) as (client, _):
        found = await client.nodes.list()
    assert (len(found.rows), found.unreadable) == (1, 3)


@pytest.mark.parametrize("data", [{}, {"summary": None}, {"summary": []}])
async def test_no_nodes_are_no_error(data: dict[str, Any]) -> None:
    async with answered_with({"result": True, "msg": "", "data": data}) as (client, _):
        assert (await client.nodes.list()).rows == ()


@pytest.mark.parametrize("body", [{"result": True, "data": []}, {"result": "yes", "data": {}}, [], {}])
async def test_other_shapes_are_no_ray(body: Any) -> None:
    async with answered_with(body) as (client, _):
        with pytest.raises(NotRayError):
            await client.nodes.list()


async def test_logical_resources_that_are_no_text_are_unknown() -> None:
    (node,) = await nodes_of({"raylet": RAYLET, "cpu": 1.0}, logical={NODE: ["1/2 CPU"]})
    assert (node.logical, node.cpu) == ({}, 1.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5/4.0 CPU (0.0 used of 1.0 reserved in placement groups)", {"CPU": (1.5, 4.0)}),
        (" 0/4 CPU\n 1/2 GPU", {"CPU": (0, 4), "GPU": (1, 2)}),
        ("4.440892098500626e-16/4.0 CPU", {"CPU": (4.440892098500626e-16, 4.0)}),
        ("0.0/1.0 accelerator_type:A100", {"accelerator_type:A100": (0, 1)}),
        ("0B/22.82GiB memory", {}),
        ("./. CPU\n1..2/3 GPU\n/ x", {}),
        ("1e999/2 CPU\n1/1 GPU", {"GPU": (1, 1)}),
        ("", {}),
    ],
)
def test_logical_usage(text: str, expected: dict[str, tuple[float, float]]) -> None:
    found = {name: (use.used, use.total) for name, use in logical_usage(text).items()}
    assert found == expected


async def test_cluster_usage_as_recorded() -> None:
    async with replayed("cluster_status") as (client, _):
        usage = await client.nodes.usage()
    assert usage.total["GPU"] == Usage(used=1.0, total=2.0)
    assert usage.total["memory"] == Usage(used=1048576.0, total=24505994752.0)


async def test_cluster_usage_of_other_shapes() -> None:
    async def usage_of(report: Any) -> Any:
        body = {"result": True, "msg": "", "data": {"clusterStatus": {"loadMetricsReport": report}}}
        async with answered_with(body) as pair:
            return await _usage(pair)

    assert (await usage_of(None)).total == {}
    mixed = {"usage": {"CPU": [1, 2], "GPU": [1], "memory": "much", "x": [None, 2], "y": ["nan", 1]}}
    assert (await usage_of(mixed)).total == {"CPU": Usage(used=1, total=2)}


async def _usage(pair: Pair) -> Any:
    client: RayClient = pair[0]
    return await client.nodes.usage()
