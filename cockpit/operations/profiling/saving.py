"""Writing what was fetched whole to a file."""

from pathlib import Path

from cockpit.operations.logs.save import LogFileExistsError, save_log


class _Held:
    """Bytes in memory, where a log would be read from its file."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._content)

    def read(self, start: int, size: int) -> bytes:
        """Some of them."""
        return self._content[start : start + size]


async def save_bytes(content: bytes, path: Path, *, replace: bool = False) -> None:
    """Write a file with mode 0600, whole or not at all. Raises UsageError."""
    try:
        await save_log(_Held(content), path, replace=replace)
    except LogFileExistsError as error:
        raise LogFileExistsError(error.title, hint="Choose another name, or replace it with --force.") from error
