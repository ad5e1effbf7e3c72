"""The whole way on Akash, with a provider that runs the manifest for real: rented, used, closed, and nothing left."""

import json
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.akash_sim.machines import PREFIX
from tests.containers.conftest import NODES, Cluster
from tests.containers.world import NEAR, ROOT, Done, World, eventually

pytestmark = pytest.mark.containers

NAME = "proof-akash"
SCALE = "3"  # virtual seconds of the network to a real one
# Nobody answers there: registries are not asked, and the Console on this machine needs no proxy.
NO_WAY_OUT = "http://127.0.0.1:9"


class Akash:
    """A simulated network in a process of its own, with one tenant."""

    def __init__(self, world: World, process: "subprocess.Popen[str]", variables: dict[str, str]) -> None:
        self.world = world
        self.process = process
        self.variables = {**variables, "HTTPS_PROXY": NO_WAY_OUT}

    def cockpit(self, *arguments: str | Path) -> Done:
        """Run `rayakash-tui …` as the tenant."""
        command = [sys.executable, "-m", "cockpit", *map(str, arguments)]
        return self.world.run(*command, variables=self.variables)

    def state(self) -> dict[str, Any]:
        """How the network is."""
        request = urllib.request.Request(f"{self.variables['AKASH_CONSOLE_URL']}/_sim", b'{"do": "state"}')
        with urllib.request.urlopen(request, timeout=30) as reply:
            found: dict[str, Any] = json.load(reply)
        return found

    def containers(self) -> list[str]:
        """What providers run of deployments."""
        return self.world.podman(
            "ps", "--all", "--format", "{{.Names}}", "--filter", f"name=rayakash-{PREFIX}"
        ).split()  # fmt: skip


@pytest.fixture
def akash(world: World) -> Iterator[Akash]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.akash_sim", "--scale", SCALE, "--providers", "2", "--containers", NEAR,
         "--home", str(world.folder / "provider")],
        env=world.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        yield Akash(world, process, dict(word.split("=", 1) for word in words))
    finally:
        process.terminate()
        process.communicate(timeout=120)


def test_from_an_sdl_to_a_cluster_on_akash_and_back_to_zero(akash: Akash) -> None:
    world = akash.world
    path = world.sdl(NAME, "ray-cpu", ("amount: ", "amount: 1"))
    done = akash.cockpit("deploy", path, "--bid", "best", "--yes", "--json")
    assert done.code == 0, done.err
    dseq, context = done.data["dseq"], done.data["context"]
    assert (context, done.data["nodes"], done.data["nodes_expected"]) == (NAME, NODES, NODES)
    assert len(akash.containers()) == NODES + 1
    cluster = Cluster(world, context, {"address": done.data["address"], "certificate": _pin(world, context)})
    _works(cluster)
    _leads_inside(akash, dseq)
    closed = akash.cockpit("deployments", "close", dseq, "--yes", "--json")
    assert closed.code == 0, closed.err
    (end,) = closed.data["closed"]
    assert (end["state"], end["context_removed"], end["port_dead"]) == ("closed", NAME, True)
    _nothing_is_left(akash, dseq, cluster)


def _pin(world: World, context: str) -> str:
    config = tomllib.loads((world.folder / "home/.config/rayakash-tui/config.toml").read_text())
    return str(config["contexts"][context]["pin"])


def _works(cluster: Cluster) -> None:
    """From outside, where only the provider's address is known."""
    done = cluster.cockpit("submit", "--id", "answer", "--", "python3", "-c", "import ray; ray.init(); print(6 * 7)")
    assert done.code == 0, done.err
    assert "42" in done.out
    assert "42" in cluster.cockpit("logs", "answer").out


def _leads_inside(akash: Akash, dseq: str) -> None:
    """The shell of the lease is one of the real container."""
    done = akash.cockpit("deployments", "shell", dseq, "ray-head", "--", "sh", "-c", "hostname; exit 3")
    assert (done.code, done.out) == (3, "ray-head-0\n"), done.err
    listed = akash.cockpit("deployments", "--json").data["deployments"]
    assert [(row["dseq"], row["context"], row["orphan"]) for row in listed] == [(dseq, NAME, False)]


def _nothing_is_left(akash: Akash, dseq: str, cluster: Cluster) -> None:
    world = akash.world
    assert akash.state()["deployments"] == {dseq: "closed"}
    assert float(akash.state()["available"]) < 1_000_000_000, "it was not free"
    eventually(lambda: not akash.containers(), "the provider takes the containers down")
    assert NAME not in world.cockpit("clusters", "list", "--json").out
    assert akash.cockpit("deployments", "--json").data["deployments"] == []
    kept = [path for path in (world.folder / "home").rglob("*") if path.is_file()]
    assert any("deployments" in str(path) for path in kept), "the journal stays"
    for path in [*kept, world.calls]:
        text = path.read_bytes()
        for value in (cluster.token, akash.variables["AKASH_API_KEY"]):
            assert value.encode() not in text, path
