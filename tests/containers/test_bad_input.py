"""Start scripts in containers that lack something: one line says what to change and where, and the container ends."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.containers.conftest import NAME, Cluster
from tests.containers.images import RAY_IMAGE
from tests.containers.world import World, eventually
from tests.sdl.test_templates import script

pytestmark = pytest.mark.containers

GIB = 1 << 30
TOKEN = "t" * 43
ENOUGH = ("--shm-size", str(GIB), "--memory", str(4 * GIB))


def start(
    world: World, service: str, *options: str, image: str = RAY_IMAGE, before: str = "", **env: str
) -> tuple[int, str]:
    """Exit code and words of a start script in a container of its own."""
    given = {"RAY_AUTH_TOKEN": TOKEN, "RAY_ADDRESS_HOST": "ray-head", **env}
    variables = [part for name, value in given.items() for part in ("--env", f"{name}={value}")]
    done = world.run(
        "podman", "run", "--rm", *options, *variables, "--entrypoint", "/bin/sh", image, "-c", before + script(service)
    )
    return done.code, done.err


@pytest.mark.parametrize("service", ["ray-head", "ray-worker"])
@pytest.mark.parametrize(
    ("options", "env", "words"),
    [
        (ENOUGH, {"RAY_AUTH_TOKEN": ""}, "env: RAY_AUTH_TOKEN needs at least 32 characters"),
        (ENOUGH, {"RAY_AUTH_TOKEN": TOKEN + "\nX"}, "env: RAY_AUTH_TOKEN is not a token"),
        (ENOUGH, {"RAY_AUTH_TOKEN": "ac-secret://RAY_AUTH_TOKEN"}, "env: RAY_AUTH_TOKEN has no value"),
        (ENOUGH, {"HF_TOKEN": "ac-secret://HF_TOKEN"}, "env: HF_TOKEN has no value"),
    ],
    ids=["empty", "newline", "reference", "other-reference"],
)
def test_what_is_missing_is_named(
    world: World, service: str, options: tuple[str, ...], env: dict[str, str], words: str
) -> None:
    code, said = start(world, service, *options, **env)
    assert code == 78
    assert re.search(words, said.splitlines()[-1]), said


@pytest.fixture
def near(cluster: Cluster) -> tuple[str, ...]:
    """Options that put a container beside the head of a living cluster."""
    head = cluster.containers("ray-head")[0]["ip"]
    return ("--network", f"rayakash-{NAME}", "--add-host", f"ray-head:{head}", *ENOUGH)


def test_a_worker_with_another_token(cluster: Cluster, near: tuple[str, ...]) -> None:
    code, said = start(cluster.world, "ray-worker", *near)
    assert code not in (0, 143)
    assert re.search("(?i)token|unauthenticated", said), said


@pytest.fixture
def waiting(world: World) -> "Iterator[subprocess.Popen[bytes]]":
    """A worker whose head has a name that nobody has."""
    process = subprocess.Popen(
        ["podman", "run", "--rm", "--name", "rayakash-waiting", *ENOUGH, "--env", f"RAY_AUTH_TOKEN={TOKEN}",
         "--env", "RAY_ADDRESS_HOST=ray-haed", "--entrypoint", "/bin/sh", RAY_IMAGE, "-c",
         script("ray-worker")],
        env=world.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        world.podman("rm", "--force", "--ignore", "--time", "0", "rayakash-waiting")
        process.wait(60)


def test_a_worker_that_waits_says_for_what_and_leaves_when_told_to(
    world: World, waiting: "subprocess.Popen[bytes]"
) -> None:
    def words() -> str:
        found = world.podman("logs", "rayakash-waiting", check=False)
        return found if "waiting for ray-haed:6379 (" in found else ""

    eventually(words, "it says what it waits for")
    world.podman("stop", "--time", "30", "rayakash-waiting")
    assert waiting.wait(60) == 143
