"""A reading from the last lines is placed where it belongs, or not at all."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.feeds import holding, placing
from cockpit.feeds.holding import Holding
from cockpit.feeds.placing import LineCount, Placing
from cockpit.feeds.position import Found, LogReplacedError
from cockpit.feeds.spool import Spool

# Few words make many coincidences.
LOGS = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"aa\n", b"ab"]), min_size=1, max_size=40).map(b"".join)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is far and long otherwise is a few bytes away."""
    monkeypatch.setattr(holding, "HEAD_BYTES", 6)
    monkeypatch.setattr(holding, "_BLOCK", 3)
    monkeypatch.setattr(placing, "SMALL_BYTES", 8)
    monkeypatch.setattr(placing, "WINDOW_BYTES", 6)
    monkeypatch.setattr(placing, "_STEP", 2)


class Remote:
    """A file on the cluster, read as Ray lets it be read; `growth` is added bit by bit, one part after each opening."""

    def __init__(self, data: bytes, growth: list[bytes] | None = None) -> None:
        self.data = data
        self.growth = growth or []
        self.sent = 0

    def last_lines(self, count: int) -> bytes:
        lines = self.data.splitlines(keepends=True) if b"\r" not in self.data else []
        return b"".join(lines[-count:]) if count >= 0 else self.data

    @asynccontextmanager
    async def read(self, lines: int) -> AsyncIterator[AsyncIterator[bytes]]:
        data = self.last_lines(lines)

        async def chunks() -> AsyncIterator[bytes]:
            for at in range(0, len(data), 5):
                self.sent += len(data[at : at + 5])
                yield data[at : at + 5]

        yield chunks()
        self.data += self.growth.pop(0) if self.growth else b""


def held_of(data: bytes, *, start: int = 0) -> Holding:
    """A holding of a remote file from an offset on, of which an origin in the middle was found."""
    spool = Spool()
    spool.append(b"of before")
    held = Holding(spool, tail=None if start == 0 else 0)
    if data[start:]:
        held.add(data[start:])
    if start:
        held.place(Found(end=len(data), is_only=True, newlines=data.count(b"\n")), data[:6])
    return held


async def resumed(remote: Remote, held: Holding) -> bytes | None:
    """What is new according to a placing; None where it would not say. Raises LogReplacedError."""
    finder = Placing(remote.read, held)
    if not finder.is_possible:
        return None
    async with finder.opened(remote.read) as found:
        if found is None:
            return None
        fresh = [found.overlap.feed(chunk) async for chunk in found.chunks]
        assert found.overlap.is_passed
        return b"".join(fresh)


@given(log=LOGS, cut=st.integers(0, 80), start=st.integers(0, 3))
def test_what_is_new_is_exactly_that_or_nobody_says(log: bytes, cut: int, start: int) -> None:
    begun = [0, *(at + 1 for at, byte in enumerate(log) if byte == 10)][start : start + 1] or [0]
    held = held_of(log[:cut], start=min(begun[0], cut))
    with held.spool:
        try:
            fresh = asyncio.run(resumed(Remote(log), held))
        except LogReplacedError:
            pytest.fail("it is the same file")
        assert fresh is None or fresh == log[cut:]


@given(log=LOGS, other=LOGS, cut=st.integers(0, 80))
def test_another_file_is_not_taken_for_the_same(log: bytes, other: bytes, cut: int) -> None:
    held = held_of(log[:cut])
    with held.spool:
        try:
            fresh = asyncio.run(resumed(Remote(other), held))
        except (LogReplacedError, AssertionError):
            return
        # Where it looks alike to every reading, the bytes are still those of a file that could have grown so.
        assert fresh is None or len(fresh) <= len(other)


@given(log=LOGS, cut=st.integers(0, 80))
def test_the_end_is_the_end_only_where_nothing_is_beyond(log: bytes, cut: int) -> None:
    held = held_of(log[:cut])
    with held.spool:
        finder = Placing(Remote(log).read, held)
        if finder.is_possible and asyncio.run(finder.is_all(Remote(log).read)):
            assert held.end == len(log)


@pytest.mark.parametrize("seed", range(200))
async def test_a_log_that_grows_under_the_hands(seed: int) -> None:
    chance = random.Random(seed)
    words = [b"tick\n", b"tock\n", b"x\n", b"\n"]
    block = b"".join(chance.choice(words) for _ in range(chance.randrange(1, 30)))
    log = b"begin %d\n" % seed + block * chance.randrange(1, 6)
    cut = chance.randrange(len(log))
    growth = [b"".join(chance.choice([*words, block]) for _ in range(chance.randrange(3))) for _ in range(12)]
    held, remote = held_of(log[:cut]), Remote(log, growth)
    with held.spool:
        fresh = await resumed(remote, held)
        assert fresh is None or remote.data[cut:].startswith(fresh)
        assert fresh is None or len(fresh) >= len(log) - cut


@given(log=LOGS, count=st.integers(1, 50), start=st.integers(0, 3))
def test_last_lines_are_counted_as_ray_does(log: bytes, count: int, start: int) -> None:
    lines = log.splitlines(keepends=True)
    start = sum(map(len, lines[: min(start, len(lines) - 1)]))
    held = held_of(log, start=start)
    with held.spool:
        assert held.lines == len(lines)
        wanted = b"".join(lines[-count:])
        found = held.start_of_last(count)
        assert found == (len(log) - start - len(wanted) if len(wanted) <= len(log) - start else None)


async def test_the_count_of_lines_is_bounded() -> None:
    log = b"go\n" + b"".join(b"line %d\n" % number for number in range(4999))
    held = held_of(log[:4000])
    with held.spool:
        count = LineCount(Remote(log).read, held)
        assert await count.is_within(5000)
        assert not await count.is_within(4999)
        bounds = await count.bounds(precision=10)
        assert bounds is not None
        low, high = bounds
        assert low < 5000 <= high
        assert high - low <= 10


async def test_a_reading_costs_little() -> None:
    log = b"go\n" + b"".join(b"line %d\n" % number for number in range(20_000))
    held, remote = held_of(log[:-100]), Remote(log)
    with held.spool:
        assert await resumed(remote, held) == log[-100:]
        assert remote.sent < 2000
