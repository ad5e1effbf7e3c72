"""The Overview's panels and lines: curves, jobs, and what needs attention; pure functions of its facts."""

import math
from collections.abc import Callable, Mapping

from cockpit.model.nodes import Usage
from cockpit.model.overview import FREE, IDLE, UNREPORTED, ClusterOverview, HeatNode, Trouble
from cockpit.render.curves import money
from cockpit.render.frames import framed, side_by_side
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.load import load_tone
from cockpit.render.plot import PlotArea, PlotLine, Trace, bounds, marks_for, plot, plot_with_axes, round_top
from cockpit.render.table import Part
from cockpit.render.text import visible
from cockpit.render.units import UNKNOWN, coarse, size

SPANS: tuple[tuple[str, float], ...] = (("10 min", 600.0), ("1 h", 3600.0), ("6 h", 21_600.0), ("24 h", 86_400.0))
DEFAULT_SPAN = 1

TITLES = {"gpu": "GPU use", "gpu_memory": "GPU memory", "cpu": "CPU", "memory": "Memory", "network": "Network"}
# Panels in the order in which they fold away where there is too little room, the last one first; with their least
# width, and their share of what is left.
_WITH_GPUS = (
    ("gpu", 31, 2),
    ("jobs", 24, 0),
    ("gpu_memory", 21, 1),
    ("cpu", 23, 1),
    ("memory", 21, 1),
    ("network", 21, 1),
)
_WITHOUT_GPUS = (("cpu", 34, 2), ("jobs", 24, 0), ("memory", 21, 1), ("network", 21, 1))
_SHOWN_ORDER = ("gpu", "gpu_memory", "cpu", "memory", "network", "jobs")


