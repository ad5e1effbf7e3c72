"""An SDL file in the editor: read with all its bytes, watched for changes by others, saved whole or not at all.

opened = OpenFile.read(path)            # UsageError, UnreadableSdlError: nothing to edit
opened.disk_state()                     # DiskState.SAME | CHANGED | GONE, cheap enough for every few seconds
opened.save(text)                       # ChangedOnDiskError: ask, then one of the three below
opened.save(text, replace=True)         # keep mine
opened.reread()                         # take theirs
opened.save_beside(text)                # both: mine goes into a new file beside theirs
"""

import hashlib
import os
from enum import StrEnum
from pathlib import Path

import msgspec

from cockpit.errors import UsageError
from cockpit.render.sdl import text_diff
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.sdl.files import MAX_BYTES, decoded, encoded, for_change, save_document
from cockpit.sdl.masking import masked_lines
from cockpit.settings import open_regular

MOST_NAMES = 1000


class DiskState(StrEnum):
    """What became of a file since it was read or saved here."""

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"


class Stamp(msgspec.Struct, frozen=True):
    """What tells one state of a file from another: inode, bytes, time of change (ns), and a hash of its bytes."""

    inode: int
    size: int
    modified: int
    digest: bytes

    def looks_like(self, found: os.stat_result) -> bool:
        """Whether nothing but the bytes themselves could be different."""
        return (self.inode, self.size, self.modified) == (found.st_ino, found.st_size, found.st_mtime_ns)


class ChangedOnDiskError(UsageError):
    """The file is not what was read: another program saved or removed it, and nothing was written."""

    def __init__(self, path: Path, state: DiskState) -> None:
        what = "was removed" if state is DiskState.GONE else "was changed by another program"
        super().__init__(
            f"The file {path} {what} since it was opened here.",
            hint="Keep yours, take theirs, or save yours beside it. Nothing was written.",
        )
        self.path = path
        self.state = state


class AlreadyThereError(UsageError):
    """A file has that name already, and nothing was written."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"The file {path} already exists.", hint="Choose another name, or replace it.")
        self.path = path


class OpenFile:
    """One file in an editor: `path` is None for a document without a name, `text` what was last read or saved.

    Its methods may wait for a disk; they belong into a thread.
    """

    def __init__(self, path: Path | None = None, text: str = "", stamp: Stamp | None = None) -> None:
        self.path = path
        self.text = text
        self.stamp = stamp

    @classmethod
    def read(cls, path: Path) -> "OpenFile":
        """Read a file, byte order mark, line breaks and a missing last newline included.

        Raises UsageError where it cannot be read or is not a regular file, UnreadableSdlError for binary data (with
        the line) and for files of many megabytes.
        """
        path = path.expanduser()
        data, found = _contents(path)
        return cls(path, _text(data), _stamp(data, found))

    @property
    def name(self) -> str:
        """The file's name for titles."""
        return self.path.name if self.path else "unnamed"

    def is_modified(self, text: str) -> bool:
        """Whether a text is not what was last read or saved."""
        return text != self.text

    # --- what others did ---

    def disk_state(self) -> DiskState:
        """What became of the file; of a document without a file always SAME. Raises UsageError where that is hidden."""
        if self.path is None or self.stamp is None:
            return DiskState.SAME
        try:
            if self.stamp.looks_like(self.path.stat()):
                return DiskState.SAME
        except (FileNotFoundError, NotADirectoryError):
            return DiskState.GONE
        except OSError as error:
            raise _unreadable(self.path, error) from error
        data, found = _contents(self.path)
        if hashlib.sha256(data).digest() != self.stamp.digest:
            return DiskState.CHANGED
        self.stamp = _stamp(data, found)
        return DiskState.SAME

    def changed_on_disk(self) -> bool:
        """Whether another program changed or removed the file. Raises as `disk_state` does."""
        return self.disk_state() is not DiskState.SAME

    def diff(self, text: str) -> list[str]:
        """What saving `text` would change on the disk as it is now, as `diff -u`; plain secrets are left out.

        Lines are fit for a terminal. Raises UsageError, UnreadableSdlError.
        """
        theirs = "" if self.path is None or self.disk_state() is DiskState.GONE else _text(_contents(self.path)[0])
        return shown_diff(theirs, text, self.name)

    def reread(self) -> str:
        """Take what is on the disk now, and return it. Raises as `read` does."""
        if self.path is None:
            raise UsageError("This document was never saved, so it cannot be reloaded.")
        again = OpenFile.read(self.path)
        self.text, self.stamp = again.text, again.stamp
        return self.text

    # --- saving ---

    def save(self, text: str, *, replace: bool = False) -> None:
        """Write the text; the file keeps all else that it has, and a failure leaves the old file whole.

        Raises ChangedOnDiskError where the file is not what was read, unless `replace` is set; UsageError where
        it is unnamed or cannot be written.
        """
        if self.path is None:
            raise UsageError("The document is not saved yet.", hint="Save it under a name.")
        with for_change(self.path):
            state = DiskState.SAME if replace else self._state_for_saving(self.path)
            if state is not DiskState.SAME:
                raise ChangedOnDiskError(self.path, state)
            self._write(self.path, text)

    def save_as(self, path: Path, text: str, *, replace: bool = False) -> None:
        """Write the text to another file, which is the one that is edited from now on.

        Raises AlreadyThereError where it exists, unless `replace` is set; ChangedOnDiskError, UsageError.
        """
        path = path.expanduser()
        if self.path is not None and _is_same_file(self.path, path):
            self.save(text, replace=replace)
            return
        if not replace and (path.exists() or path.is_symlink()):
            raise AlreadyThereError(path)
        self._write(path, text)

    def save_beside(self, text: str) -> Path:
        """Write the text to a new file beside the one that others changed; it is edited from now on.

        Returns its path: `deploy.mine.yaml`, or with a number. Raises UsageError.
        """
        if self.path is None:
            raise UsageError("The document is not saved yet.", hint="Save it under a name.")
        mode = _mode(self.path)
        path = _reserved(self.path, mode)
        try:
            self._write(path, text)
        except UsageError:
            path.unlink(missing_ok=True)
            raise
        return path

    def _state_for_saving(self, path: Path) -> DiskState:
        if self.stamp is None and (path.exists() or path.is_symlink()):
            raise AlreadyThereError(path)
        return self.disk_state()

    def _write(self, path: Path, text: str) -> None:
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is not a regular file.")
        written = save_document(path, SdlDocument(text))
        self.path, self.text, self.stamp = path, text, _stamp(encoded(text), written)


