"""Reads the SDL that a command names: a file, or stdin for `-`."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from cockpit.errors import UsageError

if TYPE_CHECKING:
    from cockpit.sdl.document import SdlDocument


def read_bytes(name: str) -> bytes:
    """The bytes of a file, or of stdin for `-`; of a very large one enough to refuse it. Raises UsageError."""
    from cockpit.sdl.files import MAX_BYTES
    from cockpit.settings import open_regular

    if name == "-":
        return b"" if sys.stdin is None else sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with open_regular(Path(name)) as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a name with a NUL in it is a ValueError
        words = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"The file {name} cannot be read.", detail=words) from error


def read_document(name: str) -> "SdlDocument":
    """The document in a file or in stdin, which is YAML. Raises UsageError, naming the file."""
    from cockpit.sdl.document import SdlDocument
    from cockpit.sdl.files import decoded

    data = read_bytes(name)
    with in_file(name):
        document = SdlDocument(decoded(data))
        _ = document.tree
    return document


def for_change(name: str) -> AbstractContextManager[None]:
    """Hold the file that a command reads and then writes against other writers; stdin needs none. Raises UsageError."""
    from cockpit.sdl.files import for_change

    return nullcontext() if name == "-" else for_change(Path(name))


@contextmanager
def in_file(name: str) -> Iterator[None]:
    """Put the file's name in front of what is wrong inside it."""
    from cockpit.sdl.failures import SdlError

    try:
        yield
    except SdlError as error:
        raise UsageError(f"{name}: {error.title}", detail=error.detail, hint=error.hint) from None
