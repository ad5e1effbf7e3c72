"""Which columns are shown, in which order, and how wide: from content, space and the user's wishes."""

from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from itertools import zip_longest

import msgspec

from cockpit.render.cell_text import cell_width, width_of
from cockpit.render.table import Arrangement, Column, Fixed, Flexible, Row, text_of

GAP = 2
_MEASURED = 100


class Placed(msgspec.Struct, frozen=True):
    """A column on the screen: `index` is that of its cells, `x` and `width` count terminal cells."""

    column: Column
    index: int
    x: int
    width: int


class Layout(msgspec.Struct, frozen=True):
    """Columns side by side; `left_out` had no room, `width` is that of all, `sticky` that of those that stay."""

    placed: tuple[Placed, ...] = ()
    left_out: tuple[Column, ...] = ()
    width: int = 0
    sticky: int = 0

    def column_at(self, x: int) -> Column | None:
        """The column under a place of the unscrolled line; a gap belongs to the column before it."""
        for place in reversed(self.placed):
            if x >= place.x:
                return place.column
        return None


class Widths:
    """How wide the content of each column has been: it grows with each row, and is measured again when rows go."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._seen = [cell_width(column.title) for column in columns]

    def measure(self, rows: Iterable[Row]) -> bool:
        """Look at new rows; say whether a column has grown."""
        before = list(self._seen)
        values = zip_longest(*(row.cells for row in rows))
        for index, (column, cells) in enumerate(zip(self._columns, values, strict=False)):
            if self._may_grow(column, index):
                texts = [cell if isinstance(cell, str) else text_of(cell) for cell in cells]
                self._seen[index] = max(self._seen[index], _widest(texts, self._seen[index], _most(column)))
        return self._seen != before

    def renew(self, rows: Iterable[Row]) -> bool:
        """Measure these rows and no others; say whether a column has another width."""
        before, self._seen = self._seen, [cell_width(column.title) for column in self._columns]
        self.measure(rows)
        return self._seen != before

    def _may_grow(self, column: Column, index: int) -> bool:
        return not isinstance(column.width, Fixed) and self._seen[index] < _most(column)

    def natural(self, index: int) -> int:
        """The width that a column would like to have."""
        rule = self._columns[index].width
        if isinstance(rule, Fixed):
            return rule.width
        return min(max(self._seen[index], rule.minimum), max(rule.maximum, rule.minimum))


def _widest(texts: Sequence[str], seen: int, most: int) -> int:
    """The cells that the widest text takes, at most `most`; of odd texts only the longest are measured."""
    plain = max([len(text) for text in texts if text.isascii()], default=0)
    # A character is at most two cells wide: most texts are settled by their length.
    odd = {text for text in texts if not text.isascii() and 2 * len(text) > seen}
    return max([min(plain, most), *(width_of(text, most) for text in nlargest(_MEASURED, odd, key=len))])


def _most(column: Column) -> int:
    rule = column.width
    return rule.width if isinstance(rule, Fixed) else rule.maximum


def chosen(columns: Sequence[Column], arrangement: Arrangement) -> list[int]:
    """Indexes of the columns that the user wants to see, in the user's order; never none at all."""
    by_key = {column.key: index for index, column in enumerate(columns)}
    named = [by_key[key] for key in dict.fromkeys(arrangement.order) if key in by_key]
    order = named + [index for index in range(len(columns)) if index not in set(named)]
    hidden = set(arrangement.hidden) if arrangement.hidden is not None else None
    shown = [
        index for index in order if not (columns[index].hidden if hidden is None else columns[index].key in hidden)
    ]
    return shown or order[:1]


def arranged(
    columns: Sequence[Column], indexes: Sequence[int], widths: Widths, space: int, *, wide: bool, sticky: int
) -> Layout:
    """Place the chosen columns into `space` cells; with `wide` all of them, however much space that takes.

    `sticky` is how many of the first columns stay when the rest is scrolled.
    """
    natural = {index: widths.natural(index) for index in indexes}
    if wide:
        return _placed(columns, indexes, natural, (), sticky, space)
    wanted = {index: _wanted(columns[index], natural[index]) for index in indexes}
    kept = _kept(columns, indexes, wanted, space)
    fitted = _grown(columns, kept, _squeezed(columns, kept, wanted, space), natural, space)
    left_out = tuple(columns[index] for index in indexes if index not in set(kept))
    return _placed(columns, kept, fitted, left_out, sticky, space)


def _wanted(column: Column, natural: int) -> int:
    """What a column takes before the rest of the space is shared out."""
    return min(column.width.minimum, natural) if isinstance(column.width, Flexible) else natural


def _total(widths: Iterable[int]) -> int:
    each = list(widths)
    return sum(each) + GAP * max(0, len(each) - 1)


def _kept(columns: Sequence[Column], indexes: Sequence[int], wanted: Mapping[int, int], space: int) -> list[int]:
    """Leave out the least important columns, the last of equals first, until the others have room."""
    kept = list(indexes)
    by_importance = sorted(range(len(indexes)), key=lambda place: (columns[indexes[place]].priority, place))
    for place in reversed(by_importance):
        if columns[indexes[place]].priority == 0 or _total(wanted[index] for index in kept) <= space:
            break
        if len(kept) > 1:
            kept.remove(indexes[place])
    return kept


def _squeezed(columns: Sequence[Column], kept: Sequence[int], wanted: Mapping[int, int], space: int) -> dict[int, int]:
    """Where even the important columns are too many, take cells from the widest that can spare some."""
    fitted = {index: wanted[index] for index in kept}
    excess = _total(fitted.values()) - space
    while excess > 0:
        spare = {index: fitted[index] - _least(columns[index]) for index in kept}
        index = max(kept, key=lambda one: (spare[one] > 0, fitted[one]))
        if spare[index] <= 0:
            break
        fitted[index] -= 1
        excess -= 1
    return fitted


def _least(column: Column) -> int:
    return column.width.width if isinstance(column.width, Fixed) else column.width.minimum


def _grown(
    columns: Sequence[Column], kept: Sequence[int], fitted: dict[int, int], natural: Mapping[int, int], space: int
) -> dict[int, int]:
    """Share what is left among flexible columns, by weight, none getting more than it has use for."""
    left = space - _total(fitted.values())
    while left > 0:
        hungry = {
            index: rule.weight
            for index in kept
            if isinstance(rule := columns[index].width, Flexible) and fitted[index] < natural[index]
        }
        if not hungry:
            break
        for index, weight in hungry.items():
            share = min(natural[index] - fitted[index], left, max(1, left * weight // sum(hungry.values())))
            fitted[index] += share
            left -= share
    return fitted


def _placed(
    columns: Sequence[Column],
    indexes: Sequence[int],
    widths: Mapping[int, int],
    left_out: tuple[Column, ...],
    sticky: int,
    space: int,
) -> Layout:
    placed, x = [], 0
    for index in indexes:
        placed.append(Placed(columns[index], index, x, widths[index]))
        x += widths[index] + GAP
    width = max(0, x - GAP)
    # What stays must leave room for what scrolls.
    ends = [place.x + place.width + GAP for place in placed[:sticky]]
    stays = max((end for end in ends if end <= space // 2), default=0)
    return Layout(tuple(placed), left_out, width, stays if width > space else 0)
