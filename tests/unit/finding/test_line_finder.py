"""Finding lines in the other process: while the log grows, when it never ends, and after it has died."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import cockpit
from cockpit.feeds.finding import line_finder
from cockpit.feeds.finding.frames import FLAGS, QUERY, SLICE, Frame
from cockpit.feeds.finding.line_finder import LineFinder
from cockpit.feeds.finding.process import _START
from cockpit.feeds.line_index import LineIndex, Source
from cockpit.feeds.spool import Spool
from cockpit.render.log_query import Query

# Each more letter doubles the time that this takes: for ever, in short.
ENDLESS = Query("(a+)+$")
TRAP = b"a" * 60 + b"b\n"
PATIENCE = 60.0


class MemoryLog:
    """A log that lies in no file."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


class Reader:
    """A finder over a log, with what it tells."""

    def __init__(self, source: Source) -> None:
        self.index = LineIndex(source)
        self.changed = asyncio.Event()
        self.finder = LineFinder(source, self.index, self.changed.set)

    def grow(self) -> None:
        self.index.extend(1 << 40)
        self.finder.extend()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def found(self, query: Query, *, near: int = 0) -> list[int]:
        self.grow()
        self.finder.start(query, near=near)
        await self.until(lambda: self.finder.is_done)
        assert self.finder.error == ""
        return all_of(self.finder)


def all_of(finder: LineFinder) -> list[int]:
    return [finder.hits.select(rank) for rank in range(finder.hits.count)]


@asynccontextmanager
async def reading(source: Source) -> AsyncIterator[Reader]:
    reader = Reader(source)
    try:
        yield reader
    finally:
        await reader.finder.close()
        assert reader.finder._process is None


def spooled(data: bytes) -> Spool:
    spool = Spool()
    spool.append(data)
    return spool


def numbered(count: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(count))


@pytest.mark.parametrize("near", [0, 17, 999, 1000])
@pytest.mark.parametrize("in_file", [True, False])
async def test_all_lines_are_found_from_wherever_one_looks(
    near: int, in_file: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_finder, "SLICE_BYTES", 1000)
    data = numbered(1000)
    with spooled(data) as spool:
        async with reading(spool if in_file else MemoryLog(data)) as reader:
            assert await reader.found(Query("7$"), near=near) == [*range(7, 1000, 10)]
            assert await reader.found(Query("nothing"), near=near) == []
            assert await reader.found(Query(""), near=near) == [*range(1000)]


async def test_what_is_near_is_found_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_finder, "SLICE_BYTES", 100)
    async with reading(MemoryLog(numbered(1000))) as reader:
        reader.grow()
        reader.finder.start(Query("line"), near=990)
        await reader.until(lambda: reader.finder.high == 1000)
        assert reader.finder.low > 900
        assert all_of(reader.finder) == [*range(reader.finder.low, 1000)]
        assert 0 < reader.finder.progress < 1


async def test_new_lines_join_what_was_found() -> None:
    log = MemoryLog(b"an error\nfine\nerr")
    async with reading(log) as reader:
        assert await reader.found(Query("error")) == [0]
        log.data += b"or"
        reader.grow()
        await reader.until(lambda: 2 in reader.finder.hits)
        log.data += b" and\rover\nerror\n"
        reader.grow()
        await reader.until(lambda: reader.finder.is_done and 3 in reader.finder.hits)
        assert all_of(reader.finder) == [0, 3]


async def test_a_log_that_is_replaced_is_searched_anew() -> None:
    log = MemoryLog(numbered(100))
    async with reading(log) as reader:
        assert len(await reader.found(Query("line"), near=50)) == 100
        log.data = b"a line\n"
        reader.grow()
        await reader.until(lambda: reader.finder.is_done)
        assert all_of(reader.finder) == [0]


async def test_a_search_without_end_is_given_up_for_the_next() -> None:
    with spooled(TRAP * 10 + b"aaa\n") as spool:
        async with reading(spool) as reader:
            reader.grow()
            reader.finder.start(ENDLESS)
            await reader.until(lambda: reader.finder._process is not None)
            trapped = reader.finder._process
            assert trapped is not None
            assert await reader.found(Query("aaa$")) == [10]
            reader.finder.start(None)
            assert reader.finder.query is None
            assert reader.finder._process is not trapped
            async with asyncio.timeout(PATIENCE):
                await trapped._process.wait()


async def test_a_search_without_end_dies_with_its_view() -> None:
    with spooled(TRAP) as spool:
        async with reading(spool) as reader:
            reader.grow()
            reader.finder.start(ENDLESS)
            await reader.until(lambda: reader.finder._has_query)
            assert reader.finder._process is not None
            process = reader.finder._process._process
        assert process.returncode is not None


async def test_a_query_that_is_no_regex_says_why_and_the_next_is_answered() -> None:
    async with reading(MemoryLog(b"(x\n")) as reader:
        reader.grow()
        reader.finder.start(Query("("))
        await reader.until(lambda: reader.finder.error != "")
        assert "unterminated" in reader.finder.error
        assert await reader.found(Query("(", is_regex=False)) == [0]


async def test_a_process_that_dies_is_told_and_started_again() -> None:
    async with reading(MemoryLog(TRAP)) as reader:
        reader.grow()
        reader.finder.start(ENDLESS)
        await reader.until(lambda: reader.finder._has_query)
        assert reader.finder._process is not None
        reader.finder._process.kill()
        await reader.until(lambda: reader.finder.error != "")
        assert "has ended" in reader.finder.error
        assert await reader.found(Query("b$")) == [0]


async def test_places_of_matches_come_in_time() -> None:
    async with reading(MemoryLog(b"foo boo\n")) as reader:
        await reader.found(Query("o+"))
        texts = ["foo boo", "bar", "", "中o"]
        assert reader.finder.spans_in(texts) == {}
        await reader.until(lambda: len(reader.finder.spans_in(texts)) == 3)
        assert reader.finder.spans_in(texts) == {"foo boo": ((1, 3), (5, 7)), "bar": (), "中o": ((1, 2),)}


def worker(parent: int) -> "subprocess.Popen[bytes]":
    path = str(Path(cockpit.__file__).parent.parent)
    command = [sys.executable, "-I", "-S", "-c", _START, path, "-1", str(parent)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_a_search_without_end_ends_with_whoever_asked() -> None:
    with worker(parent=os.getpid() + 1) as process:  # as it looks to one whose parent has died
        assert process.stdin is not None
        process.stdin.write(Frame(QUERY, 1, body=FLAGS.pack(1, 0) + ENDLESS.text.encode()).packed())
        process.stdin.write(Frame(SLICE, 1, 0, len(TRAP), TRAP).packed())
        process.stdin.flush()
        assert process.wait(PATIENCE) == 0


def test_the_process_imports_next_to_nothing() -> None:
    heavy = {"asyncio", "msgspec", "textual", "rich", "httpx", "inspect", "cockpit.feeds.line_index"}
    start = _START.replace("main()", "print(*sys.modules)")
    command = [sys.executable, "-I", "-S", "-c", start, str(Path(cockpit.__file__).parent.parent)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert heavy.isdisjoint(loaded)
    assert "cockpit.render.log_query" in loaded
