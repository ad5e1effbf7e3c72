"""How much the cockpit writes to its terminal: nothing while nothing happens, little for a little change."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest

ROOT = Path(__file__).parent.parent.parent
SIZE = (40, 120)
IDLE_SECONDS = 10.0
POLLED_SECONDS = 8.0  # until the use of the cluster has been asked for once more
HEADER_LINE = 2
SETTLED_SECONDS = 3.0  # without a byte: longer than the second in which durations are looked at
PATIENCE = 120.0
ESCAPES = re.compile(rb"\x1b\[[0-9;:?<>=]*[a-zA-Z]|\x1b[\]P_][^\x07\x1b]*(?:\x07|\x1b\\)")


class FrozenCluster:
    """The simulated dashboard as a process of its own, whose clock stands still unless it is told."""

    def __init__(self) -> None:
        # Ahead of our clock: the durations of running jobs, which may go on, are 0 s then and stay so.
        at = str(time.time() + 30 * 86_400)
        command = [sys.executable, "-m", "tests.sim", "--frozen", "--at", at, "--nodes", "4", "--jobs", "40"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def order(self, what: str, **more: Any) -> None:
        """Have it do something; see tests.sim.__main__."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self._process.stdin.flush()
        assert self._line() == "ok"

    def stop(self, job_id: str) -> None:
        """Have a job stopped, by somebody else."""
        request = urllib.request.Request(f"{self.url}/api/jobs/{job_id}/stop", method="POST")
        urllib.request.urlopen(request, timeout=PATIENCE).close()
        self.order("advance", seconds=3)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


class Terminal:
    """A terminal with the cockpit in it, that counts the bytes it is sent."""

    def __init__(self, arguments: list[str], home: Path) -> None:
        self.pid, self._master = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child becomes another program
            environment = os.environ | {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execve(sys.executable, [sys.executable, "-m", "cockpit", *arguments], environment)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self.written = b""

    def read_for(self, seconds: float, *, until: bytes = b"") -> bytes:
        """What it writes in a time, or until it has written something (escapes left out)."""
        seen, end = b"", time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            if not select.select([self._master], [], [], rest)[0]:
                break
            seen += os.read(self._master, 1 << 16)
            if until and until in ESCAPES.sub(b"", seen):
                break
        self.written += seen
        return seen

    def wait_for(self, text: bytes) -> None:
        """Wait until a text was written."""
        assert text in ESCAPES.sub(b"", self.read_for(PATIENCE, until=text)), self.written[-2000:]

    def settle(self) -> None:
        """Wait until nothing is written for a while."""
        end = time.monotonic() + PATIENCE
        while self.read_for(SETTLED_SECONDS):
            assert time.monotonic() < end, "it does not come to rest"

    def send(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def close(self) -> None:
        """End it."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._master)


def by_line(written: bytes) -> dict[int, int]:
    """Bytes by the line of the screen that they are for; moves of the cursor alone count for nothing."""
    found: dict[int, int] = {}
    for chunk in re.split(rb"(?=\x1b\[\d+;\d+H)", written):
        if (place := re.match(rb"\x1b\[(\d+);", chunk)) and ESCAPES.sub(b"", chunk).strip(b"\r\n"):
            found[int(place[1])] = found.get(int(place[1]), 0) + len(chunk)
    return found


@contextmanager
def cockpit_in_a_terminal(address: str, home: Path) -> Iterator[Terminal]:
    terminal = Terminal(["--address", address], home)
    try:
        terminal.wait_for(b"ci-smoke-12")
        yield terminal
    finally:
        terminal.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_an_unchanged_cluster_costs_no_byte_and_a_changed_job_less_than_a_kilobyte(tmp_path: Path) -> None:
    with FrozenCluster() as cluster, cockpit_in_a_terminal(cluster.url, tmp_path) as terminal:
        terminal.settle()
        idle = terminal.read_for(IDLE_SECONDS)
        assert idle == b""
        terminal.send(b"j")
        terminal.settle()
        cluster.stop("ci-smoke-12")
        changed = terminal.read_for(PATIENCE, until=b"STOPPED")
        changed += terminal.read_for(POLLED_SECONDS)
        written = by_line(changed)
        print(f"one changed job: {len(changed)} bytes: {written}")
        assert b"STOPPED" in changed
        # Besides its row only the header may change: how many jobs run, and later what of the cluster is in use.
        assert len(written) == 2
        assert sum(written.values()) - written[HEADER_LINE] < 700
        assert len(changed) < 1500
        terminal.send(b"y")
        copied = terminal.read_for(PATIENCE, until=b"Copied")
        assert b"\x1b]52;c;" in copied + terminal.read_for(1.0)
