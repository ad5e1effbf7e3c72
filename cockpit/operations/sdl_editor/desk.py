"""The desk on which one SDL lies: its file, its text, its draft, and who else has it open.

What touches a disk is to be called in a thread; the text is read and changed by the screen alone.
"""

import time
from pathlib import Path

import msgspec

from cockpit.errors import UsageError
from cockpit.operations.sdl_editor.drafts import Draft, DraftKeeper, Loaded
from cockpit.operations.sdl_editor.editing import EditingSession
from cockpit.operations.sdl_editor.files import OpenFile
from cockpit.operations.sdl_editor.locks import EditLock, Holder
from cockpit.operations.sdl_editor.recent import remember
from cockpit.secrets.names import DEFAULT_SCOPE, scopes_for

DISK_SECONDS = 2.0


class Opened(msgspec.Struct, frozen=True):
    """A file that was read, and who has it open elsewhere."""

    file: OpenFile
    lock: EditLock | None
    holder: Holder | None


def opened(path: Path) -> Opened:
    """Read a file and note that it is edited here. Raises UsageError, UnreadableSdlError."""
    file = OpenFile.read(path)
    lock = EditLock(path)
    try:
        holder = lock.acquire()
        remember(path)
    except UsageError:  # without a usable state directory warnings are lost, and editing goes on
        return Opened(file, None, None)
    return Opened(file, lock, holder)


class Desk:
    """One document on the screen."""

    def __init__(self) -> None:
        self.file = OpenFile()
        self.session = EditingSession()
        self.keeper = DraftKeeper()
        self.suggested_name = ""
        self._lock: EditLock | None = None
        self._kept: EditingSession | None = None
        self._kept_version = 0
        self._looked = 0.0

    @property
    def is_dirty(self) -> bool:
        """Whether anything would be lost."""
        return self.session.is_dirty

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a file nor a text."""
        return self.file.path is None and not self.session.text

    @property
    def name(self) -> str:
        """What to call it."""
        return self.file.name if self.file.path else self.suggested_name or "unnamed"

    @property
    def scopes(self) -> tuple[str, ...]:
        """Where its secrets are looked for, the nearest first."""
        path = self.file.path or (Path(self.suggested_name) if self.suggested_name else None)
        try:
            return scopes_for(sdl=path)
        except UsageError:  # a name that can be no scope
            return (DEFAULT_SCOPE,)

    # --- what is on the desk ---

    def lay(self, found: Opened) -> None:
        """Put a file on the desk."""
        self.file, self._lock, self.suggested_name = found.file, found.lock, ""
        self.keeper = DraftKeeper(found.file.path, found.file.stamp)
        self.session = EditingSession(found.file.text)

    def begin(self, text: str, name: str) -> None:
        """Put a text without a file on the desk; it is worth saving as it is."""
        self.file, self._lock, self.suggested_name = OpenFile(), None, name
        self.keeper = DraftKeeper()
        self.session = EditingSession(text)
        if text:
            self.session.never_saved()

    def take_up(self, draft: Draft, loaded: Loaded) -> None:
        """Go on with a draft of what lies on the desk, or of nothing."""
        if draft.path is None:
            self.begin("", self.suggested_name)
            self.session = EditingSession(loaded.text)
            self.session.never_saved()
        else:
            self.session.replace(loaded.text, "the draft")
        self.keeper.adopt(draft)

    # --- from time to time ---

    def noted(self) -> bool:
        """Whether the draft is of another text than this one; what is to be kept is noted by that."""
        was_kept = self._kept is self.session
        if was_kept and self._kept_version == self.session.version:
            return False
        if self.session.is_dirty:
            self.keeper.note(self.session.text)
        elif not was_kept:
            return False
        self._kept, self._kept_version = self.session, self.session.version
        return True

    def is_time_to_look(self) -> bool:
        """Whether it is a while since the disk was asked about the file."""
        now = time.monotonic()
        if self.file.path is None or now - self._looked < DISK_SECONDS:
            return False
        self._looked = now
        return True

    # --- to be called in a thread ---

    def keep(self) -> None:
        """Write what was noted into the draft; what was all undone needs none. Raises UsageError."""
        if self.session.is_dirty:
            self.keeper.write()
        else:
            self.keeper.drop()

    def clear(self, *, keep_draft: bool = False) -> None:
        """Take everything off; what was not saved goes, its draft included. Raises UsageError."""
        lock, self._lock = self._lock, None
        if not keep_draft:
            self.keeper.drop()
        if lock is not None:
            lock.release()

    def saved(self, text: str) -> None:
        """The text is in the file now. Raises UsageError."""
        self.session.saved(text)
        self.suggested_name = ""
        self.keeper.rebase(self.file.path, self.file.stamp)
        if not self.session.is_dirty:
            self.keeper.drop()
        if self.file.path is not None:
            remember(self.file.path)
