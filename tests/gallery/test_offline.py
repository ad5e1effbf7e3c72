"""A real Ray whose nodes reach no package index: what is sent for torch, and the one sentence that comes back."""

from collections.abc import Iterator

import pytest

from tests.live.cluster import started_head
from tests.live.command_line import CommandLine
from tests.live.release import RAY_BIN, ray_release

pytestmark = pytest.mark.gallery

LONG = 300.0


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """Our command line for a head without torch, where uv is forbidden to use the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_OFFLINE", "1")
        patch.delenv(RAY_BIN, raising=False)  # the Ray of these tests has no torch, the named one may
        ray_release.cache_clear()
        with started_head(num_cpus=2) as head:
            variables = {"RAYAKASH_ADDRESS": head.address, "RAY_AUTH_TOKEN": head.token}
            yield CommandLine(tmp_path_factory.mktemp("home"), variables)
    ray_release.cache_clear()


def test_packages_that_cannot_be_installed_are_a_sentence(offline: CommandLine) -> None:
    done = offline.run("gallery", "run", "all-reduce", "--json", within=LONG)
    assert done.code == 1
    assert "Ray could not install the packages: " in done.json()["error"]
    assert "torch" in done.json()["error"]
    assert "--installed" in done.stderr
    assert "Traceback" not in done.everything
    (job,) = offline.run("jobs", "--json").json()["jobs"]
    assert job["runtime_env"]["uv"]["uv_pip_install_options"] == ["--no-cache", "--torch-backend=cpu"]
    assert "--no-cache', '--torch-backend=cpu']" in job["message"]  # Ray passed it on to uv
