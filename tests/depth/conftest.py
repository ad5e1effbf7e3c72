"""A real Ray on which everything waits for a reason of its own, started once for all tests of this folder."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint
from cockpit.model.secret import Secret
from tests.live.cluster import HEAD_GPUS, RayCluster, started_cluster
from tests.live.command_line import CommandLine

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
def cockpit(ray_cluster: RayCluster, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Our command line, told of the cluster by its environment alone."""
    variables = {"RAYAKASH_ADDRESS": ray_cluster.address, "RAY_AUTH_TOKEN": ray_cluster.token}
    return CommandLine(tmp_path_factory.mktemp("home"), variables)


@pytest.fixture
async def client(ray_cluster: RayCluster) -> AsyncIterator[RayClient]:
    """Our client of the cluster."""
    endpoint = Endpoint(address=parse_address(ray_cluster.address), token=Secret(ray_cluster.token))
    async with RayClient.at(endpoint) as client:
        yield client


@pytest.fixture(scope="session")
def waiting(ray_cluster: RayCluster) -> dict[str, str]:
    """IDs by the name of what waits; see situations.py."""
    driver = ray_cluster.driver(SITUATIONS.read_text())
    driver.wait_for(READY)
    line = next(line for line in driver.output().splitlines() if line.startswith(READY))
    found: dict[str, str] = json.loads(line.removeprefix(READY))
    return found
