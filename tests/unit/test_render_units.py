"""Sizes, durations and ages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.render.units import age, coarse, duration, size

KIB, MIB, GIB, TIB = 1 << 10, 1 << 20, 1 << 30, 1 << 40
MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (-1, "–"),
        (0, "0 B"),
        (1, "1 B"),
        (1023, "1023 B"),
        (KIB, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (10 * KIB - 1, "10.0 KiB"),
        (MIB - 1, "1.0 MiB"),
        (MIB - 100, "1023.9 KiB"),
        (MIB, "1.0 MiB"),
        (104_857_600, "100.0 MiB"),
        (GIB - 1, "1.0 GiB"),
        (int(41.2 * GIB), "41.2 GiB"),
        (TIB, "1.0 TiB"),
        (1 << 50, "1.0 PiB"),
        (1 << 60, "1.0 EiB"),
        (5000 << 60, "5000.0 EiB"),
    ],
)
def test_size(value: int | None, text: str) -> None:
    assert size(value) == text


@given(st.integers(min_value=0, max_value=1 << 69))
def test_a_size_is_short_and_never_a_thousand_and_twenty_four(value: int) -> None:
    number, unit = size(value).split(" ")
    assert unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    assert float(number) < 1024
    assert len(number) <= 6


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (float("-inf"), "–"),
        (-5, "0s"),
        (0, "0s"),
        (0.9, "0s"),
        (1, "1s"),
        (42.7, "42s"),
        (59.999, "59s"),
        (60, "1m"),
        (15 * MINUTE, "15m"),
        (15 * MINUTE + 59, "15m"),
        (HOUR - 1, "59m"),
        (HOUR, "1h 00m"),
        (2 * HOUR + 4 * MINUTE + 30, "2h 04m"),
        (DAY - 1, "23h 59m"),
        (DAY, "1d 00h"),
        (3 * DAY + 4 * HOUR, "3d 04h"),
        (400 * DAY + 23 * HOUR + 59 * MINUTE, "400d 23h"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_a_duration_is_never_more_than_it_was(seconds: float) -> None:
    units = {"d": DAY, "h": HOUR, "m": MINUTE, "s": 1}
    told = sum(int(part[:-1]) * units[part[-1]] for part in duration(seconds).split(" "))
    smallest = units[duration(seconds)[-1]]
    assert told <= seconds < told + smallest


@pytest.mark.parametrize(
    ("since", "now", "text"),
    [
        (None, 1000.0, "–"),
        (1000.0, 1000.0, "0s"),
        (1000.0, 1042.0, "42s"),
        (0.0, 2 * HOUR + 4 * MINUTE, "2h 04m"),
        # The cluster's clock is ahead of ours.
        (1003.0, 1000.0, "0s"),
        (float("nan"), 1000.0, "–"),
    ],
)
def test_age(since: float | None, now: float, text: str) -> None:
    assert age(since, now=now) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (-3, "<1m"), (0, "<1m"), (59.9, "<1m"), (60, "1m"), (7440, "2h 04m")]
)
def test_coarse_times_stand_still_below_a_minute(seconds: float | None, text: str) -> None:
    assert coarse(seconds) == text
