"""The widgets with plausible content, to be looked at: `python -m tests.ui.gallery [table|gpus|log] [--svg FILE]`.

Keys as everywhere; `f` opens the filter, `1` to `3` choose the view, `s` makes the rows stale, `t` the next theme.
"""

import argparse
import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import ContentSwitcher

from cockpit.render.meters import meter_cell, sparkline
from cockpit.render.table import Cell, Column, Flexible, Measured, Row
from cockpit.widgets.filter_bar import FilterBar
from cockpit.widgets.key_hints import Hint, KeyHints
from cockpit.widgets.live_table import LiveTable
from cockpit.widgets.log_view import LogView
from cockpit.widgets.state_line import Piece, StateLine
from cockpit.widgets.table.state import Phase
from tests.ui.apps import MemoryLog

JOB_COLUMNS = (
    Column(key="status", title="STATUS", width=Measured(8, 14), priority=0),
    Column(key="id", title="SUBMISSION ID", width=Measured(12, 28), priority=0),
    Column(key="entrypoint", title="ENTRYPOINT", width=Flexible(16)),
    Column(key="message", title="MESSAGE", width=Flexible(14), priority=4),
    Column(key="started", title="STARTED", align="right", priority=3),
    Column(key="duration", title="DURATION", align="right", priority=2),
    Column(key="owner", title="OWNER", width=Measured(4, 12), priority=5),
)

GPU_COLUMNS = (
    Column(key="node", title="NODE", width=Measured(8, 20), priority=0),
    Column(key="gpu", title="GPU", align="right", priority=0),
    Column(key="model", title="MODEL", width=Measured(6, 24), priority=4),
    Column(key="util", title="UTIL", width=Measured(15, 15), priority=1),
    Column(key="spark", title="LAST 5 MIN", width=Measured(10, 12), priority=3),
    Column(key="memory", title="MEMORY GiB", align="right", priority=2),
    Column(key="power", title="W", align="right", priority=5),
    Column(key="temperature", title="°C", align="right", priority=6),
    Column(key="holder", title="HELD BY", width=Flexible(14), priority=1),
    Column(key="idle", title="IDLE", align="right", priority=4),
)

STATUSES = (
    Cell("● RUNNING", sort=1),
    Cell("○ PENDING", "warn", sort=2),
    Cell("✖ FAILED", "error", sort=0),
    Cell("✔ SUCCEEDED", "quiet", sort=4),
    Cell("■ STOPPED", "quiet", sort=5),
)

PROGRAMS = (
    "python train.py --config llama8b.yaml --learning-rate 3e-4 --warmup 2000",
    "python eval.py --shard 3/8",
    "python tune.py",
    "python train.py --data s3://corpus/中文/训练集 --epochs 3",
    "python prepare.py --shards 512 # שלום עולם",
    "bash -c 'echo \x1b[31m[bold]not markup[/bold]\x1b[0m; exec python run.py'",
    'python -c "' + "x=1;" * 2500 + '"',
)


