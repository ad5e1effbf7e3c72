"""Sets of line numbers against Python's own sets."""

from hypothesis import given
from hypothesis import strategies as st

from cockpit.feeds.finding.line_set import CHUNK, LineSet

FAR = 3 * CHUNK
LINES = st.sets(st.integers(0, FAR) | st.sampled_from([0, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK]), max_size=40)


def made(lines: set[int], length: int = FAR + 1) -> LineSet:
    line_set = LineSet()
    line_set.put(0, length, sum(1 << line for line in lines))
    return line_set


def all_of(line_set: LineSet) -> list[int]:
    return [line_set.select(rank) for rank in range(line_set.count)]


@given(LINES, st.integers(-1, FAR + 10))
def test_it_is_a_set_in_order(lines: set[int], at: int) -> None:
    line_set = made(lines)
    assert all_of(line_set) == sorted(lines)
    assert (at in line_set) == (at in lines)
    assert line_set.rank(at) == sum(line < at for line in lines)
    assert line_set.next(at) == min((line for line in lines if line >= at), default=None)
    assert line_set.last(at) == max((line for line in lines if line <= at), default=None)


@given(LINES, LINES, st.integers(0, FAR), st.integers(0, FAR))
def test_what_is_put_replaces_what_was_there(lines: set[int], later: set[int], first: int, number: int) -> None:
    line_set = made(lines)
    assert line_set.count == len(lines)
    line_set.put(first, number, sum(1 << (line - first) for line in later if first <= line < first + number))
    changed = set(range(first, first + number))
    assert all_of(line_set) == sorted((lines - changed) | (later & changed))


@given(LINES, st.integers(0, FAR), st.integers(0, FAR), st.booleans(), st.integers(0, 9))
def test_widened_by_the_lines_around(lines: set[int], first: int, number: int, inverse: bool, context: int) -> None:
    known = range(first, first + number)
    chosen = {line for line in known if (line in lines) is not inverse}
    around = {near for line in chosen for near in range(line - context, line + context + 1) if near in known}
    widened = made(lines).widened(first, first + number, inverse=inverse, context=context)
    assert all_of(widened) == sorted(around)


def test_nothing_is_in_an_empty_set() -> None:
    line_set = LineSet()
    assert (line_set.count, line_set.next(0), line_set.last(9), 3 in line_set) == (0, None, None, False)
    assert all_of(line_set.widened(0, 3, inverse=True)) == [0, 1, 2]
