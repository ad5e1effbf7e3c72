"""Which contexts are clusters of containers on this machine: a file of ours, never the user's config.toml."""

from pathlib import Path

import msgspec

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.secrets.files import exclusive, read, replace
from cockpit.settings import Context

LARGEST_BYTES = 1 << 20


def state_path() -> Path:
    """The file; it holds references and fingerprints, no token."""
    return settings.state_directory() / "containers.json"


class Kept(msgspec.Struct, frozen=True):
    """A cluster that was started here and not ended: its context, and the scope that its secrets are in."""

    context: Context
    scope: str


def container_contexts() -> dict[str, Kept]:
    """What is known of clusters in containers, by name. Raises UsageError."""
    data = read(state_path(), LARGEST_BYTES)
    if data is None:
        return {}
    try:
        return msgspec.json.decode(data, type=dict[str, Kept])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{state_path()} cannot be read.", detail=str(error), hint="Remove it; `sdl ps` still finds what runs."
        ) from None


def remember(name: str, kept: Kept) -> None:
    """Keep the context of a cluster that is up. Raises UsageError."""
    with exclusive(state_path()):
        _write({**container_contexts(), name: kept})


def forget(name: str) -> None:
    """Drop the context of a cluster that is gone. Raises UsageError."""
    with exclusive(state_path()):
        known = container_contexts()
        if known.pop(name, None) is not None:
            _write(known)


def _write(contexts: dict[str, Kept]) -> None:
    replace(state_path(), msgspec.json.encode(contexts))
