"""A log of a million lines on the screen: opening, keys, searching, memory.

`python -m tests.bench.bench_log_view [--lines N] [--json FILE]`: prints each figure beside its target and writes the
JSON beside it; exits 1 where a target is missed. Keys go through a real app without a terminal; what is told of them is
for how long the screen was held at most.
"""

import argparse
import asyncio
import json
import platform
import re
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from textual.app import App, ComposeResult

from cockpit.feeds.spool import Spool
from cockpit.render.log_query import Query
from cockpit.widgets.log_reader import LogReader, Sieve

ENDLESS = Query("(a+)+$")
TRAP = b"a" * 60 + b"b\n"
KEYS = ("up", "pageup", "down", "pagedown", "home", "end", "right", "left", "up")
ROUNDS = 5
TICK_SECONDS = 0.002


class Figure(NamedTuple):
    """What was measured, and what it may be at most."""

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def is_missed(self) -> bool:
        """Whether it is more than it may be."""
        return self.target is not None and self.value > self.target


class ReaderApp(App[None]):
    """One log."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self.reader = LogReader(spool)

    def compose(self) -> ComposeResult:
        """The log alone."""
        yield self.reader

    def on_mount(self) -> None:
        """Keys go to it."""
        self.reader.focus()


def filled(lines: int) -> Spool:
    """A training log of so many lines, with a trap for regexes at its end."""
    spool = Spool()
    for first in range(0, lines, 10_000):
        spool.append(
            b"".join(
                b"2026-11-21 15:58:12,%03d INFO train.py:212 step %d | loss 1.8127 | 41.2k tok/s\n"
                % (number % 1000, number)
                for number in range(first, min(lines, first + 10_000))
            )
        )
    spool.append(TRAP * 100)
    return spool


def resident() -> float:
    """MB of this process's memory that are in use now."""
    status = Path("/proc/self/status").read_text()
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(match[1]) / 1000 if match else 0.0


async def timed(step: Callable[[], Awaitable[object]]) -> float:
    """Seconds that a step takes."""
    began = time.perf_counter()
    await step()
    return time.perf_counter() - began


async def until(condition: Callable[[], bool]) -> None:
    """Wait without holding the loop."""
    while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0.001)


async def measured(lines: int) -> list[Figure]:
    """All figures, in one run."""
    spool = filled(lines)
    before = resident()
    app = ReaderApp(spool)
    figures: list[Figure] = []
    async with app.run_test(size=(160, 45)) as pilot:
        reader = app.reader
        bare = resident()
        await until(lambda: reader.status.lines is not None)

        async def opened() -> None:
            reader.set_source(spool)
            reader.repaint()
            await until(lambda: bool(reader._painted))

        figures.append(Figure("last screen of a log that is there", 1000 * await timed(opened), "ms", 100))
        await until(lambda: reader.status.lines is not None)
        literal, first = [], []
        for round_number in range(ROUNDS):
            wanted = f"step {lines * (round_number + 1) // (ROUNDS + 1)} "
            literal.append(await timed(lambda text=wanted: searched(reader, Query(text))))  # type: ignore[misc]
            reader.search(None)
            first.append(await timed(lambda: first_hit(reader, Query("41.2k"))))
            reader.search(None)
            await pilot.pause()
        figures.append(Figure("literal search over all", statistics.median(literal), "s", 0.2))
        figures.append(Figure("first hit", statistics.median(first), "s", 0.3))
        figures.append(Figure("regex over all, `loss \\d+\\.\\d+ .*k$`", await timed(
            lambda: searched(reader, Query(r"loss \d+\.\d+ .*k$"))), "s"))  # fmt: skip
        reader.search(None)
        figures.append(Figure("filter with 3 lines around, inverse", await timed(
            lambda: sifted(reader, Sieve(Query("999"), inverse=True, context=3))), "s"))  # fmt: skip
        reader.sift(None)
        figures.append(Figure("a key waits at most", await slowest_key(pilot.press), "ms", 50))
        reader.search(ENDLESS)
        await until(lambda: reader.find_status.progress is not None)
        figures.append(Figure("and with a regex without end beside it", await slowest_key(pilot.press), "ms", 50))
        figures.append(Figure("giving that regex up", 1000 * await timed(given_up(reader)), "ms", 50))
        figures.append(Figure("memory that all this took", resident() - bare, "MB", 30))
    figures.append(Figure("the app itself", bare - before, "MB"))
    return figures


async def searched(reader: LogReader, query: Query) -> None:
    """Search to the end."""
    reader.search(query)
    await until(lambda: reader._search.finder.is_done)


async def first_hit(reader: LogReader, query: Query) -> None:
    """Search up to the first line that is found."""
    reader.search(query)
    await until(lambda: reader._search.current is not None)


async def sifted(reader: LogReader, sieve: Sieve) -> None:
    """Filter to the end."""
    reader.sift(sieve)
    await until(lambda: reader._filter.is_done)


def given_up(reader: LogReader) -> Callable[[], Awaitable[None]]:
    """Press escape, so to say, and have the process of the search gone."""

    async def give_up() -> None:
        reader.action_back()
        await until(lambda: not reader._search.finder._ending)

    return give_up


async def slowest_key(press: Callable[[str], Awaitable[None]]) -> float:
    """Milliseconds that the screen was held longest while keys were pressed, in the middle one of some rounds."""
    return statistics.median([await longest_hold(press) for _ in range(ROUNDS)])


async def longest_hold(press: Callable[[str], Awaitable[None]]) -> float:
    """Milliseconds for which nothing else in the event loop had its turn, at most, while all keys were pressed."""
    longest, last = 0.0, time.perf_counter()

    async def tick() -> None:
        nonlocal longest, last
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    ticking = asyncio.create_task(tick())
    for key in KEYS:
        await press(key)
    ticking.cancel()
    return 1000 * (longest - TICK_SECONDS)


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="bench_log_view")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = asyncio.run(measured(options.lines))
    print(f"{options.lines:,} lines, Python {platform.python_version()}, {platform.machine()}")
    for figure in figures:
        target = "" if figure.target is None else f"at most {figure.target:g}{'  MISSED' if figure.is_missed else ''}"
        print(f"{figure.name:45} {figure.value:10.2f} {figure.unit:3} {target}")
    if options.json:
        options.json.write_text(json.dumps([figure._asdict() for figure in figures], indent=1))
    return int(any(figure.is_missed for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
