"""Tables as lines of text, for commands: in a pipe whole, on a terminal as wide as it is."""

from collections.abc import Sequence

import msgspec

from cockpit.render.cell_text import cell_width, clip
from cockpit.render.layout import Placed, Widths, arranged
from cockpit.render.table import WIDEST, Cell, Column, Fixed, Measured, Row, cell_at, text_of
from cockpit.render.text import visible

GAP = "  "


def lines(
    columns: Sequence[Column],
    rows: Sequence[Row],
    *,
    width: int | None,
    wide: bool = False,
    headers: bool = True,
    live: bool = False,
) -> list[str]:
    """The lines of a table, cells made safe to print.

    Without a `width` no column is left out and no cell is cut; with one, columns are left out by their priority and
    cells are cut to fit. `wide` adds hidden columns and cuts nothing; `live` adds those that show the past.
    """
    indexes = [index for index, column in enumerate(columns) if _is_shown(column, wide=wide, live=live)]
    if width is None or wide:
        placed = _whole(columns, indexes, rows)
        texts = [[_text(row, place.index) for place in placed] for row in rows]
    else:
        placed = _fitted(columns, indexes, rows, width)
        texts = [[clip(_drawn(row, place.index), place.width)[0] for place in placed] for row in rows]
    titles = [[clip(place.column.title, max(place.width, cell_width(place.column.title)))[0] for place in placed]]
    return [_line(placed, cells) for cells in [*(titles if headers else []), *texts]]


def text_lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, width: int | None) -> list[str]:
    """The lines of a table of plain texts."""
    return lines(columns, [Row("", tuple(cells)) for cells in rows], width=width)


def _is_shown(column: Column, *, wide: bool, live: bool) -> bool:
    return (wide or not column.hidden) and (live or not column.live)


def _text(row: Row, index: int) -> str:
    return visible(text_of(cell_at(row, index)))


def _drawn(row: Row, index: int) -> str:
    """What the cockpit draws, where that is more than the text, such as a meter."""
    value = cell_at(row, index)
    if isinstance(value, Cell) and value.parts:
        return "".join(part.text for part in value.parts)
    return text_of(value)


def _whole(columns: Sequence[Column], indexes: Sequence[int], rows: Sequence[Row]) -> Sequence[Placed]:
    placed = []
    for index in indexes:
        column = columns[index]
        widest = max([cell_width(column.title), *(cell_width(_text(row, index)) for row in rows)])
        placed.append(Placed(column, index, 0, min(WIDEST, widest)))
    return placed


def _fitted(columns: Sequence[Column], indexes: Sequence[int], rows: Sequence[Row], width: int) -> Sequence[Placed]:
    # A screen keeps room for what may come, a command prints what there is.
    measured = [
        msgspec.structs.replace(column, width=Measured(1, column.width.width))
        if isinstance(column.width, Fixed)
        else column
        for column in columns
    ]
    drawn = [Row(row.key, tuple(_drawn(row, index) for index in range(len(columns)))) for row in rows]
    widths = Widths(measured)
    widths.measure(drawn)
    return arranged(measured, indexes, widths, width, wide=False, sticky=0).placed


def _line(placed: Sequence[Placed], cells: Sequence[str]) -> str:
    parts = []
    for place, cell in zip(placed, cells, strict=True):
        padding = " " * (place.width - cell_width(cell))
        parts.append(padding + cell if place.column.align == "right" else cell + padding)
    return GAP.join(parts).rstrip()
