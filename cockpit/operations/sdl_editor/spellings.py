"""How texts of several lines were written before `sdl set` replaced them: set back, they are the same bytes again.

Kept per file and path in the state directory. A text that looks like a secret is not.
"""

import hashlib
from pathlib import Path

import msgspec

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.model.secret_values import holds_secret
from cockpit.sdl.scalars import Simple
from cockpit.sdl.secret_names import is_plain_secret
from cockpit.secrets.files import exclusive, read_own, replace

MOST = 100
LONGEST = 32 * 1024
LARGEST_BYTES = 8 << 20


class _Spelling(msgspec.Struct, frozen=True):
    """`place` is a digest of file and path, `value` one of the value, `source` how it was written."""

    place: str
    value: str
    source: str


class _File(msgspec.Struct, frozen=True):
    spellings: list[_Spelling]


class Spellings:
    """The spellings of one place of one file."""

    def __init__(self, file: Path, path: str, *, directory: Path | None = None) -> None:
        self._note = (directory or settings.state_directory()) / "sdl-spellings.json"
        self._place = _digest(f"{file.expanduser().absolute()}\0{path}")
        self._replaced: _Spelling | None = None

    def __call__(self, source: str, old: Simple, new: Simple) -> str | None:
        """Remember how the old value is written, and say how the new one was."""
        is_block = "\n" in source or "\n" in str(new)
        self._replaced = self._worth_keeping(source, old) if is_block else None
        wanted = _digest(repr(new))
        found = (one for one in _read(self._note) if one.place == self._place and one.value == wanted)
        return next((one.source for one in found), None)

    def keep(self) -> None:
        """Write down what was replaced, once the file is saved. Raises UsageError where that cannot be written."""
        if (new := self._replaced) is None:
            return
        with exclusive(self._note):
            others = [one for one in _read(self._note) if (one.place, one.value) != (new.place, new.value)]
            replace(self._note, msgspec.json.encode(_File([new, *others][:MOST])))

    def _worth_keeping(self, source: str, old: Simple) -> _Spelling | None:
        name, _, value = str(old).partition("=")
        is_secret = holds_secret(str(old)) or (name.isidentifier() and is_plain_secret(name, value))
        if is_secret or len(source) > LONGEST:
            return None
        return _Spelling(self._place, _digest(repr(old)), source)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _read(note: Path) -> list[_Spelling]:
    """What is kept; a file that cannot be read is made again, since only line breaks are lost with it."""
    try:
        data = read_own(note, LARGEST_BYTES)
        return [] if data is None else msgspec.json.decode(data, type=_File).spellings
    except (UsageError, msgspec.DecodeError, UnicodeDecodeError):
        return []
