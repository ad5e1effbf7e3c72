"""The filter of a table: `words` that all occur, `/regex`, and `!` before either for the rest."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from cockpit.render.table import Row, text_of
from cockpit.widgets.table.time_limit import TimeIsUpError, time_limit

# A cell is searched this far: an entrypoint may have 10,000 characters, 5,000 times.
REACH = 4096
REGEX_SECONDS = 0.2
_MOST_REMEMBERED = 50_000

Test = Callable[[str], bool]


class FilterError(Exception):
    """A filter that cannot be used; its text says why in a few words."""


class Haystacks:
    """What is searched in each row: the texts of some of its cells, a line each, case folded.

    They are remembered while a filter is being typed: folding is most of the work.
    """

    def __init__(self, searched: Sequence[int]) -> None:
        self.searched = tuple(searched)
        self._known: dict[str, tuple[Row, str]] = {}

    def of(self, rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
        """The key and the text of each row."""
        known = self._known
        if len(known) > _MOST_REMEMBERED:
            known.clear()
        for row in rows:
            entry = known.get(row.key)
            if entry is None or entry[0] is not row:
                entry = known[row.key] = row, self._haystack(row)
            yield row.key, entry[1]

    def prepare(self, rows: Iterable[Row]) -> None:
        """Fold the texts of these rows, so that a time limit measures the search alone."""
        for _ in self.of(rows):
            pass

    def _haystack(self, row: Row) -> str:
        cells = row.cells
        texts = [text_of(cells[index]) for index in self.searched if index < len(cells)]
        whole = "\n".join(texts)
        return (whole if len(whole) <= REACH else "\n".join([text[:REACH] for text in texts])).casefold()


class RowFilter:
    """One filter, ready to use. Raises FilterError for an invalid regex.

    Case does not matter. In a regex `^` and `$` stand for the ends of a cell.
    """

    def __init__(self, text: str, haystacks: Haystacks) -> None:
        self._haystacks = haystacks
        self._inverse = text.startswith("!")
        body = text[1:] if self._inverse else text
        self._is_regex = body.startswith("/")
        self._test = _regex_test(body[1:]) if self._is_regex else _words_test(body)

    def verdicts(self, rows: Iterable[Row]) -> dict[str, bool]:
        """For the key of each row, whether it passes. Raises FilterError for a regex that takes too long."""
        if self._test is None:
            return {row.key: True for row in rows}
        if not self._is_regex:
            return self._tested(rows, self._test)
        given = list(rows)
        self._haystacks.prepare(given)
        try:
            with time_limit(REGEX_SECONDS):
                return self._tested(given, self._test)
        except TimeIsUpError:
            raise FilterError("too slow a regex") from None

    def _tested(self, rows: Iterable[Row], test: Test) -> dict[str, bool]:
        inverse = self._inverse
        return {key: test(haystack) is not inverse for key, haystack in self._haystacks.of(rows)}


def _words_test(body: str) -> Test | None:
    words = body.casefold().split()
    if not words:
        return None
    if len(words) == 1:
        only = words[0]
        return lambda haystack: only in haystack
    return lambda haystack: all(word in haystack for word in words)


def _regex_test(pattern: str) -> Test | None:
    if not pattern:
        return None
    try:
        search = re.compile(pattern, re.IGNORECASE | re.MULTILINE).search
    except (re.error, OverflowError, RecursionError) as error:
        raise FilterError(f"no regex: {error}") from None
    return lambda haystack: search(haystack) is not None
