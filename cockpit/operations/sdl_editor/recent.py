"""Files that were used lately, SDLs and job files, by path: names only, in the state directory."""

from pathlib import Path

import msgspec

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.secrets.files import exclusive, read, replace

SDLS, JOB_FILES = "sdls", "jobs"
MOST = 50
LARGEST_BYTES = 1 << 20


class _File(msgspec.Struct, frozen=True):
    paths: list[str]


def remember(path: Path, *, kind: str = SDLS, directory: Path | None = None) -> None:
    """Put a file in front of those that were used lately. Raises UsageError where that cannot be written."""
    note = _note(directory, kind)
    name = str(path.expanduser().absolute())
    with exclusive(note):
        try:
            before = _names(note)
        except UsageError:
            before = []  # an unreadable list is created again: only convenience is lost
        names = [name, *(other for other in before if other != name)][:MOST]
        if names != before:
            replace(note, msgspec.json.encode(_File(names)))


def recent(*, kind: str = SDLS, directory: Path | None = None) -> list[Path]:
    """The files that were used lately and are still there, the last one first. Raises UsageError."""
    return [path for name in _names(_note(directory, kind)) if (path := Path(name)).is_file()]


def _note(directory: Path | None, kind: str) -> Path:
    return (directory or settings.state_directory()) / f"recent-{kind}.json"


def _names(note: Path) -> list[str]:
    data = read(note, LARGEST_BYTES)
    try:
        return [] if data is None else msgspec.json.decode(data, type=_File).paths
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{note} cannot be read.", detail=str(error), hint="Delete it; it will be created again."
        ) from None
