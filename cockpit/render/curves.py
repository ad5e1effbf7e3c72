"""Curves and GPU-hours as text."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from cockpit.model.past import PERCENT, Curve, Point, Use
from cockpit.render.table import text_column
from cockpit.render.times import iso
from cockpit.render.units import UNKNOWN

BARS = "▁▂▃▄▅▆▇█"
GAP = " "
GAP_STEPS = 2.5
NAME_WIDTH = 12
NUMBERS = 34

USAGE_COLUMNS = (
    text_column("NAME"),
    text_column("OWNER"),
    text_column("JOBS", right=True),
    text_column("GPU-HOURS", right=True),
    text_column("IDLE", right=True),
    text_column("COST", right=True),
    text_column("IDLE COST", right=True),
)


def curve_lines(curves: Sequence[Curve], *, width: int) -> list[str]:
    """A line per curve that has points: name, bars, then minimum, mean and last value with the unit."""
    return [_line(curve, max(10, min(width, 120) - NAME_WIDTH - NUMBERS)) for curve in curves if curve.points]


def _line(curve: Curve, width: int) -> str:
    values = [point.value for point in curve.points if point.value is not None]
    unit = " %" if curve.unit == PERCENT else f" {curve.unit}"
    last = _number(curve.points[-1].value)
    numbers = f"min {_number(min(values))}  mean {_number(sum(values) / len(values))}  last {last}{unit}"
    return f"{curve.name:{NAME_WIDTH}}{bars(curve, width)}  {numbers}"


def bars(curve: Curve, width: int) -> str:
    """The curve in `width` columns of equal time, percent against 100, anything else against its maximum.

    A column without a point shows the one before it, unless that is further away than points usually are.
    """
    points = curve.points
    known = [point.value for point in points if point.value is not None]
    top = 100.0 if curve.unit == PERCENT else max(known, default=0.0)
    begin, seconds = points[0].at, max(1, points[-1].at - points[0].at) / max(1, width - 1)
    patience = GAP_STEPS * _usual_step(points)
    columns: list[list[Point]] = [[] for _ in range(width)]
    for point in points:
        columns[min(width - 1, round((point.at - begin) / seconds))].append(point)
    text, last = "", points[0]
    for at, inside in enumerate(columns):
        last = inside[-1] if inside else last
        values = [point.value for point in inside or [last] if point.value is not None]
        is_gap = not values or begin + at * seconds - last.at > patience
        text += GAP if is_gap else _bar(sum(values) / len(values), top)
    return text


def _usual_step(points: Sequence[Point]) -> float:
    return median([later.at - earlier.at for earlier, later in pairwise(points)]) if len(points) > 1 else 0.0


def _bar(value: float, top: float) -> str:
    share = value / top if top > 0 else 0.0
    return BARS[max(0, min(len(BARS) - 1, int(share * len(BARS))))]


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def usage_row(use: Use) -> list[str]:
    """The cells of a row of `USAGE_COLUMNS`."""
    return [
        use.name,
        use.owner or UNKNOWN,
        str(use.jobs),
        f"{use.gpu_hours:.2f}",
        f"{use.idle_gpu_hours:.2f}",
        money(use.cost),
        money(use.idle_cost),
    ]


def usage_record(use: Use, *, by: str) -> dict[str, Any]:
    """A row as JSON."""
    return {
        by: use.name,
        **({"owner": use.owner} if by == "job" else {"jobs": use.jobs}),
        "gpu_hours": round(use.gpu_hours, 4),
        "idle_gpu_hours": round(use.idle_gpu_hours, 4),
        "cost_usd": None if use.cost is None else round(use.cost, 2),
        "idle_cost_usd": None if use.idle_cost is None else round(use.idle_cost, 2),
        "first_seen": iso(use.first),
        "last_seen": iso(use.last),
    }


def money(usd: float | None) -> str:
    """US dollars; `–` where they are not known, never 0."""
    return UNKNOWN if usd is None else f"${usd:,.2f}"
