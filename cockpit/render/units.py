"""Sizes and times in words of a few characters."""

import math

UNKNOWN = "–"

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def size(bytes: int | None) -> str:  # noqa: A002  the unit is the argument's name
    """A number of bytes such as `0 B`, `41.2 GiB`; `–` where it is unknown or below zero."""
    if bytes is None or bytes < 0:
        return UNKNOWN
    if bytes < 1024:
        return f"{bytes} B"
    power, value = 1, bytes / 1024
    # 1023.95 would be written as 1024.0.
    while value >= 1023.95 and power < len(_UNITS):
        power, value = power + 1, value / 1024
    return f"{value:.1f} {_UNITS[power - 1]}"


def duration(seconds: float | None) -> str:
    """Seconds as their two largest units, `42s`, `15m`, `2h 04m`, `3d 04h`, cut off and never rounded up.

    `–` for None and what is not finite; `0s` below zero, since two clocks differ a little.
    """
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if hours == 0:
        return f"{minutes}m"
    if days == 0:
        return f"{hours}h {minutes % 60:02d}m"
    return f"{days}d {hours % 24:02d}h"


def countdown(seconds: float) -> str:
    """The time that is left as minutes and seconds, `6:12`; `0:00` below zero."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def age(since: float | None, *, now: float) -> str:
    """How long ago a moment was, in the words of `duration`; both are Unix times in seconds."""
    return UNKNOWN if since is None else duration(now - since)


def coarse(seconds: float | None) -> str:
    """As `duration`, but `<1m` below a minute: what ticks every second keeps an idle screen writing."""
    return "<1m" if seconds is not None and seconds < 60 else duration(seconds)
