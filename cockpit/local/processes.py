"""Processes by identity: a pid may be reused, a pid with its start time is one process for good.

The standard library only: the supervisor runs without site-packages. Linux reads /proc; macOS asks `ps`,
whose start times have whole seconds and whose signals cannot be bound to an identity, only checked first.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

MACOS = sys.platform == "darwin"
PROC = Path("/proc")
BOOT = PROC / "sys/kernel/random/boot_id"
PS_COLUMNS = "pid=,ppid=,stat=,lstart="
MARKER = "RAYAKASH_LOCAL"  # the environment variable that every process of one local Ray inherits


class Process(NamedTuple):
    """One line of the process table; `started` tells two owners of the same pid apart."""

    pid: int
    parent: int
    zombie: bool
    started: str


def table() -> dict[int, Process]:
    """Every process of this machine that this user can see, by pid."""
    if MACOS:
        return {process.pid: process for process in map(parse_ps, _ps("-axo", PS_COLUMNS))}
    found = (look_up(int(entry)) for entry in os.listdir(PROC) if entry.isdigit())
    return {process.pid: process for process in found if process is not None}


def look_up(pid: int) -> Process | None:
    """The process that has this pid now, or None."""
    if MACOS:
        lines = _ps("-o", PS_COLUMNS, "-p", str(pid))
        return parse_ps(lines[0]) if lines else None
    text = _read(pid, "stat")
    return parse_stat(text.decode(errors="replace")) if text else None


def parse_stat(text: str) -> Process:
    """One /proc/PID/stat (proc(5)): the name in parentheses may itself hold spaces and parentheses."""
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    return Process(int(head.split(" ", 1)[0]), int(fields[1]), fields[0] in "ZX", fields[19])


def parse_ps(line: str) -> Process:
    """One line of `ps -o pid=,ppid=,stat=,lstart=`."""
    pid, parent, state, started = line.split(maxsplit=3)
    return Process(int(pid), int(parent), state.startswith("Z"), " ".join(started.split()))


def identity(pid: int) -> str | None:
    """What tells the living process `pid` from every other that had or will have it; None where it is gone.

    On Linux the start time counts from boot, so the identity of the boot belongs to it.
    """
    process = look_up(pid)
    if process is None or process.zombie:
        return None
    return process.started if MACOS else f"{BOOT.read_text().strip()}/{process.started}"


def descendants(root: int, processes: dict[int, Process]) -> list[Process]:
    """The children of `root`, their children and so on, without `root` and without zombies."""
    children: dict[int, list[Process]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process)
    found: list[Process] = []
    waiting = [root]
    while waiting:
        for child in children.pop(waiting.pop(), []):
            waiting.append(child.pid)
            found.append(child)
    return [process for process in found if not process.zombie]


def marked(marker: str, processes: dict[int, Process]) -> list[Process]:
    """The processes that inherited the environment variable `MARKER` with this value."""
    needle = f"{MARKER}={marker}"
    if MACOS:
        lines = [line.split(maxsplit=1) for line in _ps("-axEwwo", "pid=,command=")]
        pids = {int(parts[0]) for parts in lines if len(parts) == 2 and needle in parts[1].split(" ")}
    else:
        pids = {pid for pid in processes if needle.encode() in _read(pid, "environ").split(b"\0")}
    return [process for pid, process in processes.items() if pid in pids and not process.zombie]


def remains(marker: str, supervisor: int, processes: dict[int, Process]) -> list[Process]:
    """What is left of a tree whose supervisors are gone: processes with its marker, or that can only be its own.

    Some of Ray's processes overwrite their environment with a title. They are in the session that the
    supervisor led, as all of Ray's own are, and in a directory named by the marker: a shell that just looks
    around there is not. On macOS, where a directory cannot be read, such a process is missed.
    """
    found = dict.fromkeys(marked(marker, processes))
    for process in processes.values():
        if not process.zombie and session_of(process.pid) == supervisor and f"/{marker}" in _directory(process.pid):
            found[process] = None
    return list(found)


def session_of(pid: int) -> int | None:
    """The session that a process belongs to, or None where it has ended."""
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def send(process: Process, number: signal.Signals) -> None:
    """Signal exactly this process; one that is gone, or whose pid is another's by now, is left alone."""
    handle = _hold(process.pid)
    try:
        now = look_up(process.pid)
        if now is None or now.started != process.started:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended, or became another user's
            if sys.platform == "linux" and handle is not None:
                signal.pidfd_send_signal(handle, number)
            else:
                os.kill(process.pid, number)
    finally:
        if handle is not None:
            os.close(handle)


def _hold(pid: int) -> int | None:
    # A pidfd stays with its process, so the pid cannot be reused between the check and the signal.
    # Old kernels, some sandboxes and some builds of Python have none: then the look alone must do.
    if sys.platform == "linux" and hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            return os.pidfd_open(pid)
    return None


def _read(pid: int, name: str) -> bytes:
    # Whole tables are read this way: a few system calls each instead of a file object.
    try:
        descriptor = os.open(f"/proc/{pid}/{name}", os.O_RDONLY)
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # ended meanwhile, or another user's
        return b""
    try:
        return b"".join(iter(lambda: os.read(descriptor, 65_536), b""))
    except (ProcessLookupError, PermissionError):
        return b""
    finally:
        os.close(descriptor)


def _directory(pid: int) -> str:
    try:
        return os.readlink(PROC / str(pid) / "cwd")
    except OSError:  # ended meanwhile, another user's, or no /proc at all
        return ""


def _ps(*arguments: str) -> list[str]:
    clean = {"PATH": "/bin:/usr/bin", "LC_ALL": "C", "TZ": "UTC"}
    done = subprocess.run(["ps", *arguments], env=clean, capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if line.strip()]
