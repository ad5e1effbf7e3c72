"""One cluster for most tests, from the template for CPUs; whatever a test breaks in it, it mends."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.containers import probes
from tests.containers.images import provide
from tests.containers.world import World, eventually, killed, missing

NAME = "proof-cpu"
QUIET_S = 66  # longer than the minute after which common proxies hang up
NODES = 3


class Cluster:
    """What `sdl up` made of a template, as the outside sees it."""

    def __init__(self, world: World, name: str, up: dict[str, Any]) -> None:
        self.world = world
        self.name = name
        self.address: str = up["address"]
        self.pin: str = up["certificate"]
        self.port = self.address.rpartition(":")[2]
        self.token = world.token(name)

    def cockpit(self, *arguments: str | Path, stdin: str = "", **variables: str) -> Any:
        """Run `rayakash-tui …` outside, on this cluster."""
        return self.world.cockpit("-c", self.name, *arguments, outside=True, stdin=stdin, **variables)

    def probe(self, text: str, *arguments: str, token: str | None = None) -> Any:
        """What a program finds outside, given the way in."""
        given = self.token if token is None else token
        return self.world.python(text, *self.way(given), *arguments, outside=True)

    def way(self, token: str) -> list[str]:
        """Host, port, fingerprint, token."""
        return [self.address.removeprefix("https://").rpartition(":")[0], self.port, self.pin, token]

    def alive(self) -> list[dict[str, Any]]:
        """The nodes that live."""
        done = self.cockpit("nodes", "--json")
        assert done.code == 0, done.err
        return [row for row in done.data["nodes"] if row["state"] == "ALIVE"]

    def containers(self, service: str) -> list[dict[str, Any]]:
        """What runs of a service."""
        rows = self.world.cockpit("sdl", "ps", "--json").data["containers"]
        return [row for row in rows if row["cluster"] == self.name and row["service"] == service]

    def whole(self, nodes: int = NODES) -> list[dict[str, Any]]:
        """Wait until so many nodes live."""

        def found() -> list[dict[str, Any]]:
            alive = self.alive()
            return alive if len(alive) == nodes else []

        rows: list[dict[str, Any]] = eventually(found, f"{nodes} nodes")
        return rows


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A machine with the images of the templates, and an outside."""
    if reason := missing():
        pytest.skip(reason)
    found = World(tmp_path_factory.mktemp("containers"))
    provide(found.podman)
    found.open()
    try:
        yield found
    finally:
        for name in {row["cluster"] for row in _rows(found)}:
            if name.startswith(NAME.partition("-")[0] + "-"):  # others are somebody's
                found.cockpit("sdl", "down", name)
        found.close()


def _rows(world: World) -> list[dict[str, Any]]:
    done = world.cockpit("sdl", "ps", "--json")
    rows: list[dict[str, Any]] = done.data["containers"] if done.out else []
    return rows


@pytest.fixture(scope="session")
def cluster(world: World) -> Cluster:
    """A head, two workers and the gateway of `ray-cpu`, all alive."""
    return Cluster(world, NAME, world.up(world.sdl(NAME, "ray-cpu")))


class Listeners:
    """Two who follow one silent job from its beginning, each on a single connection."""

    def __init__(self, cluster: Cluster) -> None:
        # Ray writes the entrypoint at the top of the log, so no word that is looked for stands in it whole.
        script = f"import time; print('first' + 'word', flush=True); time.sleep({QUIET_S}); print('last' + 'word')"
        done = cluster.cockpit("submit", "--no-wait", "--id", "silent", "--", "python3", "-c", script)
        assert done.code == 0, done.err
        node = eventually(lambda: _driver_node(cluster), "the job runs")
        way = cluster.way(cluster.token)
        query = f"/api/v0/logs/stream?node_id={node}&filename=job-driver-silent.log&lines=-1&interval=0.2"
        self.processes = {
            "websocket": cluster.world.started(probes.FOLLOW, *way, "silent", "lastword"),
            "stream": cluster.world.started(probes.STREAM, *way, query, "lastword"),
        }

    def close(self) -> None:
        """End those that still listen."""
        for process in self.processes.values():
            killed(process)


def _driver_node(cluster: Cluster) -> str:
    rows = cluster.cockpit("jobs", "--json").data["jobs"]
    found = next(row for row in rows if row["submission_id"] == "silent")
    return found["driver_node_id"] or ""


@pytest.fixture(scope="session")
def listeners(cluster: Cluster) -> Iterator[Listeners]:
    """Begun with the first test of the cluster, so that nobody waits for the silence."""
    found = Listeners(cluster)
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(autouse=True)
def _begun(request: pytest.FixtureRequest) -> None:
    if "cluster" in request.fixturenames:
        request.getfixturevalue("listeners")


def output_of(process: "subprocess.Popen[str]", seconds: float) -> str:
    """What a program wrote; fails the test with its complaint where it failed."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return out
