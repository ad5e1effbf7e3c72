"""Tables as plain data: each resource declares its columns, rows, order and JSON records once.

The cockpit draws a declaration with `LiveTable`, the commands print it with `render.plain`: both have the same
headings, order, names and units. A new resource takes three steps (`widgets` for instance):

1. A file `render/widgets.py` with its `Column`s, a function that makes a `Row` of one item, one that makes the JSON
   record of one item, and the declaration:

       WIDGETS: TableSpec[Widget] = TableSpec(
           name="widgets", title="Widgets", columns=COLUMNS, row=widget_row, record=widget_record,
           empty="No widgets.",
       )

2. A line in `panes/registry.py`, with the topic that asks for `Rows` of them (`feeds/topics.py`):

       table("widgets", "Widgets", "cockpit.render.widgets:WIDGETS", "cockpit.feeds.topics:WIDGETS")

3. A line in `RESOURCES` of `cli/listings.py`:

       Resource("widgets", "list widgets", "cockpit.render.widgets:WIDGETS", lambda client: client.widgets.list())

Pane and command then sort, filter, mark, copy, watch, print JSON and pick fields as all the others do. A pane with
actions of its own is a subclass of `TablePane` with the declaration as its `SPEC`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Literal, TypeVar

import msgspec

from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.units import UNKNOWN

T = TypeVar("T")

Record = dict[str, Any]

# How far the cells of a column are padded in a table of a command.
WIDEST = 300
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
    `hidden` columns are shown only to those who ask for them; `live` ones show the past, so only where it was seen.
    """

    key: str
    title: str
    width: Fixed | Measured | Flexible = Measured()
    align: Align = "left"
    sortable: bool = True
    hidden: bool = False
    live: bool = False
    priority: int = 1


def text_column(title: str, *, right: bool = False, shrink: bool = False, priority: int = 0) -> Column:
    """A column of plain text, its title as its key; one that may `shrink` gives way where there is little space."""
    width = Flexible(8, WIDEST) if shrink else Measured(1, WIDEST)
    return Column(key=title, title=title, width=width, align="right" if right else "left", priority=priority)


class Sort(msgspec.Struct, frozen=True):
    """By which column rows are sorted."""

    column: str
    descending: bool = False


class Arrangement(msgspec.Struct, frozen=True, kw_only=True):
    """How a user has set a table up, for the settings; keys of columns that do not exist are passed over.

    `order` may name only some of the columns: the rest follow. `wide` shows every chosen column in its full
    width, to be scrolled, instead of leaving some out. `preview` shows what is known of the row under the cursor beside
    the table, where there is room.
    """

    order: tuple[str, ...] = ()
    hidden: tuple[str, ...] | None = None
    sort: Sort | None = None
    wide: bool = False
    preview: bool = True


class RowContext(msgspec.Struct, frozen=True, kw_only=True):
    """What rows depend on beside their items: `now` in seconds since the epoch, and names of nodes by node ID.

    `waiting` says in a few words why pending jobs wait, by submission ID.
    """

    now: float = 0.0
    glyphs: Glyphs = UNICODE
    node_names: Mapping[str, str] = {}
    waiting: Mapping[str, str] = {}

    def node_name(self, node_id: str | None) -> str | None:
        """The name of a node, else the beginning of its ID; None for None."""
        return None if node_id is None else self.node_names.get(node_id) or node_id[:SHORT_ID]


SHORT_ID = 12


def as_they_come(items: Iterable[T], _: RowContext) -> list[T]:
    """The order of the reply."""
    return list(items)


class TableSpec(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """The declaration of one resource; `name` is its plural, in JSON too, `noun` in sentences where that differs.

    `id_column` is what is copied and what `-o name` prints. `order` sorts items where the user has chosen no column.
    `names_nodes` says that rows show names of nodes, so that the nodes are requested too.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    row: Callable[[T, RowContext], Row]
    record: Callable[[T], Record]
    empty: str
    noun: str = ""
    id_column: str = "id"
    order: Callable[[Iterable[T], RowContext], list[T]] = as_they_come
    names_nodes: bool = False

    def rows(self, items: Iterable[T], context: RowContext) -> list[Row]:
        """The rows in their order."""
        return [self.row(item, context) for item in self.order(items, context)]

    @property
    def id_index(self) -> int:
        """The place of the ID's column."""
        return [column.key for column in self.columns].index(self.id_column)


def text_of(value: Value) -> str:
    """The text of a cell as it came, unknown as a dash."""
    if isinstance(value, str):
        return value
    return UNKNOWN if value is None else value.text


def cell_at(row: Row, index: int) -> Value:
    """The cell of a column; unknown where the row is too short."""
    return row.cells[index] if index < len(row.cells) else None
