"""A home of its own for processes, what they left in it, and a terminal to type on."""

import base64
import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cockpit.model.secret import Secret
from tests.secrets.fakes import PASSPHRASE, User, vault

ROOT = Path(__file__).parents[2]
GUARD_S = 60  # so that a test that hangs fails; nothing waits this long
COMMAND = (sys.executable, "-m", "cockpit", "secrets")


class Done(msgspec.Struct, frozen=True):
    """How a process ended, and all that it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


class Machine:
    """A directory that holds everything a process may write to."""

    def __init__(self, directory: Path, environment: Mapping[str, str] | None = None) -> None:
        self.home = directory / "home"
        for name in ("home", "tmp", "run"):
            (directory / name).mkdir(parents=True, mode=0o700)
        self.directory = directory
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TMPDIR": str(directory / "tmp"),
            "XDG_RUNTIME_DIR": str(directory / "run"),
            "PYTHONPATH": str(ROOT),
            # Whatever bus the machine has is not for tests.
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent",
            **(environment or {}),
        }

    @property
    def data(self) -> Path:
        on_mac = self.home / "Library" / "Application Support" / "rayakash-tui"
        return on_mac if sys.platform == "darwin" else self.home / ".local" / "share" / "rayakash-tui"

    def secrets(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        """Run `rayakash-tui secrets …` without a terminal."""
        return self.python("-m", "cockpit", "secrets", *arguments, stdin=stdin, **environment)

    def python(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        with self.started([sys.executable, *arguments], **environment) as process:
            out, err = process.communicate(stdin, timeout=GUARD_S)
        return Done(process.returncode, out, err)

    def started(self, command: list[str], **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            cwd=self.home,
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # no terminal, whoever runs the tests
        )

    def files_with(self, value: str) -> list[Path]:
        """The files that hold a value, plainly or in one of the usual spellings."""
        plain = value.encode()
        spellings = [plain, plain.hex().encode(), value.encode("utf-16-le"), *_in_base64(plain)]
        files = (path for path in self.directory.rglob("*") if path.is_file())
        return [path for path in files if any(spelling in path.read_bytes() for spelling in spellings)]


def quick_vault(path: Path) -> None:
    """Make a vault whose passphrase is cheap to try; the commands keep to what its header says."""
    made = vault(path, User(PASSPHRASE))
    made.put("default", "MADE_FIRST", Secret("nothing"))
    made.delete("default", "MADE_FIRST")


def _in_base64(plain: bytes) -> list[bytes]:
    """What is the same in base64 wherever the value begins within three bytes."""
    shifted = (base64.b64encode(b"\0" * shift + plain)[4 * (shift > 0) :] for shift in range(3))
    return [text.rstrip(b"=")[:-1] for text in shifted]


def processes_with(value: str) -> list[str]:
    """The command lines on this machine that hold a value."""
    return [line for line in _command_lines() if value in line]


def _command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


# Makes the terminal on stdin the controlling one, as a login does.
_LOGIN = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """A process on a terminal, and somebody who reads and types."""

    def __init__(self, master: int, process: "subprocess.Popen[bytes]") -> None:
        self._master = master
        self.process = process
        self.shown = ""
        self._read = 0

    def read_until(self, text: str) -> None:
        """Read what is shown until the text has come, behind what was waited for before."""
        while text not in self.shown[self._read :]:
            ready, _, _ = select.select([self._master], [], [], GUARD_S)
            assert ready, f"{text!r} was not shown, only {self.shown!r}"
            self.shown += os.read(self._master, 4096).decode()
        self._read = self.shown.index(text, self._read) + len(text)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def end(self) -> int:
        """Read the rest; returns the exit code."""
        while True:
            try:
                piece = os.read(self._master, 4096)
            except OSError:  # Linux says so when the last process has closed the terminal
                break
            if not piece:
                break
            self.shown += piece.decode()
        return self.process.wait(GUARD_S)


@contextmanager
def terminal(machine: Machine, *arguments: str, **environment: str) -> Iterator[Terminal]:
    """Run `rayakash-tui secrets …` on a terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x18\x00\x78\x00\0\0\0\0")
    process = subprocess.Popen(
        [sys.executable, "-c", _LOGIN, *COMMAND, *arguments],
        cwd=machine.home,
        env={**machine.environment, **environment},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        process.kill()
        process.wait()
        os.close(master)
