"""What a process tree leaves in /dev/shm: segments and semaphores that its jobs made and never unlinked.

Ray's own object store lies in a directory of its own, which goes as a whole. The standard library only.
macOS lacks that file system: there the kernel keeps the names and does not list them.
"""

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from cockpit.local.processes import PROC, Process, table

SHARED = Path("/dev/shm")
MAPPED = re.compile(rb" (/dev/shm/[^\n]*)$", re.MULTILINE)
UNLINKED = b" (deleted)"


def present() -> frozenset[tuple[str, int]]:
    """The name and the inode of every file directly in /dev/shm; nothing where there is no /dev/shm."""
    if not SHARED.is_dir():
        return frozenset()
    with os.scandir(SHARED) as entries:
        return frozenset((entry.name, entry.inode()) for entry in entries if not entry.is_dir())


def held_by(processes: Iterable[Process]) -> set[Path]:
    """The files of /dev/shm that these processes have mapped or open, as far as they still have a name."""
    return {path for process in processes for path in _mapped(process.pid) | _opened(process.pid)}


def remove(candidates: set[Path], before: frozenset[tuple[str, int]]) -> None:
    """Unlink the candidates that are new since `before`, belong to this user and are not in use."""
    ours = {path for path in candidates if _is_ours(path, before)}
    if ours:
        for path in ours - held_by(table().values()):
            path.unlink(missing_ok=True)


def _is_ours(path: Path, before: frozenset[tuple[str, int]]) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return path.parent == SHARED and status.st_uid == os.getuid() and (path.name, status.st_ino) not in before


def _mapped(pid: int) -> set[Path]:
    try:
        text = (PROC / str(pid) / "maps").read_bytes()
    except OSError:  # ended meanwhile, another user's, or no /proc at all
        return set()
    return {Path(os.fsdecode(name)) for name in MAPPED.findall(text) if not name.endswith(UNLINKED)}


def _opened(pid: int) -> set[Path]:
    directory = PROC / str(pid) / "fd"
    found = set()
    with contextlib.suppress(OSError):  # as above
        for entry in os.listdir(directory):
            found.add(_target(directory / entry))
    return {path for path in found if path is not None and path.parent == SHARED}


def _target(link: Path) -> Path | None:
    try:
        return Path(os.readlink(link))
    except OSError:  # closed meanwhile
        return None
