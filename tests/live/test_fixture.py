"""The live cluster is what the other live tests take it for."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.live.cluster import RayCluster, started_head
from tests.live.gpu_stub import GpuProcess, StubGpu
from tests.live.node import MARKER, RayHead, RayNode, summary
from tests.live.processes import alive, eventually, marked

pytestmark = pytest.mark.live

REFRESH = 60.0  # seconds; Ray samples the GPUs every 5 and the workers every 15
DEATH = 120.0  # seconds; Ray needs about 13 to miss a node that was killed
HOLD_A_GPU = """
import threading
import ray

@ray.remote(num_gpus=1)
class Holder:
    def ping(self):
        return "holding"

ray.init()
holder = Holder.remote()
print(ray.get(holder.ping.remote()))
threading.Event().wait()
"""

Row = dict[str, Any]


def rows(cluster: RayCluster) -> dict[str, Row]:
    with cluster.head.http() as client:
        return {row["raylet"]["nodeId"]: row for row in summary(client)}


def row_where(cluster: RayCluster, node: RayNode, condition: Callable[[Row], object], what: str) -> Row:
    """The node's row as soon as `condition` holds for it."""

    def probe() -> Row:
        row = rows(cluster).get(node.node_id, {})
        return row if row and condition(row) else {}

    return eventually(probe, within=REFRESH, what=what)


def shown(gpu: StubGpu) -> Row:
    """The fields of a GPU without processes as Ray shows them."""
    return {
        "name": gpu.name,
        "uuid": gpu.uuid,
        "utilizationGpu": -1 if gpu.utilization is None else gpu.utilization,
        "memoryUsed": gpu.memory_used_mib,
        "memoryTotal": gpu.memory_total_mib,
        "powerMw": gpu.power_mw,
        "temperatureC": gpu.temperature_c,
    }


def shows(gpu: StubGpu, index: int) -> Callable[[Row], bool]:
    return lambda row: shown(gpu).items() <= row["gpus"][index].items()


def test_both_nodes_are_alive_and_one_is_the_head(ray_cluster: RayCluster) -> None:
    alive_rows = {key: row for key, row in rows(ray_cluster).items() if row["raylet"]["state"] == "ALIVE"}
    heads = [key for key, row in alive_rows.items() if row["raylet"]["isHeadNode"]]
    assert set(ray_cluster.node_ids) <= alive_rows.keys()
    assert heads == [ray_cluster.head.node_id]


def test_the_dashboard_wants_the_token(ray_cluster: RayCluster) -> None:
    with httpx.Client(base_url=ray_cluster.address, trust_env=False) as stranger:
        assert stranger.get("/api/version").status_code == 401
    with ray_cluster.head.http() as client:
        assert client.get("/api/version").json()["ray_version"]


def test_gpus_are_those_of_the_stub(ray_cluster: RayCluster) -> None:
    for node, model in ((ray_cluster.head, "NVIDIA A100-SXM4-80GB"), (ray_cluster.worker, "NVIDIA H100 80GB HBM3")):
        assert node.gpus is not None
        for index in (0, 1):
            row = row_where(ray_cluster, node, shows(node.gpus[index], index), f"GPU {index} of {node.name}")
            assert row["gpus"][index]["name"] == model
        assert row["raylet"]["resourcesTotal"]["GPU"] == 2.0


def test_changed_figures_show_up(ray_cluster: RayCluster) -> None:
    node = ray_cluster.worker
    gpu = ray_cluster.gpus[node.node_id].set(
        1, utilization=87, memory_used_mib=40_321, power_mw=612_000, temperature_c=71
    )
    row = row_where(ray_cluster, node, shows(gpu, 1), "the new figures")
    assert row["gpus"][0]["utilizationGpu"] == 0


def test_unreadable_figures_are_minus_one_and_null(ray_cluster: RayCluster) -> None:
    node = ray_cluster.head
    gpu = ray_cluster.gpus[node.node_id].set(0, utilization=None, power_mw=None, temperature_c=None)
    row = row_where(ray_cluster, node, shows(gpu, 0), "unreadable figures")
    assert row["gpus"][0]["utilizationGpu"] == -1


