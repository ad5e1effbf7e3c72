"""Times and sizes as people write them."""

import re

from cockpit.errors import UsageError

_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_SECONDS = {"ms": 0.001, None: 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)b?", re.IGNORECASE)


def parse_seconds(text: str) -> float:
    """A time such as `90`, `30s`, `5m`, `2h`, in seconds. Raises UsageError."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"Invalid time: {text!r}.", hint="Write 30s, 5m or 2h.")
    return float(match[1]) * _SECONDS[match[2]]


def parse_bytes(text: str) -> int:
    """A size such as `500000000`, `16G` (10⁹) or `16Gi` (2³⁰), in bytes. Raises UsageError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"Invalid size: {text!r}.", hint="Write 16Gi, 512Mi or a number of bytes.")
    step = 1024 if match[3] else 1000
    try:
        return int(float(match[1]) * step ** " kmgtp".index(match[2].lower() or " "))
    except OverflowError:
        raise UsageError(f"Invalid size: {text[:20]!r}… is too large.") from None


def bytes_text(size: int) -> str:
    """A number of bytes as `parse_bytes` reads it, such as `16Gi`."""
    for step, unit in ((2**30, "Gi"), (2**20, "Mi")):
        if size and size % step == 0:
            return f"{size // step}{unit}"
    return str(size)


def parse_pair(text: str, what: str) -> tuple[str, str]:
    """`KEY=VALUE`; `what` begins the error's sentence. Raises UsageError."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"{what} {key[:40]!r} is not of the form KEY=VALUE.")
    return key.strip(), value


def parse_number(text: str, what: str) -> float:
    """A number; `what` begins the error's sentence. Raises UsageError."""
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"{what} {text[:40]!r} is not a number.") from error
