"""Draws the screen of an app as an SVG of shapes alone, which every program draws alike: no fonts, no text, no styles.

Characters are paths (see `screenshots.font`); lines, blocks and the dots of braille are drawn here, so that they meet
at the edges of cells.
"""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from rich.color import Color
from rich.segment import Segment
from rich.terminal_theme import DIMMED_MONOKAI
from textual.strip import Strip

from screenshots.font import GLYPHS

WIDTH, HEIGHT = 12, 24  # of a cell
SIZE = 19.93  # of the font, so that its characters are as wide as a cell
BASE = 18.6  # from the top of a cell to the base line
MARGIN, BAR = 18, 44
STROKE = 1.6
DOT = 3.0

_LINES = {
    "─": "lr", "│": "ud", "├": "udr", "┤": "udl", "┬": "lrd", "┴": "lru", "┼": "lrud", "┌": "rd", "┐": "ld", "└": "ru",
    "┘": "lu", "╭": "rd*", "╮": "ld*", "╰": "ru*", "╯": "lu*", "━": "lr!", "╸": "l!", "╺": "r!", "┃": "ud!",
    "╴": "l", "╶": "r",
}  # fmt: skip
_LOWER = "▁▂▃▄▅▆▇█"
_LEFT = "▏▎▍▌▋▊▉"
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_DOT_ROWS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Cell(NamedTuple):
    """One cell of the screen; colors are `#rrggbb`."""

    character: str
    ink: str
    ground: str
    is_bold: bool = False
    is_underlined: bool = False


def picture(strips: Sequence[Strip], *, title: str, ground: str, ink: str) -> str:
    """The screen in a window; `ground` and `ink` are those of the theme."""
    rows = [list(_cells(strip, ground, ink)) for strip in strips]
    width = WIDTH * max(map(len, rows)) + 2 * MARGIN
    height = HEIGHT * len(rows) + BAR + MARGIN
    used: set[tuple[str, bool]] = set()
    body = [part for y, row in enumerate(rows) for part in _grounds(row, BAR + y * HEIGHT, ground)]
    body += _inks(rows, used)
    head = _title(title, width, used)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}"'
            f' height="{height}" viewBox="0 0 {width} {height}">',
            f"<title>{_escaped(title)}</title>",
            "<defs>",
            *(_outline(character, is_bold) for character, is_bold in sorted(used)),
            "</defs>",
            f'<rect x="1" y="1" width="{width - 2}" height="{height - 2}" rx="9" fill="{ground}" stroke="#808080"/>',
            *head,
            *body,
            "</svg>\n",
        ]
    )


def _cells(strip: Strip, ground: str, ink: str) -> Iterator[Cell]:
    for segment in strip:
        yield from _cells_of(segment, ground, ink)


def _cells_of(segment: Segment, ground: str, ink: str) -> Iterator[Cell]:
    style = segment.style
    front = _hex(style.color if style else None, ink)
    back = _hex(style.bgcolor if style else None, ground)
    if style is not None and style.reverse:
        front, back = back, front
    for character in segment.text:
        yield Cell(character, front, back, bool(style and style.bold), bool(style and style.underline))


def _hex(color: Color | None, default: str) -> str:
    if color is None or color.is_default:
        return default
    return color.get_truecolor(DIMMED_MONOKAI).hex


# Grounds


def _grounds(row: Sequence[Cell], y: float, ground: str) -> Iterator[str]:
    x = 0
    for color, cells in groupby(row, key=lambda cell: cell.ground):
        count = len(list(cells))
        if color != ground:
            yield f'<rect x="{MARGIN + x * WIDTH}" y="{y:g}" width="{count * WIDTH}" height="{HEIGHT}" fill="{color}"/>'
        x += count


# What stands on them


class _Ink:
    """All shapes of one color."""

    def __init__(self) -> None:
        self.uses: list[str] = []
        self.rects: list[str] = []
        self.lines: list[str] = []
        self.heavy: list[str] = []
        self.dots: list[str] = []
        self.shades: list[str] = []

    def shapes(self, color: str) -> Iterator[str]:
        """The group of these shapes."""
        yield f'<g fill="{color}">'
        if self.rects:
            yield f'<path d="{"".join(self.rects)}"/>'
        yield from self.shades
        yield from self.uses
        yield "</g>"
        for paths, width in ((self.lines, STROKE), (self.heavy, 2.6)):
            if paths:
                yield f'<path d="{"".join(paths)}" fill="none" stroke="{color}" stroke-width="{width}"/>'
        if self.dots:
            yield (
                f'<path d="{"".join(self.dots)}" fill="none" stroke="{color}" stroke-width="{DOT:g}"'
                f' stroke-dasharray="{DOT:g} {DOT:g}"/>'
            )


