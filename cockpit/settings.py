"""Where things live on this machine, and the cluster contexts that the user wrote down."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cockpit.errors import UsageError

APP_NAME = "rayakash-tui"


def config_directory() -> Path:
    """The user's configuration directory (`~/.config/rayakash-tui` on Linux); it may not exist yet."""
    import platformdirs

    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False))


def state_directory() -> Path:
    """The directory for what the program itself remembers; it may not exist yet."""
    import platformdirs

    return Path(platformdirs.user_state_dir(APP_NAME, appauthor=False))


def private_directory(path: Path) -> Path:
    """Create `path` with mode 0700 where it is missing, and return it.

    Raises UsageError where it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageError(f"The directory {path} cannot be created.", detail=str(error)) from error
    return path


def write_private(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data` with mode 0600: whole or not at all.

    Raises UsageError where it cannot be written; the old file then stays as it was.
    """
    private_directory(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UsageError(f"The file {path} cannot be written.", detail=str(error)) from error
