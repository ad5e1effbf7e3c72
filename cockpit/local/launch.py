"""How a local Ray is started: its ports, its directories, its environment and its command line."""

import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from cockpit.errors import LocalRayError
from cockpit.local.plan import Plan
from cockpit.local.ports import free_port_block
from cockpit.local.private import PREFIX, make_private, parent_name
from cockpit.local.processes import MARKER, identity
from cockpit.local.shared_memory import SHARED
from cockpit.model.child_environment import child_environment

LOOPBACK = "127.0.0.1"
LEAST_DISK = 100_000_000
LEAST_OBJECT_STORE = 80_000_000  # Ray itself refuses less than about 75 MB
# Ray's longest socket is TEMP/session_2025-01-01_00-00-00_000000_4194304/sockets/dash_MetricsHead, and the
# path of a socket has at most 103 bytes on macOS and 107 on Linux.
LONGEST_TEMPORARY = 107 - 68 if sys.platform == "linux" else 103 - 68
WORKER_PORTS = 40  # agents, drivers, supervisors of jobs and dashboard modules take one each
WORKER_PORTS_PER_CPU = 4
MOST_WORKER_PORTS = 1_000


class LocalOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What may be chosen about a local Ray; None leaves it to Ray's own detection."""

    num_cpus: int | None = None
    num_gpus: int | None = None
    object_store_memory: int = 200_000_000  # bytes
    environment: dict[str, str] = {}  # for Ray and its jobs, on top of this process's own


class Ports(NamedTuple):
    """The ports of one local Ray, with the flag (lower case) or variable (upper case) that takes each."""

    port: int
    dashboard_port: int
    object_manager_port: int
    node_manager_port: int
    dashboard_agent_grpc_port: int
    dashboard_agent_listen_port: int
    runtime_env_agent_port: int
    metrics_export_port: int
    ray_client_server_port: int
    AUTOSCALER_METRIC_PORT: int
    DASHBOARD_METRIC_PORT: int


class Launch(NamedTuple):
    """One start of a local Ray, all decided and nothing done; `repr` keeps the environment to itself."""

    plan: Plan
    environment: Mapping[str, str]
    ports: Ports
    token: str

    def __repr__(self) -> str:
        return f"Launch(plan={self.plan!r})"

    @property
    def address(self) -> str:
        """The address of the dashboard."""
        return f"http://{LOOPBACK}:{self.ports.dashboard_port}"

    @property
    def gcs_address(self) -> str:
        """The address that Ray's own programs connect to."""
        return f"{LOOPBACK}:{self.ports.port}"


def prepare(options: LocalOptions, *, state: str = "", farewell: str = "") -> Launch:
    """Decide everything about one start; `state` and `farewell` are for a detached one.

    Raises LocalRayError for impossible options and where there are too few free ports.
    """
    check(options)
    ports, workers = choose_ports(options)
    token = secrets.token_hex(32)
    directories = directories_for(secrets.token_hex(4), options.object_store_memory)
    plan = Plan(
        owner=os.getpid(),
        owner_identity=identity(os.getpid()) or "",
        marker=marker_of(directories[0]),
        directories=directories,
        command=command_line(options, ports, workers, directories),
        state=state,
        farewell=farewell,
    )
    return Launch(plan, environment_for(options, ports, token, plan), ports, token)


def check(options: LocalOptions) -> None:
    """Raises LocalRayError for options that Ray would refuse in words of its own."""
    if options.object_store_memory < LEAST_OBJECT_STORE:
        raise LocalRayError(f"The object store needs at least {LEAST_OBJECT_STORE:,} bytes.")
    if min(options.num_cpus or 0, options.num_gpus or 0) < 0:
        raise LocalRayError("The number of CPUs or GPUs is negative.")


def choose_ports(options: LocalOptions) -> tuple[Ports, range]:
    """A port for each of Ray's servers and a range for its workers, all free in this moment."""
    cpus = options.num_cpus if options.num_cpus is not None else os.cpu_count() or 1
    fixed = len(Ports._fields)
    block = free_port_block(fixed + min(WORKER_PORTS + WORKER_PORTS_PER_CPU * cpus, MOST_WORKER_PORTS))
    return Ports(*block[:fixed]), block[fixed:]


