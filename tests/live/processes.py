"""Processes that a test starts: a command with all that comes out of it, and waiting for a condition."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from tests.live.runner import descendants, signal_all

RUNNER = Path(__file__).with_name("runner.py")
POLL_INTERVAL = 0.1
SPAWN = 30.0  # seconds for an interpreter to start, on a busy machine
TEARDOWN = 30.0
LOG_TAIL = 4000  # characters

T = TypeVar("T")


def eventually(probe: Callable[[], T], *, within: float, what: str) -> T:
    """The first true answer of `probe`. Raises TimeoutError when none came `within` so many seconds."""
    deadline = time.monotonic() + within
    while not (answer := probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:.0f} s: {what}; the last answer was {answer!r}")
        time.sleep(POLL_INTERVAL)
    return answer


async def soon(probe: Callable[[], Awaitable[T]], *, within: float, what: str) -> T:
    """`eventually` for a probe that is awaited; the event loop stays free."""
    deadline = time.monotonic() + within
    while not (answer := await probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:.0f} s: {what}; the last answer was {answer!r}")
        await asyncio.sleep(POLL_INTERVAL)
    return answer


class ProcessTree:
    """A command and every process that comes out of it, daemons included, until `close`.

    Raises RuntimeError where the command cannot be started.
    """

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as stderr:
            self._runner = subprocess.Popen(
                [sys.executable, "-I", "-S", RUNNER, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                bufsize=0,  # a second report must not hide in a buffer, where select does not see it
                env=environment,
                start_new_session=True,  # so that Ctrl-C reaches pytest alone, which then tears down in order
            )
        try:
            self.pid = int(self._report("started", within=SPAWN))
        except BaseException:
            self.close()
            raise

    def pids(self) -> list[int]:
        """The processes of the tree at this moment."""
        return descendants(self._runner.pid)

    def wait(self, *, within: float) -> int:
        """The exit code of the command itself, to be asked once. Raises TimeoutError."""
        return int(self._report("exited", within=within))

    def output(self) -> str:
        """The end of what the command and its descendants wrote."""
        return self.log.read_text(errors="replace")[-LOG_TAIL:]

    def freeze(self) -> None:
        """Stop every process, as a machine that hangs; they keep their sockets and answer nothing."""
        frozen: set[int] = set()
        while fresh := set(self.pids()) - frozen:  # a process may fork before its turn comes
            signal_all(sorted(fresh), signal.SIGSTOP)
            frozen |= fresh

    def thaw(self) -> None:
        signal_all(self.pids(), signal.SIGCONT)

    def close(self) -> None:
        """SIGKILL every process of the tree and return when none is left; may be repeated."""
        if self._runner.returncode is not None:
            return
        assert self._runner.stdin is not None
        assert self._runner.stdout is not None
        self._runner.stdin.close()
        self._runner.stdout.close()
        self._runner.wait(TEARDOWN)

    def _report(self, word: str, *, within: float) -> str:
        assert self._runner.stdout is not None
        ready, _, _ = select.select([self._runner.stdout], [], [], within)
        if not ready:
            raise TimeoutError(f"{self._runner.args!r} has not {word} within {within:.0f} s\n{self.output()}")
        said, _, value = self._runner.stdout.readline().decode().partition(" ")
        if said != word:
            raise RuntimeError(f"{self._runner.args!r} has not {word}\n{self.output()}")
        return value


def alive(pids: Sequence[int]) -> list[int]:
    """Those of `pids` that still exist; one that was given to another process meanwhile counts too."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def marked(variable: str, value: str) -> list[int]:
    """The processes that were started with the environment variable `variable=value`.

    Without those that have since overwritten their environment with a title, as Ray's workers do.
    """
    wanted = f"{variable}={value}".encode()
    return [
        int(environ.parent.name)
        for environ in Path("/proc").glob("[0-9]*/environ")
        if wanted in _read(environ).split(b"\0") and int(environ.parent.name) != os.getpid()
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # gone, or another user's
        return b""
