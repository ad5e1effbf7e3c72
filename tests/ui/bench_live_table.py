"""What the table and the log cost, in milliseconds of CPU: `python -m tests.ui.bench_live_table`. No test: numbers."""

import asyncio
import os
import time
from collections.abc import Callable

from textual.pilot import Pilot

from cockpit.render.table import Row
from cockpit.widgets.live_table import LiveTable
from cockpit.widgets.log_view import LogView
from tests.ui.apps import MemoryLog, OneWidgetApp
from tests.ui.pty_app import COLUMNS, ROWS, some_rows

SIZE = (160, 45)
ROUNDS = 15


class Bench:
    """Runs one thing several times and keeps the best: the call alone, and until it is painted."""

    def __init__(self, app: OneWidgetApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def measure(self, name: str, prepare: Callable[[int], object], act: Callable[[object], object]) -> None:
        """Print the CPU milliseconds of `act`, which is given what `prepare` made."""
        calls, paints = [], []
        for number in range(ROUNDS):
            given = prepare(number)
            begin = time.process_time()
            act(given)
            called = time.process_time()
            await self.pilot.pause()
            paints.append(time.process_time() - begin)
            calls.append(called - begin)
        print(f"{name:44} {min(calls) * 1000:8.2f} {min(paints) * 1000:8.2f}")


def changed(number: int, every: int) -> list[Row]:
    """Rows of which every so many-th is new."""
    return some_rows(dict.fromkeys(range(0, ROWS, every), f"{number}h 01m"))


async def bench_table() -> None:
    """Ten thousand rows."""
    table = LiveTable(COLUMNS)
    app = OneWidgetApp(table)
    async with app.run_test(size=SIZE) as pilot:
        table.focus()
        bench = Bench(app, pilot)
        await bench.measure("nothing at all", lambda _: None, lambda _: None)

        def take(rows: object) -> None:
            assert isinstance(rows, list)
            table.set_rows(rows)

        def emptied(_: int) -> list[Row]:
            table.set_rows([])
            return some_rows()

        def unsorted(_: int) -> None:
            table.sort_by(None)

        await bench.measure("first rows", emptied, take)
        await bench.measure("equal rows", lambda _: some_rows(), take)
        await bench.measure("1 % changed", lambda number: changed(number, 100), take)
        await bench.measure("all changed", lambda number: changed(number, 1), take)
        await bench.measure("cursor down", lambda _: None, lambda _: table.action_cursor_by(1))
        await bench.measure("page down", lambda _: None, lambda _: table.action_cursor_page(1))
        await bench.measure("sort by text", unsorted, lambda _: table.sort_by("id"))
        table.sort_by("duration")
        await bench.measure("sorted by number, equal", lambda _: some_rows(), take)
        await bench.measure("sorted by number, 1 % changed", lambda number: changed(number, 100), take)
        for text in ("9", "/9.*lr", "!9"):

            def refilter(_: object, text: str = text) -> None:
                table.filter = text

            def clear(_: int) -> None:
                table.filter = "x"

            await bench.measure(f"filter {text}", clear, refilter)


async def bench_log() -> None:
    """A million lines."""
    data = b"".join(
        b"15:58:12 step %d | loss 1.8127 | \x1b[32m41.2k tok/s\x1b[0m\n" % step for step in range(1_000_000)
    )
    begin = time.process_time()
    view = LogView(MemoryLog(data), repaints_per_second=1e6)
    app = OneWidgetApp(view)
    async with app.run_test(size=SIZE) as pilot:
        while view.status.lines != 1_000_000:
            await pilot.pause()
        print(f"{'log: a million lines opened and counted':44} {'':8} {(time.process_time() - begin) * 1000:8.2f}")
        bench = Bench(app, pilot)
        await bench.measure("log: page up", lambda _: None, lambda _: view.action_scroll_pages(-1))
        await bench.measure("log: jump", lambda number: number, lambda number: view.goto_line(int(str(number)) * 54321))


async def main() -> None:
    """Both."""
    print(f"load {os.getloadavg()[0]:.1f}, {ROWS:,} rows, {SIZE[0]}x{SIZE[1]}, best of {ROUNDS}, CPU ms")
    print(f"{'':44} {'call':>8} {'to paint':>8}")
    await bench_table()
    await bench_log()


if __name__ == "__main__":
    asyncio.run(main())
