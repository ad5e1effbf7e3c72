"""A real Ray with its libraries and CPU torch: `make test-gallery` sets up their environment."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.cluster import started_head
from tests.live.command_line import CommandLine
from tests.live.release import RAY_BIN


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """Our command line, told of a head with four CPUs."""
    if not os.environ.get(RAY_BIN):
        pytest.skip(f"needs {RAY_BIN}, the bin directory of an environment with Ray's libraries: make test-gallery")
    with started_head(num_cpus=4) as head:
        variables = {"RAYAKASH_ADDRESS": head.address, "RAY_AUTH_TOKEN": head.token}
        yield CommandLine(tmp_path_factory.mktemp("home"), variables)


@pytest.fixture
def storage(tmp_path: Path) -> str:
    """Where checkpoints go."""
    return str(tmp_path / "storage")
