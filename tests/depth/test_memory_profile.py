"""A memory profile of a process of a real Ray, by the memray that pip installs for this test alone."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.live.cluster import require_ray
from tests.live.command_line import CommandLine
from tests.live.node import RayHead, Site
from tests.live.processes import ProcessTree, eventually
from tests.live.release import ray_release

pytestmark = pytest.mark.depth

MEMRAY = "memray==1.20.0"
INSTALL_S = 120
READY = "ACTOR "
PROGRAM = """
import time, ray
ray.init(address="auto")
@ray.remote(num_cpus=0)
class Grower:
    def grow(self):
        kept = []
        while True:
            kept.append(bytearray(200_000))  # the line that a memory profile names
            del kept[:-50]
            time.sleep(0.01)
    def ping(self):
        return 1
grower = Grower.options(max_concurrency=2).remote()
ray.get(grower.ping.remote())
growing = grower.grow.remote()
print("ACTOR " + grower._actor_id.hex(), flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def memray(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which memray was installed; it needs a debugger to get into a process that runs."""
    require_ray()
    if shutil.which("gdb") is None and shutil.which("lldb") is None:
        pytest.skip("needs gdb or lldb, by which memray gets into a process: apt-get install gdb")
    folder = tmp_path_factory.mktemp("memray")
    install = [ray_release().python, "-m", "pip", "install", "--quiet", "--target", str(folder), "--no-deps", MEMRAY]
    done = subprocess.run(install, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode != 0:
        pytest.skip(f"{MEMRAY} cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
    return folder


@pytest.fixture(scope="module")
def head(memray: Path) -> Iterator[RayHead]:
    """A head whose processes can import memray, and whose agent finds its command."""
    with ExitStack() as cleanup:
        site = Site.create()
        cleanup.callback(site.remove)
        variables = {
            "PATH": os.pathsep.join([str(memray / "bin"), site.environment()["PATH"]]),
            "PYTHONPATH": str(memray),
            "RAY_DASHBOARD_ENABLE_PROFILING": "1",
        }
        head = RayHead(site, num_cpus=1, variables=variables)
        cleanup.callback(head.kill)
        head.start()
        head.wait_ready({head.node_id: 0})
        yield head


@pytest.fixture(scope="module")
def grower(head: RayHead) -> Iterator[str]:
    """The ID of an actor that allocates all the time."""
    path = head.site.directory / "grower.py"
    path.write_text(PROGRAM)
    environment = head.site.environment() | {"RAY_ADDRESS": head.gcs_address}
    driver = ProcessTree([sys.executable, "-u", str(path)], environment=environment, log=path.with_suffix(".log"))
    try:
        eventually(lambda: READY in driver.output(), within=120.0, what="the actor")
        yield driver.output().rpartition(READY)[2].split()[0]
    finally:
        driver.close()


def test_a_memory_profile_of_an_actor_names_the_file_that_allocates(head: RayHead, grower: str, tmp_path: Path) -> None:
    cockpit = CommandLine(tmp_path, {"RAYAKASH_ADDRESS": head.address, "RAY_AUTH_TOKEN": head.site.token})

    done = cockpit.run("flame", grower, "--memory", "--seconds", "3", "-o", "memory.html")

    assert done.code == 0, done.everything
    page = (cockpit.home / "memory.html").read_text()
    assert "<html" in page[:1000]
    assert "memray" in page
    assert "grower.py" in page
