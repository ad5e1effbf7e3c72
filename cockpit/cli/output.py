"""What the commands print: data on stdout, messages on stderr, nothing that a terminal would obey."""

import codecs
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

import msgspec

from cockpit.errors import CockpitError
from cockpit.render import plain
from cockpit.render.sanitize import LogSanitizer
from cockpit.render.table import Column, RowContext, TableSpec
from cockpit.render.text import INVISIBLE, STRAY_JOINERS, visible, visible_lines
from cockpit.render.times import iso
from cockpit.secrets.names import BACKEND_THREAD

# What a terminal may obey and JSON lets stand as it is: DEL, C1 and the controls of direction.
_HIDDEN = re.compile(f"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069{INVISIBLE}]|{STRAY_JOINERS}")

PIPE_WIDTH = 200
DETAIL_LINES = 12
TRACEBACK = "Traceback (most recent call last)"
_shows_all = False
DETAIL_CHARACTERS = 2000


def prepare_streams() -> None:
    """Make both streams survive text that their encoding does not know, and be there though they were closed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for the process's life
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, codecs.StreamReaderWriter) or not hasattr(stream, "reconfigure"):
            continue
        stream.reconfigure(errors="backslashreplace")
    for name in ("stdout", "stderr"):
        if not isinstance(getattr(sys, name), SafeStream):
            setattr(sys, name, SafeStream(getattr(sys, name)))


class SafeStream:
    """A text stream that never passes terminal controls, also from argparse, a traceback or a library.

    Bytes that are meant as they are go to its `buffer`: only `document`, `record`, `sequence`, `LogWriter` and alarms.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text with each hidden character but the line breaks written out."""
        if self is sys.stdout and threading.current_thread().name == BACKEND_THREAD:
            return sys.stderr.write(text)
        self._stream.write(visible_lines(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write them all."""
        for text in lines:
            self.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def sequence(text: str) -> None:
    """Have the terminal behind stderr do something, such as ring; no foreign text may be a part of it unescaped."""
    sys.stderr.flush()
    sys.stderr.buffer.write(text.encode())
    sys.stderr.buffer.flush()


def message(text: str, *, is_alarm: bool = False) -> None:
    """A sentence for the user, on stderr; an alarm is red where that is a terminal with colors."""
    _say(text, sys.stderr, is_alarm=is_alarm)


def _say(text: str, stream: TextIO, *, is_alarm: bool) -> None:
    if not is_alarm or not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        print(visible(text), file=stream, flush=True)
        return
    stream.flush()
    stream.buffer.write(f"\x1b[1;31m{visible(text)}\x1b[0m\n".encode(stream.encoding, "backslashreplace"))
    stream.buffer.flush()


def show_details(whole: bool) -> None:
    """Whether a failure shows all of what the other side said (`--verbose`)."""
    global _shows_all
    _shows_all = whole


def error(failure: CockpitError) -> None:
    """A failure: its sentence, the end of what the other side said, and the next step.

    A traceback of theirs is folded to its last line, and the whole of it is in our own log.
    """
    message(f"error: {failure.title}")
    lines = _detail_lines(failure)
    for line in lines:
        message(f"  | {line}")
    if not _shows_all and len(lines) < len(failure.detail.splitlines()) and TRACEBACK in failure.detail:
        from cockpit.cli.error_log import note

        where = note(failure)
        message("  | The whole traceback: --verbose" + (f", or {where}" if where is not None else ""))
    if failure.hint:
        message(f"  hint: {failure.hint}")


def _detail_lines(failure: CockpitError) -> list[str]:
    """The last lines of the detail; of a traceback the last one, which holds the reason."""
    if _shows_all:
        return failure.detail.splitlines()
    lines = [line for line in failure.detail[-DETAIL_CHARACTERS:].splitlines() if line.strip() not in ("", ".")]
    if len(lines) == 1 and lines[0].strip().rstrip(".") in failure.title:
        return []
    return lines[-1:] if TRACEBACK in failure.detail else lines[-DETAIL_LINES:]


def warning(text: str) -> None:
    """Something that the user should know, on stderr."""
    message(f"warning: {text}")


def line(text: str, *, is_alarm: bool = False) -> None:
    """One line of data; an alarm is red on a terminal with colors."""
    _say(text, sys.stdout, is_alarm=is_alarm)


def record(value: dict[str, Any]) -> None:
    """One JSON object on a line of its own, in UTF-8 whatever the locale says."""
    try:
        text = msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can hold
        text = json.dumps(value)
    sys.stdout.flush()
    sys.stdout.buffer.write(_HIDDEN.sub(_json_escape, text).encode() + b"\n")
    sys.stdout.buffer.flush()


def _json_escape(found: re.Match[str]) -> str:
    """Beyond 16 bits JSON writes the two halves of the character."""
    return json.dumps(found[0])[1:-1] if found[0] != "\x7f" else "\\u007f"


def document(text: str) -> None:
    """A whole file on stdout: byte for byte into a file or a pipe, made safe on a terminal."""
    sys.stdout.flush()
    writer = LogWriter()
    writer.write(text.encode("utf-8", "backslashreplace"))
    writer.close()


def listing(name: str, records: Sequence[dict[str, Any]], *, now: float, total: int | None = None, **more: Any) -> None:
    """The one object that a `--json` listing prints; `total` counts rows beyond a limit too."""
    record({name: list(records), "as_of": iso(now), "total": len(records) if total is None else total, **more})


def table(spec: TableSpec[Any], items: Iterable[Any], context: RowContext) -> None:
    """The table of these items, or the sentence that there are none."""
    found = spec.rows(items, context)
    for text in plain.lines(spec.columns, found, width=terminal_width()) if found else ():
        line(text)
    if not found:
        message(spec.empty)


def rows(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> None:
    """A table, as wide as the terminal; a pipe gets more room."""
    for text in plain.text_lines(columns, cells, width=terminal_width()):
        print(visible(text))
    sys.stdout.flush()


def terminal_width() -> int | None:
    """Columns of the terminal behind stdout; None in a pipe or a file, where nothing is cut."""
    return shutil.get_terminal_size((PIPE_WIDTH, 0)).columns if sys.stdout.isatty() else None


def unreadable(count: int, *, of: int) -> None:
    """Say that rows are missing from a table; `of` counts all rows of the reply."""
    if count:
        warning(f"{count} of {of} rows unreadable.")


class LogWriter:
    """Writes log bytes to stdout: as they are into a file or a pipe, made safe on a terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._sanitizer = LogSanitizer() if self._stream.isatty() else None

    def write(self, chunk: bytes) -> None:
        """Write and flush."""
        data = self._sanitizer.feed(chunk) if self._sanitizer else chunk
        self._stream.buffer.write(data)
        self._stream.buffer.flush()

    def close(self) -> None:
        """Write what was held back, and leave the terminal's colors as they were."""
        if self._sanitizer:
            self._stream.buffer.write(self._sanitizer.finish())
            self._stream.buffer.flush()


def joined(values: Iterable[str]) -> str:
    """Words with commas."""
    return ", ".join(values)
