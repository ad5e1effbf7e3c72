"""How wide text is on a terminal, and plain tables made of it."""

import unicodedata
from collections.abc import Sequence

import msgspec

from cockpit.render.text import visible

GAP = "  "
NARROWEST = 8
WIDEST = 300  # each row is padded to the widest cell, and a cell may be a megabyte
ELLIPSIS = "…"


def cell_width(text: str) -> int:
    """Columns that `text` takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, width: int) -> str:
    """`text` cut to `width` columns, with an ellipsis where something was cut."""
    if cell_width(text) <= width:
        return text
    kept, used = [], 0
    for character in text:
        used += _character_width(character)
        if used > width - 1:
            break
        kept.append(character)
    return "".join(kept) + ELLIPSIS if width > 0 else ""


class Column(msgspec.Struct, frozen=True):
    """A column of a plain table; those that may `shrink` give way when the table is too wide."""

    title: str
    right: bool = False
    shrink: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, width: int | None) -> list[str]:
    """Lines of a table with a header; cells are made safe to print. `width` None lets it be as wide as it is."""
    cells = [[visible(cell) for cell in row] for row in rows]
    widths = [
        min(WIDEST, max([cell_width(column.title), *(cell_width(row[index]) for row in cells)]))
        for index, column in enumerate(columns)
    ]
    if width is not None:
        widths = _shrunk(columns, widths, width)
    titles = [column.title for column in columns]
    return [_line(columns, widths, row) for row in [titles, *cells]]


def _shrunk(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    """Take what is too much from the widest column that may shrink, a cell at a time."""
    widths = list(widths)
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    flexible = [index for index, column in enumerate(columns) if column.shrink]
    while excess > 0 and flexible:
        widest = max(flexible, key=lambda index: widths[index])
        if widths[widest] <= NARROWEST:
            break
        widths[widest] -= 1
        excess -= 1
    return widths


def _line(columns: Sequence[Column], widths: Sequence[int], row: Sequence[str]) -> str:
    parts = []
    for column, width, cell in zip(columns, widths, row, strict=True):
        shown = fit(cell, width)
        padding = " " * (width - cell_width(shown))
        parts.append(padding + shown if column.right else shown + padding)
    return GAP.join(parts).rstrip()
