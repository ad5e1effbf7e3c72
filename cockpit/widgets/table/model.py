"""The rows of a table with its filter, order, marks and cursor; nothing here draws."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from cockpit.render.order import SortKey, ordered
from cockpit.render.table import Row
from cockpit.widgets.table.state import Counts

Verdicts = Callable[[Iterable[Row]], dict[str, bool]]
SortKeyOf = Callable[[Row], SortKey]


class RowModel:
    """Rows, and which of them are shown where; cursor and marks belong to keys, not to places."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.view: list[Row] = []
        self.marks: frozenset[str] = frozenset()
        self.cursor: str | None = None
        self._by_key: dict[str, Row] = {}
        self._places: dict[str, int] | None = None
        self._verdicts: Verdicts | None = None
        self._passed: dict[str, bool] = {}
        self._sort_key: SortKeyOf | None = None
        self._sort_keys: dict[str, SortKey] = {}
        self._descending = False
        self._wanted: str | None = None
        self._anchor: str | None = None
        self._marks_before: frozenset[str] = frozenset()

    # Rows in and out

    def set_rows(self, rows: Iterable[Row], *, compared: bool = False) -> list[Row]:
        """Take new rows, and say which are new or changed; of rows with the same key the first counts.

        An unchanged row stays the same object: where rows were `compared` before, it is so already. Raises what the
        filter raises, with nothing changed.
        """
        given = rows if isinstance(rows, list) else list(rows)
        if given == self.rows:
            return []
        kept, changed = self._merged(given, compared=compared)
        same_places = len(kept) == len(self._by_key) and list(kept) == list(self._by_key)
        if not changed and same_places:
            return changed
        judged = self._verdicts(changed) if self._verdicts and changed else {}
        affected = self._affects_view(changed, judged) or not same_places
        self._passed.update(judged)
        self.rows, self._by_key = list(kept.values()), kept
        if affected:
            self._forget_gone()
            self._rebuild()
        else:
            self.view = [kept[row.key] for row in self.view]
        return changed

    def _merged(self, rows: Sequence[Row], *, compared: bool) -> tuple[dict[str, Row], list[Row]]:
        keys = [row.key for row in rows]
        if keys == list(self._by_key):
            pairs = zip(self.rows, rows, strict=True)
            merged = rows if compared else [old if old == new else new for old, new in pairs]
            changed = [new for old, new in zip(self.rows, merged, strict=True) if new is not old]
            return dict(zip(keys, merged, strict=True)), changed
        return self._merged_by_key(rows)

    def _merged_by_key(self, rows: Iterable[Row]) -> tuple[dict[str, Row], list[Row]]:
        known = self._by_key
        kept: dict[str, Row] = {}
        changed: list[Row] = []
        for row in rows:
            key = row.key
            if key in kept:
                continue
            old = known.get(key)
            if old is not None and (old is row or old == row):
                kept[key] = old
            else:
                kept[key] = row
                changed.append(row)
        return kept, changed

    def _affects_view(self, changed: Sequence[Row], judged: dict[str, bool]) -> bool:
        """Whether changed rows must now be shown elsewhere, or not at all; their sort keys are brought up to date."""
        affected = any(self._passed.get(key) != passes for key, passes in judged.items())
        if self._sort_key is not None:
            for row in changed:
                by = self._sort_key(row)
                affected = affected or self._sort_keys.get(row.key, self) != by
                self._sort_keys[row.key] = by
        return affected

    def _forget_gone(self) -> None:
        if len(self._passed) > len(self._by_key):
            self._passed = {key: passes for key, passes in self._passed.items() if key in self._by_key}
        if len(self._sort_keys) > len(self._by_key):
            self._sort_keys = {key: by for key, by in self._sort_keys.items() if key in self._by_key}
        self.marks = self._still_there(self.marks)
        self._marks_before = self._still_there(self._marks_before)

    def _still_there(self, keys: frozenset[str]) -> frozenset[str]:
        return frozenset(key for key in keys if key in self._by_key)

    @property
    def keys(self) -> Collection[str]:
        """The keys of all rows; another object whenever rows were taken."""
        return self._by_key

    def row(self, key: str) -> Row | None:
        """The row of a key, whether the filter shows it or not."""
        return self._by_key.get(key)

    # Filter and order

    def set_filter(self, verdicts: Verdicts | None) -> None:
        """Show only rows that pass; None shows all. Raises what `verdicts` raises, with nothing changed."""
        self._passed = verdicts(self.rows) if verdicts else {}
        self._verdicts = verdicts
        self._rebuild()

    def set_order(self, sort_key: SortKeyOf | None, *, descending: bool = False) -> None:
        """Sort by what `sort_key` says of a row; None leaves rows in the order in which they came."""
        self._sort_key, self._descending = sort_key, descending
        self._sort_keys = {}
        self._rebuild()

    def _rebuild(self) -> None:
        before, place = self.view, self.place
        rows = [row for row in self.rows if self._passed[row.key]] if self._verdicts else list(self.rows)
        if self._sort_key is not None:
            self._sort_keys.update({row.key: self._sort_key(row) for row in rows if row.key not in self._sort_keys})
            rows = ordered(rows, self._sort_keys, descending=self._descending)
        self.view, self._places = rows, None
        if self._verdicts is not None:
            self._drop_hidden_marks()
        self._settle_cursor(before, place)

    def _drop_hidden_marks(self) -> None:
        """Unmark rows that are not shown: an action must never reach a row that the user cannot see."""
        self.marks = self.marks & self.places.keys()
        self._marks_before = self._marks_before & self.places.keys()

    # The cursor

    @property
    def places(self) -> dict[str, int]:
        """Where in the view each shown key is."""
        if self._places is None:
            self._places = {row.key: place for place, row in enumerate(self.view)}
        return self._places

    @property
    def place(self) -> int | None:
        """The cursor's index in the view; None in an empty table."""
        return None if self.cursor is None else self.places.get(self.cursor)

    def move_to(self, place: int) -> None:
        """Put the cursor on a row of the view; places beyond an end mean the end."""
        if self.view:
            self.cursor = self.view[min(max(0, place), len(self.view) - 1)].key
            self._wanted = None

    def _settle_cursor(self, before: Sequence[Row], place: int | None) -> None:
        """Keep the cursor on its key; else on the nearest row that is left; back on it once it is shown again."""
        if self._wanted in self.places:
            self.cursor, self._wanted = self._wanted, None
        if self._wanted not in self._by_key:
            self._wanted = None
        if self.cursor in self.places:
            return
        if self.cursor in self._by_key and self._wanted is None:
            self._wanted = self.cursor
        self.cursor = self._nearest(before, place)

    def _nearest(self, before: Sequence[Row], place: int | None) -> str | None:
        if not self.view:
            return None
        for near in _outwards(place or 0, len(before)):
            if before[near].key in self.places:
                return before[near].key
        return self.view[min(place or 0, len(self.view) - 1)].key

    # Marks

    @property
    def counts(self) -> Counts:
        """How many rows are shown, there and marked."""
        return Counts(len(self.view), len(self.rows), len(self.marks))

    @property
    def marked_rows(self) -> list[Row]:
        """The marked rows in the order of the view; a hidden row is never marked."""
        return [row for row in self.view if row.key in self.marks] if self.marks else []

    def set_marks(self, keys: Iterable[str]) -> None:
        """Mark these rows and no others; keys that are not shown are ignored."""
        self.marks = frozenset(key for key in keys if key in self.places)

    def mark_shown(self) -> None:
        """Mark every row of the view, or clear the marks if all are marked."""
        shown = frozenset(self.places)
        self.marks = frozenset() if self.marks >= shown else shown

    @property
    def in_range(self) -> bool:
        """Whether moving the cursor marks what lies between."""
        return self._anchor is not None

    def begin_range(self) -> None:
        """Mark from here to wherever the cursor moves."""
        self._anchor, self._marks_before = self.cursor, self.marks
        self.extend_range()

    def extend_range(self) -> None:
        """Mark what lies between the beginning of the range and the cursor, and no longer what lay there before."""
        here, anchor = self.place, self.places.get(self._anchor) if self._anchor is not None else None
        if here is None or anchor is None:
            self.end_range()
            return
        first, last = min(here, anchor), max(here, anchor)
        self.marks = self._marks_before | {row.key for row in self.view[first : last + 1]}

    def end_range(self) -> None:
        """Leave the marks as they are and let the cursor move freely."""
        self._anchor = None


def _outwards(place: int, count: int) -> Iterator[int]:
    """Places from the nearest to the farthest, below before above."""
    yield from (near for step in range(count + 1) for near in (place + step, place - step) if 0 <= near < count)
