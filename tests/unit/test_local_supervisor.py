"""The supervisor leaves nothing of a tree behind, however the tree tries to stay and whoever is killed.

In place of Ray it runs a program that does what Ray and its jobs do at worst.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.local import processes, shared_memory
from cockpit.local.launch import supervisor_command
from cockpit.local.plan import Plan
from cockpit.local.private import parent_name
from cockpit.local.teardown import sweep

pytestmark = pytest.mark.lengthy

LINUX = sys.platform == "linux"

# Its first argument is the directory in which everything that it starts leaves a note named KIND.PID.
TREE = r"""
import mmap, os, signal, sys, time
notes, behaviors = sys.argv[1], sys.argv[2:]

def note(kind):
    open(f"{notes}/{kind}.{os.getpid()}", "w").close()

def deaf():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)

def sleep(kind):
    note(kind)
    while True:
        time.sleep(600)

def detach():
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    deaf()

def plain(): sleep("plain")

def stubborn():
    deaf()
    sleep("stubborn")

def daemon():
    detach()
    sleep("daemon")

def anonymous():
    detach()
    code = f"import os, time; open('{notes}/anonymous.%d' % os.getpid(), 'w').close(); time.sleep(600)"
    os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", code], {})

def breeder():
    detach()
    note("breeder")
    while True:
        if os.fork():
            os._exit(0)
        time.sleep(0.002)

def stopped():
    note("stopped")
    os.kill(os.getpid(), signal.SIGSTOP)

def segment():
    with open(f"/dev/shm/{os.path.basename(notes)}-left", "w+b") as file:
        file.write(bytes(4096))
        file.flush()
        memory = mmap.mmap(file.fileno(), 4096)
    sleep("segment")

def locked():
    os.makedirs("locked/inside")
    open("locked/inside/file", "w").close()
    os.symlink(notes, "locked/link")
    os.chmod("locked/inside", 0)
    os.chmod("locked", 0)
    note("locked")
    os._exit(0)

def job():
    os.setsid()
    def save(*_):
        note("saved")
        os._exit(0)
    signal.signal(signal.SIGTERM, save)
    sleep("job")

for name in behaviors:
    if name == "exit":
        print("no luck today", flush=True)
        sys.exit(3)
    if os.fork() == 0:
        globals()[name]()