def _inks(rows: Sequence[Sequence[Cell]], used: set[tuple[str, bool]]) -> Iterator[str]:
    inks: dict[str, _Ink] = {}
    for y, row in enumerate(rows):
        top = BAR + y * HEIGHT
        x = 0
        for (character, color, is_bold, is_underlined), cells in groupby(
            row, key=lambda cell: (cell.character, cell.ink, cell.is_bold, cell.is_underlined)
        ):
            count = len(list(cells))
            ink = inks.setdefault(color, _Ink())
            _draw(ink, character, MARGIN + x * WIDTH, top, count, is_bold, used)
            if is_underlined:
                ink.rects.append(_box(MARGIN + x * WIDTH, top + BASE + 2, count * WIDTH, 1.2))
            x += count
        _dot_lines(row, top, inks)
    for color, ink in inks.items():
        yield from ink.shapes(color)


def _draw(
    ink: _Ink, character: str, x: float, y: float, count: int, is_bold: bool, used: set[tuple[str, bool]]
) -> None:
    width = WIDTH * count
    if character in " \u2800" or 0x2800 < ord(character) < 0x2900:
        return
    if character in _LOWER:
        part = HEIGHT * (_LOWER.index(character) + 1) / 8
        ink.rects.append(_box(x, y + HEIGHT - part, width, part))
    elif character == "▀":
        ink.rects.append(_box(x, y, width, HEIGHT / 2))
    elif character in _LEFT:
        part = WIDTH * (_LEFT.index(character) + 1) / 8
        ink.rects += [_box(x + at * WIDTH, y, part, HEIGHT) for at in range(count)]
    elif character in "▕▐":
        part = WIDTH / 8 if character == "▕" else WIDTH / 2
        ink.rects += [_box(x + at * WIDTH + WIDTH - part, y, part, HEIGHT) for at in range(count)]
    elif character in _SHADES:
        ink.shades.append(f'<path d="{_box(x, y, width, HEIGHT)}" fill-opacity="{_SHADES[character]}"/>')
    elif character in _LINES:
        paths = ink.heavy if "!" in _LINES[character] else ink.lines
        if character in "─━":
            paths.append(f"M{x:g} {y + HEIGHT / 2:g}h{width:g}")
        else:
            paths += [_line(_LINES[character], x + at * WIDTH, y) for at in range(count)]
    else:
        used.add((character, is_bold))
        ink.uses += [_use(character, is_bold, x + at * WIDTH, y + BASE) for at in range(count)]


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}z"


def _line(sides: str, x: float, y: float) -> str:
    """The lines from the middle of a cell to its sides; with `*` two of them as an arc."""
    middle_x, middle_y = x + WIDTH / 2, y + HEIGHT / 2
    ends = {"l": (x, middle_y), "r": (x + WIDTH, middle_y), "u": (middle_x, y), "d": (middle_x, y + HEIGHT)}
    if "*" in sides:
        (x1, y1), (x2, y2) = ends[sides[0]], ends[sides[1]]
        half = middle_y + (WIDTH / 2 if y2 > middle_y else -WIDTH / 2)
        return f"M{x1:g} {y1:g}Q{middle_x:g} {middle_y:g} {middle_x:g} {half:g}L{x2:g} {y2:g}"
    return "".join(f"M{middle_x:g} {middle_y:g}L{ends[side][0]:g} {ends[side][1]:g}" for side in sides if side in ends)


def _dot_lines(row: Sequence[Cell], top: float, inks: dict[str, _Ink]) -> None:
    """Rows of dots as dashed lines: each run of dots of one color is a line of its own."""
    for number, bits in enumerate(_DOT_ROWS):
        colors: list[str | None] = []
        for cell in row:
            mask = ord(cell.character) - 0x2800
            is_braille = 0 < mask < 256
            colors += [cell.ink if is_braille and mask & bit else None for bit in bits]
        x = 0
        for color, run in groupby(colors):
            count = len(list(run))
            if color is not None:
                y = top + HEIGHT / 4 * (number + 0.5)
                begin = MARGIN + (x + 0.25) * WIDTH / 2
                inks[color].dots.append(f"M{begin:g} {y:g}h{count * WIDTH / 2 - DOT:g}")
            x += count


# Characters


@lru_cache(1)
def _glyphs() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(GLYPHS.read_text())
    return found


def _outline(character: str, is_bold: bool) -> str:
    paths = _glyphs()["bold" if is_bold else "regular"]
    if character not in paths:
        raise ValueError(f"no outline of {character!r}: add it to screenshots.font")
    return f'<path id="{_id(character, is_bold)}" transform="scale({SIZE / 1000:.5f})" d="{paths[character]}"/>'


def _use(character: str, is_bold: bool, x: float, y: float) -> str:
    return f'<use xlink:href="#{_id(character, is_bold)}" x="{x:g}" y="{y:g}"/>'


def _id(character: str, is_bold: bool) -> str:
    return f"{'b' if is_bold else 'r'}{ord(character):x}"


def _title(title: str, width: float, used: set[tuple[str, bool]]) -> Iterator[str]:
    """Three dots and the name of the window."""
    for at, color in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        yield f'<circle cx="{MARGIN + 8 + at * 22}" cy="{BAR / 2:g}" r="6.5" fill="{color}"/>'
    begin = (width - len(title) * WIDTH) / 2
    yield '<g fill="#9a9a9a">'
    for at, character in enumerate(title):
        if character != " ":
            used.add((character, False))
            yield _use(character, False, begin + at * WIDTH, BAR / 2 + 7)
    yield "</g>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
