"""The embedded Ray is a real one, stands beside others, and is gone without a trace whoever dies when."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit import settings
from cockpit.errors import LocalRayError, UnreachableError
from cockpit.local import ports, processes, shared_memory, state
from cockpit.local.cluster import bring_down, bring_up, owned_ray
from cockpit.local.launch import LocalOptions, known_directories, marker_of
from cockpit.local.readiness import get
from cockpit.local.state import LocalCluster
from cockpit.operations.clusters.connect import Selection, choose, connect

pytestmark = pytest.mark.live

OPTIONS = LocalOptions(num_cpus=2, object_store_memory=100_000_000)

# The owner of a local Ray, in a process that can be killed: each line is a step, the last one the cluster.
OWNER = """
import asyncio, msgspec
from cockpit.local.cluster import LocalOptions, owned_ray
async def main():
    print("begun", flush=True)
    options = LocalOptions(num_cpus=2, object_store_memory=100_000_000)
    async with owned_ray(options, report=lambda text: print(text, flush=True)) as cluster:
        print(msgspec.json.encode(cluster).decode(), flush=True)
        await asyncio.sleep(3600)
asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _nothing_left_in_shared_memory() -> Iterator[None]:
    before = shared_memory.present()
    yield
    new = {shared_memory.SHARED / name for name, _ in shared_memory.present() - before}
    assert new <= shared_memory.held_by(processes.table().values())  # what is in use is another test's or user's


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "state_directory", lambda: tmp_path / "state")


def left_of(temp_dir: str) -> list[object]:
    """What there still is of a local Ray: processes by marker, command line or directory, and directories."""
    table = processes.table()
    named = [pid for pid in table if temp_dir.encode() in command_of(pid) or temp_dir in directory_of(pid)]
    directories = [path for path in known_directories(temp_dir) if os.path.lexists(path)]
    return [*processes.marked(marker_of(temp_dir), table), *named, *directories]


def command_of(pid: int) -> bytes:
    return read(pid, "cmdline")


def read(pid: int, name: str) -> bytes:
    """One of the kernel's files about a process; empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def directory_of(pid: int) -> str:
    """Where a process works: Ray's dashboard overwrites its helpers' environment, but not this."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def eventually(holds: Callable[[], object], what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, f"never: {what()}"
        time.sleep(0.005)


