"""Bars, numbers and sparklines as text."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cockpit.render.glyphs import ASCII, UNICODE, Glyphs
from cockpit.render.meters import bar, meter, meter_cell, percentage, sparkline

NUMBERS = st.one_of(st.none(), st.floats(), st.integers(-5, 300).map(float))
SETS = st.sampled_from([UNICODE, ASCII])


@pytest.mark.parametrize(
    ("percent", "drawn"),
    [
        (None, "▕        ▏"),
        (math.nan, "▕        ▏"),
        (0, "▕        ▏"),
        (-3, "▕        ▏"),
        (0.1, "▕▏       ▏"),
        (41, "▕███▎    ▏"),
        (50, "▕████    ▏"),
        (93, "▕███████▍▏"),
        (99.99, "▕███████▉▏"),
        (100, "▕████████▏"),
        (1000, "▕████████▏"),
    ],
)
def test_a_bar_of_eighths(percent: float | None, drawn: str) -> None:
    assert bar(percent) == drawn


def test_without_unicode() -> None:
    assert bar(45, glyphs=ASCII) == "[###-    ]"
    assert sparkline([0, 50, None, 100], 5, glyphs=ASCII) == " _= #"
    assert percentage(None, glyphs=ASCII).strip() == "-"


@given(NUMBERS, st.integers(0, 20), SETS)
def test_a_meter_is_always_as_wide(percent: float | None, width: int, glyphs: Glyphs) -> None:
    assert cell_len(bar(percent, width, glyphs=glyphs)) == width + 2
    assert cell_len("".join(part.text for part in meter(percent, width, glyphs=glyphs))) == width + 7


@given(NUMBERS, NUMBERS)
def test_more_is_never_drawn_as_less(one: float | None, other: float | None) -> None:
    if one is not None and other is not None and 0 <= one <= other < math.inf:
        assert bar(one).count("█") <= bar(other).count("█")


@pytest.mark.parametrize(("percent", "text"), [(0, "  0 %"), (41.4, " 41 %"), (100, "100 %"), (None, "  –  ")])
def test_a_number_in_five_cells(percent: float | None, text: str) -> None:
    assert percentage(percent) == text


def test_a_cell_is_sorted_and_copied_by_its_number() -> None:
    assert meter_cell(41.4).text == "41 %"
    assert meter_cell(41.4).sort == 41.4
    assert meter_cell(None).text == "–"
    assert meter_cell(None).sort is None


def test_a_tone_colors_the_bar_and_its_number_and_no_edge() -> None:
    assert [part.tone for part in meter(3, tone="warn")] == ["quiet", "warn", "quiet", "warn"]
    assert meter(None, tone="warn")[-1].tone == "quiet"


def test_a_sparkline_shows_the_last_values_and_gaps() -> None:
    assert sparkline([0, 14.3, 28.6, 42.9, 57.1, 71.4, 85.7, 100], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([100, 0, None, 50], 3) == "▁ ▅"
    assert sparkline([50], 4) == "   ▅"
    assert sparkline([], 3) == "   "


@given(st.lists(NUMBERS, max_size=30), st.integers(0, 20), SETS)
def test_a_sparkline_is_always_as_wide(values: list[float | None], width: int, glyphs: Glyphs) -> None:
    assert cell_len(sparkline(values, width, glyphs=glyphs)) == width
