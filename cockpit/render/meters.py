"""Meters as text: bars of eighths with their number, and sparklines; pure functions, for cells of tables."""

import math
from collections.abc import Sequence
from functools import lru_cache

from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.load import load_tone
from cockpit.render.table import Cell, Part

BAR_WIDTH = 8


def bar(percent: float | None, width: int = BAR_WIDTH, *, glyphs: Glyphs = UNICODE) -> str:
    """A bar of `width` cells between two edges, such as `▕███▎    ▏`; empty where the value is unknown.

    What is more than nothing shows at least the smallest step, and only the whole of it fills the bar.
    """
    return f"{glyphs.bar_left}{_filling(percent, width, glyphs):{width}}{glyphs.bar_right}"


def _filling(percent: float | None, width: int, glyphs: Glyphs) -> str:
    value = known(percent)
    if not value or width <= 0:
        return ""
    steps = len(glyphs.eighths) - 1
    exact = min(value, 100.0) / 100 * width * steps
    filled = width * steps if value >= 100 else min(max(1, int(exact)), width * steps - 1)
    whole, rest = divmod(filled, steps)
    return glyphs.eighths[-1] * whole + (glyphs.eighths[rest] if rest else "")


def known(value: float | None) -> float | None:
    """The value as a number not below 0; None for None and what is not finite."""
    return max(0.0, value) if value is not None and math.isfinite(value) else None


def percentage(percent: float | None, *, glyphs: Glyphs = UNICODE) -> str:
    """A percentage in five cells, such as ` 41 %`; a dash where it is unknown."""
    value = known(percent)
    return f"{glyphs.unknown:>3}  " if value is None else f"{min(value, 999):3.0f} %"


def meter(
    percent: float | None, width: int = BAR_WIDTH, *, tone: str = "", glyphs: Glyphs = UNICODE
) -> tuple[Part, ...]:
    """A bar and its number, such as `▕███▎    ▏ 41 %`, as parts: edges are quiet, the rest has the tone.

    Without a tone the bar has that of its load, and the number none.
    """
    return (
        Part(glyphs.bar_left, "quiet"),
        Part(f"{_filling(percent, width, glyphs):{width}}", tone or load_tone(known(percent))),
        Part(glyphs.bar_right, "quiet"),
        Part(percentage(percent, glyphs=glyphs), tone if known(percent) is not None else "quiet"),
    )


@lru_cache(4096)  # thousands of GPUs have a hundred percentages between them
def meter_cell(percent: float | None, width: int = BAR_WIDTH, *, tone: str = "", glyphs: Glyphs = UNICODE) -> Cell:
    """A cell that shows a meter, and is sorted, filtered and copied by its number."""
    value = known(percent)
    text = glyphs.unknown if value is None else f"{value:.0f} %"
    return Cell(text, sort=value, parts=meter(percent, width, tone=tone, glyphs=glyphs))


def sparkline(values: Sequence[float | None], width: int, *, glyphs: Glyphs = UNICODE) -> str:
    """The last `width` values (0 to 100, oldest first) as one line of levels; unknown ones are gaps."""
    levels = len(glyphs.levels) - 1
    shown = [known(value) for value in values[-width:]] if width > 0 else []
    line = "".join(" " if value is None else glyphs.levels[round(min(value, 100.0) / 100 * levels)] for value in shown)
    return line.rjust(max(0, width))
