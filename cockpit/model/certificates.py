"""Fingerprints of certificates, as people compare them."""

import hashlib
import re
from datetime import UTC, datetime

from cockpit.errors import UsageError

PREFIX = "sha256:"
_DIGITS = re.compile(r"[0-9a-f]{64}")


def fingerprint_of(certificate: bytes) -> str:
    """The SHA-256 of a certificate in DER, as `sha256:` and 64 hexadecimal digits."""
    return PREFIX + hashlib.sha256(certificate).hexdigest()


def parse_fingerprint(text: str) -> str:
    """A fingerprint as `fingerprint_of` writes it, from one with colons, capitals, or without `sha256:`.

    Raises UsageError for what is none.
    """
    bare = text.strip().lower()
    digits = bare.removeprefix(PREFIX).replace(":", "")
    if not _DIGITS.fullmatch(digits):
        raise UsageError(
            f"{text[:100]!r} is not the fingerprint of a certificate.",
            hint=f"Write {PREFIX} and 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` gives them.",
        )
    return PREFIX + digits


def halves(fingerprint: str) -> tuple[str, str]:
    """A fingerprint in two lines, for screens that are too narrow for its 71 characters."""
    middle = len(PREFIX) + 32
    return fingerprint[:middle], " " * len(PREFIX) + fingerprint[middle:]


_UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x17, 0x18, 0xA0


def end_of(certificate: bytes) -> float | None:
    """When a certificate in DER ends, in seconds since the epoch; None for what cannot be read (RFC 5280, 4.1)."""
    try:
        fields = _parts(_parts(_parts(certificate)[0][1])[0][1])
        if fields[0][0] == _VERSION:
            fields = fields[1:]
        tag, value = _parts(fields[3][1])[1]  # after serial number, algorithm and issuer: from when, and until when
        text = value.decode("ascii")
        moment = datetime.strptime(text, {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}[tag])
    except (IndexError, KeyError, ValueError):
        return None
    return moment.replace(tzinfo=UTC).timestamp()


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each element of DER. Raises IndexError where one is cut."""
    found, at = [], 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
        if at + size > len(data):
            raise IndexError(at)
        found.append((tag, data[at : at + size]))
        at += size
    return found
