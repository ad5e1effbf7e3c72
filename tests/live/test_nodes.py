"""Nodes, GPUs, and who holds them: ours against Ray's own rows and against the figures of the stand-in."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.cluster import Driver, RayCluster
from tests.live.command_line import CommandLine
from tests.live.gpu_stub import GpuProcess, StubGpu
from tests.live.node import RayNode
from tests.live.processes import eventually
from tests.live.reference import job_in, node_rows
from tests.live.release import ray_release

pytestmark = pytest.mark.live

MIB = 1024 * 1024
REFRESH = 60.0  # seconds; Ray samples the GPUs every 5 and the workers every 15
HOLD_HALF_A_GPU = """
import threading
import ray

@ray.remote(num_gpus=0.5)
class Holder:
    def ping(self):
        return "holding"

ray.init()
holder = Holder.remote()
print(ray.get(holder.ping.remote()), ray.get_runtime_context().get_job_id(), flush=True)
threading.Event().wait()
"""

Row = dict[str, Any]


@pytest.fixture(scope="module")
def holders(ray_cluster: RayCluster, cockpit: CommandLine) -> Iterator[Driver]:
    """A driver with an actor on half a GPU, and a submitted job that asked for a whole one."""
    with ray_cluster.driver(HOLD_HALF_A_GPU) as driver:
        submitted = cockpit.run("submit", "--no-wait", "--id", "holds-a-gpu", "--num-gpus", "1", "--", "sleep 600")
        assert submitted.code == 0, submitted.stderr
        driver.wait_for("holding")
        job_in(ray_cluster.head, "holds-a-gpu", "RUNNING")
        yield driver
    assert cockpit.run("stop", "holds-a-gpu").code == 0


def test_nodes_are_those_of_the_summary(ray_cluster: RayCluster, cockpit: CommandLine) -> None:
    def same_sample() -> list[tuple[Row, Row]]:
        """Our rows beside Ray's, once they are of the same moment."""
        theirs = node_rows(ray_cluster.head)
        pairs = [(row, theirs[row["node_id"]]) for row in cockpit.rows("nodes")]
        assert len(pairs) == len(theirs)
        fresh = {row["raylet"]["nodeId"]: row.get("now") for row in node_rows(ray_cluster.head).values()}
        return pairs if all(theirs[key].get("now") == now for key, now in fresh.items()) else []

    pairs = eventually(same_sample, within=REFRESH, what="two listings of one sample")
    assert set(ray_cluster.node_ids) <= {ours["node_id"] for ours, _ in pairs}
    for ours, theirs in pairs:
        raylet = theirs["raylet"]
        assert ours["state"] == raylet["state"]
        assert ours["is_head_node"] == raylet["isHeadNode"]
        assert sorted(ours["resources_total"].values()) == sorted(raylet["resourcesTotal"].values())
        assert ours["labels"] == raylet["labels"]
        for name in ("hostname", "ip", "cpu", "shm"):
            assert ours[name] == theirs[name], name
        assert [ours["cpus_logical"], ours["cpus_physical"]] == theirs["cpus"]
        assert [ours[f"mem_{name}"] for name in ("total", "available", "percent", "used")] == theirs["mem"]
        root = ours["disk"]["/"]
        assert root == {name: theirs["disk"]["/"][name] for name in root}
        assert ours["object_store_used_memory"] == int(raylet["objectStoreUsedMemory"])


def test_ids_and_states_are_those_of_ray_list_nodes(ray_cluster: RayCluster, cockpit: CommandLine) -> None:
    listed = ray_cluster.run_ray("list", "nodes", "--format", "json")
    assert listed.returncode == 0, listed.stderr

    def told(rows: list[Row]) -> dict[str, tuple[str, list[str]]]:
        """State and names of resources by id; Ray writes memory out, as in 19.37 GiB."""
        return {row["node_id"]: (row["state"], sorted(row["resources_total"])) for row in rows}

    assert told(cockpit.rows("nodes")) == told(json.loads(listed.stdout))


def shown(gpu: StubGpu) -> Row:
    """The fields of a GPU as we are to show them: bytes, and null for what cannot be read."""
    return {
        "name": gpu.name,
        "uuid": gpu.uuid,
        "utilization_gpu": gpu.utilization,
        "memory_used": gpu.memory_used_mib * MIB,
        "memory_total": gpu.memory_total_mib * MIB,
        "power_mw": gpu.power_mw if ray_release().has_gpu_power else None,
        "temperature_c": gpu.temperature_c if ray_release().has_gpu_power else None,
    }


