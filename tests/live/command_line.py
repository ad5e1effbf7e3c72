"""Our own command line as a user runs it: a process of its own, in a home of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests import json_checks
from tests.live.processes import eventually
from tests.live.reference import JOB

COMMAND = JOB  # seconds; a command that follows a job waits for a worker process


@dataclass(frozen=True)
class Done:
    """How a command ended, and all that it wrote."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """What it wrote to stdout, as text."""
        return self.stdout.decode()

    @property
    def everything(self) -> str:
        """Both streams: what a user saw."""
        return self.stdout.decode(errors="replace") + self.stderr

    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        found: dict[str, Any] = json.loads(self.stdout)
        return found


class Running:
    """A command that goes on; use it in a `with`, at whose end it is killed."""

    def __init__(self, process: subprocess.Popen[bytes], stdout: Path, stderr: Path) -> None:
        self._process = process
        self._stdout = stdout
        self._stderr = stderr

    def stdout(self) -> bytes:
        """What it wrote so far."""
        return self._stdout.read_bytes()

    def stderr(self) -> str:
        return self._stderr.read_text(errors="replace")

    def says(self, text: str, *, within: float = COMMAND) -> None:
        """Wait until `text` is on stderr. Raises TimeoutError."""
        eventually(lambda: text in self.stderr(), within=within, what=f"{text!r} on stderr: {self.stderr()}")

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def wait(self, *, within: float = COMMAND) -> Done:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        code = self._process.wait(within)
        return Done(code, self.stdout(), self.stderr())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


class CommandLine:
    """`rayakash-tui` with nothing in its environment but what a test gives it."""

    def __init__(self, home: Path, variables: Mapping[str, str]) -> None:
        self.home = home
        self._variables = {**_neutral(), "HOME": str(home), **variables}
        self._count = 0

    def start(self, *args: str, variables: Mapping[str, str] | None = None) -> Running:
        """Start a command; `variables` are added to its environment, and an empty one is taken out."""
        self._count += 1
        stdout, stderr = (self.home / f"{self._count}.{name}" for name in ("out", "err"))
        environment = {name: value for name, value in {**self._variables, **(variables or {})}.items() if value}
        with stdout.open("wb") as out, stderr.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "cockpit", *args],
                env=environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        return Running(process, stdout, stderr)

    def run(self, *args: str, variables: Mapping[str, str] | None = None, within: float = COMMAND) -> Done:
        """Run a command to its end; the caller looks at the exit code."""
        with self.start(*args, variables=variables) as running:
            done = running.wait(within=within)
        json_checks.hold(args, done.stdout)
        return done

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a listing, `rows("jobs")`."""
        done = self.run(name, "--json")
        assert done.code == 0, done.stderr
        found: list[dict[str, Any]] = done.json()[name]
        return found

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Our rows of jobs by id."""
        return {row["submission_id"] or row["job_id"]: row for row in self.rows("jobs")}


def _neutral() -> dict[str, str]:
    """The caller's environment without settings for us, for Ray, for a proxy, or for a terminal."""
    ours = ("RAYAKASH_", "RAY_", "XDG_", "COLUMNS", "LINES")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) and not name.lower().endswith("_proxy")
    }
