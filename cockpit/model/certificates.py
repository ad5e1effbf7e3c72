"""Fingerprints of certificates, as people compare them."""

import hashlib
import re

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
    """A fingerprint in two lines, for screens that have no room for its 71 characters."""
    middle = len(PREFIX) + 32
    return fingerprint[:middle], " " * len(PREFIX) + fingerprint[middle:]