def job_rows(count: int) -> Iterator[Row]:
    """Jobs of every kind, with hostile text in some."""
    for number in range(count):
        status = STATUSES[(number * 7 // 5 + number // 9) % len(STATUSES)]
        failed = status.tone == "error"
        minutes = (number * 37) % 900
        duration = f"{minutes // 60}h {minutes % 60:02d}m" if minutes >= 60 else f"{minutes}m"
        yield Row(
            f"raysubmit_{number:06d}",
            (
                status,
                f"raysubmit_{number * 7919 % 1000003:06d}Vu2F2" if number % 3 else f"eval-nightly-{number}",
                PROGRAMS[number % len(PROGRAMS)],
                Cell("exit 1: CUDA out of memory", "error") if failed else ("waits: 8 GPU" if number % 5 == 1 else ""),
                f"{8 + number % 12:02d}:{number * 13 % 60:02d}" if number % 6 else None,
                Cell(duration, sort=minutes) if number % 6 else None,
                ("mia", "ci", "jo")[number % 3],
            ),
        )


def gpu_rows(nodes: int) -> Iterator[Row]:
    """Eight GPUs for each node: busy, idle and held, free, unknown."""
    for number in range(nodes * 8):
        load = (None, 93.0, 0.0, 100.0, 61.0, 3.0)[number % 6]
        idle = load is not None and load < 5
        yield Row(
            f"{number}",
            (
                f"worker-{number // 8 + 1}",
                Cell(str(number % 8), sort=number % 8),
                "H100 80GB HBM3",
                meter_cell(load, tone="warn" if idle else ""),
                sparkline([None if load is None else (load + step * 7) % 100 for step in range(number % 14)], 10),
                f"{71.4 - number % 6:.1f}/80.0" if load is not None else None,
                str(98 + number * 31 % 600) if load is not None else None,
                str(34 + number % 40) if load is not None else None,
                f"train.py {number} · actor Trainer rank {number % 8}"
                if load
                else "free"
                if load is None
                else "sweep-002",
                Cell("38m", "warn", sort=38) if idle else None,
            ),
        )


def log_bytes() -> bytes:
    """A log with colors, progress, wide characters, escapes and long lines."""
    lines = []
    for step in range(5000):
        lines.append(f"15:{step // 60 % 60:02d}:{step % 60:02d} step {step} | loss {2 - step / 5000:.4f} | 41.2k tok/s")
        if step % 7 == 0:
            lines.append(
                f"\x1b[36m(Trainer pid={step}, ip=10.0.3.7)\x1b[0m \x1b[1;33mWARNING\x1b[0m 温度 high: {step % 90} °C"
            )
        if step % 11 == 0:
            lines.append("\r".join(f"epoch 3: {done:3} %|{'█' * (done // 10):10}|" for done in range(0, 101, 20)))
        if step % 13 == 0:
            lines.append("\x1b[31mRuntimeError: \x1b[2J\x1b]0;title\x07 not obeyed\x1b[0m\ttab\xff" + " long" * 200)
    return (
        "\n".join(lines).encode("utf-8", "replace") + b"\nraw \xff\xfe bytes\nepoch 4:  61 %|\xe2\x96\x88\xe2\x96\x88"
    )


class Gallery(App[None]):
    """Header, one of three views, filter line, hints."""

    CSS = """
    Screen { layout: vertical; background: $background; }
    ContentSwitcher { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "view('jobs')"),
        Binding("2", "view('gpus')"),
        Binding("3", "view('log')"),
        Binding("f", "filter"),
        Binding("s", "stale"),
        Binding("t", "next_theme"),
        Binding("q", "quit"),
    ]

    def __init__(self, view: str = "jobs") -> None:
        super().__init__()
        self._view = view
        self.jobs = LiveTable(JOB_COLUMNS, sticky=2, id="jobs")
        self.gpus = LiveTable(GPU_COLUMNS, sticky=2, id="gpus")
        self.log_view = LogView(MemoryLog(log_bytes()), repaints_per_second=10)
        self.filter_bar = FilterBar()

    def compose(self) -> ComposeResult:
        """Everything at once: this is no example of a fast start."""
        yield StateLine(
            [
                Piece("rayakash", "strong", 0),
                Piece("lab-h100 ▾", "accent", 0),
                Piece("https://provider.example:31871", priority=2),
                Piece("Ray 2.60.0", "quiet", 3),
            ],
            [Piece("TLS pinned · token", "quiet", 4)],
            id="header",
        )
        with ContentSwitcher(initial=self._view):
            yield self.jobs
            yield self.gpus
            with Vertical(id="log"):
                yield StateLine(id="log-state")
                yield self.log_view
        yield self.filter_bar
        yield KeyHints(
            [
                *(Hint("⏎", "detail"), Hint("l", "log"), Hint("s", "submit"), Hint("c", "clone"), Hint("x", "stop")),
                *(Hint("d", "delete"), Hint("␣", "mark"), Hint("/", "filter"), Hint("o", "sort"), Hint("y", "copy")),
                *(Hint(":", "go to"), Hint("?", "help", keep=True), Hint("q", "quit", "quit", keep=True)),
            ]
        )

    def on_mount(self) -> None:
        """Fill the tables."""
        self.filter_bar.display = False
        self.jobs.noun, self.gpus.noun = "jobs", "GPUs"
        self.jobs.set_rows(job_rows(212))
        self.gpus.set_rows(gpu_rows(12))
        self.action_view(self._view)

    def action_view(self, view: str) -> None:
        """Show one of the views."""
        self.query_one(ContentSwitcher).current = view
        (self.log_view if view == "log" else self.query_one(f"#{view}")).focus()

    def action_filter(self) -> None:
        """Open the filter."""
        self.filter_bar.display = True
        self.filter_bar.open(self.jobs.filter)

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        """Filter as one types."""
        self.jobs.filter = event.text

    def on_live_table_filter_changed(self, event: LiveTable.FilterChanged) -> None:
        """Say what came of it."""
        counts = self.jobs.counts
        self.filter_bar.result(event.error or f"{counts.shown} of {counts.total}", "error" if event.error else "quiet")

    def on_filter_bar_cancelled(self, event: FilterBar.Cancelled) -> None:
        """Back to the filter from before."""
        self.jobs.filter = event.text
        self.on_filter_bar_submitted()

    def on_filter_bar_submitted(self) -> None:
        """Back to the table."""
        self.filter_bar.display = False
        self.jobs.focus()

    def on_log_view_status_changed(self, event: LogView.StatusChanged) -> None:
        """Say where the log is."""
        status = event.status
        lines = "counting" if status.lines is None else f"{status.lines:,} lines"
        self.query_one("#log-state", StateLine).show(
            [
                Piece("eval-nightly · driver", "strong", 0),
                Piece("following" if status.following else "paused", "accent"),
            ],
            [Piece(lines, "quiet"), Piece(f"{status.bytes / 1e6:.1f} MB", "quiet", 2)],
        )

    def action_stale(self) -> None:
        """As if the cluster had gone."""
        self.jobs.set_state(Phase.STALE, "stale 48 s · provider.example did not answer · next try in 4 s")

    def action_next_theme(self) -> None:
        """Try the next theme."""
        names = sorted(self.available_themes)
        self.theme = names[(names.index(self.theme) + 1) % len(names)]


async def picture(view: str, keys: str, size: tuple[int, int]) -> str:
    """An SVG of what a view looks like after some keys (separated by commas)."""
    app = Gallery(view)
    async with app.run_test(size=size) as pilot:
        await pilot.press(*[key for key in keys.split(",") if key])
        await pilot.pause()
        return app.export_screenshot()


def main() -> None:
    """Run the gallery, or write a picture of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("view", nargs="?", choices=["jobs", "gpus", "log"], default="jobs")
    parser.add_argument("--svg", help="write a picture instead")
    parser.add_argument("--keys", default="", help="keys to press before the picture, separated by commas")
    parser.add_argument("--size", default="110x30")
    given = parser.parse_args()
    if given.svg:
        width, height = map(int, given.size.split("x"))
        Path(given.svg).write_text(asyncio.run(picture(given.view, given.keys, (width, height))), encoding="utf-8")
    else:
        Gallery(given.view).run()


if __name__ == "__main__":
    main()
