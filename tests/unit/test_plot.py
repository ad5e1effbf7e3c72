"""Curves as lines of styled text."""

import math

import pytest

from cockpit.render.cell_text import cell_width
from cockpit.render.glyphs import ASCII, UNICODE
from cockpit.render.load import LOAD_TONES, heat_sign, load_tone
from cockpit.render.plot import (
    Marks,
    PlotArea,
    PlotLine,
    Trace,
    binned,
    bounds,
    plot,
    plot_with_axes,
    round_top,
    summary,
)

AREA = PlotArea(width=10, height=2, begin=0, end=100)


def texts(lines: list[PlotLine]) -> list[str]:
    """The lines without their tones."""
    return ["".join(part.text for part in line) for line in lines]


def drawn(*values: float | None, marks: Marks = "blocks", filled: bool = True, height: int = 1) -> list[str]:
    """A value per cell, as signs."""
    samples = [(float(at), value) for at, value in enumerate(values)]
    area = PlotArea(width=len(values), height=height, begin=0, end=len(values))
    return texts(plot([Trace(samples=samples)], area, marks=marks, filled=filled))


def test_values_are_means_of_their_time() -> None:
    samples = [(0.0, 10.0), (5.0, 20.0), (10.0, 40.0), (99.0, 7.0)]
    assert binned(samples, 0, 20, 2) == [15.0, 40.0]


def test_a_value_lasts_until_the_next_one_and_not_over_a_gap() -> None:
    samples = [(float(at), 50.0) for at in (0, 10, 20, 30, 80, 90)]
    assert binned(samples, 0, 100, 10) == [50.0] * 6 + [None] * 2 + [50.0] * 2
    assert binned(samples, 0, 100, 10, gap=1000) == [50.0] * 10
    assert binned(samples, 0, 100, 10, gap=0) == [50.0] * 4 + [None] * 4 + [50.0] * 2


def test_what_was_known_before_the_begin_lasts_into_it() -> None:
    assert binned([(-5.0, 3.0), (10.0, 4.0)], 0, 20, 4, gap=10) == [3.0, 3.0, 4.0, 4.0]


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf])
def test_what_is_unknown_is_a_gap_and_not_zero(unknown: float | None) -> None:
    assert binned([(0.0, 1.0), (1.0, unknown), (2.0, 0.0)], 0, 3, 3) == [1.0, None, 0.0]
    assert drawn(50, unknown, 0) == ["▄ ▁"]


def test_a_clock_that_jumps_back_draws_what_it_can() -> None:
    assert binned([(5.0, 1.0), (2.0, 3.0), (5.5, 2.0)], 0, 6, 6, gap=0)[2] == 3.0


@pytest.mark.parametrize(
    ("marks", "expected"),
    [("blocks", ["   ▄█", "▁▄███"]), ("ascii", ["   :#", ".:###"])],
)
def test_areas(marks: Marks, expected: list[str]) -> None:
    assert drawn(0, 25, 50, 75, 100, marks=marks, height=2) == expected


def test_braille_has_two_times_and_four_heights_in_a_cell() -> None:
    samples = [(0.0, 25.0), (1.0, 100.0), (2.0, 50.0), (3.0, None)]
    assert texts(plot([Trace(samples=samples)], PlotArea(width=2, height=1, begin=0, end=4))) == ["⣸⡄"]


def test_lines_are_connected_and_do_not_fill() -> None:
    assert drawn(0, 100, marks="ascii", filled=False, height=2) == [" '", "_ "]
    samples = [(0.0, 25.0), (1.0, 100.0)]
    assert texts(plot([Trace(samples=samples)], PlotArea(width=1, height=1, begin=0, end=2), filled=False)) == ["⡸"]


def test_a_line_is_colored_by_its_height_or_by_its_curve() -> None:
    full = [(0.0, 100.0)]
    lines = plot([Trace(samples=full, tone="warn")], AREA, tone_at=load_tone, gap=1000)
    assert [line[0].tone for line in lines] == [load_tone(75), load_tone(25)]
    assert [part.tone for part in plot([Trace(samples=full, tone="warn")], AREA, gap=1000)[0]] == ["warn"]


def test_curves_over_one_another_keep_their_tones() -> None:
    low, high = Trace(samples=[(0.0, 10.0)], tone="accent"), Trace(samples=[(0.0, 90.0)], tone="warn")
    lines = plot([low, high], AREA, filled=False, gap=1000)
    assert [[part.tone for part in line] for line in lines] == [["warn"], ["accent"]]


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize(("width", "height"), [(80, 10), (24, 4), (23, 3), (8, 1), (1, 1), (24, 5)])
def test_every_line_is_exactly_as_wide_as_the_plot(width: int, height: int, glyphs: object) -> None:
    area = PlotArea(width=width, height=height, begin=0, end=3600)
    chosen = ASCII if glyphs is ASCII else UNICODE
    lines = texts(plot_with_axes([Trace(samples=[(0.0, 5.0)])], area, ends=("1 h ago", "now"), glyphs=chosen))
    assert [cell_width(line) for line in lines] == [width] * height
    assert all(line.isascii() for line in lines) or chosen is UNICODE


def test_axes() -> None:
    area = PlotArea(width=26, height=6, begin=0, end=3600)
    lines = texts(plot_with_axes([Trace(samples=[(0.0, 100.0)])], area, ends=("1 h ago", "now"), gap=0))
    assert [line[:4] for line in lines] == ["100┤", "   │", " 50┤", "   │", "  0┤", "    "]
    assert lines[-1] == "    1 h ago            now"


def test_nothing_known_is_an_empty_plot() -> None:
    assert texts(plot([Trace(samples=[])], AREA)) == [" " * 10] * 2
    assert plot([], PlotArea(width=0, height=2, begin=0, end=1)) == [(), ()]
    assert bounds([[(0.0, None)]]) is None
    assert summary([]) == "–"


def test_bounds_and_tops() -> None:
    samples = [(0.0, 2.0), (1.0, None), (2.0, 7.5)]
    assert bounds([samples]) == (2.0, 7.5)
    assert summary(samples) == "min 2  max 7.5  last 7.5"
    assert [round_top(value) for value in (0, 0.3, 1, 3.4, 180, 501)] == [1.0, 0.5, 1.0, 5.0, 200.0, 1000.0]


def test_the_ramp_rises_with_the_load() -> None:
    tones = [load_tone(percent) for percent in range(101)]
    assert tones == sorted(tones)
    assert set(tones) == set(LOAD_TONES)
    assert load_tone(None) == "quiet"


def test_heat_is_a_height_or_a_digit() -> None:
    assert "".join(heat_sign(percent) for percent in (0, 50, 100)) == "▁▅█"
    assert "".join(heat_sign(percent, has_color=False) for percent in (0, 9, 55, 100, 140)) == "00599"
    assert heat_sign(99, glyphs=ASCII) == "9"
