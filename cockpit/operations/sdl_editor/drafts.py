"""Drafts: what was typed and not saved, kept so that a death of the process loses a second of it at most.

    keeper = DraftKeeper(opened.path, opened.stamp)
    keeper.note(text)                  # at every key: remembers, writes nothing
    if keeper.is_due: keeper.write()   # on a timer, in a thread: at most once a second
    keeper.drop()                      # saved, or given up
    for draft in drafts().found: loaded = load(draft); ...; keeper.adopt(draft)

A draft is a file of mode 0600 in the state directory. A value that looks like a secret never stands in it: a marker
takes its place, `<withheld-API_TOKEN-1>`, and the values lie beside it under the vault's key where the vault is
unlocked, and nowhere where it is locked.
"""

import base64
import os
import platform
import re
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.local.processes import identity
from cockpit.operations.sdl_editor.files import OpenFile, Stamp
from cockpit.sdl.secret_spans import secret_spans
from cockpit.secrets.files import read, replace
from cockpit.secrets.references import process_store
from cockpit.secrets.vault import Vault

VERSION = 1
LARGEST_BYTES = 32 << 20
SECONDS = 1.0
PURPOSE = b"rayakash-tui drafts"


class DraftState(StrEnum):
    """A draft's file is unchanged, changed since, gone, or never existed."""

    FRESH = "fresh"
    STALE = "stale"
    GONE = "gone"
    UNNAMED = "unnamed"