def panel_widths(width: int, *, has_gpus: bool) -> list[tuple[str, int]]:
    """Which panels of curves have room side by side, from left to right, each with its width; together `width`."""
    kept: list[tuple[str, int, int]] = []
    for one in _WITH_GPUS if has_gpus else _WITHOUT_GPUS:
        if sum(least for _, least, _ in kept) + one[1] > width:
            break
        kept.append(one)
    shares = sum(share for *_, share in kept)
    spare = width - sum(least for _, least, _ in kept)
    widths = {name: least + (spare * share // shares if shares else 0) for name, least, share in kept}
    if widths:
        widths[kept[0][0]] += width - sum(widths.values())
    return [(name, widths[name]) for name in _SHOWN_ORDER if name in widths]


def curve_panels(
    overview: ClusterOverview, width: int, height: int, *, span: int = DEFAULT_SPAN, glyphs: Glyphs = UNICODE
) -> list[PlotLine]:
    """The curves and the jobs side by side, in `height` lines of `width` cells."""
    panels = []
    for index, (name, columns) in enumerate(panel_widths(width, has_gpus=bool(overview.gpus))):
        if name == "jobs":
            panels.append(_jobs_panel(overview, columns, height, glyphs))
        else:
            panels.append(_curve_panel(overview, name, columns, height, span, glyphs, has_axes=index == 0))
    return side_by_side(panels) if panels else [()] * height


def _curve_panel(
    overview: ClusterOverview, name: str, width: int, height: int, span: int, glyphs: Glyphs, *, has_axes: bool
) -> list[PlotLine]:
    samples = overview.curves.get(name, [])
    label, seconds = SPANS[span]
    inner = (width - 2, height - 2)
    # Bins have fixed places in time, so that a curve moves by whole bins and is else what it was.
    step = seconds / (2 * inner[0])
    end = math.ceil(overview.at / step + 1e-9) * step
    found = bounds([samples])
    top = 100.0 if name != "network" else round_top(found[1] if found else 0.0)
    area = PlotArea(width=inner[0], height=inner[1], begin=end - seconds, end=end, high=top)
    last = samples[-1][1] if samples else None
    if has_axes:
        lines = plot_with_axes(
            [Trace(samples=samples)], area, ends=(f"{label} ago", "now"), glyphs=glyphs, tone_at=load_tone, gap=math.inf
        )
    else:
        tone_at: Callable[[float], str] = load_tone if name != "network" else _network_tone
        lines = plot([Trace(samples=samples)], area, marks=marks_for(glyphs), tone_at=tone_at, gap=math.inf)
    state, foot = _value(name, last), _foot(overview, name, top)
    return framed(lines, width, height, title=TITLES[name], state=state, foot=foot, glyphs=glyphs)


def _network_tone(_: float) -> str:
    """Traffic is neither good nor bad."""
    return "load-1"


def _value(name: str, value: float | None) -> list[Part]:
    if value is None:
        return [Part(UNKNOWN, "quiet")]
    if name == "network":
        return [Part(speed(value), "strong")]
    return [Part(f"{value:.0f} %", load_tone(value))]


def speed(megabytes: float) -> str:
    """A speed in MB/s, in words of a few characters, in the unit that it has most of."""
    for unit, factor in (("GB/s", 1e-3), ("MB/s", 1.0), ("kB/s", 1e3)):
        if megabytes * factor >= 0.9995:
            return f"{megabytes * factor:.1f} {unit}" if unit == "GB/s" else f"{megabytes * factor:.3g} {unit}"
    return f"{megabytes * 1e6:.0f} B/s"


def _foot(overview: ClusterOverview, name: str, top: float) -> list[Part]:
    """What is behind the curve: amounts, and what Ray has reserved, which is not what is used."""
    match name:
        case "gpu":
            idle = [gpu for gpu in overview.idle if gpu.counts]
            held = [Part(f"held {overview.held:g} of {overview.gpus}", "quiet")]
            return [*held, Part(f" · {len(idle)} idle", "warn")] if idle else held
        case "gpu_memory":
            return _amounts(overview.gpu_memory)
        case "memory":
            return _amounts(overview.memory)
        case "cpu":
            return _reserved(overview.reserved)
        case _:
            return [Part(f"scale {speed(top)}", "quiet")]


def _amounts(use: Usage | None) -> list[Part]:
    """Used and total, in the unit of the total where both have the same."""
    if use is None:
        return []
    used, total = size(int(use.used)), size(int(use.total))
    number, _, unit = used.partition(" ")
    return [Part(f"{number if total.endswith(f' {unit}') else used} of {total}", "quiet")]


def _reserved(reserved: Mapping[str, Usage]) -> list[Part]:
    cpu = reserved.get("CPU")
    return [] if cpu is None else [Part(f"reserved {cpu.used:g}/{cpu.total:g}", "quiet")]


_JOBS = (
    ("RUNNING", "running", ""),
    ("PENDING", "pending", "warn"),
    ("FAILED", "failed", "error"),
    ("STOPPED", "stopped", "quiet"),
    ("SUCCEEDED", "succeeded", "quiet"),
)


def _jobs_panel(overview: ClusterOverview, width: int, height: int, glyphs: Glyphs) -> list[PlotLine]:
    counts = overview.jobs
    if counts is None:
        return framed([(Part(" asking…", "quiet"),)], width, height, title="Jobs", glyphs=glyphs)
    digits = max((len(str(counts.get(status, 0))) for status, *_ in _JOBS), default=1)
    lines: list[PlotLine] = []
    for status, word, tone in _JOBS:
        count = counts.get(status, 0)
        shown = tone if count else "quiet"
        today = f" · {overview.failed_today} today" if status == "FAILED" and overview.failed_today else ""
        lines.append((Part(f" {glyphs.state(status)} {count:>{digits}} {word}", shown), Part(today, "quiet")))
    total = sum(counts.values())
    return framed(lines, width, height, title="Jobs", state=[Part(f"{total:,}", "quiet")], glyphs=glyphs)


# Attention


def trouble_parts(trouble: Trouble, glyphs: Glyphs = UNICODE) -> tuple[PlotLine, PlotLine]:
    """The line of one problem: a sentence, and the text at its right end."""
    sign, tone, text = _said(trouble, glyphs)
    right = f"{money(trouble.usd)}/h wasted" if trouble.usd is not None else ""
    return (Part(f"{sign} ", tone), Part(visible(text), "" if tone != "quiet" else "quiet")), (Part(right, "warn"),)


def _said(one: Trouble, glyphs: Glyphs) -> tuple[str, str, str]:
    because = f": {one.reason}" if one.reason else ""
    ago = f" {coarse(one.seconds)} ago" if one.seconds is not None else ""
    amount = one.amount or 0.0
    match one.kind:
        case "dead-node":
            return glyphs.failed, "error", f"{one.name} died{ago}{because}"
        case "never-starts":
            return glyphs.failed, "error", f"{one.name} can never start{because}"
        case "waits":
            return glyphs.state("PENDING"), "warn", f"{one.name} waits for {coarse(one.seconds)}{because}"
        case "failed":
            return glyphs.failed, "error", f"{one.name} failed{ago}{because}"
        case "idle":
            gpus = "1 GPU" if amount == 1 else f"{amount:g} GPUs"
            return "!", "warn", f"{gpus} held and idle for {coarse(one.seconds)}: {one.name}"
        case "hot":
            return "!", "error", f"{one.name} is at {amount:.0f} °C"
        case "disk":
            return "!", _full_tone(amount), f"{one.reason} of {one.name} is {amount:.0f} % full"
        case "memory":
            return "!", _full_tone(amount), f"memory of {one.name} is {amount:.0f} % full"
        case "foreign":
            used = f", {size(int(amount))}" if amount else ""
            return "!", "warn", f"{one.name}: {one.reason} is not Ray's{used}"
        case "certificate":
            seconds = one.seconds or 0.0
            when = f"ends in {coarse(seconds)}" if seconds > 0 else f"ended {coarse(-seconds)} ago"
            return "!", "error" if seconds < 86_400 else "warn", f"the certificate of {one.name} {when}"
        case "lease":
            return "!", "error", one.name


def _full_tone(percent: float) -> str:
    return "error" if percent >= 95 else "warn"


def heat_state(overview: ClusterOverview) -> str:
    """How many GPUs there are, and how many of them are free."""
    if not overview.gpus:
        return f"{overview.nodes} node{'' if overview.nodes == 1 else 's'}"
    free = overview.gpus - overview.held
    idle = sum(gpu.counts for gpu in overview.idle)
    return " · ".join([f"{overview.gpus:,} GPUs", f"{free:g} free", *([f"{idle} idle"] if idle else [])])


def cell_state(chosen: tuple[HeatNode, int] | None) -> str:
    """What the cell under the cursor is."""
    if chosen is None:
        return ""
    node, place = chosen
    value = node.cells[place]
    word = {FREE: "free", IDLE: "held, idle", UNREPORTED: "use unknown"}.get(value, f"{value} %")
    name = f"{node.name} GPU {node.indexes[place]}" if node.indexes else node.name
    return f"{visible(name)} · {word}"
