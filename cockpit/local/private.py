"""The directory of ours that holds every local Ray: Ray opens its own to everybody, so its parent keeps others out.

Ray gives its temporary directory and most of what is in it mode 0777 (`ray/_common/utils.py`), whatever the umask.
The standard library only: the supervisor runs without site-packages.
"""

import contextlib
import os
import stat

PREFIX = "rayakash-"


def parent_name() -> str:
    """The name of this user's directory."""
    return f"{PREFIX}{os.getuid()}"


def make_private(path: str) -> None:
    """Make the directory with mode 0700, or accept it if no other user could have put anything into it.

    Raises OSError; for a directory that other users can enter or exchange, a PermissionError whose text says why.
    """
    base = os.stat(os.path.dirname(path))
    if base.st_uid not in (0, os.getuid()) or (base.st_mode & 0o022 and not base.st_mode & stat.S_ISVTX):
        raise PermissionError(f"Other users can replace what is in {os.path.dirname(path)}.")
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode):
        raise PermissionError(f"{path} is not a directory.")
    if found.st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to another user.")
    if found.st_mode & 0o077:
        raise PermissionError(f"Other users can enter {path} (mode {found.st_mode & 0o777:04o}).")


def remove_private(path: str) -> None:
    """Remove the directory unless something is in it, or it is not ours."""
    if os.path.basename(path) == parent_name():
        with contextlib.suppress(OSError):  # another local Ray lives there, or it is gone
            os.rmdir(path)
