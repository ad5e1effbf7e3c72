"""Who edits which SDL on this machine: a note in the state directory, so that a second editor gets a warning.

It warns and does not forbid. A note of a process that has ended, whose pid may have been given away since, is taken
over without a question; whether a process on another machine is alive is unknown here, so its note stays.
"""

import hashlib
import os
import platform
import time
from pathlib import Path

import msgspec

from cockpit import settings
from cockpit.local.processes import identity
from cockpit.secrets.files import exclusive, read, replace

LARGEST_BYTES = 64 * 1024


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who edits a file: process, machine, and since when (Unix seconds); `started` tells processes of one pid apart."""

    path: str
    pid: int
    host: str
    started: str | None
    since: float
    token: str

    @property
    def is_alive(self) -> bool:
        """Whether that process may still be there."""
        return self.host != platform.node() or (self.started is not None and identity(self.pid) == self.started)


class EditLock:
    """The note on one file, whatever link leads to it. Methods raise UsageError for an unusable directory."""

    def __init__(self, path: Path, *, directory: Path | None = None) -> None:
        self._target = os.path.realpath(path)
        name = hashlib.sha256(os.fsencode(self._target)).hexdigest()[:32]
        self._note = (directory or settings.state_directory() / "editing") / f"{name}.json"
        self._token = os.urandom(8).hex()

    def acquire(self, *, take_over: bool = False) -> Holder | None:
        """Note that this editor has the file; None where that was done, else who has it already."""
        with exclusive(self._note):
            holder = self._holder()
            if holder is not None and holder.token != self._token and holder.is_alive and not take_over:
                return holder
            replace(self._note, msgspec.json.encode(self._mine()))
            return None

    def is_mine(self) -> bool:
        """Whether the file was not taken over since."""
        holder = self._holder()
        return holder is not None and holder.token == self._token

    def release(self) -> None:
        """Take the note away, where it is still this editor's."""
        with exclusive(self._note):
            if self.is_mine():
                self._note.unlink(missing_ok=True)
        # The lock file stays: removing it could part two processes that wait for it.

    def _holder(self) -> Holder | None:
        data = read(self._note, LARGEST_BYTES)
        try:
            return None if data is None else msgspec.json.decode(data, type=Holder)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None  # an unreadable note warns of nothing

    def _mine(self) -> Holder:
        pid = os.getpid()
        return Holder(
            path=self._target,
            pid=pid,
            host=platform.node(),
            started=identity(pid),
            since=time.time(),
            token=self._token,
        )
