"""Frames around lines of styled text: a title at the left of the upper edge, a state at its right, a foot below."""

from collections.abc import Iterable, Sequence

from cockpit.render.cell_text import cell_width, clip
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.plot import PlotLine
from cockpit.render.table import Part

FRAME = "frame"
"""The tone of the lines of a frame."""

LEAST_WIDTH, LEAST_HEIGHT = 8, 3
_UNICODE = ("╭", "╮", "╰", "╯", "─", "│")
_ASCII = ("+", "+", "+", "+", "-", "|")


def fitted(line: Iterable[Part], width: int, *, glyphs: Glyphs = UNICODE) -> PlotLine:
    """The parts in exactly `width` cells: cut with an ellipsis, or filled with blanks."""
    found: list[Part] = []
    room = width
    for part in line:
        if room <= 0:
            break
        text, size = clip(part.text, room, glyphs.ellipsis)
        found.append(Part(text, part.tone))
        room -= size
    return (*found, Part(" " * room)) if room > 0 else tuple(found)


def width_of(line: Iterable[Part]) -> int:
    """The cells that the parts take."""
    return sum(cell_width(part.text) for part in line)


def framed(
    lines: Sequence[PlotLine],
    width: int,
    height: int,
    *,
    title: str,
    state: Sequence[Part] = (),
    foot: Sequence[Part] = (),
    glyphs: Glyphs = UNICODE,
) -> list[PlotLine]:
    """The lines in a frame of exactly that size; what does not fit on an edge is left out, the title last."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return [fitted((), width)] * max(0, height)
    top_left, top_right, low_left, low_right, _, wall = _ASCII if glyphs.is_ascii else _UNICODE
    inner = [fitted(line, width - 2, glyphs=glyphs) for line in lines[: height - 2]]
    inner += [fitted((), width - 2)] * (height - 2 - len(inner))
    side = Part(wall, FRAME)
    return [
        _edge(top_left, top_right, width, [Part(title, "strong")], state, glyphs),
        *((side, *line, side) for line in inner),
        _edge(low_left, low_right, width, foot, (), glyphs),
    ]


def _edge(begin: str, end: str, width: int, left: Sequence[Part], right: Sequence[Part], glyphs: Glyphs) -> PlotLine:
    dash = "-" if glyphs.is_ascii else "─"
    room = width - 2
    shown = [Part(" "), *left, Part(" ")] if left else []
    state = [Part(" "), *right, Part(" ")] if right else []
    if width_of(shown) + width_of(state) > room:
        state = []
    shown = list(fitted(shown, min(width_of(shown), max(0, room)), glyphs=glyphs))
    fill = room - width_of(shown) - width_of(state)
    return (Part(begin, FRAME), *shown, Part(dash * max(0, fill), FRAME), *state, Part(end, FRAME))


def side_by_side(panels: Sequence[Sequence[PlotLine]]) -> list[PlotLine]:
    """Panels of one height beside each other."""
    return [tuple(part for line in lines for part in line) for lines in zip(*panels, strict=True)]
