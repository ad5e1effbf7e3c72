"""Saving a file that is not ours alone: it keeps owner, group, links and attributes, and has one writer at a time.

A file is replaced by a rename, which can leave no half of it behind. Where the new file could not be given everything
that the old one has, the old one is written over in place, with a copy of it beside until that is done.
"""

import errno
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE_S = 10.0
POLL_S = 0.02
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MORE_SPACE = "Free some space on its disk, or raise the quota; the old file is as it was."


def save_bytes(path: Path, data: bytes, *, new_mode: int | None = None) -> os.stat_result:
    """Write the file, or the one that a link leads to; returns what it is now. `new_mode` is that of a new file.

    Raises OSError, and the old file is whole then.
    """
    target = Path(os.path.realpath(path))
    try:
        old: os.stat_result | None = target.stat()
    except FileNotFoundError:
        old = None
    if old is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is read-only")
    descriptor, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            if old is None:
                os.fchmod(file.fileno(), 0o666 & ~_umask() if new_mode is None else new_mode)
            elif not _made_alike(file.fileno(), target, old):
                return _written_over(target, data)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            written = os.fstat(file.fileno())
        os.replace(draft, target)
        return written
    finally:
        Path(draft).unlink(missing_ok=True)


def _made_alike(draft: int, target: Path, old: os.stat_result) -> bool:
    """Give the draft what the old file has; False where something of it, or a second name, would be lost."""
    if old.st_nlink > 1:
        return False
    new = os.fstat(draft)
    try:
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            os.fchown(draft, old.st_uid, old.st_gid)
        os.fchmod(draft, stat.S_IMODE(old.st_mode))
        # Access control lists are among them. macOS has other calls for these, which Python lacks.
        for name in os.listxattr(target) if hasattr(os, "listxattr") else ():
            value = os.getxattr(target, name)
            if _attribute(draft, name) != value:
                os.setxattr(draft, name, value)
    except OSError:
        return False
    return True


def _attribute(draft: int, name: str) -> bytes | None:
    try:
        return os.getxattr(draft, name)
    except OSError:
        return None


def _written_over(target: Path, data: bytes) -> os.stat_result:
    """Write over the file. Its old bytes lie beside it until they are needed no more, should this process die."""
    with target.open("r+b") as file:
        before = file.read()
        descriptor, backup = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.", suffix=".backup")
        try:
            with os.fdopen(descriptor, "wb") as copy:
                _fill(copy.fileno(), before)
        except OSError:
            Path(backup).unlink(missing_ok=True)
            raise
        try:
            _fill(file.fileno(), data)
        except OSError as error:
            try:
                _fill(file.fileno(), before)
            except OSError:
                words = error.strerror or str(error)
                raise OSError(error.errno or errno.EIO, f"{words}; what the file held is in {backup}") from error
            Path(backup).unlink(missing_ok=True)
            raise
        Path(backup).unlink(missing_ok=True)
        return os.fstat(file.fileno())


def _fill(descriptor: int, data: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Be the one who reads, changes and writes the file, among those who ask here; a file to come needs no lock.

    Raises TimeoutError where another process does not let go of it.
    """
    descriptor = _locked(path, time.monotonic() + PATIENCE_S)
    try:
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _locked(path: Path, deadline: float) -> int:
    """A descriptor that holds the lock; -1 if there is nothing to lock, or the file system does not support locks."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:  # reading it reports why
            return -1
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            if time.monotonic() >= deadline:
                raise TimeoutError(errno.ETIMEDOUT, "another process is changing it") from None
            time.sleep(POLL_S)
            continue
        except OSError:
            return descriptor
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        os.close(descriptor)  # the file was replaced meanwhile: the lock is on the unlinked one


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
