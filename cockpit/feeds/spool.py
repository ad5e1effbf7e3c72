"""A private file that holds the bytes of a log as they came."""

import tempfile
from types import TracebackType
from typing import BinaryIO, Self


class Spool:
    """Append-only bytes on disk, in a file that only this process can open and that is gone when it is.

    OSError (a full disk) leaves the methods as it is.
    """

    def __init__(self) -> None:
        # TemporaryFile has mode 0600 and no name in the directory, so that nothing is left after kill -9.
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="rayakash-", buffering=0)  # noqa: SIM115 - closed by close
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size

    def append(self, data: bytes) -> None:
        """Add `data` at the end."""
        self._file.seek(self._size)
        view = memoryview(data)
        while view:
            written = self._file.write(view)
            self._size += written
            view = view[written:]

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`."""
        self._file.seek(offset)
        return self._file.read(length)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
