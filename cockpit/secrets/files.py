"""Files that several processes write: one at a time, whole or not at all, readable by their owner alone."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cockpit.errors import UsageError
from cockpit.settings import private_directory, read_file, require_own, write_private

PATIENCE_S = 10.0
POLL_S = 0.02


@contextmanager
def exclusive(path: Path, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the lock that belongs to the file at `path`; it dies with the process.

    Raises UsageError where it cannot be had, as when a stopped process holds it.
    """
    private_directory(path.parent)
    lock = path.with_name(f"{path.name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(f"The file {lock} cannot be opened.", detail=error.strerror or str(error)) from error
    try:
        _acquire(descriptor, lock, time.monotonic() + patience_s)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, lock: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise UsageError(
                    f"Another process holds {lock}.", hint="Look for a stopped rayakash-tui, and try again."
                ) from None
        except OSError as error:
            raise UsageError(f"The file {lock} cannot be locked.", detail=error.strerror or str(error)) from error
        time.sleep(POLL_S)


def replace(path: Path, data: bytes) -> None:
    """Replace the file, whose lock the caller holds, and remove drafts that killed processes left.

    Raises UsageError where it cannot be written; the old file then stays as it was.
    """
    for draft in path.parent.glob(f".{path.name}.*.tmp"):
        draft.unlink(missing_ok=True)
    write_private(path, data)


def read(path: Path, largest: int) -> bytes | None:
    """The bytes of the file; None where there is none. Raises UsageError."""
    try:
        return read_file(path, largest)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"The file {path} cannot be read.", detail=error.strerror or str(error)) from error


def read_own(path: Path, largest: int) -> bytes | None:
    """As `read`, of a file that decides what runs or whom to trust. Raises UsageError where others can write it."""
    require_own(path)
    return read(path, largest)
