"""The socket of a tunnel: in a directory that no other user can enter."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cockpit.errors import UsageError

# What ssh would expand or split at is not among these; a socket's path must fit into 104 bytes on macOS.
_PLAIN = re.compile(r"[A-Za-z0-9/._-]{1,80}")


def private_place(environment: Mapping[str, str] = os.environ) -> Path:
    """A new directory with mode 0700, in which programs may be run: ssh runs its helper there. Raises UsageError."""
    reasons = []
    for parent in _parents(environment):
        try:
            place = Path(tempfile.mkdtemp(prefix="rayakash-ssh-", dir=parent))
        except OSError as error:
            reasons.append(f"{parent}: {error.strerror}")
            continue
        if _PLAIN.fullmatch(str(place)) and _may_run_programs(place):
            return place
        reasons.append(f"{parent}: no place for sockets and programs")
        shutil.rmtree(place, ignore_errors=True)
    raise UsageError("No usable directory for the socket of the SSH tunnel.", detail="\n".join(reasons))


def made_private(place: Path) -> None:
    """Create the directory again if it is gone; refuse another user's. Raises UsageError."""
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
    except OSError as error:
        raise UsageError(f"The directory {place} cannot be created.", detail=str(error)) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise UsageError(f"{place} belongs to another user.")


def _parents(environment: Mapping[str, str]) -> Iterator[str]:
    """The user's own directory of this login first, which ends with it."""
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        yield runtime
    yield tempfile.gettempdir()
    yield "/tmp"


def _may_run_programs(place: Path) -> bool:
    """Whether it is mounted without `noexec`."""
    probe = place / "probe"
    probe.touch(mode=0o700)
    try:
        return os.access(probe, os.X_OK)
    finally:
        probe.unlink()
