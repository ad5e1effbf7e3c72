"""The live fixtures with the older Ray that `RAYAKASH_RAY_BIN` names; `make test-compat` sets it for each release."""

import os

import pytest

from tests.live.conftest import _figures_of_the_start, client, cockpit, disposable_head, ray_cluster
from tests.live.release import RAY_BIN

__all__ = ["_figures_of_the_start", "client", "cockpit", "disposable_head", "ray_cluster"]


@pytest.fixture(scope="session", autouse=True)
def _older_ray() -> None:
    if not os.environ.get(RAY_BIN):
        pytest.skip(f"needs {RAY_BIN}, the bin directory of an environment with an older Ray: make test-compat")
