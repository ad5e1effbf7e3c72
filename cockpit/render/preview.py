"""What is beside a table about the row under its cursor: titles and lines of text in tones; pure functions."""

import textwrap
from collections.abc import Iterable, Sequence

import msgspec

from cockpit.render.cell_text import cell_width, clip
from cockpit.render.table import Part
from cockpit.render.units import UNKNOWN

Line = tuple[Part, ...]

COLUMN_GAP = 3
NARROWEST_COLUMN = 36
LONGEST_LABEL = 20
# Beyond that a sentence is on the page of the thing, one key away.
MOST_CAUSE_LINES = 4


class Preview(msgspec.Struct, frozen=True):
    """A title, a state for the right end of its line, and the lines below it, the most important first."""

    title: str
    state: str = ""
    lines: Sequence[Line] = ()


def text_line(text: str, tone: str = "") -> Line:
    """A line of one tone."""
    return (Part(text, tone),)


def wrapped(text: str, width: int, tone: str = "", *, most: int = MOST_CAUSE_LINES) -> list[Line]:
    """A sentence in as many lines as it takes, at most so many; nothing for an empty one."""
    pieces = textwrap.wrap(text[: width * (most + 1)], max(1, width)) if text else []
    return [text_line(piece, tone) for piece in pieces[:most]]


def fact_lines(facts: Iterable[tuple[str, str]], width: int) -> list[Line]:
    """Labels and texts in as many columns as fit, filled row by row; what is unknown is left out.

    A text that is too long for a column has a line of its own, below the others.
    """
    known = [(label, text) for label, text in facts if text and text != UNKNOWN]
    columns = max(1, min(3, (width + COLUMN_GAP) // (NARROWEST_COLUMN + COLUMN_GAP)))
    room = (width - COLUMN_GAP * (columns - 1)) // columns
    labels = min(LONGEST_LABEL, max((cell_width(label) for label, _ in known), default=0))
    is_long = {label: cell_width(text) > room - labels - 2 for label, text in known}
    cells = [_fact(label, text, labels, room) for label, text in known if not is_long[label]]
    lines = [_side_by_side(cells[at : at + columns], room) for at in range(0, len(cells), columns)]
    return [*lines, *(_fact(label, text, labels, width) for label, text in known if is_long[label])]


def _fact(label: str, text: str, labels: int, room: int) -> Line:
    shown, size = clip(label, labels)
    value, _ = clip(text, max(1, room - labels - 2))
    return Part(shown + " " * (labels - size + 2), "quiet"), Part(value)


def _side_by_side(cells: Sequence[Line], room: int) -> Line:
    parts: list[Part] = []
    for cell in cells:
        if parts:
            parts.append(Part(" " * COLUMN_GAP))
        parts += cell
        if cell is not cells[-1]:
            parts.append(Part(" " * max(0, room - sum(cell_width(part.text) for part in cell))))
    return tuple(parts)


def beside(left: Sequence[Line], right: Sequence[Line], width: int) -> list[Line]:
    """Two blocks side by side, the left one in `width` cells; each line of the left is filled up."""
    lines: list[Line] = []
    for at in range(max(len(left), len(right))):
        first = left[at] if at < len(left) else ()
        used = sum(cell_width(part.text) for part in first)
        second = right[at] if at < len(right) else ()
        lines.append((*first, Part(" " * max(0, width - used)), *second))
    return lines
