"""SDL files: bytes in, the same bytes out; a save writes the file whole or leaves it as it was."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cockpit.errors import UsageError
from cockpit.file_saving import FULL, MORE_SPACE, only_writer, save_bytes
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.settings import open_regular

MAX_BYTES = 8 << 20


def decoded(data: bytes) -> str:
    """The text of a file, byte order mark and line breaks kept.

    Raises UnreadableSdlError for UTF-16, for invalid UTF-8 (with the line), and for files of many megabytes.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableSdlError(f"The file is larger than {MAX_BYTES >> 20} MB; an SDL has a few kB.", line=1)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableSdlError("The file is UTF-16; save it as UTF-8.", line=1)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableSdlError(f"Line {line} is not valid UTF-8; this is not an SDL file.", line=line) from None


def read_document(path: Path) -> SdlDocument:
    """The document in a file. Raises UsageError where it cannot be read, UnreadableSdlError where it is not text."""
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
        raise UsageError(
            f"The file {path} cannot be read.", detail=getattr(error, "strerror", None) or str(error)
        ) from error
    return SdlDocument(decoded(data))


def save_document(path: Path, document: SdlDocument) -> os.stat_result:
    """Write the document's text to the file (or what a link points to), which keeps all else; returns what it is now.

    Raises UsageError where that is impossible, a full disk included; the old file then stays whole.
    """
    data = encoded(document.text)
    try:
        return save_bytes(path, data)
    except OSError as error:
        raise UsageError(
            f"The file {path} cannot be written.",
            detail=error.strerror or str(error),
            hint=MORE_SPACE if error.errno in FULL else "",
        ) from error


@contextmanager
def for_change(path: Path) -> Iterator[None]:
    """Read, change and save a file without losing what others save meanwhile. Raises UsageError where they hold it."""
    try:
        with only_writer(path):
            yield
    except TimeoutError as error:
        raise UsageError(
            f"Another process is changing {path}.", hint="Look for a stopped rayakash-tui, and try again."
        ) from error


def encoded(text: str) -> bytes:
    """The bytes of a text as it is saved. Raises UsageError for half of a surrogate pair, which UTF-8 cannot hold."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise UsageError(f"Line {line} has half of a surrogate pair, which no UTF-8 file can hold.") from None