def directories_for(name: str, object_store_memory: int) -> list[str]:
    """The directories to make: the temporary one, and one in /dev/shm where the object store fits there.

    Raises LocalRayError where the disk is full, and where other users could reach the temporary directory.
    """
    base = temporary_base()
    if shutil.disk_usage(base).free < LEAST_DISK:  # Ray would take a minute to say so in a traceback
        megabytes = LEAST_DISK // 1_000_000
        raise LocalRayError(f"Less than {megabytes} MB are free in {base}.", hint="TMPDIR chooses another.")
    temporary = os.path.join(private_parent(base), name)
    # Ray fills the store up to the brim, and writing past the end of a full /dev/shm is a SIGBUS.
    if os.access(SHARED, os.W_OK) and shutil.disk_usage(SHARED).free > object_store_memory * 1.1:
        return [temporary, str(SHARED / (PREFIX + name))]
    return [temporary]


def private_parent(base: str) -> str:
    """The directory that only this user can enter, made where it is missing. Raises LocalRayError."""
    parent = os.path.join(base, parent_name())
    try:
        make_private(parent)
    except OSError as error:
        raise LocalRayError(
            "Other users of this machine could read and change the files of a local Ray.",
            detail=str(error),
            hint=f"Remove {parent} if it is yours, or set TMPDIR to a short directory of your own, such as ~/tmp.",
        ) from error
    return parent


def temporary_base() -> str:
    """The user's own directory for temporary files where sockets below it are possible, or /tmp."""
    chosen = os.environ.get("TMPDIR", "")
    if not os.path.isabs(chosen) or not os.access(chosen, os.W_OK):
        return "/tmp"
    longest = os.path.join(chosen, parent_name(), "0" * 8)
    return chosen if len(os.fsencode(longest)) <= LONGEST_TEMPORARY else "/tmp"


def known_directories(temp_dir: str) -> list[str]:
    """The directories that a local Ray with this temporary one may have made."""
    return [temp_dir, str(SHARED / (PREFIX + Path(temp_dir).name.removeprefix(PREFIX)))]


def is_ours(temp_dir: str) -> bool:
    """Whether this is the name of a temporary directory as it is made here, and so may be removed here.

    Up to 0.1.0 it was /tmp/rayakash-XXXXXXXX, and one of those may still be up.
    """
    path = Path(temp_dir)
    if re.fullmatch(re.escape(PREFIX) + "[0-9a-f]{8}", path.name):
        return True
    return path.parent.name == parent_name() and re.fullmatch("[0-9a-f]{8}", path.name) is not None


def marker_of(temp_dir: str) -> str:
    """What every process of the local Ray with this temporary directory carries in its environment."""
    return Path(temp_dir).name


def command_line(options: LocalOptions, ports: Ports, workers: range, directories: list[str]) -> list[str]:
    """The command that starts Ray in the foreground; no secret is in it."""
    # -P: nothing that lies in the working directory can take the place of a module.
    command = [sys.executable, "-P", "-m", "ray.scripts.scripts", "start", "--head", "--block"]
    flags: dict[str, object] = {
        "temp-dir": directories[0],
        "plasma-directory": directories[-1],
        "object-store-memory": options.object_store_memory,
        "include-dashboard": "true",
        "dashboard-host": LOOPBACK,
        "log-style": "record",
        "log-color": "false",
        **{name.replace("_", "-"): port for name, port in ports._asdict().items() if name.islower()},
        "min-worker-port": workers[0],
        "max-worker-port": workers[-1],
        "num-cpus": options.num_cpus,
        "num-gpus": options.num_gpus,
    }
    chosen = [f"--{flag}={value}" for flag, value in flags.items() if value is not None]
    return [*command, "--disable-usage-stats", *chosen]


def environment_for(options: LocalOptions, ports: Ports, token: str, plan: Plan) -> dict[str, str]:
    """This process's environment without any other Ray's settings, and with those of this one."""
    inherited = {key: value for key, value in child_environment().items() if not key.startswith("RAY_")}
    chosen = {**inherited, **options.environment}
    # Jobs say `python` and mean the one that has Ray, whether or not its environment was activated.
    path = os.pathsep.join([os.path.dirname(sys.executable), chosen.get("PATH", os.defpath)])
    return {
        **chosen,
        **{name: str(port) for name, port in ports._asdict().items() if name.isupper()},
        "PATH": path,
        "TMPDIR": plan.directories[0],
        MARKER: plan.marker,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        "RAY_USAGE_STATS_ENABLED": "0",
        # Off, Ray takes the loopback as the node's address, on Linux as it does on macOS: all its servers
        # bind 127.0.0.1 alone, and a change of network does not cut it from itself.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }


def supervisor_command(plan: Plan) -> list[str]:
    """The command of the supervisor: isolated, without site-packages, with this package at hand."""
    root = str(Path(__file__).resolve().parents[2])
    code = "import sys; sys.path.append(sys.argv[1]); from cockpit.local.supervisor import main; main(sys.argv[2])"
    return [sys.executable, "-I", "-S", "-c", code, root, json.dumps(plan._asdict())]
