"""Curves over time as lines of styled text: braille, blocks or ASCII, with gaps where nothing is known.

Pure functions: what they are given decides every cell, so an unchanged curve changes nothing on the screen.

Libraries measured in their place: textual-plot 0.10 brings numpy (73 MB) and 0.6 s of import, plotext 6.1 takes 0.45 s
to import; the whole cockpit has 0.6 s to its first frame.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.table import Part
from cockpit.render.units import UNKNOWN

Marks = Literal["braille", "blocks", "ascii"]
Samples = Sequence[tuple[float, float | None]]
"""Times (or steps) in rising order, each with its value; None is a gap."""

PlotLine = tuple[Part, ...]
"""One line of the screen, its parts exactly as wide together as the plot."""

ToneAt = Callable[[float], str]

GAP_STEPS = 2.5
_BRAILLE = 0x2800
# The dots of a braille cell from its lowest row up, for its left and its right column.
_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
_BLOCKS = " ▁▂▃▄▅▆▇█"
_ASCII_AREA = " .:#"
_ASCII_LINE = " _-'"
# Dots of one cell: columns, rows.
_GRAIN: dict[Marks, tuple[int, int]] = {"braille": (2, 4), "blocks": (1, 8), "ascii": (1, 3)}


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One curve of a plot; `tone` colors it, unless the plot is colored by height."""

    samples: Samples
    tone: str = ""


class PlotArea(msgspec.Struct, frozen=True, kw_only=True):
    """What a plot covers: cells, the time from `begin` to `end`, and the values from `low` to `high`."""

    width: int
    height: int
    begin: float
    end: float
    low: float = 0.0
    high: float = 100.0


def marks_for(glyphs: Glyphs) -> Marks:
    """How curves are drawn with these signs."""
    return "ascii" if glyphs.is_ascii else "braille"


def plot(
    curves: Sequence[Trace],
    area: PlotArea,
    *,
    marks: Marks = "braille",
    filled: bool = True,
    tone_at: ToneAt | None = None,
    gap: float | None = None,
) -> list[PlotLine]:
    """The curves in `area.height` lines of `area.width` cells, later ones over earlier ones.

    `filled` draws the area below a curve, else its line. `tone_at` gives the tone of a value and colors each line of
    the screen by its height. A silence longer than `gap` is left empty; see `binned`.
    """
    if area.width <= 0 or area.height <= 0:
        return [() for _ in range(max(0, area.height))]
    canvas = _Canvas(area, marks, filled)
    for curve in curves:
        canvas.draw(curve, gap)
    return [canvas.line(row, tone_at) for row in range(area.height)]


def plot_with_axes(
    curves: Sequence[Trace],
    area: PlotArea,
    *,
    label: Callable[[float], str] = lambda value: f"{value:g}",
    ends: tuple[str, str] = ("", "now"),
    glyphs: Glyphs = UNICODE,
    marks: Marks | None = None,
    filled: bool = True,
    tone_at: ToneAt | None = None,
    gap: float | None = None,
) -> list[PlotLine]:
    """The same with the scale at the left and the time below, all within `area`.

    `label` writes a value of the scale, `ends` stand below the first and the last time. Where there is little room
    the axes go first: below 4 lines the time, below 24 cells the scale.
    """
    has_time, has_scale = area.height >= 4, area.width >= 24
    texts = _scale(area, area.height - has_time, label) if has_scale else []
    gutter = max(map(len, texts), default=-1) + 1
    inner = msgspec.structs.replace(area, width=area.width - gutter, height=area.height - has_time)
    chosen = marks or marks_for(glyphs)
    lines = plot(curves, inner, marks=chosen, filled=filled, tone_at=tone_at, gap=gap)
    edge = "|" if glyphs.is_ascii else "┤"
    if has_scale:
        lines = [
            (Part(f"{text:>{gutter - 1}}{edge if text else _wall(glyphs)}", "quiet"), *line)
            for text, line in zip(texts, lines, strict=True)
        ]
    if has_time:
        lines.append((Part(" " * gutter, "quiet"), Part(_time_line(ends, inner.width), "quiet")))
    return lines


def binned(samples: Samples, begin: float, end: float, count: int, *, gap: float | None = None) -> list[float | None]:
    """The mean of the samples in each of `count` equal times; None where nothing is known.

    A time without a sample shows the one before it, unless that is more than `gap` ago; without a `gap` that is 2.5
    times as far as samples usually are apart.
    """
    if count <= 0 or end <= begin:
        return [None] * max(0, count)
    patience = GAP_STEPS * _usual_step(samples) if gap is None else gap
    step = (end - begin) / count
    inside: list[list[float]] = [[] for _ in range(count)]
    last: list[tuple[float, float | None]] = [(-math.inf, None)] * count
    held: tuple[float, float | None] = (-math.inf, None)
    for at, value in samples:
        known = None if value is None or not math.isfinite(value) else value
        if at < begin:
            held = (at, known)
        elif at < end:
            index = min(count - 1, int((at - begin) / step))
            last[index] = (at, known)
            if known is not None:
                inside[index].append(known)
    found: list[float | None] = []
    for index, values in enumerate(inside):
        if last[index][0] > -math.inf:
            held = last[index]
        is_held = begin + index * step - held[0] <= patience
        found.append(sum(values) / len(values) if values else held[1] if is_held else None)
    return found


