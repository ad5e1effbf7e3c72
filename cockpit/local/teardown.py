"""The end of a local Ray: every process below the caller, and every file that the tree made.

The standard library only: the supervisor runs without site-packages.
"""

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cockpit.local import processes, shared_memory
from cockpit.local.plan import Plan
from cockpit.local.private import remove_private

SWEEP_S = 20.0
PAUSE_S = 0.01
LONGEST_PAUSE_S = 1.0
CHASE_ROUNDS = 200
REMOVAL_ROUNDS = 5


def tear_down(plan: Plan, before: frozenset[tuple[str, int]], *, grace: float = 0.0) -> None:
    """End every process of the tree and remove all that it made; what is gone already does no harm."""
    forget_state(plan)
    segments = shared_memory.held_by(family(plan.marker))
    if grace:
        ask_jobs(plan.marker, grace)
        segments |= shared_memory.held_by(family(plan.marker))
    end_family(plan.marker)
    shared_memory.remove(segments, before)
    remove_directories(plan.directories)


def sweep(plan: Plan, supervisor: int) -> list[processes.Process]:
    """Clear up after supervisors that were killed, from any process; `supervisor` was the outer one's pid.

    Returns the processes that did not end within SWEEP_S.
    """
    forget_state(plan)
    deadline = time.monotonic() + SWEEP_S
    left = strangers(plan.marker, supervisor)
    segments = shared_memory.held_by(left)
    while left and time.monotonic() < deadline:
        kill(left)
        time.sleep(PAUSE_S)
        left = strangers(plan.marker, supervisor)
    shared_memory.remove(segments, frozenset())
    remove_directories(plan.directories)
    return left


def ask_jobs(marker: str, grace: float) -> None:
    """SIGTERM to what jobs started, and time to comply while Ray is still there for them.

    Ray gives each entrypoint a session of its own and its own processes none. Those are not asked: its raylet
    takes 10 s to follow a SIGTERM and `ray start --block` ignores one.
    """
    ours = os.getsid(0)
    deadline = time.monotonic() + grace
    asked: set[processes.Process] = set()
    while time.monotonic() < deadline:
        jobs = [process for process in family(marker) if processes.session_of(process.pid) not in (ours, None)]
        if not jobs:
            return
        for process in jobs:
            if process not in asked:
                asked.add(process)
                processes.send(process, signal.SIGTERM)
        reap()
        time.sleep(0.05)


def end_family(marker: str) -> None:
    """SIGKILL, again and again, until nothing of the family is found and the last child of this process is gone.

    A process in an uninterruptible wait keeps this waiting: giving up would orphan it.
    """
    pause = PAUSE_S
    while True:
        children_left = reap()  # before the look: an orphan that comes later had a parent that is found
        found = family(marker)
        if not children_left and not found:
            return
        kill(found)
        chase()
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_S)


def kill(found: list[processes.Process]) -> None:
    """SIGKILL to each of them, never to a process that reused its pid."""
    for process in found:
        processes.send(process, signal.SIGKILL)


def chase() -> None:
    """Kill this process's children as fast as they come, where the kernel lists them.

    A process that forks and exits all the time is gone before a look at the whole table is over; but its
    latest self is always an orphan, so a child of this process, so with a pid that cannot be reused.
    """
    for _ in range(CHASE_ROUNDS):
        if not reap():
            return
        for pid in children():
            with contextlib.suppress(PermissionError):  # it has become another user's
                os.kill(pid, signal.SIGKILL)


def children() -> list[int]:
    """This process's children, zombies too; empty where the kernel keeps no such list (proc(5))."""
    try:
        text = (processes.PROC / f"self/task/{os.getpid()}/children").read_text()
    except OSError:
        return []
    return [int(pid) for pid in text.split()]


def family(marker: str) -> list[processes.Process]:
    """Everything below this process, and whatever else carries the marker, except this one and above."""
    everything = processes.table()
    above = ancestors(os.getpid(), everything)
    found = [*processes.descendants(os.getpid(), everything), *processes.marked(marker, everything)]
    return [process for process in dict.fromkeys(found) if process.pid not in above]


def strangers(marker: str, supervisor: int) -> list[processes.Process]:
    """What is left of a tree that this process does not supervise, except this process and those above it."""
    everything = processes.table()
    above = ancestors(os.getpid(), everything)
    return [process for process in processes.remains(marker, supervisor, everything) if process.pid not in above]


def ancestors(pid: int, everything: dict[int, processes.Process]) -> set[int]:
    """`pid` and the processes that it descends from."""
    found: set[int] = set()
    while pid in everything and pid not in found:
        found.add(pid)
        pid = everything[pid].parent
    return found


def reap(note: Callable[[int, int], object] = lambda *_: None) -> bool:
    """Collect the children that have ended; False where none is left."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return True
        note(pid, status)


def forget_state(plan: Plan) -> None:
    """Remove the state file if it speaks of this tree; another tree's is that one's business."""
    if not plan.state:
        return
    try:
        state = json.loads(Path(plan.state).read_bytes())
    except (OSError, ValueError):  # absent, or not readable: then it names no tree
        return
    if isinstance(state, dict) and state.get("temp_dir") == plan.directories[0]:
        Path(plan.state).unlink(missing_ok=True)


def remove_directories(directories: list[str]) -> None:
    """Remove these trees; what the file system refuses is said on stderr and left."""
    for directory in directories:
        try:
            remove_tree(directory)
            remove_private(os.path.dirname(directory))
        except OSError as error:
            with contextlib.suppress(OSError):  # stderr leads to an owner that may be gone
                print(f"{directory} cannot be removed: {error}", file=sys.stderr, flush=True)


def remove_tree(directory: str) -> None:
    """Remove a tree, also where a job has taken itself the right to write. Raises OSError.

    A file that comes or goes under the walk ends it: then it begins again, a few times at most.
    """
    for _ in range(REMOVAL_ROUNDS):
        try:
            shutil.rmtree(directory)
        except PermissionError:
            open_up(directory)
        except RecursionError:  # deeper than Python follows; rm is not limited
            subprocess.run(["rm", "-rf", "--", directory], check=False)
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
        if not os.path.lexists(directory):
            return
    shutil.rmtree(directory)


def open_up(directory: str) -> None:
    """Make every directory of a tree readable and writable for its owner; links are not followed."""
    os.chmod(directory, 0o700)
    for root, names, _ in os.walk(directory):
        for path in (os.path.join(root, name) for name in names):
            if not os.path.islink(path):
                os.chmod(path, 0o700)