class _File(msgspec.Struct, frozen=True, kw_only=True):
    """A draft as it is written; `base` is inode, size and time of change of the file that was opened."""

    version: int = VERSION
    path: str | None
    base: tuple[int, int, int] | None
    saved: float
    text: str
    withheld: dict[str, str]
    sealed: str | None
    pid: int
    host: str
    started: str | None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft that can be taken up: of which file, when it was written (Unix seconds), and what it lacks.

    `withheld` names the variables whose values are not in the clear; `is_sealed` says whether the vault can give them
    back, `is_in_use` whether the process that writes it may still be there.
    """

    id: str
    path: Path | None
    saved: float
    state: DraftState
    withheld: tuple[str, ...]
    is_sealed: bool
    is_in_use: bool
    note: Path

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.path.name if self.path else "unnamed"


class Drafts(msgspec.Struct, frozen=True):
    """The drafts, newest first, and warnings about unreadable files."""

    found: tuple[Draft, ...]
    problems: tuple[str, ...] = ()


class Loaded(msgspec.Struct, frozen=True):
    """The text of a draft; `missing` names the variables whose value is still a marker, and `why`."""

    text: str
    missing: tuple[str, ...] = ()
    why: str = ""

    def __repr__(self) -> str:
        # Never the text: it may hold secrets.
        return f"<Loaded of {len(self.text)} characters>"


class DraftKeeper:
    """Keeps the draft of one document. `note` is for the thread of the screen, `write` and `drop` for another."""

    def __init__(
        self,
        path: Path | None = None,
        base: Stamp | None = None,
        *,
        directory: Path | None = None,
        vault: Vault | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._base = base
        self._directory = directory or _directory()
        self._vault = vault
        self._clock = clock
        self._note = self._directory / f"{os.urandom(8).hex()}.json"
        self._text: str | None = None
        self._written: str | None = None
        self._last = -SECONDS
        self._mutex = threading.Lock()

    def note(self, text: str) -> None:
        """Remember the text as it is now."""
        self._text = text

    @property
    def is_due(self) -> bool:
        """Whether there is something to be written, and a second went by since the last time."""
        return self._text is not None and self._text != self._written and self._clock() - self._last >= SECONDS

    def write(self) -> bool:
        """Write what was noted; whether there was anything new. Raises UsageError where it cannot be written."""
        with self._mutex:
            text = self._text
            if text is None or text == self._written:
                return False
            self._last = self._clock()
            replace(self._note, msgspec.json.encode(self._file(text)))
            self._written = text
            return True

    def rebase(self, path: Path | None, base: Stamp | None) -> None:
        """The document has another name or another file under it from now on, such as after `save as`."""
        self._path, self._base = path, base

    def adopt(self, draft: Draft) -> None:
        """Go on with a draft that was loaded, in its own file; what was written to another one goes."""
        with self._mutex:
            before, self._note, self._written = self._note, draft.note, None
            if before != draft.note:
                _remove(before)

    def drop(self) -> None:
        """Remove the draft: it was saved, or is not wanted. Raises UsageError where it cannot be removed."""
        with self._mutex:
            self._text = self._written = None
            _remove(self._note)

    def _file(self, text: str) -> _File:
        shown, values, names = _withheld(text)
        vault = self._vault or process_store().vault
        sealed = vault.seal_apart(PURPOSE, values) if values else None
        pid = os.getpid()
        return _File(
            path=None if self._path is None else str(self._path.absolute()),
            base=None if self._base is None else (self._base.inode, self._base.size, self._base.modified),
            saved=time.time(),
            text=shown,
            withheld=names,
            sealed=None if sealed is None else base64.b64encode(sealed).decode(),
            pid=pid,
            host=platform.node(),
            started=identity(pid),
        )


def _withheld(text: str) -> tuple[str, dict[str, str], dict[str, str]]:
    """The text with markers for secrets, the values by their markers, and the names by their markers."""
    values: dict[str, str] = {}
    names: dict[str, str] = {}
    pieces: list[str] = []
    at = number = 0
    for span in secret_spans(text):
        number += 1
        name = re.sub(r"[^A-Za-z0-9_]", "_", span.name)[:64]
        while (marker := f"<withheld-{name}-{number}>") in text:
            number += 1
        values[marker], names[marker] = span.text, name
        pieces += (text[at : span.start], marker)
        at = span.end
    return "".join((*pieces, text[at:])), values, names


# --- taking up -------------------------------------------------------------------------------------------------------


def drafts(*, directory: Path | None = None) -> Drafts:
    """Every draft that is there, those of living editors included. No value is read. Raises UsageError."""
    found: list[Draft] = []
    problems: list[str] = []
    folder = directory or _directory()
    _sweep(folder)
    for note in sorted(folder.glob("*.json")):
        try:
            file = _parsed(note)
        except UsageError as error:
            problems.append(error.title)
            continue
        if file is not None:
            found.append(_draft(note, file))
    return Drafts(tuple(sorted(found, key=lambda draft: -draft.saved)), tuple(problems))


def load(draft: Draft, *, vault: Vault | None = None, reveal: bool = True) -> Loaded:
    """The text of a draft, with the values of secrets where the vault gives them; that may ask for its passphrase.

    With `reveal` off no passphrase is asked for and the markers stay. Raises UsageError where the draft cannot be read.
    """
    file = _parsed(draft.note)
    if file is None:
        raise UsageError(f"The draft of {draft.name} is gone.")
    if not file.withheld:
        return Loaded(file.text)
    missing = tuple(dict.fromkeys(file.withheld.values()))
    if file.sealed is None:
        return Loaded(file.text, missing, "the vault was locked when the draft was written")
    if not reveal:
        return Loaded(file.text, missing, "the vault was not asked")
    try:
        values = (vault or process_store().vault).unseal_apart(PURPOSE, base64.b64decode(file.sealed))
    except UsageError as error:
        return Loaded(file.text, missing, error.title)
    text = file.text
    for marker, value in values.items():
        text = text.replace(marker, value)
    return Loaded(text)


def drop(draft: Draft) -> None:
    """Remove a draft. Raises UsageError where it cannot be removed."""
    _remove(draft.note)


def says_nothing_new(draft: Draft) -> bool:
    """Whether the file already is what the draft says, secrets aside: it need not be offered.

    Raises UsageError where the draft or the file cannot be read.
    """
    file = _parsed(draft.note)
    if file is None or draft.path is None or not draft.path.is_file():
        return file is None
    return _withheld(OpenFile.read(draft.path).text)[0] == file.text


def _draft(note: Path, file: _File) -> Draft:
    alive = file.host != platform.node() or (file.started is not None and identity(file.pid) == file.started)
    return Draft(
        id=note.stem,
        path=None if file.path is None else Path(file.path),
        saved=file.saved,
        state=_state(file),
        withheld=tuple(dict.fromkeys(file.withheld.values())),
        is_sealed=file.sealed is not None,
        is_in_use=alive,
        note=note,
    )


def _state(file: _File) -> DraftState:
    if file.path is None:
        return DraftState.UNNAMED
    try:
        found = Path(file.path).stat()
    except OSError:  # a file that cannot be seen cannot be edited either
        return DraftState.GONE
    return DraftState.FRESH if (found.st_ino, found.st_size, found.st_mtime_ns) == file.base else DraftState.STALE


def _parsed(note: Path) -> _File | None:
    data = read(note, LARGEST_BYTES)
    try:
        return None if data is None else msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UsageError(f"The draft {note} cannot be read.", hint="Remove it.") from None


def _sweep(folder: Path) -> None:
    """Remove what processes left that were killed while they wrote: `.NAME.json.PID.tmp`."""
    for left in folder.glob(".*.json.*.tmp"):
        pid = left.name.split(".")[-2]
        if pid.isdecimal() and identity(int(pid)) is None:
            left.unlink(missing_ok=True)


def _remove(note: Path) -> None:
    try:
        note.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"The draft {note} cannot be removed.", detail=error.strerror or str(error)) from error


def _directory() -> Path:
    return settings.state_directory() / "drafts"
