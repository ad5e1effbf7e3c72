"""Real Ray clusters for tests: a head and a second raylet, both with GPUs, and heads to throw away."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import pytest

from tests.live.gpu_stub import GpuStub, StubGpu, build_library, make_gpus
from tests.live.node import RayHead, RayNode, Site
from tests.live.processes import ProcessTree, eventually
from tests.live.release import ray_release

COMMAND = 120.0  # seconds that a command of the reference CLI may take
HEAD_GPUS = make_gpus("NVIDIA A100-SXM4-80GB", 81_920, 2)
WORKER_GPUS = make_gpus("NVIDIA H100 80GB HBM3", 81_559, 2)


class Driver:
    """A script that runs outside of Ray's job server: Ray shows it as a job of type DRIVER."""

    def __init__(self, tree: ProcessTree) -> None:
        self._tree = tree

    @property
    def pid(self) -> int:
        """The process id of the script itself."""
        return self._tree.pid

    def output(self) -> str:
        return self._tree.output()

    def wait_for(self, text: str, *, within: float = COMMAND) -> None:
        """Wait until the script has printed `text`. Raises TimeoutError."""
        try:
            eventually(lambda: text in self.output(), within=within, what=f"{text!r} from the driver")
        except TimeoutError as error:
            error.add_note(self.output())
            raise

    def wait(self, *, within: float = COMMAND) -> int:
        """The script's exit code. Raises TimeoutError."""
        return self._tree.wait(within=within)

    def kill(self) -> None:
        self._tree.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class RayCluster:
    """A head and a worker node with GPUs that tests drive; they share an IP address, only ids tell them apart."""

    def __init__(
        self,
        site: Site,
        library: Path,
        cleanup: ExitStack,
        *,
        head_gpus: Sequence[StubGpu] = HEAD_GPUS,
        worker_labels: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.site = site
        self._library = library
        self._cleanup = cleanup
        self._names = iter(range(1, sys.maxsize))
        self.head = RayHead(site, num_cpus=4, gpus=self._stub("head", head_gpus), variables=variables)
        cleanup.callback(self.head.kill)
        self.head.start()
        self.worker = self.start_worker(num_cpus=2, gpus=WORKER_GPUS, labels=worker_labels)

    @property
    def address(self) -> str:
        """The dashboard, `http://127.0.0.1:PORT`."""
        return self.head.address

    @property
    def token(self) -> str:
        return self.site.token

    @property
    def gcs_address(self) -> str:
        """`127.0.0.1:PORT`, what `ray.init` and `ray status` take."""
        return self.head.gcs_address

    @property
    def node_ids(self) -> tuple[str, str]:
        """The head's and the worker's; not those of nodes that a test added."""
        return self.head.node_id, self.worker.node_id

    @property
    def gpus(self) -> dict[str, GpuStub]:
        """The GPUs of both nodes by node id."""
        return {node.node_id: node.gpus for node in (self.head, self.worker) if node.gpus is not None}

    def environment(self) -> dict[str, str]:
        """What a process needs to speak to this cluster through Ray's own tools."""
        addresses = {"RAY_ADDRESS": self.gcs_address, "RAY_API_SERVER_ADDRESS": self.address}
        return self.site.environment() | addresses

    def run_ray(self, *args: str, within: float = COMMAND) -> subprocess.CompletedProcess[str]:
        """Run the reference command line, `run_ray("job", "list")`; the caller looks at the exit code."""
        return subprocess.run(
            [ray_release().command, *args],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def start_worker(
        self, *, num_cpus: int = 1, gpus: Sequence[StubGpu] = (), labels: Mapping[str, str] | None = None
    ) -> RayNode:
        """Add a node that a test may kill or freeze, and wait until the dashboard shows it alive."""
        name = f"worker-{next(self._names)}"
        node = RayNode(self.site, name, num_cpus=num_cpus, gpus=self._stub(name, gpus))
        self._cleanup.callback(node.kill)
        node.join(self.gcs_address, labels)
        self.head.wait_ready({node.node_id: len(gpus)})
        return node

    def kill_worker(self, node: RayNode) -> None:
        """SIGKILL all of a node; Ray calls it DEAD about 13 seconds later."""
        node.kill()

    def driver(self, script: str) -> Driver:
        """Run Python source that calls `ray.init()`; it dies with the cluster, or use it in a `with`."""
        path = self.site.directory / f"driver-{next(self._names)}.py"
        path.write_text(script)
        command = [ray_release().python, "-u", str(path)]
        driver = Driver(ProcessTree(command, environment=self.environment(), log=path.with_suffix(".log")))
        self._cleanup.callback(driver.kill)
        return driver

    def reset_gpus(self) -> None:
        """Back to the figures of the start on both nodes."""
        for stub in self.gpus.values():
            stub.reset()

    def _stub(self, name: str, gpus: Sequence[StubGpu]) -> GpuStub:
        return GpuStub(self.site.directory / f"{name}.gpus", self._library, gpus)


@contextmanager
def started_cluster(
    *,
    head_gpus: Sequence[StubGpu] = HEAD_GPUS,
    worker_labels: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Iterator[RayCluster]:
    """A cluster of two nodes; afterwards no process and no file of it is left. Skips the test without Ray.

    `variables` are added to the head's environment.
    """
    require_ray()
    with ExitStack() as cleanup:
        site = Site.create()
        cleanup.callback(site.remove)
        library = build_library(site.directory)
        yield RayCluster(site, library, cleanup, head_gpus=head_gpus, worker_labels=worker_labels, variables=variables)


@contextmanager
def started_head(*, num_cpus: int = 1, gpus: int = 0) -> Iterator[RayHead]:
    """A head that a test may freeze, kill and restart, with this machine's own GPUs, of which it waits for `gpus`.

    Skips the test without Ray.
    """
    require_ray()
    with ExitStack() as cleanup:
        site = Site.create()
        cleanup.callback(site.remove)
        head = RayHead(site, num_cpus=num_cpus)
        cleanup.callback(head.kill)
        head.start()
        head.wait_ready({head.node_id: gpus})
        yield head


def require_ray() -> None:
    """Skip the test where no real Ray can run under our control."""
    if not sys.platform.startswith("linux"):
        pytest.skip("needs Linux: only there a test can own the daemons that `ray start` leaves behind")
    ray_release()
