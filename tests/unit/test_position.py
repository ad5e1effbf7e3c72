"""Finding the place of bytes held in a file that can be read from its first byte only."""

from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.feeds.position import AnchorSearch, Found, LogReplacedError, Overlap, anchor_of, is_shiftable
from cockpit.feeds.spool import Spool

# Few letters make many coincidences.
LOGS = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"aa\n", b"ab"]), max_size=40).map(b"".join)
CUTS = st.lists(st.integers(1, 7), min_size=1, max_size=30)


def pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The data in chunks of these sizes, over and over."""
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        yield data[at : at + size]
        at, turn = at + size, turn + 1


def spool_of(data: bytes) -> Spool:
    """A spool that holds these bytes."""
    spool = Spool()
    spool.append(data)
    return spool


@given(log=LOGS, sizes=CUTS, ends=st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(0, 80)))
def test_overlap_gives_back_what_is_new(log: bytes, sizes: list[int], ends: tuple[int, int, int]) -> None:
    origin, held_to, _ = sorted(min(end, len(log)) for end in ends)
    before = b"of another file"
    with spool_of(before + log[origin:held_to]) as spool:
        overlap = Overlap(spool, base=len(before), origin=origin)
        fresh = b"".join(overlap.feed(piece) for piece in pieces(log, sizes))
        assert fresh == log[held_to:]
        assert overlap.is_passed


@given(log=LOGS.filter(len), sizes=CUTS, at=st.integers(0, 1000))
def test_overlap_notices_any_other_byte(log: bytes, sizes: list[int], at: int) -> None:
    at %= len(log)
    other = log[:at] + bytes([log[at] ^ 1]) + log[at + 1 :]
    with spool_of(log) as spool:
        overlap = Overlap(spool, base=0, origin=0)
        with pytest.raises(LogReplacedError):
            deque(map(overlap.feed, pieces(other, sizes)), maxlen=0)


@given(log=LOGS.filter(len), sizes=CUTS)
def test_overlap_of_a_shorter_file_is_not_passed(log: bytes, sizes: list[int]) -> None:
    with spool_of(log) as spool:
        overlap = Overlap(spool, base=0, origin=0)
        assert b"".join(overlap.feed(piece) for piece in pieces(log[:-1], sizes)) == b""
        assert not overlap.is_passed


@given(log=LOGS, sizes=CUTS, start=st.integers(0, 80), length=st.integers(1, 20))
def test_anchor_is_found_where_it_is_last(log: bytes, sizes: list[int], start: int, length: int) -> None:
    anchor = log[start : start + length] or b"nowhere"
    search = AnchorSearch(anchor)
    for piece in pieces(log, sizes):
        search.feed(piece)
    places = [at for at in range(len(log)) if log.startswith(anchor, at)]
    expected = None
    if places:
        end = places[-1] + len(anchor)
        expected = Found(end=end, is_only=len(places) == 1, newlines=log[:end].count(b"\n"))
    assert search.found() == expected


def test_anchor_in_a_log_of_one_repeated_line_takes_no_time() -> None:
    # Looked at one by one, a million occurrences of 64 KiB take minutes.
    log = b"tick\n" * 2_000_000
    search = AnchorSearch(log[:65536])
    for at in range(0, len(log), 65536):
        search.feed(log[at : at + 65536])
    found = search.found()
    assert found is not None
    assert not found.is_only


@given(lines=st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"c"]), max_size=12))
def test_shiftable_is_what_is_its_own_beginning_some_lines_on(lines: list[bytes]) -> None:
    tail = b"".join(lines)
    starts = [at + 1 for at, byte in enumerate(tail) if byte == 10 and at + 1 < len(tail)]
    assert is_shiftable(tail) == any(tail.startswith(tail[at:]) for at in starts)


def test_anchor_is_of_the_present_file_only() -> None:
    with spool_of(b"old" + b"new") as spool:
        assert anchor_of(spool, 3) == b"new"


def test_spool_reads_what_was_appended() -> None:
    with spool_of(b"one") as spool:
        spool.append(b"two")
        assert (spool.size, spool.read(2, 3), spool.read(6, 9)) == (6, b"etw", b"")
