"""Run one command and own every process that comes out of it, daemons included.

    python runner.py COMMAND [ARGUMENT…]

`ray start` returns while the daemons that it began live on as orphans, and Ray's processes rewrite the memory
that holds their environment, so that no marker finds them all. This process is therefore a child subreaper:
whatever is orphaned below it becomes its child. It writes `started PID`, and `exited CODE` when the command
ends; when its stdin closes, which also happens when the test run is killed, it kills the whole tree and goes.
Linux only.
"""

import ctypes
import os
import select
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def main(argv: list[str]) -> None:
    become_subreaper()
    child_ended = wake_on_child()
    try:
        command = spawn(argv)
        report(f"started {command}")
        while not stdin_closed(child_ended):
            if (code := reap().get(command)) is not None:
                report(f"exited {code}")
    finally:
        kill_tree()


def become_subreaper() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def wake_on_child() -> int:
    """A file descriptor that turns readable when a child ends."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
    return readable


def spawn(argv: list[str]) -> int:
    # stdout is the report's; the command writes to the log that is our stderr.
    to_log = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, 2, 1)]
    return os.posix_spawnp(argv[0], argv, os.environ, file_actions=to_log)


def stdin_closed(child_ended: int) -> bool:
    ready, _, _ = select.select([0, child_ended], [], [])
    if child_ended in ready:
        os.read(child_ended, 4096)
    return 0 in ready and not os.read(0, 4096)


def reap() -> dict[int, int]:
    """The exit codes of the children that have ended, by process id; empty once none is left."""
    ended: dict[int, int] = {}
    try:
        while (child := os.waitpid(-1, os.WNOHANG))[0]:
            ended[child[0]] = os.waitstatus_to_exitcode(child[1])
    except ChildProcessError:
        pass
    return ended


def report(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def kill_tree() -> None:
    # What a killed process leaves behind, or forked meanwhile, is found by the next round.
    while pids := descendants(os.getpid()):
        signal_all(pids, signal.SIGKILL)
        reap()
        time.sleep(0.02)


def signal_all(pids: list[int], signum: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            continue


def descendants(root: int) -> list[int]:
    """The process ids below `root`, zombies included, parents first."""
    children = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        pid, parent = _pid_and_parent(stat)
        children[parent].append(pid)
    found = [root]
    for pid in found:
        found += children[pid]
    return found[1:]


def _pid_and_parent(stat: Path) -> tuple[int, int]:
    try:
        text = stat.read_text(errors="replace")
    except OSError:  # it ended between the listing and the reading
        return 0, -1
    # The name in parentheses may itself hold spaces and parentheses.
    return int(text.split(" ", 1)[0]), int(text.rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main(sys.argv[1:])
