"""A program on a terminal of its own: when what it wrote came, and what it takes meanwhile."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.bench.processes import ROOT

PATIENCE_S = 60.0
QUIET_S = 1.5  # without a byte: the screen has come to rest
TICKS = os.sysconf("SC_CLK_TCK")


class Terminal:
    """Starts a program in a terminal of `size` (lines, columns); use as a context manager, which kills it."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, size: tuple[int, int] = (45, 160)
    ) -> None:
        self.began = time.monotonic()
        self.pid, self._master = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child becomes another program
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            os.chdir(ROOT)
            looks = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
            os.execvpe(command[0], list(command), {**environment, **looks})
        self.written = bytearray()

    def read(self, seconds: float) -> bytes:
        """What it writes next, at most so many seconds from now; empty where it writes nothing."""
        if not select.select([self._master], [], [], max(0.0, seconds))[0]:
            return b""
        with suppress(OSError):  # it has ended
            piece = os.read(self._master, 1 << 16)
            self.written += piece
            return piece
        raise RuntimeError(f"the program has ended: {bytes(self.written[-500:])!r}")

    def read_for(self, seconds: float) -> int:
        """The number of bytes that it writes in a time."""
        before, end = len(self.written), time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            self.read(rest)
        return len(self.written) - before

    def wait_for(self, text: str, *, start: int = 0) -> float:
        """Seconds from its start until a text was written. Raises TimeoutError with the end of what was."""
        wanted, end = text.encode(), time.monotonic() + PATIENCE_S
        while wanted not in self.written[start:]:
            if not self.read(end - time.monotonic()) and time.monotonic() >= end:
                raise TimeoutError(f"{text!r} was not written: {bytes(self.written[-300:])!r}")
        return time.monotonic() - self.began

    def settle(self, quiet: float = QUIET_S) -> None:
        """Wait until nothing was written for a while; at most the patience."""
        end = time.monotonic() + PATIENCE_S
        while self.read(quiet) and time.monotonic() < end:
            pass

    def key(self, keys: bytes) -> float | None:
        """Press a key; seconds until the program began to write, None where it wrote nothing in a second."""
        while self.read(0.0):  # what was on its way is no answer
            pass
        begun = time.monotonic()
        os.write(self._master, keys)
        return time.monotonic() - begun if self.read(1.0) else None

    def send(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def cpu(self) -> float:
        """Seconds of the processor that it took up to now."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self, what: str = "VmRSS") -> float:
        """MB in use, or at the peak as `VmHWM`."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        match = re.search(rf"{what}:\s+(\d+) kB", status)
        return int(match[1]) * 1024 / 1e6 if match else 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._master)
