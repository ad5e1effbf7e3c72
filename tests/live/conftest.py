"""Fixtures with a real Ray. A cluster takes seconds to start: the session has one, for all tests."""

from collections.abc import AsyncIterator, Iterator

import pytest

from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint
from cockpit.model.secret import Secret
from tests.live.cluster import RayCluster, started_cluster, started_head
from tests.live.command_line import CommandLine
from tests.live.node import RayHead


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[RayCluster]:
    """The session's cluster of two nodes with GPUs."""
    with started_cluster() as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _figures_of_the_start(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test did to the GPUs of the session's cluster ends with the test."""
    uses_cluster = "ray_cluster" in request.fixturenames
    cluster: RayCluster | None = request.getfixturevalue("ray_cluster") if uses_cluster else None
    yield
    if cluster is not None:
        cluster.reset_gpus()


@pytest.fixture
def disposable_head() -> Iterator[RayHead]:
    """A head of the test's own, to freeze, kill and restart at the same address."""
    with started_head() as head:
        yield head


@pytest.fixture(scope="session")
def cockpit(ray_cluster: RayCluster, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Our command line, told of the session's cluster by its environment alone."""
    variables = {"RAYAKASH_ADDRESS": ray_cluster.address, "RAY_AUTH_TOKEN": ray_cluster.token}
    return CommandLine(tmp_path_factory.mktemp("home"), variables)


@pytest.fixture
async def client(ray_cluster: RayCluster) -> AsyncIterator[RayClient]:
    """Our client of the session's cluster."""
    endpoint = Endpoint(address=parse_address(ray_cluster.address), token=Secret(ray_cluster.token))
    async with RayClient.at(endpoint) as client:
        yield client