def _usual_step(samples: Samples) -> float:
    steps = sorted(later[0] - earlier[0] for earlier, later in pairwise(samples))
    return steps[len(steps) // 2] if steps else math.inf


def bounds(curves: Sequence[Samples]) -> tuple[float, float] | None:
    """The least and the greatest value; None where nothing is known."""
    known = [value for samples in curves for _, value in samples if value is not None and math.isfinite(value)]
    return (min(known), max(known)) if known else None


def round_top(value: float) -> float:
    """The least of 1, 2, 5, 10, 20, 50 … that is not below the value, as the top of a scale; 1 for 0 and less."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 5, 10, 20) if factor * power >= value * (1 - 1e-9))


def summary(samples: Samples, label: Callable[[float], str] = lambda value: f"{value:g}") -> str:
    """The least, greatest and last value in words, such as `min 3 max 97 last 94`."""
    found = bounds([samples])
    if found is None:
        return UNKNOWN
    last = samples[-1][1]
    return f"min {label(found[0])}  max {label(found[1])}  last {UNKNOWN if last is None else label(last)}"


class _Canvas:
    """Dots by cell: per row of the screen, from the top, a mask or a height for each column, and a tone."""

    def __init__(self, area: PlotArea, marks: Marks, filled: bool) -> None:
        self._area, self._marks, self._filled = area, marks, filled
        self._columns, self._rows = _GRAIN[marks]
        self._cells = [[0] * area.width for _ in range(area.height)]
        self._tones = [[""] * area.width for _ in range(area.height)]

    def draw(self, curve: Trace, gap: float | None) -> None:
        area = self._area
        values = binned(curve.samples, area.begin, area.end, area.width * self._columns, gap=gap)
        before: int | None = None
        for column, value in enumerate(values):
            top = None if value is None else self._height(value)
            if top is not None:
                self._mark(column, top, self._lowest(top, before), curve.tone)
            before = top

    def _height(self, value: float) -> int:
        """Dots from the bottom to the value: at least one, for what is known is not a gap."""
        area, most = self._area, self._area.height * self._rows
        share = (value - area.low) / (area.high - area.low) if area.high > area.low else 0.5
        return min(most, max(1, math.ceil(share * most)))

    def _lowest(self, top: int, before: int | None) -> int:
        """The lowest dot of a column: the bottom of an area, or where a line meets the column before."""
        if self._filled:
            return 1
        if before is None or before == top or self._marks != "braille":
            return top
        return min(top, before + 1) if before < top else top

    def _mark(self, column: int, top: int, lowest: int, tone: str) -> None:
        cell = column // self._columns
        for dot in range(lowest, top + 1):
            row, inside = divmod(dot - 1, self._rows)
            line = self._area.height - 1 - row
            if self._marks == "braille":
                self._cells[line][cell] |= _DOTS[column % 2][inside]
            else:
                self._cells[line][cell] = inside + 1
            self._tones[line][cell] = tone

    def line(self, row: int, tone_at: ToneAt | None) -> PlotLine:
        """One line of the screen."""
        signs = [self._sign(cell) for cell in self._cells[row]]
        if tone_at is not None:
            return (Part("".join(signs), tone_at(self._value_of(row))),)
        return _runs(signs, self._tones[row])

    def _value_of(self, row: int) -> float:
        """The value in the middle of a line of the screen."""
        area = self._area
        return area.low + (area.high - area.low) * (area.height - row - 0.5) / area.height

    def _sign(self, cell: int) -> str:
        if self._marks == "braille":
            return chr(_BRAILLE + cell) if cell else " "
        if self._marks == "blocks":
            return _BLOCKS[cell]
        return (_ASCII_AREA if self._filled else _ASCII_LINE)[cell]


def _runs(signs: Sequence[str], tones: Sequence[str]) -> PlotLine:
    """The signs as parts of one tone each; blanks take the tone beside them."""
    parts: list[Part] = []
    for sign, tone in zip(signs, tones, strict=True):
        if parts and (parts[-1].tone == tone or sign == " "):
            parts[-1] = Part(parts[-1].text + sign, parts[-1].tone)
        else:
            parts.append(Part(sign, tone))
    return tuple(parts)


def _scale(area: PlotArea, height: int, label: Callable[[float], str]) -> list[str]:
    """A text for each line, empty for most: the top, the middle where there is one, the bottom."""
    texts = [""] * height
    texts[-1], texts[0] = label(area.low), label(area.high)
    if height >= 5:
        texts[height // 2] = label((area.low + area.high) / 2)
    return texts


def _wall(glyphs: Glyphs) -> str:
    return "|" if glyphs.is_ascii else "│"


def _time_line(ends: tuple[str, str], width: int) -> str:
    left, right = ends
    room = width - len(left) - len(right)
    return f"{left}{' ' * room}{right}" if room >= 1 else right[:width].rjust(width)