def shown_diff(before: str, after: str, name: str) -> list[str]:
    """What changes from one text to another, as `diff -u` shows it, without the values of plain secrets.

    If only such values differ, it says so.
    """
    lines = text_diff("\n".join(masked_lines(before)), "\n".join(masked_lines(after)), name)
    if lines or before == after:
        return lines
    return ["Only values that are secrets, line breaks or the byte order mark differ."]


def _contents(path: Path) -> tuple[bytes, os.stat_result]:
    """The bytes of a plain file and what it was then. Raises UsageError, UnreadableSdlError."""
    try:
        with open_regular(path) as file:
            return file.read(MAX_BYTES + 1), os.fstat(file.fileno())
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UsageError:
    words = getattr(error, "strerror", None) or str(error)
    return UsageError(f"The file {path} cannot be read.", detail=words)


def _text(data: bytes) -> str:
    text = decoded(data)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UnreadableSdlError(f"Line {line} has a NUL; this is a binary file.", line=line)
    return text


def _stamp(data: bytes, found: os.stat_result) -> Stamp:
    return Stamp(found.st_ino, found.st_size, found.st_mtime_ns, hashlib.sha256(data).digest())


def _is_same_file(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777
    except OSError:  # gone or hidden: the narrowest is never wrong
        return 0o600


def _reserved(path: Path, mode: int) -> Path:
    """An empty new file beside `path`, so that no other program takes its name. Raises UsageError."""
    for number in range(1, MOST_NAMES):
        mark = "mine" if number == 1 else f"mine-{number}"
        candidate = path.with_name(f"{path.stem}.{mark}{path.suffix}")
        try:
            os.close(os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            candidate.chmod(mode)
        except FileExistsError:
            continue
        except OSError as error:
            detail = error.strerror or str(error)
            raise UsageError(f"The file {candidate} cannot be written.", detail=detail) from error
        return candidate
    raise UsageError(f"There are {MOST_NAMES} files beside {path} already.")
