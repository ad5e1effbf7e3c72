"""A CPU profile drawn: rows of cells for a terminal, and an SVG that a browser zooms."""

from collections.abc import Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape

from cockpit.model.flame import Frame, hottest
from cockpit.render.cell_text import clip
from cockpit.render.text import visible

NARROWEST = 3  # cells that a name needs
MOST_ROWS = 40
HOTTEST = 10
ROW_HEIGHT = 18
SVG_WIDTH = 1200
_COLORS = ("#e07a5f", "#e8935f", "#efac5f", "#f2c46d")


class Cell(NamedTuple):
    """A frame in its row: where it starts and how wide it is, in the unit of the drawing."""

    start: float
    width: float
    frame: Frame


def rows(root: Frame, width: float, *, narrowest: float) -> Iterator[list[Cell]]:
    """A row per depth, callers above what they called; what is narrower than `narrowest` is left out."""
    row = [Cell(0.0, width, root)] if root.samples else []
    while row:
        yield row
        below: list[Cell] = []
        for cell in row:
            start = cell.start
            for frame in cell.frame.ordered():
                share = cell.width * frame.samples / cell.frame.samples
                if share >= narrowest:
                    below.append(Cell(start, share, frame))
                start += share
        row = below


def flame_lines(root: Frame, width: int) -> list[str]:
    """The profile as text: a line per depth, then the functions that took most of the time themselves."""
    if not root.samples:
        return []
    lines = [
        _line(row, width)
        for row, _ in zip(rows(root, float(width), narrowest=NARROWEST), range(MOST_ROWS), strict=False)
    ]
    lines += ["", "  OWN  FUNCTION"]
    lines += [f"{count / root.samples:5.0%}  {clip(name, width - 7)[0]}" for name, count in hottest(root, HOTTEST)]
    return lines


def _line(row: list[Cell], width: int) -> str:
    text, used = "", 0
    for cell in row:
        start, end = round(cell.start), min(width, round(cell.start + cell.width))
        room = end - start - 1
        if room < 1 or start < used:
            continue
        name, size = clip(cell.frame.name, room)
        text += " " * (start - used) + "▏" + name + " " * (room - size)
        used = end
    return text.rstrip()


def svg(root: Frame, title: str) -> str:
    """The profile as a picture of its own; each cell tells its function and share when pointed at."""
    drawn = [(depth, cell) for depth, row in enumerate(rows(root, float(SVG_WIDTH), narrowest=0.5)) for cell in row]
    height = (max((depth for depth, _ in drawn), default=0) + 3) * ROW_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SVG_WIDTH}" height="{height}" '
        f'viewBox="0 0 {SVG_WIDTH} {height}" font-family="monospace" font-size="11">',
        f'<text x="4" y="14" font-size="13">{escape(visible(title))}</text>',
        *(_rectangle(depth, cell, root.samples) for depth, cell in drawn),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _rectangle(depth: int, cell: Cell, samples: int) -> str:
    y = (depth + 1) * ROW_HEIGHT + 4
    name = visible(cell.frame.name)
    label = clip(name, int(cell.width / 6.8) - 1)[0] if cell.width > 20 else ""
    return (
        f"<g><title>{escape(name)}: {cell.frame.samples / samples:.1%} ({cell.frame.samples} samples)</title>"
        f'<rect x="{cell.start:.1f}" y="{y}" width="{cell.width:.1f}" height="{ROW_HEIGHT - 1}" '
        f'fill="{_COLORS[depth % len(_COLORS)]}" stroke="#fff" stroke-width="0.5"/>'
        f'<text x="{cell.start + 3:.1f}" y="{y + 12}">{escape(label)}</text></g>'
    )
