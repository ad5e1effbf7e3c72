"""Numbers of a log as curves, of one run or of several over one another."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from cockpit.model.series import Series
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.plot import PlotArea, PlotLine, Trace, bounds, plot_with_axes
from cockpit.render.table import Part
from cockpit.render.text import visible
from cockpit.render.units import UNKNOWN

RUN_TONES = ("accent", "quiet", "warn", "strong")  # the newest first
MOST_RUNS = len(RUN_TONES)


class Run(msgspec.Struct, frozen=True):
    """One curve: what it is called, and its values."""

    label: str
    series: Series


def number(value: float | None) -> str:
    """A value in few characters; `–` where there is none."""
    if value is None or math.isinf(value):
        return UNKNOWN
    if math.isnan(value):
        return "NaN"
    if value == 0 or 0.001 <= abs(value) < 100_000:
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:.2e}"


def facts(series: Series) -> str:
    """Minimum, maximum, last value and slope, in one line; NaN is mentioned."""
    if not series.count and not series.not_finite:
        return ""
    slope = series.slope
    parts = [
        f"min {number(series.least)}",
        f"max {number(series.most)}",
        f"last {number(series.last)}",
        f"slope {number(slope)}" + (" per step" if series.steps and slope is not None else ""),
    ]
    if series.not_finite:
        parts.append(f"{series.not_finite:,} NaN")
    return "  ".join(parts)


def title(name: str, runs: Sequence[Run], glyphs: Glyphs = UNICODE) -> list[PlotLine]:
    """The line over the curves of a name, and one for each earlier run."""
    first = (Part(visible(name), "strong"), Part(f"  {facts(runs[0].series)}", ""))
    if len(runs) == 1:
        return [first]
    sign = "-" if glyphs.is_ascii else "─"
    return [
        first,
        *(
            (Part(f"{sign} {visible(run.label)}", tone), Part(f"  {facts(run.series)}", "quiet"))
            for run, tone in zip(runs[1:], RUN_TONES[1:], strict=False)
        ),
    ]


def curves(runs: Sequence[Run], *, width: int, height: int, glyphs: Glyphs = UNICODE) -> list[PlotLine]:
    """The curves of one name over one another, the first run on top, in so many cells."""
    steps = all(run.series.steps for run in runs)
    traces = [
        Trace(samples=_samples(run.series, steps=steps), tone=tone) for run, tone in zip(runs, RUN_TONES, strict=False)
    ]
    known = bounds([trace.samples for trace in traces])
    if known is None:
        return [(Part("no value yet".ljust(width)[:width], "quiet"),), *[(Part(" " * width),)] * (height - 1)]
    begin = min(trace.samples[0][0] for trace in traces if trace.samples)
    end = max(trace.samples[-1][0] for trace in traces if trace.samples)
    area = PlotArea(
        width=width, height=height, begin=begin, end=end + max(1e-9, (end - begin) * 1e-6), low=known[0], high=known[1]
    )
    ends = (f"step {number(begin)}", number(end)) if steps else (f"value {number(begin + 1)}", number(end + 1))
    # A log that is silent for a while leaves no gap: it is drawn over its steps.
    return plot_with_axes(traces[::-1], area, label=number, ends=ends, glyphs=glyphs, filled=False, gap=math.inf)


def _samples(series: Series, *, steps: bool) -> list[tuple[float, float | None]]:
    marks = series.marks
    if steps or not series.steps:
        return [(mark.at, mark.value) for mark in marks]
    each = series.count / max(1, len(marks))
    return [(each * number, mark.value) for number, mark in enumerate(marks)]


def record(name: str, run: Run) -> dict[str, Any]:
    """A series as JSON; `at` is a step, or the ordinal of the value from 0."""
    series = run.series
    return {
        "name": name,
        "job": run.label,
        "count": series.count,
        "not_finite": series.not_finite,
        "min": _finite(series.least),
        "max": _finite(series.most),
        "last": _finite(series.last),
        "slope": series.slope,
        "by_step": series.steps,
        "points": [{"at": mark.at, "value": mark.value} for mark in series.marks],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