def submit(cluster: LocalCluster, entrypoint: str) -> str:
    """Submit a job and return its id."""
    headers = {"Authorization": f"Bearer {cluster.token}", "Content-Type": "application/json"}
    body = json.dumps({"entrypoint": entrypoint}).encode()
    request = urllib.request.Request(f"{cluster.address}/api/jobs/", body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        identifier: str = json.load(answer)["submission_id"]
    return identifier


async def job(cluster: LocalCluster, path: str) -> dict[str, Any]:
    """One answer of the jobs API."""
    port = int(cluster.address.rsplit(":", 1)[1])
    status, body = await get(port, f"/api/jobs/{path}", cluster.token)
    assert status == 200
    answer: dict[str, Any] = json.loads(body)
    return answer


async def result(cluster: LocalCluster, identifier: str) -> str:
    """The log of a job that succeeds."""
    async with asyncio.timeout(120):
        while (status := (await job(cluster, identifier))["status"]) in ("PENDING", "RUNNING"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    logs: str = (await job(cluster, f"{identifier}/logs"))["logs"]
    assert status == "SUCCEEDED", logs
    return logs


def listening_outside_loopback(marker: str) -> list[str]:
    """The listening sockets of a local Ray that another machine could reach."""
    inodes = set()
    for process in processes.marked(marker, processes.table()):
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                inodes.update(re.findall(r"socket:\[(\d+)\]", os.readlink(link)))
            except OSError:
                continue
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    listening = [row for row in rows if len(row) > 9 and row[3] == "0A" and row[9] in inodes]
    assert listening
    # 127.0.0.1 in the kernel's hexadecimal words, as IPv4 and mapped into IPv6.
    return [row[1] for row in listening if not row[1].split(":")[0].endswith("0100007F")]


TASKS = """python -c "
import os, ray
ray.init()
pids = ray.remote(lambda: os.getpid())
print('tasks', len(ray.get([pids.remote() for _ in range(4)])))
print('leaked', [name for name in os.environ if 'elsewhere' in os.environ[name]])
" """


async def test_up_status_a_job_a_second_one_beside_it_and_down(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_ADDRESS", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_TMPDIR", "RAY_NAMESPACE"):
        monkeypatch.setenv(name, f"elsewhere-{name}")
    first = await bring_up(OPTIONS)
    assert state.local_status() == first
    status, _ = await get(int(first.address.rsplit(":", 1)[1]), "/api/jobs/")
    assert status == 401
    assert listening_outside_loopback(marker_of(first.temp_dir)) == []
    identifier = await asyncio.to_thread(submit, first, TASKS)
    async with owned_ray(OPTIONS) as second:
        assert second.address != first.address
        assert left_of(second.temp_dir)
        logs = await result(first, identifier)
    assert "tasks 4" in logs
    assert "leaked []" in logs
    assert left_of(second.temp_dir) == []
    assert state.local_status() == first
    assert await bring_down()
    assert left_of(first.temp_dir) == []
    assert state.local_status() is None


# As another user: every path below that it can read or write.
STRANGER = """
import os, sys
for root, names, files in os.walk(sys.argv[1]):
    for path in (os.path.join(root, name) for name in ("", *names, *files)):
        if os.access(path, os.R_OK) or os.access(path, os.W_OK):
            print(path)
print("looked", os.getuid(), os.access(sys.argv[1], os.X_OK))
"""


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv")
async def test_another_user_reaches_nothing_of_a_local_ray() -> None:
    async with owned_ray(OPTIONS) as cluster:
        await result(cluster, await asyncio.to_thread(submit, cluster, "true"))
        opened = Path(cluster.temp_dir) / "session_latest"
        assert opened.stat().st_mode & 0o077  # Ray's own doing: the parent is what keeps others out
        as_stranger = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", "/usr/bin/env", "python3"]
        for directory in known_directories(cluster.temp_dir):
            done = await asyncio.to_thread(
                subprocess.run,
                [*as_stranger, "-c", STRANGER, directory],
                capture_output=True,
                text=True,
                check=True,
                cwd="/",
                env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
            )
            assert done.stdout == "looked 65534 False\n"


async def test_a_killed_gcs_server_is_noticed() -> None:
    told: list[LocalRayError] = []
    async with owned_ray(OPTIONS, on_end=told.append) as cluster:
        # `ray start` looks after its processes once it has come to its end, a little after jobs can be submitted.
        exits = Path(cluster.temp_dir) / "session_latest/logs/ray_process_exit.log"
        await asyncio.to_thread(eventually, exits.exists, lambda: exits)
        for process in processes.marked(marker_of(cluster.temp_dir), processes.table()):
            if b"/gcs_server\0" in command_of(process.pid):
                processes.send(process, signal.SIGKILL)
        async with asyncio.timeout(120):
            while not told:  # noqa: ASYNC110 - what is awaited comes from another process
                await asyncio.sleep(0.05)
    assert "gcs_server" in told[0].detail
    assert left_of(cluster.temp_dir) == []


@pytest.mark.slow
async def test_with_both_supervisors_killed_down_clears_up() -> None:
    cluster = await bring_up(OPTIONS)
    await asyncio.to_thread(submit, cluster, "sleep 3600")
    table = processes.table()
    inner = next(process for process in table.values() if process.parent == cluster.supervisor_pid)
    for process in (table[cluster.supervisor_pid], inner):
        processes.send(process, signal.SIGSTOP)
    for process in (inner, table[cluster.supervisor_pid]):
        processes.send(process, signal.SIGKILL)
    eventually(lambda: state.local_status() is None, lambda: "the end of the supervisor")
    assert state.stale_state() == cluster
    told: list[str] = []
    assert not await bring_down(report=told.append)
    assert "ended unexpectedly" in told[0]
    assert left_of(cluster.temp_dir) == []


class Owner:
    """A process that owns a local Ray, watched from outside."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self._said = b""

    def says(self, text: str) -> bool:
        assert self.process.stdout is not None
        self._said += self.process.stdout.read() or b""
        assert self.process.poll() is None, self._said
        return text in self._said.decode()

    @property
    def temp_dir(self) -> str:
        found = re.search(rb" in (/\S+)\.\n", self._said)
        return found[1].decode() if found else ""

    def cluster(self) -> LocalCluster:
        import msgspec

        return msgspec.json.decode(self._said.splitlines()[-1], type=LocalCluster)

    def runs(self, *words: str) -> bool:
        """Whether one process of the tree has all these words in its command line."""
        self.says("")
        below = processes.descendants(self.process.pid, processes.table())
        commands = [command_of(process.pid).replace(b"\0", b" ") for process in below]
        return any(all(word.encode() in command for word in words) for command in commands)

    def has_loaded(self, library: str) -> bool:
        """Whether a process of the tree has this library in its memory."""
        self.says("")
        below = processes.descendants(self.process.pid, processes.table())
        return any(library in read(process.pid, "maps").decode() for process in below)

    def children(self, generation: int) -> bool:
        """Whether it has descendants down to this generation."""
        table = processes.table()
        parents = {self.process.pid}
        for _ in range(generation):
            parents = {process.pid for process in table.values() if process.parent in parents}
        return bool(parents)

    def made(self, pattern: str) -> bool:
        """Whether something in the temporary directory has this name."""
        self.says("")
        return bool(self.temp_dir and next(Path(self.temp_dir).glob(pattern), None))

    def serves(self, flag: str) -> bool:
        """Whether somebody listens on the port that this flag of Ray's took."""
        self.says("")
        below = processes.descendants(self.process.pid, processes.table())
        found = [re.search(rf"--{flag}=(\d+)".encode(), command_of(process.pid)) for process in below]
        return any(match and ports.is_served(int(match[1])) for match in found)

    def end(self) -> None:
        """Kill it, if that was not done yet, and wait until nothing of its Ray is left."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        if not self.process.stdout.closed:
            self._said += self.process.stdout.read() or b""
            self.process.stdout.close()
        if self.temp_dir:
            eventually(lambda: not left_of(self.temp_dir), lambda: left_of(self.temp_dir))


SUPERVISOR = "cockpit.local.supervisor"
RAY = ("-m ray.scripts.scripts", "start")

# In the order in which they come; the later ones cost as many seconds as Ray needs to get there.
MOMENTS: list[tuple[str, Callable[[Owner], object]]] = [
    ("the owner has begun", lambda owner: owner.says("begun")),
    ("the start was decided", lambda owner: owner.says("Starting Ray")),
    ("a child was forked", lambda owner: owner.children(1)),
    ("the supervisor was executed", lambda owner: owner.runs(SUPERVISOR)),
    ("the temporary directory was made", lambda owner: owner.says("") and os.path.isdir(owner.temp_dir)),
    ("the second supervisor was forked", lambda owner: owner.children(2)),
    ("Ray was forked", lambda owner: owner.children(3)),
    ("the supervisor was heard of", lambda owner: owner.says("Ray is starting;")),
    ("Ray was executed", lambda owner: owner.runs(*RAY) and not owner.made("session*")),
    ("Ray has loaded its library", lambda owner: owner.has_loaded("_raylet")),
    ("the session directory was made", lambda owner: owner.made("session_*")),
    ("the GCS server runs", lambda owner: owner.runs("gcs_server", "--session-dir")),
    ("the GCS server listens", lambda owner: owner.serves("gcs_server_port")),
    ("the monitor runs", lambda owner: owner.runs("monitor.py")),
    ("the client server runs", lambda owner: owner.runs("ray.util.client.server")),
    ("the dashboard runs", lambda owner: owner.runs("dashboard/dashboard.py")),
    ("the dashboard has helpers", lambda owner: owner.runs("multiprocessing.forkserver")),
    ("the raylet runs", lambda owner: owner.runs("raylet/raylet")),
    ("the agent runs", lambda owner: owner.runs("dashboard/agent.py")),
    ("jobs can be submitted", lambda owner: owner.says('"address"')),
]


@pytest.fixture
def owner() -> Iterator[Owner]:
    made = Owner()
    yield made
    made.end()


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "reached"), MOMENTS, ids=[name for name, _ in MOMENTS])
def test_nothing_is_left_of_an_owner_killed_when(moment: str, reached: Callable[[Owner], object], owner: Owner) -> None:
    eventually(lambda: reached(owner), lambda: moment)
    owner.end()


def test_nothing_is_left_of_an_owner_killed_at_work(owner: Owner) -> None:
    eventually(lambda: owner.says('"address"'), lambda: "a cluster")
    submit(owner.cluster(), f"{TASKS} && sleep 99")
    eventually(lambda: owner.runs("ray::JobSupervisor") and owner.runs("sleep 99"), lambda: "a job at work")
    owner.end()


@pytest.mark.parametrize("moment", ["Ray is starting;", "The dashboard answers."])
def test_after_ctrl_c_nothing_is_left(moment: str, owner: Owner) -> None:
    eventually(lambda: owner.says(moment), lambda: moment)
    owner.process.send_signal(signal.SIGINT)
    assert owner.process.wait(timeout=60) == -signal.SIGINT
    assert owner.temp_dir
    assert left_of(owner.temp_dir) == []


def test_the_demo_without_a_terminal_shows_its_jobs_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cockpit", "demo"],
        env=os.environ | {"HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Job demo-hello succeeded" in done.stderr
    assert "Job demo-crash failed" in done.stderr
    assert "needs 1 GPU, no node has any" in done.stdout
    (temp_dir,) = re.findall(r"Starting Ray \S+ in (\S+)\.", done.stderr)
    assert left_of(temp_dir) == []


@pytest.mark.slow
async def test_who_is_connected_by_its_name_finds_it_where_it_was_started_again() -> None:
    before = await bring_up(OPTIONS)
    try:
        async with await connect(choose(Selection(context="local"))) as client:
            session = (await client.version()).session_name
            await bring_down()
            with pytest.raises(UnreachableError):
                await client.version()
            after = await bring_up(OPTIONS)
            assert (await client.version()).session_name != session
            assert client.address == after.address
            assert (before.address, before.token) != (after.address, after.token)
    finally:
        await bring_down()
