"""Nodes that are killed or told to leave: the cluster goes on, and they come back."""

import os
import signal

import pytest

from tests.containers.conftest import NODES, Cluster
from tests.containers.world import eventually

pytestmark = pytest.mark.containers

# A task on the second worker that is told once and takes a while; it is not tried a second time.
TASK = """
import socket
import time
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

@ray.remote(num_cpus=0)
class Begun:
    def __init__(self):
        self.host = None
    def tell(self, host):
        self.host = host
    def who(self):
        return self.host

@ray.remote(num_cpus=0.1, max_retries=0)
def work(begun):
    ray.get(begun.tell.remote(socket.gethostname()))
    time.sleep(8)
    return "finished on " + socket.gethostname()

ray.init()
node = next(node["NodeID"] for node in ray.nodes() if node["Alive"] and node["NodeManagerHostname"] == "ray-worker-1")
begun = Begun.options(scheduling_strategy=On(ray.get_runtime_context().get_node_id(), soft=False)).remote()
result = work.options(scheduling_strategy=On(node, soft=False)).remote(begun)
while ray.get(begun.who.remote()) is None:
    time.sleep(0.1)
print("BEGUN", flush=True)
print(ray.get(result), flush=True)
"""


def _pid(cluster: Cluster, container: str) -> int:
    return int(cluster.world.podman("inspect", "--format", "{{.State.Pid}}", container))


def test_a_killed_worker_comes_back(cluster: Cluster) -> None:
    before = {node["node_id"] for node in cluster.whole()}
    worker = cluster.containers("ray-worker")[0]["container"]
    os.kill(_pid(cluster, worker), signal.SIGKILL)  # as the kernel does when memory runs out
    eventually(lambda: cluster.containers("ray-worker")[0]["restarts"] == 1, "started again")
    after = eventually(lambda: _changed(cluster, before), "a new node in its place")
    assert len(after - before) == 1


def _changed(cluster: Cluster, before: set[str]) -> set[str]:
    alive = {node["node_id"] for node in cluster.alive()}
    return alive if len(alive) == NODES and alive != before else set()


def test_a_worker_that_is_told_to_leaves_cleanly(cluster: Cluster) -> None:
    cluster.whole()
    folder = cluster.world.folder / "drain"
    folder.mkdir(exist_ok=True)
    (folder / "task.py").write_text(TASK)
    submit = ("submit", "--no-wait", "--id", "draining", "--working-dir", folder, "--", "python3", "task.py")
    assert cluster.cockpit(*submit).code == 0
    eventually(lambda: "BEGUN" in cluster.cockpit("logs", "draining").out, "the task runs on the worker")
    worker = cluster.containers("ray-worker")[1]["container"]
    cluster.world.podman("stop", "--time", "30", worker)
    # It waited for the task, and said that it would go.
    assert cluster.containers("ray-worker")[1]["exit_code"] != 137, "it had to be killed"
    done = cluster.cockpit("logs", "-f", "draining")
    assert done.code == 0, done.out
    assert "finished on ray-worker-1" in done.out
    gone = [node for node in cluster.cockpit("nodes", "--json").data["nodes"] if node["hostname"] == "ray-worker-1"]
    assert all(node["state"] == "DEAD" for node in gone)
    assert any("SIGTERM" in (node["state_message"] or "") for node in gone), gone
    cluster.world.podman("start", worker)
    cluster.whole()