def when_sampled(node: RayNode, gpu: StubGpu, cluster: RayCluster) -> None:
    """Wait until Ray reports the memory in use of `gpu`: the figures of one sample come together."""

    def is_sampled() -> bool:
        rows = node_rows(cluster.head)[node.node_id]["gpus"]
        return any(row["uuid"] == gpu.uuid and row["memoryUsed"] == gpu.memory_used_mib for row in rows)

    eventually(is_sampled, within=REFRESH, what=f"{gpu.memory_used_mib} MiB on {gpu.name}")


def test_gpus_are_those_of_the_stand_in(ray_cluster: RayCluster, cockpit: CommandLine) -> None:
    busy = ray_cluster.gpus[ray_cluster.worker.node_id].set(
        1, utilization=87, memory_used_mib=40_321, power_mw=612_345, temperature_c=71
    )
    silent = ray_cluster.gpus[ray_cluster.head.node_id].set(
        0, utilization=None, memory_used_mib=7, power_mw=None, temperature_c=None
    )
    when_sampled(ray_cluster.worker, busy, ray_cluster)
    when_sampled(ray_cluster.head, silent, ray_cluster)
    rows = cockpit.rows("gpus")
    for node in (ray_cluster.head, ray_cluster.worker):
        stub = ray_cluster.gpus[node.node_id]
        found = [row for row in rows if row["node_id"] == node.node_id]
        assert [row["index"] for row in found] == [0, 1]
        for row, gpu in zip(found, (stub[0], stub[1]), strict=True):
            assert row.items() >= shown(gpu).items()
            assert row["is_head_node"] == (node is ray_cluster.head)
    (line,) = [line for line in cockpit.run("gpus", "-o", "wide").text.splitlines() if silent.uuid in line]
    assert "0.0/80.0" in line
    assert line.split().count("–") >= 3, "utilization, power and temperature are unknown, not 0"


def test_process_outside_of_ray_is_told_and_holds_nothing(ray_cluster: RayCluster, cockpit: CommandLine) -> None:
    if not ray_release().has_gpu_processes:
        pytest.skip("the stand-in does not speak to this Ray about processes")
    stub = ray_cluster.gpus[ray_cluster.worker.node_id]
    gpu = stub.set(0, memory_used_mib=513, processes=(GpuProcess(4711, 512, 12), GpuProcess(4712, None, None)))
    when_sampled(ray_cluster.worker, gpu, ray_cluster)
    (row,) = [row for row in cockpit.rows("gpus") if row["uuid"] == gpu.uuid]
    assert row["holders"] == []
    assert row["processes_pids"] == [
        {"pid": 4711, "gpu_memory_usage": 512 * MIB, "gpu_utilization": 12},
        {"pid": 4712, "gpu_memory_usage": 0, "gpu_utilization": None},
    ]


def test_holders_are_named(holders: Driver, ray_cluster: RayCluster, cockpit: CommandLine) -> None:
    def held() -> list[Row]:
        slots = [
            slot
            for row in node_rows(ray_cluster.head).values()
            for stats in row["raylet"].get("coreWorkersStats", ())
            for slot in stats.get("usedResources", {}).get("GPU", {}).get("resourceSlots", ())
        ]
        return slots if len(slots) == 2 else []

    def named() -> list[Row]:
        # On a busy machine Ray leaves the workers out of a sample now and then.
        found = [holder for row in cockpit.rows("gpus") for holder in row["holders"]]
        return found if len(found) == 2 else []

    eventually(held, within=REFRESH, what="two holders of GPUs")
    by_share = {holder["allocation"]: holder for holder in eventually(named, within=REFRESH, what="both of them")}
    assert by_share.keys() == {0.5, 1.0}
    driver_id = holders.output().rpartition("holding ")[2].split()[0]
    assert by_share[0.5]["job_id"] == driver_id
    assert by_share[0.5]["actor_id"].endswith(driver_id)
    assert by_share[1.0]["submission_id"] == "holds-a-gpu"
    tell = f"{driver_id} actor"
    told = eventually(lambda: next((t for t in [cockpit.run("gpus").text] if tell in t), ""), within=REFRESH, what=tell)
    assert "×0.5" in told
    assert "holds-a-gpu" in told

    def used() -> float:
        rows = (row for row in cockpit.rows("nodes") if row["state"] == "ALIVE")
        return float(sum(row["logical"]["GPU"]["used"] for row in rows))

    # The logical resources lag behind the workers by some seconds.
    eventually(lambda: used() == 1.5, within=REFRESH, what="1.5 GPUs in use")
