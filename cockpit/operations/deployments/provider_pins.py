"""Certificates of providers that no authority vouches for, remembered from the first connection on, as ssh does.

A self-signed certificate that names the provider proves little at first, since anybody can make one; that it stays the
same proves that no one has come in between since.
"""

from pathlib import Path

import msgspec

from cockpit import settings
from cockpit.errors import UsageError

_Pins = dict[str, str]


def pins_file() -> Path:
    """Where they are: a JSON object of provider addresses and fingerprints, one a line."""
    return settings.state_directory() / "provider-pins.json"


def pin_of(provider: str) -> str | None:
    """The fingerprint that a provider showed before, or None. Raises UsageError for a file that cannot be read."""
    return _load().get(provider)


def remember(provider: str, pin: str) -> None:
    """Expect this certificate of the provider from now on. Raises UsageError."""
    pins = _load()
    if pins.get(provider) != pin:
        text = msgspec.json.format(msgspec.json.encode({**pins, provider: pin}))
        settings.write_private(pins_file(), text + b"\n")


def _load() -> _Pins:
    settings.require_own(pins_file())
    try:
        return msgspec.json.decode(settings.read_file(pins_file()), type=_Pins)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(
            f"{pins_file()} cannot be read.",
            detail=str(error),
            hint="It holds the certificates of providers; fix it, or move it away and approve them again.",
        ) from error
