"""A real Ray with its libraries and CPU torch: `make test-gallery` sets up their environment."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.cluster import started_head
from tests.live.command_line import CommandLine
from tests.live.node import RayHead
from tests.live.release import RAY_BIN


@pytest.fixture(scope="session")
def head() -> Iterator[RayHead]:
    """A head with four CPUs."""
    if not os.environ.get(RAY_BIN):
        pytest.skip(f"needs {RAY_BIN}, the bin directory of an environment with Ray's libraries: make test-gallery")
    with started_head(num_cpus=4) as head:
        yield head


@pytest.fixture(scope="session")
def gallery(head: RayHead, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Our command line, told of the head by its environment."""
    variables = {"RAYAKASH_ADDRESS": head.address, "RAY_AUTH_TOKEN": head.token}
    return CommandLine(tmp_path_factory.mktemp("home"), variables)


@pytest.fixture
def storage(tmp_path: Path) -> str:
    """Where checkpoints go."""
    return str(tmp_path / "storage")
