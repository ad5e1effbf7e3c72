"""What everybody may know of the certificates that were made here: fingerprints by scope, in a file of their own.

The certificate and its key are secrets like others; but to compare a fingerprint no vault needs to be opened.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.secrets.files import exclusive, read, replace

LARGEST_BYTES = 1 << 20


class MadeCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that was made for a scope: its fingerprint, the names it is for, and until when it holds."""

    scope: str
    fingerprint: str
    names: tuple[str, ...]
    made: datetime
    expires: datetime


class _File(msgspec.Struct, frozen=True):
    certificates: tuple[MadeCertificate, ...] = ()


def certificates_file() -> Path:
    """Where they are listed."""
    return settings.data_directory() / "certificates.json"


def made_certificates(scopes: Sequence[str] | None = None, *, path: Path | None = None) -> list[MadeCertificate]:
    """The latest certificate of each of the scopes, or of all. Raises UsageError where the file cannot be read."""
    rows = _rows(path or certificates_file())
    return [row for row in rows if scopes is None or row.scope in scopes]


def note_certificate(certificate: MadeCertificate, *, path: Path | None = None) -> None:
    """Keep it as the one of its scope. Raises UsageError where that is impossible."""
    path = path or certificates_file()
    with exclusive(path):
        rows = [*(row for row in _rows(path) if row.scope != certificate.scope), certificate]
        data = msgspec.json.encode(_File(tuple(sorted(rows, key=lambda row: row.scope))))
        replace(path, msgspec.json.format(data, indent=1) + b"\n")


def _rows(path: Path) -> list[MadeCertificate]:
    data = read(path, LARGEST_BYTES)
    if data is None:
        return []
    try:
        return list(msgspec.json.decode(data, type=_File).certificates)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read.",
            detail=str(error),
            hint="Move it away: you are asked to compare fingerprints then.",
        ) from None
