"""Moments, for people and for programs."""

from datetime import UTC, datetime

from cockpit.render.units import UNKNOWN, coarse


def iso(seconds: float | None) -> str | None:
    """A moment as `2026-11-20T21:39:24.123Z`; None where it is unknown or no date."""
    if seconds is None:
        return None
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_ms(milliseconds: int | None) -> str | None:
    """The same for milliseconds since the epoch."""
    return None if milliseconds is None else iso(milliseconds / 1000)


def local_time(milliseconds: int | None, now: float) -> str:
    """A moment as `2026-11-20 22:39:24 (3m ago)` by the clock of this machine."""
    if milliseconds is None:
        return UNKNOWN
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000)
    except (ValueError, OverflowError, OSError):
        return UNKNOWN
    passed = now - milliseconds / 1000
    return f"{moment:%Y-%m-%d %H:%M:%S}" + (f" ({coarse(passed)} ago)" if passed >= 0 else "")


def clock_time(milliseconds: int | None, now: float) -> str:
    """The local time of day of a moment; its date where that is not the day of `now` (seconds since the epoch)."""
    if milliseconds is None:
        return UNKNOWN
    try:
        moment, today = datetime.fromtimestamp(milliseconds / 1000), datetime.fromtimestamp(now)
    except (ValueError, OverflowError, OSError):
        return UNKNOWN
    return f"{moment:%H:%M:%S}" if moment.date() == today.date() else f"{moment:%m-%d %H:%M}"
