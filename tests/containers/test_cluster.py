"""A cluster from the template for CPUs, with nothing of it changed: it forms, works, and opens to its owner alone."""

import json
from pathlib import Path

import pytest

from cockpit.sdl.ray_cluster import CLIENT_PORT, DASHBOARD_PORT, GCS_PORT
from tests.containers import probes
from tests.containers.conftest import NODES, Cluster, Listeners, output_of
from tests.containers.world import NEAR, World, eventually

pytestmark = pytest.mark.containers

EVERYWHERE = """
import os, socket
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On

ray.init()

@ray.remote(num_cpus=0.1)
def name():
    return socket.gethostname()

nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
found = ray.get([name.options(scheduling_strategy=On(node, soft=False)).remote() for node in nodes])
print("FOUND", *sorted(found))
"""
SENSITIVE = (GCS_PORT, CLIENT_PORT, DASHBOARD_PORT, 8076, 8077, 8078, 8079)


@pytest.fixture(scope="session")
def job_folder(world: World) -> Path:
    """A working directory with a job that visits every node."""
    folder = world.folder / "job"
    folder.mkdir()
    (folder / "everywhere.py").write_text(EVERYWHERE)
    return folder


# --- it works --------------------------------------------------------------------------------------------------------


def test_all_nodes_live_with_what_their_containers_have(cluster: Cluster) -> None:
    nodes = cluster.alive()
    assert len(nodes) == NODES
    assert [node["is_head_node"] for node in nodes].count(True) == 1
    for node in nodes:
        service = "ray-head" if node["is_head_node"] else "ray-worker"
        assert node["hostname"].startswith(service)
        limit = {"ray-head": 6, "ray-worker": 11}[service]
        assert node["mem_total"] == limit << 30, "memory and shared memory of the SDL, not the machine's"


def test_a_task_runs_on_every_node(cluster: Cluster, job_folder: Path) -> None:
    done = cluster.cockpit("submit", "--working-dir", job_folder, "--", "python3", "everywhere.py")
    assert done.code == 0, done.err + done.out
    assert "FOUND ray-head-0 ray-worker-0 ray-worker-1" in done.out
    assert "No available ports" not in done.out


def test_a_job_is_submitted_followed_and_stopped(cluster: Cluster) -> None:
    script = "import time; print(42, flush=True); time.sleep(9999)"
    assert cluster.cockpit("submit", "--no-wait", "--id", "long", "--", "python3", "-c", script).out == "long\n"
    eventually(lambda: "42" in cluster.cockpit("logs", "long").out, "the log")
    done = cluster.cockpit("stop", "long")
    assert done.code == 0, done.err
    row = next(row for row in cluster.cockpit("jobs", "--json").data["jobs"] if row["submission_id"] == "long")
    assert row["status"] == "STOPPED"


def test_the_context_says_what_the_cockpit_needs(cluster: Cluster) -> None:
    assert cluster.address.startswith(f"https://{NEAR}:")
    state = json.loads((cluster.world.folder / "home/.local/state/rayakash-tui/containers.json").read_text())
    context = state[cluster.name]["context"]
    assert (context["token"], context["pin"]) == ("ac-secret://RAY_AUTH_TOKEN", cluster.pin)
    assert cluster.token not in json.dumps(state)
    # It is the one in use.
    assert cluster.world.cockpit("jobs", outside=True).code == 0


# --- for its owner alone ---------------------------------------------------------------------------------------------


def test_nobody_gets_in_without_the_token(cluster: Cluster) -> None:
    assert cluster.probe(probes.GET, "/api/jobs/")[0] == 200
    assert cluster.probe(probes.GET, "/api/jobs/", token="-")[0] == 403
    assert cluster.probe(probes.GET, "/api/jobs/", token="x" * 43)[0] == 403
    status, text = cluster.probe(probes.GET, "/nodes?view=summary", token="")
    assert (status, "authentication token" in text) == (401, True)
    way = ("--address", cluster.address, "--accept-certificate", cluster.pin)
    for variables in ({}, {"RAY_AUTH_TOKEN": "y" * 43}):
        done = cluster.world.cockpit("jobs", *way, "--send-token", outside=True, **variables)
        assert done.code == 4, done.err


def test_another_certificate_gets_no_token(cluster: Cluster) -> None:
    other = "sha256:" + "0" * 64
    done = cluster.world.cockpit(
        "jobs", "--address", cluster.address, "--accept-certificate", other, "--send-token",
        outside=True, RAY_AUTH_TOKEN=cluster.token,
    )  # fmt: skip
    assert done.code != 0
    assert "certificate" in done.err
    assert not done.out


def test_only_the_gateway_is_reached_from_outside(cluster: Cluster) -> None:
    world = cluster.world
    ips = [row["ip"] for service in ("ray-head", "ray-worker") for row in cluster.containers(service)]
    inside = [f"{ips[0]}:{port}" for port in SENSITIVE]
    # Between the pods all of them are open, so that a closed one means something.
    assert set(world.python(probes.CONNECT, *inside).values()) == {"open"}
    places = [f"{host}:{port}" for host in (NEAR, *ips) for port in (*SENSITIVE, 10002)]
    found = world.python(probes.CONNECT, f"{NEAR}:{cluster.port}", *places, outside=True)
    assert [place for place, state in found.items() if state == "open"] == [f"{NEAR}:{cluster.port}"]


# --- the gateway -----------------------------------------------------------------------------------------------------


def test_a_hundred_mebibytes_pass(cluster: Cluster) -> None:
    put, text, there = cluster.probe(probes.UPLOAD, str(100 * 1024 * 1024 - 4096))
    assert (put, there) == (200, 200), text


@pytest.mark.parametrize("way", ["websocket", "stream"])
def test_a_minute_of_silence_cuts_nobody_off(listeners: Listeners, way: str) -> None:
    found = json.loads(output_of(listeners.processes[way], 180))
    assert found["status"] in ("101", "200")
    assert "firstword" in found["text"]
    assert "lastword" in found["text"]
    assert found["quiet"] > 60


def test_the_gateway_tells_nobody_the_token(cluster: Cluster) -> None:
    log = cluster.world.podman("logs", cluster.containers("gateway")[0]["container"])
    assert "serving" in log
    assert cluster.token not in log
    assert "PRIVATE KEY" not in log
