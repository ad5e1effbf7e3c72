"""Saving a log to a file: the bytes as they came, with progress bars and colors and all."""

import asyncio
import errno
import os
from pathlib import Path

from cockpit.errors import UsageError
from cockpit.feeds.line_index import Source

_AT_ONCE = 1024 * 1024
# What file systems without hard links say.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class LogFileExistsError(UsageError):
    """There is a file of that name already; nothing was written."""


async def save_log(source: Source, path: Path, *, start: int = 0, end: int | None = None, replace: bool = False) -> int:
    """Write the bytes from `start` to `end` (or to where the log ends now) to a file with mode 0600; returns how many.

    The file is written whole or not at all. Raises LogFileExistsError where there is one and `replace` is not given,
    UsageError where it cannot be written.
    """
    end = source.size if end is None else end
    if not replace and _is_taken(path):
        raise LogFileExistsError(f"The file {path} already exists.")
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for at in range(start, end, _AT_ONCE):
                    # Read here, for the log may be growing, but written elsewhere: disks are slow at times.
                    await asyncio.to_thread(file.write, source.read(at, min(_AT_ONCE, end - at)))
                await asyncio.to_thread(file.flush)
            await asyncio.to_thread(_put, draft, path, replace)
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError as error:
        raise LogFileExistsError(f"The file {path} already exists.") from error
    except OSError as error:
        raise UsageError(f"The file {path} cannot be written: {error.strerror}.", detail=str(error)) from error
    return end - start


def _is_taken(path: Path) -> bool:
    return os.path.lexists(path)


def _put(draft: Path, path: Path, replace: bool) -> None:
    """Give the file its name, at once; without `replace` only if it is still free."""
    if not replace:
        try:
            os.link(draft, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if _is_taken(path):
                raise FileExistsError(path) from None
        else:
            return
    draft.replace(path)