def test_processes_of_a_gpu_show_up(ray_cluster: RayCluster) -> None:
    node = ray_cluster.head
    processes = (GpuProcess(4711, 512, 12), GpuProcess(4712, None, None))
    ray_cluster.gpus[node.node_id].set(1, processes=processes)
    row = row_where(ray_cluster, node, lambda row: row["gpus"][1]["processesPids"], "two processes")
    assert row["gpus"][1]["processesPids"] == [
        {"pid": 4711, "gpuMemoryUsage": 512, "gpuUtilization": 12},
        {"pid": 4712, "gpuMemoryUsage": 0, "gpuUtilization": None},
    ]


def test_driver_that_holds_a_gpu(ray_cluster: RayCluster) -> None:
    with ray_cluster.driver(HOLD_A_GPU) as driver, ray_cluster.head.http() as client:
        driver.wait_for("holding")
        (job,) = [job for job in client.get("/api/jobs/").json() if driven_by(job, driver.pid)]
        holders = eventually(lambda: gpu_holders(ray_cluster, job["job_id"]), within=REFRESH, what="a holder")
        assert job["type"] == "DRIVER"
        assert [slot["allocation"] for slots in holders for slot in slots] == [1.0]


def driven_by(job: Row, pid: int) -> bool:
    return bool(job["driver_info"] and job["driver_info"]["pid"] == str(pid))


def gpu_holders(cluster: RayCluster, job_id: str) -> list[list[Row]]:
    """The GPU slots of each worker process of the job that has any."""
    stats = [stats for row in rows(cluster).values() for stats in row["raylet"].get("coreWorkersStats", ())]
    used = [one.get("usedResources", {}) for one in stats if one.get("jobId") == job_id]
    return [resources["GPU"]["resourceSlots"] for resources in used if "GPU" in resources]


def test_reference_command_line_answers(ray_cluster: RayCluster) -> None:
    jobs = ray_cluster.run_ray("job", "list")
    nodes = ray_cluster.run_ray("list", "nodes", "--format", "json")
    assert jobs.returncode == 0, jobs.stderr
    assert {node["node_id"] for node in json.loads(nodes.stdout)} >= set(ray_cluster.node_ids)


def test_job_that_runs_on_the_worker_has_its_log(ray_cluster: RayCluster) -> None:
    body = {"entrypoint": "echo from-the-worker", "entrypoint_resources": {"accelerator_type:H100": 0.001}}
    with ray_cluster.head.http() as client:
        path = f"/api/jobs/{client.post('/api/jobs/', json=body).json()['submission_id']}"
        job = eventually(lambda: finished(client.get(path).json()), within=REFRESH, what="the job's end")
        assert (job["status"], job["driver_node_id"]) == ("SUCCEEDED", ray_cluster.worker.node_id)
        assert "from-the-worker" in client.get(f"{path}/logs").json()["logs"]


def finished(job: Row) -> Row:
    return job if job["status"] in ("SUCCEEDED", "FAILED", "STOPPED") else {}


@pytest.mark.slow
def test_extra_node_can_be_killed(ray_cluster: RayCluster) -> None:
    node = ray_cluster.start_worker()
    pids = node.tree.pids()
    ray_cluster.kill_worker(node)
    assert alive(pids) == []

    def is_dead() -> bool:
        return bool(rows(ray_cluster)[node.node_id]["raylet"]["state"] == "DEAD")

    eventually(is_dead, within=DEATH, what="the killed node DEAD")


def test_head_freezes_and_restarts_at_its_address(disposable_head: RayHead) -> None:
    with disposable_head.http() as client:
        before = client.get("/api/version").json()["session_name"]
        disposable_head.freeze()
        with pytest.raises(httpx.ReadTimeout):
            client.get("/api/version", timeout=1)
        disposable_head.thaw()
        assert client.get("/api/version").is_success
        disposable_head.restart()
    with disposable_head.http() as client:
        assert client.get("/api/version").json()["session_name"] != before


def test_nothing_is_left_of_a_head() -> None:
    with started_head() as head:
        pids = head.tree.pids()
        assert marked(MARKER, head.site.mark)
    assert alive(pids) == []
    assert marked(MARKER, head.site.mark) == []
    assert not head.site.directory.exists()
