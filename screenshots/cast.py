"""Writes a recording of the terminal: `python -m screenshots.cast [FILE]`; play it with `asciinema play FILE`.

The cockpit runs in a pseudo-terminal on the recorded cluster that ships with the program, keys are pressed by a script,
and what comes out is kept in the format asciicast 2 (https://docs.asciinema.org/manual/asciicast/v2/).
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

HERE = Path(__file__).parent
COLUMNS, ROWS = 120, 34
LONGEST_REST = 1.5  # seconds without output are shown as so long at most
# What is pressed, and for how many seconds one looks at what comes of it.
TOUR = (
    ("", 4.0), ("-", 2.5), ("+", 1.5), ("2", 2.5), ("j", 0.5), ("j", 2.0), ("/sft-r13\r", 2.5), ("l", 3.0),
    ("m", 1.8), ("\r", 3.0), ("m", 1.2), ("\x1b[B", 0.6), ("\r", 3.5), ("2", 1.5), ("\r", 4.0), ("\x1b", 1.5),
    ("3", 3.0), ("4", 2.5), ("1", 3.0), ("?", 3.0), ("\x1b", 1.0), ("q", 1.0),
)  # fmt: skip


def tour() -> list[tuple[float, str]]:
    """What the terminal got and when, in seconds."""
    with tempfile.TemporaryDirectory() as home:
        process, terminal = pty.fork()
        if process == 0:
            os.environ |= {"HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
            os.execv(sys.executable, [sys.executable, "-m", "cockpit", "demo", "--replay"])
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        events: list[tuple[float, str]] = []
        try:
            _press(terminal, events)
        finally:
            os.close(terminal)
            os.waitpid(process, 0)
    return _hurried(events)


def _press(terminal: int, events: list[tuple[float, str]]) -> None:
    begun = time.monotonic()
    _read(terminal, events, begun, 2.0, until="GPUs by node")
    for keys, seconds in TOUR:
        os.write(terminal, keys.encode())
        _read(terminal, events, begun, seconds)


def _read(terminal: int, events: list[tuple[float, str]], begun: float, seconds: float, *, until: str = "") -> None:
    """Keep what comes for so long; with `until` for so long after that text."""
    end = time.monotonic() + (60.0 if until else seconds)
    held = b""
    while (rest := end - time.monotonic()) > 0:
        if not select.select([terminal], [], [], rest)[0]:
            return
        try:
            held += os.read(terminal, 65_536)
        except OSError:  # it has ended
            return
        try:
            text, held = held.decode(), b""
        except UnicodeDecodeError:  # a character that was cut
            continue
        events.append((time.monotonic() - begun, text))
        if until and until in text:
            end, until = time.monotonic() + seconds, ""


def _hurried(events: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """The same without long rests."""
    shown: list[tuple[float, str]] = []
    at = before = 0.0
    for moment, text in events:
        at += min(LONGEST_REST * 2, moment - before)
        before = moment
        shown.append((round(at, 3), text))
    return shown


def write(path: Path) -> None:
    """Write the recording to a file."""
    head = {"version": 2, "width": COLUMNS, "height": ROWS, "title": "rayakash-tui", "env": {"TERM": "xterm-256color"}}
    lines = [json.dumps(head), *(json.dumps([at, "o", text], ensure_ascii=False) for at, text in tour())]
    path.write_text("\n".join(lines) + "\n")
    print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "tour.cast")
