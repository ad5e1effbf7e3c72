"""SDL files: bytes in, the same bytes out; a save replaces the file whole or leaves it as it was."""

import os
import tempfile
from pathlib import Path

from cockpit.errors import UsageError
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.settings import open_regular

MAX_BYTES = 8 << 20


def decoded(data: bytes) -> str:
    """The text of a file, byte order mark and line breaks kept.

    Raises UnreadableSdlError for UTF-16, for what is no UTF-8 (with the line), and for files of many megabytes.
    """
    if len(data) > MAX_BYTES:
        raise UnreadableSdlError(f"The file is larger than {MAX_BYTES >> 20} MB; an SDL has a few kB.", line=1)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableSdlError("The file is UTF-16; save it as UTF-8.", line=1)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableSdlError(f"Line {line} is no UTF-8; this is no text file of an SDL.", line=line) from None


def read_document(path: Path) -> SdlDocument:
    """The document in a file. Raises UsageError where it cannot be read, UnreadableSdlError where it is no text."""
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
        raise UsageError(
            f"The file {path} cannot be read.", detail=getattr(error, "strerror", None) or str(error)
        ) from error
    return SdlDocument(decoded(data))


def save_document(path: Path, document: SdlDocument) -> os.stat_result:
    """Replace the file (or what a link points to) by the document's text, keeping its mode; returns what it is now.

    Raises UsageError where that is impossible, a full disk included; the old file then stays whole.
    """
    target = Path(os.path.realpath(path))
    data = encoded(document.text)
    draft: str | None = None
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(13, "the file is read-only")
        descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
            written = os.fstat(file.fileno())
        os.replace(draft, target)
        return written
    except OSError as error:
        if draft is not None:
            Path(draft).unlink(missing_ok=True)
        raise UsageError(f"The file {path} cannot be written.", detail=error.strerror or str(error)) from error


def encoded(text: str) -> bytes:
    """The bytes of a text as it is saved. Raises UsageError for half of a surrogate pair, which UTF-8 cannot hold."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise UsageError(f"Line {line} has half of a surrogate pair, which no UTF-8 file can hold.") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
