"""Our own log: the whole of what a server said where a command has printed the end of it alone."""

import os
import time
from contextlib import suppress
from pathlib import Path

from cockpit import settings
from cockpit.errors import CockpitError

LARGEST_BYTES = 1 << 20
KEPT_BYTES = 1 << 19
_START = "--- "


def path() -> Path:
    """Where it is."""
    return settings.state_directory() / "errors.log"


def note(failure: CockpitError) -> Path | None:
    """Append a failure; None where it cannot be written, which must not hide the failure itself."""
    target, now = path(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with suppress(OSError):
        settings.private_directory(target.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(target, flags, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            if os.fstat(descriptor).st_size > LARGEST_BYTES:
                _shorten(target)
            text = f"{_START}{now} {failure.title}\n{failure.detail.rstrip()}\n"
            file.write(text.encode("utf-8", "backslashreplace"))
        return target
    return None


def _shorten(target: Path) -> None:
    """Keep the newest entries; O_APPEND writes behind what is left."""
    kept = target.read_bytes()[-KEPT_BYTES:]
    os.truncate(target, 0)
    with target.open("ab") as file:
        file.write(kept[max(0, kept.find(f"\n{_START}".encode()) + 1) :])