deaf()
print("it is up", flush=True)
sleep("ray")
"""

OWNER = r"""
import json, os, socket, subprocess, sys, time
sys.path.append(sys.argv[1])
from cockpit.local.launch import supervisor_command
from cockpit.local.plan import Plan
from cockpit.local.processes import identity
plan = Plan(**json.loads(sys.argv[2]))._replace(owner=os.getpid(), owner_identity=identity(os.getpid()))
ours, theirs = socket.socketpair()
process = subprocess.Popen(supervisor_command(plan), stdin=theirs, stderr=theirs, start_new_session=True)
print(process.pid, flush=True)
time.sleep(600)
"""


def eventually(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)


class Tree:
    """A plan whose command is TREE, and what was seen of it."""

    def __init__(self, directory: Path, *behaviors: str, **fields: Any) -> None:
        self.notes = directory / f"notes-{secrets.token_hex(4)}"
        self.notes.mkdir()
        name = f"rayakash-{secrets.token_hex(4)}"
        shared = [str(shared_memory.SHARED / name)] if LINUX else []
        command = [sys.executable, "-I", "-S", "-c", TREE, str(self.notes), *behaviors]
        identity = processes.identity(os.getpid()) or ""
        plan = Plan(os.getpid(), identity, name, [str(directory / name), *shared], command)
        self.plan = plan._replace(**fields)
        self.behaviors = behaviors
        self.environment = {**os.environ, processes.MARKER: name}
        self.line, self.theirs = socket.socketpair()
        self.line.settimeout(60)
        self.process: subprocess.Popen[bytes] | None = None
        self._heard = b""

    def start(self) -> "Tree":
        fd = self.theirs.fileno()
        self.process = subprocess.Popen(
            supervisor_command(self.plan), stdin=fd, stderr=fd, env=self.environment, start_new_session=True
        )
        self.theirs.close()
        return self

    @property
    def outer(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def inner(self) -> int:
        found = processes.table().values()
        return next(process.pid for process in found if process.parent == self.outer)

    def wait_until_up(self) -> "Tree":
        """Until everything that was asked for has left its note."""
        for kind in (*self.behaviors, "ray"):
            eventually(lambda kind=kind: self.pids(kind), f"a note of {kind}")  # type: ignore[misc]
        return self

    def pids(self, kind: str = "*") -> list[int]:
        return [int(note.suffix[1:]) for note in self.notes.glob(f"{kind}.*")]

    def event(self, name: str) -> dict[str, Any]:
        """The next event of this name; earlier ones are passed over."""
        while True:
            line, found, rest = self._heard.partition(b"\n")
            if not found:
                data = self.line.recv(65_536)
                assert data, f"the line ended before {name}: {self._heard!r}"
                self._heard += data
                continue
            self._heard = rest
            event: dict[str, Any] = json.loads(line)
            if event["event"] == name:
                return event

    def let_go(self) -> None:
        self.line.close()

    def wait_until_gone(self) -> None:
        """The supervisors have ended, and with them everything; a zombie of ours is collected."""
        if self.process is not None:
            self.process.wait(timeout=60)
        eventually(lambda: not self.marked(), f"the end of {self.marked()}")
        assert [pid for pid in self.pids() if self.is_ours(pid)] == []
        assert [path for path in self.plan.directories if os.path.lexists(path)] == []

    def marked(self) -> list[processes.Process]:
        return processes.marked(self.plan.marker, processes.table())

    def is_ours(self, pid: int) -> bool:
        # The one without environment is known by its command line, which names the directory of notes.
        if not LINUX:
            return processes.identity(pid) is not None
        with contextlib.suppress(OSError):
            return str(self.notes).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        return False

    def clean(self) -> None:
        """For a test that failed: nothing of it may stay either."""
        self.line.close()
        self.theirs.close()
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=30)
            self.process.kill()
            self.process.wait()
        sweep(self.plan, self.process.pid if self.process is not None else 0)


Start = Callable[..., Tree]


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Start]:
    made: list[Tree] = []

    def make(*behaviors: str, **fields: Any) -> Tree:
        made.append(Tree(tmp_path, *behaviors, **fields))
        return made[-1]

    yield make
    for each in made:
        each.clean()


WORST = ["plain", "stubborn", "daemon", "breeder", "stopped", *(["anonymous"] if LINUX else [])]


def test_everything_ends_when_the_owner_lets_go(tree: Start) -> None:
    worst = tree(*WORST).start().wait_until_up()
    worst.let_go()
    worst.wait_until_gone()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_everything_ends_on_a_signal(number: signal.Signals, tree: Start) -> None:
    worst = tree(*WORST).start().wait_until_up()
    os.kill(worst.outer, number)
    assert worst.event("ended")["why"] == "signal"
    worst.wait_until_gone()


def test_everything_ends_when_the_owner_was_killed(tree: Start) -> None:
    worst = tree(*WORST)
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", OWNER, root, json.dumps(worst.plan._asdict())]
    with subprocess.Popen(command, env=worst.environment, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        supervisor = int(owner.stdout.readline())
        worst.wait_until_up()
        owner.kill()
    eventually(lambda: processes.identity(supervisor) is None, "the end of the supervisor")
    worst.wait_until_gone()


def test_nothing_begins_for_an_owner_that_died_before_its_line_was_read(tree: Start) -> None:
    orphan = tree("daemon")
    orphan.let_go()
    orphan.start().wait_until_gone()


def test_a_line_that_a_fork_holds_open_does_not_keep_a_dead_owners_ray(tree: Start) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        identity = processes.identity(owner.pid)
        held = tree("daemon", owner=owner.pid, owner_identity=identity).start().wait_until_up()
    assert held.event("ended")["why"] == "owner"
    held.wait_until_gone()


@pytest.mark.skipif(not LINUX, reason="the kernel tells a supervisor of the other's death on Linux alone")
@pytest.mark.parametrize("victim", ["outer", "inner"])
def test_one_supervisor_stands_in_for_the_other(victim: str, tree: Start) -> None:
    worst = tree(*WORST).start().wait_until_up()
    os.kill(getattr(worst, victim), signal.SIGKILL)
    worst.wait_until_gone()


def test_a_supervisor_that_hangs_is_taken_over(tree: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    original = supervisor_command
    shorter = "from cockpit.local import supervisor; supervisor.TAKE_OVER_S = 0.1; supervisor.main("

    def hasty(plan: Plan) -> list[str]:
        return [word.replace("main(", f"main; {shorter}") for word in original(plan)]

    monkeypatch.setattr(sys.modules[__name__], "supervisor_command", hasty)
    worst = tree("stubborn").start().wait_until_up()
    os.kill(worst.inner, signal.SIGSTOP)
    os.kill(worst.outer, signal.SIGTERM)
    worst.wait_until_gone()


def test_with_both_supervisors_killed_a_sweep_clears_up(tree: Start) -> None:
    worst = tree("plain", "stubborn", "daemon", "stopped").start().wait_until_up()
    inner, outer = worst.inner, worst.outer
    for pid in (outer, inner):
        os.kill(pid, signal.SIGSTOP)
    for pid in (inner, outer):
        os.kill(pid, signal.SIGKILL)
    assert worst.process is not None
    worst.process.wait()
    sweep(worst.plan, outer)
    worst.wait_until_gone()


def test_a_ray_that_ends_by_itself_is_reported_and_cleared_up(tree: Start) -> None:
    ending = tree("daemon", "exit").start()
    ended = ending.event("ended")
    assert (ended["why"], ended["code"], ended["said"]) == ("ray", 3, "no luck today")
    ending.wait_until_gone()


def test_a_killed_ray_takes_its_jobs_with_it(tree: Start) -> None:
    killed = tree("daemon", "stubborn").start().wait_until_up()
    os.kill(killed.pids("ray")[0], signal.SIGKILL)
    assert killed.event("ended")["code"] == -signal.SIGKILL
    killed.wait_until_gone()


def test_a_ray_that_cannot_be_run_is_reported(tree: Start) -> None:
    absent = tree(command=["/nowhere/python"]).start()
    ended = absent.event("ended")
    assert ended["code"] == 127
    assert "/nowhere/python cannot be started" in ended["said"]
    absent.wait_until_gone()


def test_what_ray_and_its_jobs_make_is_for_nobody_else(tree: Start) -> None:
    before = os.umask(0)
    try:
        started = tree().start().wait_until_up()
    finally:
        os.umask(before)
    notes = list(started.notes.iterdir())
    assert notes
    assert {note.stat().st_mode & 0o077 for note in notes} == {0}
    started.let_go()
    started.wait_until_gone()


def test_the_private_parent_comes_and_goes_with_the_last_ray(tmp_path: Path, tree: Start) -> None:
    parent = tmp_path / parent_name()
    first = tree(directories=[str(parent / "01234567")]).start().wait_until_up()
    assert parent.stat().st_mode & 0o777 == 0o700
    second = tree(directories=[str(parent / "89abcdef")]).start().wait_until_up()
    first.let_go()
    first.wait_until_gone()
    assert parent.exists()
    second.let_go()
    second.wait_until_gone()
    assert not parent.exists()


def test_a_directory_that_is_there_already_is_not_taken(tmp_path: Path, tree: Start) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "file").touch()
    refused = tree(directories=[str(tmp_path / "rayakash-mine"), str(foreign)]).start()
    ended = refused.event("ended")
    assert ended["why"] == "system"
    assert str(foreign) in ended["said"]
    assert refused.process is not None
    refused.process.wait(timeout=60)
    assert (foreign / "file").exists()
    assert not (tmp_path / "rayakash-mine").exists()
    refused.plan = refused.plan._replace(directories=[])


def test_directories_without_permissions_are_removed_and_links_not_followed(tree: Start) -> None:
    locked = tree("locked").start().wait_until_up()
    mode = locked.notes.stat().st_mode
    locked.let_go()
    locked.wait_until_gone()
    assert locked.notes.stat().st_mode == mode


@pytest.mark.skipif(not LINUX, reason="only Linux has /dev/shm")
def test_shared_memory_of_a_job_is_removed_and_no_other(tree: Start) -> None:
    foreign = shared_memory.SHARED / f"foreign-{os.getpid()}"
    foreign.write_bytes(bytes(16))
    try:
        leaving = tree("segment").start().wait_until_up()
        left = shared_memory.SHARED / f"{leaving.notes.name}-left"
        assert left.exists()
        leaving.let_go()
        leaving.wait_until_gone()
        assert not left.exists()
        assert foreign.exists()
    finally:
        foreign.unlink()


def test_a_bystander_is_left_alone(tree: Start) -> None:
    environment = {**os.environ, processes.MARKER: "rayakash-another"}
    command = [sys.executable, "-c", "input()", "ray::IDLE gcs_server raylet"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as bystander:
        ours = tree("daemon").start().wait_until_up()
        ours.let_go()
        ours.wait_until_gone()
        assert bystander.poll() is None


def test_jobs_of_a_ready_ray_may_save_their_work(tree: Start) -> None:
    ready = tree("job").start().wait_until_up()
    ready.line.sendall(b"ready\n")
    ready.let_go()
    ready.wait_until_gone()
    assert ready.pids("saved")


def test_before_it_was_ready_nobody_is_asked(tree: Start) -> None:
    starting = tree("job").start().wait_until_up()
    starting.let_go()
    starting.wait_until_gone()
    assert not starting.pids("saved")


def watch_looks_again(pid: int) -> None:
    """Until a supervisor has waited and woken a few times more, as far as the kernel counts that."""
    if not LINUX:
        return

    def woken() -> int:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))

    before = woken()
    eventually(lambda: woken() >= before + 3, "another look of the watch")


def test_a_detached_tree_outlives_its_owner_until_a_signal(tmp_path: Path, tree: Start) -> None:
    file = tmp_path / "local.json"
    detached = tree("daemon", state=str(file)).start().wait_until_up()
    file.write_text(json.dumps({"temp_dir": detached.plan.directories[0]}))
    detached.line.sendall(b"detach\n")
    detached.event("detached")
    detached.let_go()
    watch_looks_again(detached.inner)
    seen = {process.pid for process in detached.marked()}
    assert {detached.outer, *detached.pids("ray"), *detached.pids("daemon")} <= seen
    assert file.exists()
    os.kill(detached.outer, signal.SIGTERM)
    detached.wait_until_gone()
    assert not file.exists()


def test_a_state_file_of_another_tree_is_left_alone(tmp_path: Path, tree: Start) -> None:
    file = tmp_path / "local.json"
    file.write_text(json.dumps({"temp_dir": "/tmp/rayakash-other"}))
    ours = tree(state=str(file)).start().wait_until_up()
    ours.let_go()
    ours.wait_until_gone()
    assert file.exists()


def test_why_a_detached_ray_ended_is_written_down(tmp_path: Path, tree: Start) -> None:
    farewell = tmp_path / "local.log"
    detached = tree(farewell=str(farewell)).start().wait_until_up()
    detached.line.sendall(b"detach\n")
    detached.event("detached")
    detached.let_go()
    os.kill(detached.pids("ray")[0], signal.SIGKILL)
    detached.wait_until_gone()
    assert "exit code -9" in farewell.read_text()
    assert "it is up" in farewell.read_text()
    assert farewell.stat().st_mode & 0o777 == 0o600
