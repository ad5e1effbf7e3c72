"""What a live table is made of: columns, rows and cells as plain data."""

from enum import StrEnum
from typing import Literal

import msgspec

from cockpit.render.units import UNKNOWN

Align = Literal["left", "right"]


class Part(msgspec.Struct, frozen=True, gc=False):
    """A piece of a cell in one tone; tones are those of `cockpit.widgets.tones`."""

    text: str
    tone: str = ""


class Cell(msgspec.Struct, frozen=True, gc=False):
    """A cell that is more than text.

    `text` is what is copied and filtered, `sort` what it is sorted by (without it, the text), `parts` what is
    drawn in place of the text where one tone is not enough.
    """

    text: str
    tone: str = ""
    sort: float | str | None = None
    parts: tuple[Part, ...] = ()


# Plain text is the common case and the cheap one; None is unknown.
Value = Cell | str | None


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row: a key that names it for as long as it exists, and a cell for each column in their first order."""

    key: str
    cells: tuple[Value, ...]


class Fixed(msgspec.Struct, frozen=True):
    """A column of one width, in cells."""

    width: int


class Measured(msgspec.Struct, frozen=True):
    """A column as wide as its widest content seen so far; it is hidden rather than made narrower than `minimum`."""

    minimum: int = 4
    maximum: int = 40


class Flexible(msgspec.Struct, frozen=True):
    """A column that shares, by `weight`, what the others leave, as far as its content has use for it."""

    minimum: int = 12
    maximum: int = 200
    weight: int = 1


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column; units belong into its title.

    Where a table is too wide, columns with the highest `priority` are left out first, those with 0 never.
    `hidden` columns are shown only to those who ask for them.
    """

    key: str
    title: str
    width: Fixed | Measured | Flexible = Measured()
    align: Align = "left"
    sortable: bool = True
    hidden: bool = False
    priority: int = 1


class Sort(msgspec.Struct, frozen=True):
    """By which column rows are sorted."""

    column: str
    descending: bool = False


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """How a user has set a table up, for the settings; keys of columns that do not exist are passed over.

    `order` may name only some of the columns: the rest follow. `wide` shows every chosen column in its full
    width, to be scrolled, instead of leaving some out.
    """

    order: tuple[str, ...] = ()
    hidden: tuple[str, ...] | None = None
    sort: Sort | None = None
    wide: bool = False


class Phase(StrEnum):
    """How far the rows can be trusted."""

    READY = "ready"
    LOADING = "loading"
    STALE = "stale"
    FAILED = "failed"


class Counts(msgspec.Struct, frozen=True):
    """Rows that pass the filter, all rows, and marked rows."""

    shown: int = 0
    total: int = 0
    marked: int = 0


def text_of(value: Value) -> str:
    """The text of a cell as it came, unknown as a dash."""
    if isinstance(value, str):
        return value
    return UNKNOWN if value is None else value.text


def cell_at(row: Row, index: int) -> Value:
    """The cell of a column; unknown where the row is too short."""
    return row.cells[index] if index < len(row.cells) else None
