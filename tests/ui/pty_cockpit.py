"""The cockpit on a real terminal, and a simulated dashboard as a process of its own."""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import urllib.request
from codecs import getincrementaldecoder
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from tests.ui.terminal import Screen

ROOT = Path(__file__).parent.parent.parent
SIZE = (40, 120)
# Without a byte: until what was begun is drawn, and until also what a second's look at durations changes is.
DRAWN_SECONDS, SETTLED_SECONDS = 1.0, 3.0
PATIENCE = 60.0


class FrozenCluster:
    """The simulated dashboard as a process of its own, whose clock stands still unless it is told."""

    def __init__(self, *options: str) -> None:
        # Ahead of our clock: the durations of running jobs, which may go on, are 0 s then and stay so.
        at = str(time.time() + 30 * 86_400)
        command = [sys.executable, "-m", "tests.sim", "--frozen", "--at", at, "--nodes", "4", "--jobs", "40"]
        command += options
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

    def running(self) -> list[str]:
        """The ids of jobs that run."""
        with urllib.request.urlopen(f"{self.url}/api/jobs/", timeout=PATIENCE) as answer:
            return [job["submission_id"] for job in json.load(answer) if job["status"] == "RUNNING"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


class Terminal:
    """A terminal with the cockpit in it, that counts the bytes it is sent."""

    def __init__(
        self,
        arguments: list[str],
        home: Path,
        variables: Mapping[str, str] | None = None,
        program: Sequence[str] = (sys.executable, "-m", "cockpit"),
    ) -> None:
        self.pid, self._master = pty.fork()
        if self.pid == 0:  # pragma: no cover - the child becomes another program
            environment = os.environ | {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            environment |= {"LC_ALL": "C.UTF-8", **(variables or {})}
            os.execvpe(program[0], [*program, *arguments], environment)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self.written = b""
        self._has_ended = False
        self._screen, self._rest = Screen(), ""
        self._decoder = getincrementaldecoder("utf-8")()

    @property
    def text(self) -> str:
        """What can be read on it."""
        return "\n".join(self._screen.lines)

    def read_for(self, seconds: float, *, until: str = "") -> bytes:
        """What it writes in a time, or until something can be read on it."""
        seen, end = b"", time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0 and not (until and until in self.text):
            seen += self._take(rest)
        return seen

    def _take(self, seconds: float) -> bytes:
        """The next piece that it writes, if it writes any in a time."""
        if not select.select([self._master], [], [], seconds)[0]:
            return b""
        try:
            piece = os.read(self._master, 1 << 16)
        except OSError as error:
            raise OSError(error.errno, f"the program has ended: {self.written[-4000:]!r}") from error
        self._rest = self._screen.follow(self._rest + self._decoder.decode(piece))
        self.written += piece
        return piece

    def wait_for(self, text: str) -> None:
        """Wait until a text can be read."""
        self.read_for(PATIENCE, until=text)
        assert text in self.text, f"{text!r} is not in:\n{self.text}"

    def settle(self, seconds: float = DRAWN_SECONDS) -> None:
        """Wait until nothing is written for a while."""
        end = time.monotonic() + PATIENCE
        while self._take(seconds):
            assert time.monotonic() < end, "it does not come to rest"

    def send(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def wait_for_end(self) -> int:
        """Wait until it has ended; its exit code."""
        with suppress(OSError):  # which tells of the end
            self.read_for(PATIENCE)
        self._has_ended = True
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    @property
    def modes(self) -> list[Any]:
        """How the terminal treats keys, as `stty` shows it."""
        return termios.tcgetattr(self._master)

    def wipe(self) -> None:
        """Show nothing, as after another program."""
        self._screen.cells.clear()

    def lose(self) -> None:
        """Take the terminal away, as a broken connection does."""
        os.close(self._master)
        self._master = os.open(os.devnull, os.O_RDWR)

    def close(self) -> None:
        """End it."""
        if not self._has_ended:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._master)


def start_with_jobs(home: Path) -> None:
    """Have the Jobs pane open first, unless the settings say something already."""
    config = home / ".config" / "rayakash-tui" / "config.toml"
    if not config.exists():
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text('[ui]\nstart = "jobs"\n')


@contextmanager
def cockpit_in_a_terminal(
    *arguments: str, home: Path, seen: str = "ci-smoke-12", variables: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """The cockpit at its jobs, once a text can be seen; `variables` are those of its environment."""
    start_with_jobs(home)
    terminal = Terminal(list(arguments), home, variables)
    try:
        terminal.wait_for(seen)
        yield terminal
    finally:
        terminal.close()
