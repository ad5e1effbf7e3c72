"""A private file that holds the bytes of a log as they came."""

import errno
import os
import tempfile
from types import TracebackType
from typing import BinaryIO, ClassVar, Self

from cockpit.errors import UsageError

MOST_OPEN = 200
MEMORY_BYTES = 16 * 1024 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Spool:
    """Append-only bytes on disk, in a file that only this process can open and that is gone when it is.

    Where the disk is full, what comes then is kept in memory, the latest `MEMORY_BYTES` of it: `shortage` says so from
    then on, and bytes in between read as newlines. Raises UsageError where MOST_OPEN are open already; any other
    OSError leaves the methods as it is.
    """

    open_now: ClassVar[int] = 0

    def __init__(self) -> None:
        if Spool.open_now >= MOST_OPEN:
            raise UsageError(f"{MOST_OPEN} logs are open already.", hint="Close some of them first.")
        # TemporaryFile has mode 0600 and no name in the directory, so that nothing is left after kill -9.
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="rayakash-", buffering=0)  # noqa: SIM115 - closed by close
        Spool.open_now += 1
        self._on_disk = 0
        self._forgotten = 0
        self._memory = bytearray()
        self.shortage: str | None = None

    @property
    def size(self) -> int:
        """Bytes taken in."""
        return self._on_disk + self._forgotten + len(self._memory)

    @property
    def size_on_disk(self) -> int:
        """Bytes that lie in the file; the others are in memory."""
        return self._on_disk

    def fileno(self) -> int:
        """The descriptor of the file, for a process that reads it too."""
        return self._file.fileno()

    def append(self, data: bytes) -> None:
        """Add `data` at the end."""
        if self.shortage is None:
            data = self._written(data)
        if data:
            self._memory += data
            # Not at every chunk: to cut the front off moves all the rest.
            if len(self._memory) > 2 * MEMORY_BYTES:
                surplus = len(self._memory) - MEMORY_BYTES
                del self._memory[:surplus]
                self._forgotten += surplus

    def _written(self, data: bytes) -> bytes:
        """Write to the disk; returns what found no room there."""
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self._file.fileno(), view, self._on_disk)
                self._on_disk += written
                view = view[written:]
        except OSError as error:
            if error.errno not in _FULL:
                raise
            self.shortage = (
                f"No room is left in {tempfile.gettempdir()}: from here on only the last "
                f"{MEMORY_BYTES // 2**20} MiB of the log are kept."
            )
        return bytes(view)

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`."""
        data = self._on_disk_from(offset, min(length, max(0, self._on_disk - offset)))
        if self.shortage is None or len(data) == length:
            return data
        at = offset + len(data) - self._on_disk  # behind what is on disk
        blank = min(max(0, self._forgotten - at), length - len(data))
        rest = length - len(data) - blank
        start = max(0, at - self._forgotten)
        return data + b"\n" * blank + bytes(self._memory[start : start + rest])

    def _on_disk_from(self, offset: int, length: int) -> bytes:
        data = os.pread(self._file.fileno(), length, offset)
        while 0 < len(data) < length:  # one call reads at most 2 GiB
            more = os.pread(self._file.fileno(), length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def holds(self, offset: int, data: bytes) -> bool:
        """Whether these bytes are at `offset`, as far as they are still known."""
        held = self.read(offset, len(data))
        if held == data:
            return True
        first, last = self._on_disk - offset, self._on_disk + self._forgotten - offset
        if not self._forgotten or last <= 0 or first >= len(data):
            return False
        first, last = max(0, first), min(len(data), last)
        return held[:first] == data[:first] and held[last:] == data[last:]

    def close(self) -> None:
        """Give the file back."""
        if not self._file.closed:
            Spool.open_now -= 1
        self._file.close()
        self._memory.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
