"""What is written to a real terminal: nothing where nothing changed, a line where a line did."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.pty_app import mark

# Only a broken program is ever waited for this long.
PATIENCE_SECONDS = 120
HEIGHT, WIDTH = 40, 120


class Terminal:
    """A pseudo-terminal with the app on it, and how many bytes each command made it write."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        read_end, self._commands = os.pipe()
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ui.pty_app", str(read_end)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            pass_fds=[read_end],
            env=environment,
            cwd=Path(__file__).parent.parent.parent,
            start_new_session=True,
        )
        os.close(slave)
        os.close(read_end)
        self._marks = 0
        self.before_first_frame = self._until_mark()

    def written_by(self, command: str) -> bytes:
        """The bytes that a command makes the app write."""
        os.write(self._commands, command.encode() + b"\n")
        return self._until_mark()

    def _until_mark(self) -> bytes:
        data, end = b"", mark(self._marks)
        while end not in data:
            ready, _, _ = select.select([self._master], [], [], PATIENCE_SECONDS)
            assert ready, f"no mark after {data[-500:]!r}"
            data += os.read(self._master, 65536)
        self._marks += 1
        assert data.endswith(end)
        return data[: -len(end)]

    def close(self) -> None:
        """End the app and give everything back."""
        self._process.kill()
        self._process.wait()
        os.close(self._master)
        os.close(self._commands)


@pytest.fixture(scope="module")
def started() -> Iterator[Terminal]:
    """An app with 10,000 rows on a terminal of 120 by 40, painted."""
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def terminal(started: Terminal) -> Terminal:
    """The same, with the rows that each test begins with."""
    started.written_by("equal")
    return started


def test_equal_rows_write_nothing(terminal: Terminal) -> None:
    assert terminal.written_by("equal") == b""
    assert terminal.written_by("out of sight") == b""
    assert terminal.written_by("same line") == b""


def test_a_changed_row_writes_its_line(terminal: Terminal) -> None:
    written = terminal.written_by("one")
    assert b"2h 05m" in written
    assert len(written) < 1000


def test_the_cursor_writes_two_lines(terminal: Terminal) -> None:
    assert 0 < len(terminal.written_by("down")) < 2000


def test_a_row_out_of_sight_writes_the_count(terminal: Terminal) -> None:
    written = terminal.written_by("one more")
    assert b"10,001" in written
    assert len(written) < 1000


def test_a_paused_log_writes_nothing_while_it_grows(terminal: Terminal) -> None:
    terminal.written_by("pause")
    assert terminal.written_by("grow") == b""
