"""Other templates and an old mistake, each as a cluster of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.conftest import Cluster
from tests.containers.world import World, eventually
from tests.sdl.test_templates import STORAGE, script

pytestmark = pytest.mark.containers

ENVIRONMENT = """
import os
import ray

NAMES = "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION WANDB_API_KEY WANDB_PROJECT".split()

def seen():
    return {name: len(os.environ.get(name, "")) for name in NAMES}

ray.init()
there = [node["NodeID"] for node in ray.nodes() if node["Alive"] and "node:__internal_head__" not in node["Resources"]]
on = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(there[0], soft=False)
worker = ray.get(ray.remote(num_cpus=0.1)(seen).options(scheduling_strategy=on).remote())
print("SAME" if worker == seen() else "DIFFERENT", seen())
"""
MANY = """
import time
import ray

ray.init()
hold = ray.remote(num_cpus=1)(lambda: time.sleep(4))
ray.get([hold.remote() for _ in range(16)])
"""


@pytest.fixture(scope="module")
def jobs(world: World) -> Path:
    """A working directory with both jobs."""
    folder = world.folder / "jobs"
    folder.mkdir()
    (folder / "environment.py").write_text(ENVIRONMENT)
    (folder / "many.py").write_text(MANY)
    return folder


# --- GPUs and stores -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stored(world: World) -> Iterator[Cluster]:
    """The template with GPUs, a store and Weights & Biases; the GPUs stay away."""
    path = world.sdl("proof-gpu", "ray-gpu-storage")
    for name in STORAGE:
        assert world.cockpit("secrets", "set", name, "--scope", path.stem, stdin=f"{name} of mine").code == 0
    yield Cluster(world, path.stem, world.up(path))
    world.cockpit("sdl", "down", path.stem)


def test_gpus_are_left_out_and_jobs_find_the_store(stored: Cluster, jobs: Path) -> None:
    assert all("GPU" not in node["resources_total"] for node in stored.whole(2))
    done = stored.cockpit("submit", "--working-dir", jobs, "--", "python3", "environment.py")
    assert done.code == 0, done.err + done.out
    said = next(line for line in done.out.splitlines() if line.startswith(("SAME", "DIFFERENT")))
    assert said.startswith("SAME")
    for wanted in (
        "'AWS_ACCESS_KEY_ID': 25", "'AWS_SECRET_ACCESS_KEY': 29", "'WANDB_API_KEY': 21", "'WANDB_PROJECT': 12",
    ):  # fmt: skip
        assert wanted in said
    log = stored.world.podman("logs", stored.containers("ray-head")[0]["container"])
    assert "of mine" not in log


def test_the_notice_names_the_gpus(stored: Cluster) -> None:
    again = stored.world.cockpit("sdl", "up", stored.world.folder / "proof-gpu.yaml")
    assert again.code == 2
    assert "proof-gpu is up already" in again.err
    assert "ray-head: 1 GPU left out" in again.err


# --- six ports -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def narrow(world: World) -> Iterator[tuple[Cluster, Path]]:
    """The range of worker ports that templates used to have, on nodes with eight CPUs to fill."""
    assert "--max-worker-port=19999" in script("ray-worker")
    change = ("--max-worker-port=19999", "--max-worker-port=10007 --num-cpus=8")
    path = world.sdl("proof-ports", "ray-cpu", change)
    yield Cluster(world, path.stem, world.up(path, "--replicas", "1")), path
    world.cockpit("sdl", "down", path.stem)


def test_six_worker_ports_run_out_as_the_rule_says(narrow: tuple[Cluster, Path], jobs: Path) -> None:
    cluster, path = narrow
    assert "ray-worker-ports: 6 worker ports" in cluster.world.cockpit("sdl", "lint", path).out
    done = cluster.cockpit("submit", "--no-wait", "--id", "many", "--working-dir", jobs, "--", "python3", "many.py")
    assert done.code == 0, done.err
    eventually(lambda: "No available ports" in cluster.cockpit("logs", "many").out, "ports ran out")
    cluster.cockpit("stop", "--no-wait", "many")
