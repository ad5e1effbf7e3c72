"""docker/Dockerfile: it builds over the stock image, runs as nobody special, and knows when it is well."""

import json

import pytest

from tests.containers.conftest import Cluster
from tests.containers.test_bad_input import ENOUGH, TOKEN
from tests.containers.world import ROOT, World, eventually

pytestmark = pytest.mark.containers

IMAGE = "localhost/rayakash-proof"


@pytest.fixture(scope="module")
def image(world: World) -> str:
    """The image that docker/README.md tells how to build."""
    world.podman(
        "build", "--quiet", "--isolation", "chroot", "--format", "docker", "--build-arg", "VERSION=7",
        "--tag", IMAGE, str(ROOT / "docker"),
    )  # fmt: skip
    return IMAGE


def test_what_is_written_on_it(world: World, image: str) -> None:
    (row,) = json.loads(world.podman("image", "inspect", image))
    assert row["Config"]["User"] == "ray"
    labels = row["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == "7"
    assert labels["org.opencontainers.image.base.name"].startswith("rayproject/ray:2.")
    health = row.get("HealthCheck") or row.get("Healthcheck") or row["Config"].get("Healthcheck")
    assert "healthy.py" in health["Test"][-1]


def test_it_starts_a_head_that_knows_when_it_is_well(world: World, image: str) -> None:
    name = "rayakash-proof-image"
    world.podman("rm", "--force", "--ignore", name)
    world.podman("run", "--detach", "--name", name, *ENOUGH, "--env", f"RAY_AUTH_TOKEN={TOKEN}", image)
    try:
        check = ("exec", name, "python3", "/usr/local/bin/healthy.py")
        assert "does not answer" in world.podman(*check, check=False)
        eventually(lambda: "success" in world.podman(*check, check=False), "it is well")
        assert world.podman("exec", name, "id", "-un").strip() == "ray"
        # The script stays the first process, so that orphans are collected; Ray is its child.
        assert "start-head.sh" in world.podman("exec", name, "cat", "/proc/1/cmdline")
        running = world.podman("exec", name, "sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null; true")
        assert "ray start --head" in running.replace("\0", " ")
    finally:
        world.podman("rm", "--force", "--time", "30", name)


def test_a_worker_of_it_asks_for_the_other_script(cluster: Cluster, image: str) -> None:
    done = cluster.world.run("podman", "run", "--rm", *ENOUGH, image, "exec /usr/local/bin/start-worker.sh")
    assert done.code == 78
    assert "RAY_AUTH_TOKEN needs at least 32 characters" in done.err
