"""Ray nodes as process trees of the test: `ray start`, its ports, its environment, its end."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx

from cockpit.local.ports import free_ports
from tests.live.gpu_stub import GpuStub
from tests.live.processes import ProcessTree, eventually
from tests.live.release import ray_release

MARKER = "RAYAKASH_TEST_CLUSTER"
LOOPBACK = "127.0.0.1"
START = 120.0  # seconds; far beyond what `ray start` and a first answer take on a busy machine
STARTS = 2

# Workers bind port 0: the system then gives each one a port that is free at that very moment.
COMMON = (
    "--disable-usage-stats",
    f"--object-store-memory={80 * 2**20}",  # Ray refuses less than 75 MiB
    "--min-worker-port=0",
    "--max-worker-port=0",
)
NODE_PORTS = (
    "--object-manager-port",
    "--node-manager-port",
    "--dashboard-agent-grpc-port",
    "--dashboard-agent-listen-port",
    "--runtime-env-agent-port",
    "--metrics-export-port",
)
HEAD_PORTS = (*NODE_PORTS, "--ray-client-server-port")
HEAD_PORT_VARIABLES = ("DASHBOARD_METRIC_PORT", "AUTOSCALER_METRIC_PORT")


@dataclass(frozen=True)
class Site:
    """What the nodes of one cluster share: a directory, the token, a mark on their processes."""

    directory: Path
    token: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def create(cls) -> Self:
        # Not pytest's temporary directory: the paths of Ray's sockets must stay below 108 bytes.
        return cls(Path(tempfile.mkdtemp(prefix="rk-", dir="/tmp")))

    def environment(self) -> dict[str, str]:
        """The caller's environment with this cluster's token, and without settings for another cluster."""
        own = {name: value for name, value in os.environ.items() if not _would_interfere(name)}
        return own | {
            # As in Ray's images, whose `python` is the one that Ray runs in.
            "PATH": os.pathsep.join([str(ray_release().bin), own.get("PATH", os.defpath)]),
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self.token,
            "RAY_USAGE_STATS_ENABLED": "0",
            MARKER: self.mark,
        }

    def remove(self) -> None:
        shutil.rmtree(self.directory)


class RayNode:
    """A raylet with its agents and workers; a head also has the GCS and the dashboard."""

    def __init__(self, site: Site, name: str, *, num_cpus: int, gpus: GpuStub | None = None) -> None:
        self.site = site
        self.name = name
        self.num_cpus = num_cpus
        self.gpus = gpus
        self.node_id = ""
        self._tree: ProcessTree | None = None

    @property
    def tree(self) -> ProcessTree:
        assert self._tree is not None, f"{self.name} was not started"
        return self._tree

    def join(self, gcs_address: str, labels: Mapping[str, str] | None = None) -> None:
        """Start as a worker node. Raises RuntimeError with Ray's words."""
        # The nodes share the head's session directory, where one log monitor reads the files of all.
        flags = [f"--address={gcs_address}"]
        if labels:
            flags.append("--labels=" + ",".join(f"{name}={value}" for name, value in labels.items()))
        if ray_release().has_log_monitor_flag:
            flags.append("--include-log-monitor=false")
        self._start([*flags, *_on_ports(NODE_PORTS, free_ports(len(NODE_PORTS)))], {})

    def freeze(self) -> None:
        """Let all processes hang (SIGSTOP): Ray finds the node dead after about a minute."""
        self.tree.freeze()

    def thaw(self) -> None:
        self.tree.thaw()

    def kill(self) -> None:
        """SIGKILL all processes at once, and return when none is left; may be repeated."""
        if self._tree is not None:
            self._tree.close()

    def _start(self, flags: list[str], variables: dict[str, str]) -> None:
        # A busy machine does not always keep the 30 s that Ray gives a raylet to come up.
        for _ in range(STARTS):
            code = self._started(flags, variables)
            if code == 0:
                return
            self.kill()
        raise RuntimeError(f"`ray start` of {self.name} ended with {code}:\n{self.tree.output()}")

    def _started(self, flags: list[str], variables: dict[str, str]) -> int:
        """The exit code of one `ray start`."""
        # Known beforehand, since nodes on one machine differ in nothing else: not in address, not in name.
        self.node_id = secrets.token_hex(28)
        command = [ray_release().command, "start", f"--num-cpus={self.num_cpus}", *COMMON, *flags]
        environment = self.site.environment() | self._gpu_environment() | variables
        environment["RAY_OVERRIDE_NODE_ID_FOR_TESTING"] = self.node_id
        log = self.site.directory / f"{self.name}.log"
        self._tree = ProcessTree(command, environment=environment, log=log)
        return self._tree.wait(within=START)

    def _gpu_environment(self) -> dict[str, str]:
        return {} if self.gpus is None else self.gpus.environment()


