"""A real Ray on which everything waits for a reason of its own, started once for all tests of this folder."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.cluster import HEAD_GPUS, RayCluster, started_cluster
from tests.live.conftest import client, cockpit

__all__ = ["client", "cockpit", "ray_cluster"]

SITUATIONS = Path(__file__).parent / "situations.py"
READY = "SITUATIONS "


@contextmanager
def silent_server() -> Iterator[str]:
    """The address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[RayCluster]:
    """A head with 4 GPUs that allows profiling, and a node with 2 and the label tier=gold."""
    with started_cluster(
        head_gpus=HEAD_GPUS * 2, worker_labels={"tier": "gold"}, variables={"RAY_DASHBOARD_ENABLE_PROFILING": "1"}
    ) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def waiting(ray_cluster: RayCluster) -> dict[str, str]:
    """IDs by the name of what waits; see situations.py."""
    driver = ray_cluster.driver(SITUATIONS.read_text())
    driver.wait_for(READY)
    line = next(line for line in driver.output().splitlines() if line.startswith(READY))
    found: dict[str, str] = json.loads(line.removeprefix(READY))
    return found
