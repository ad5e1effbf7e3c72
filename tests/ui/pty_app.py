"""A table and a log on a real terminal, told over a pipe what to do: `python -m tests.ui.pty_app FD`.

After each command it paints, and then writes a mark to the terminal: whoever reads the terminal up to the mark has
all that the command made it write.
"""

import os
import sys
from collections.abc import Callable

from textual.app import App, ComposeResult

from cockpit.render.table import Cell, Column, Flexible, Measured, Row
from cockpit.widgets.live_table import LiveTable
from cockpit.widgets.log_view import LogView
from cockpit.widgets.state_line import Piece, StateLine
from tests.ui.apps import MemoryLog

ROWS = 10_000
COLUMNS = (
    Column(key="status", title="STATUS", width=Measured(8, 14), priority=0),
    Column(key="id", title="SUBMISSION ID", width=Measured(12, 28), priority=0),
    Column(key="entrypoint", title="ENTRYPOINT", width=Flexible(16)),
    Column(key="started", title="STARTED", align="right", priority=3),
    Column(key="duration", title="DURATION", align="right", priority=2),
    Column(key="owner", title="OWNER", width=Measured(4, 12), priority=5),
)


def mark(number: int) -> bytes:
    """What stands in the terminal's bytes after a command."""
    return b"\x1b]777;%d\x07" % number


def some_rows(changed: dict[int, str] | None = None, count: int = ROWS) -> list[Row]:
    """Jobs, new objects each time; of some the duration is another."""
    other = changed or {}
    return [
        Row(
            f"job-{number}",
            (
                Cell("✖ FAILED", "error") if number % 7 == 3 else Cell("● RUNNING"),
                f"raysubmit_{number:06d}Vu2F2",
                f"python train.py --shard {number % ROWS}/{ROWS} --lr 3e-4",
                "14:02",
                Cell(other.get(number, "2h 04m"), sort=number),
                "mia",
            ),
        )
        for number in range(count)
    ]


class PtyApp(App[None]):
    """Does what a line on the pipe says."""

    def __init__(self, commands: int) -> None:
        super().__init__()
        self.commands = commands
        self.count = 0
        self.state_line = StateLine([Piece("lab-h100")])
        self.table = LiveTable(COLUMNS)
        self.log_source = MemoryLog(b"line\n" * 100_000)
        self.log_view = LogView(self.log_source, repaints_per_second=1000)
        self.actions: dict[str, Callable[[], object]] = {
            "equal": lambda: self.table.set_rows(some_rows()),
            "one": lambda: self.table.set_rows(some_rows({5: "2h 05m"})),
            "out of sight": lambda: self.table.set_rows(some_rows({9000: "2h 05m"})),
            "all": lambda: self.table.set_rows(some_rows(dict.fromkeys(range(ROWS), "2h 06m"))),
            "one more": lambda: self.table.set_rows(some_rows(count=ROWS + 1)),
            "down": lambda: self.table.action_cursor_by(1),
            "page": lambda: self.table.action_cursor_page(1),
            "same line": lambda: self.state_line.show([Piece("lab-h100")]),
            "pause": self.log_view.action_first,
            "grow": self.grow,
        }

    def compose(self) -> ComposeResult:
        """A line, the table, the log."""
        self.log_view.styles.height = 10
        yield self.state_line
        yield self.table
        yield self.log_view

    def on_mount(self) -> None:
        """Fill the table; listen to the pipe."""
        self.table.set_rows(some_rows())
        self.table.focus()
        self.mark_when_painted()

    def grow(self) -> None:
        """More of the log has come."""
        self.log_source.data += b"more\n" * 10
        self.log_view.notify_grown()

    async def on_ready(self) -> None:
        """Commands are read on the app's own loop."""
        import asyncio

        asyncio.get_running_loop().add_reader(self.commands, self.obey)

    def obey(self) -> None:
        """Do what the next line says."""
        with self._context():
            for command in os.read(self.commands, 1000).decode().splitlines():
                self.actions[command]()
                self.mark_when_painted()

    def mark_when_painted(self) -> None:
        """Write the mark once nothing is left to be painted."""
        # The first of these may come before the paint that it waits for is even asked for.
        self.call_after_refresh(self.call_after_refresh, self.write_mark)

    def write_mark(self) -> None:
        """Write it behind what was painted."""
        assert self._driver is not None
        self._driver.write(mark(self.count).decode())
        self._driver.flush()
        self.count += 1


if __name__ == "__main__":
    PtyApp(int(sys.argv[1])).run()