class RayHead(RayNode):
    """A head with token authentication, which keeps its dashboard's port for life."""

    def __init__(
        self,
        site: Site,
        name: str = "head",
        *,
        num_cpus: int,
        gpus: GpuStub | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(site, name, num_cpus=num_cpus, gpus=gpus)
        self._variables = dict(variables or {})
        (self.dashboard_port,) = free_ports(1)
        self.gcs_address = ""

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.dashboard_port}"

    @property
    def token(self) -> str:
        return self.site.token

    def start(self) -> None:
        """Start a cluster of this head alone and wait for its answer. Raises RuntimeError, TimeoutError."""
        for attempt in range(1, STARTS + 1):
            self._start_alone()
            try:
                self.wait_ready({self.node_id: len(self.gpus or ())}, within=START / 2)
            except TimeoutError:
                # The dashboard gives each of its parts 30 s, and ends in silence where one is late.
                self.kill()
                if attempt == STARTS:
                    raise
            else:
                return

    def _start_alone(self) -> None:
        gcs_port, *ports = self._other_ports(1 + len(HEAD_PORTS) + len(HEAD_PORT_VARIABLES))
        flags = ["--head", f"--temp-dir={self.site.directory}", f"--port={gcs_port}"]
        flags += [f"--dashboard-host={LOOPBACK}", f"--dashboard-port={self.dashboard_port}"]
        variables = self._variables | dict(zip(HEAD_PORT_VARIABLES, map(str, ports[len(HEAD_PORTS) :]), strict=True))
        self.gcs_address = f"{LOOPBACK}:{gcs_port}"
        self._start([*flags, *_on_ports(HEAD_PORTS, ports)], variables)

    def restart(self) -> None:
        """Kill and start again at the same address: Ray has forgotten all its jobs."""
        self.kill()
        self.start()

    def http(self) -> httpx.Client:
        """A client with the token; the caller closes it."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=30, trust_env=False)

    def wait_ready(self, gpus: Mapping[str, int], *, within: float = START) -> None:
        """Wait until the API answers and the nodes `gpus` are alive with their number of GPUs. Raises TimeoutError."""
        with self.http() as client:
            for path in ("/api/version", "/api/jobs/"):
                eventually(partial(_answers, client, path), within=within, what=path)
            eventually(partial(_show, client, gpus), within=within, what=f"nodes with GPUs {dict(gpus)}")

    def _other_ports(self, count: int) -> list[int]:
        # While the head is down, its own dashboard port looks free.
        return [port for port in free_ports(count + 1) if port != self.dashboard_port][:count]


def summary(client: httpx.Client) -> list[dict[str, Any]]:
    """The rows of `/nodes?view=summary`, dead nodes included; empty while the head cannot tell."""
    try:
        answer = client.get("/nodes", params={"view": "summary", "nocache": "1"})
    except httpx.TransportError:
        return []
    rows: list[dict[str, Any]] = answer.json()["data"]["summary"] if answer.is_success else []
    return rows


def _answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).is_success
    except httpx.TransportError:
        return False


def _show(client: httpx.Client, gpus: Mapping[str, int]) -> bool:
    rows = summary(client)
    shown = {row["raylet"]["nodeId"]: len(row.get("gpus", ())) for row in rows if _is_alive(row)}
    # At least: a node without a stand-in on a machine with GPUs shows those.
    return all(shown.get(node_id, -1) >= count for node_id, count in gpus.items())


def _is_alive(row: Mapping[str, Any]) -> bool:
    return bool(row["raylet"].get("state") == "ALIVE")


def _on_ports(flags: tuple[str, ...], ports: list[int]) -> list[str]:
    return [f"{flag}={port}" for flag, port in zip(flags, ports, strict=False)]


def _would_interfere(name: str) -> bool:
    return name.startswith(("RAY_", "CUDA_")) or name.lower().endswith("_proxy")
