"""Fixtures with a real Ray. A cluster takes seconds to start: the session has one, for all tests."""

from collections.abc import Iterator

import pytest

from tests.live.cluster import RayCluster, started_cluster, started_head
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
