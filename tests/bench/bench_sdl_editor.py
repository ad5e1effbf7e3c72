"""A key in a 500-line SDL: the whole editor, its checks included, against a bare text area with tree-sitter.

`python -m tests.bench.bench_sdl_editor [--rounds N] [--json FILE]`: both are open at once and take turns; medians of
the processor's time per key are compared. Prints also how long after the last key the problems are those of the text.
Exits 1 where a key of ours costs more than 1.3 times a key of the bare one, or problems take longer than 100 ms.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import TextArea

from cockpit.app import CockpitApp
from cockpit.panes.sdl import SdlPane
from cockpit.sdl.templates import template_named

ROOT = Path(__file__).parents[2]
LINES, ROW, SIZE = 500, 60, (160, 45)
BURST = 8  # keys in a row, as somebody types a word
MOST, FRESH_S = 1.3, 0.1


def sample() -> str:
    """A template, made as long as it is said to be."""
    lines = template_named("ray-gpu").text.splitlines()[:LINES]
    return "\n".join([*lines, *(f"# line {number}" for number in range(len(lines), LINES))]) + "\n"


class BareApp(App[None]):
    """Nothing but a text area that knows YAML."""

    def compose(self) -> ComposeResult:
        """The text area."""
        yield TextArea.code_editor(sample(), language="yaml")


async def burst(pilot: Pilot[Any], settled: Callable[[], Awaitable[None]]) -> float:
    """Type a word and take it back; the processor's time for each key in seconds, all that followed included."""
    begin = time.process_time()
    for key in ("x",) * BURST + ("backspace",) * BURST:
        await pilot.press(key)
    await settled()
    return (time.process_time() - begin) / (2 * BURST)


async def freshness(pane: SdlPane) -> float:
    """The time from the last key to problems that are those of the text, in seconds."""
    begin = time.perf_counter()
    for _ in range(BURST):
        pane.text.insert("x")
    await until_checked(pane)
    return time.perf_counter() - begin


async def compare(rounds: int, path: Path) -> dict[str, object]:
    """Both, in turns."""
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    fresh: list[float] = []
    bare, ours = BareApp(), CockpitApp(None, first_pane="sdl", sdl=path)
    async with bare.run_test(size=SIZE) as bare_pilot, ours.run_test(size=SIZE) as pilot:
        area = bare.query_one(TextArea)
        area.focus()
        area.move_cursor((ROW, 2), center=True)
        pane = await opened(ours)
        pane.go_to(ROW, 2)
        await pilot.pause()

        async def checked() -> None:
            await until_checked(pane)
            await pilot.pause()

        for turn in range(rounds + 1):
            bare_cost, our_cost = await burst(bare_pilot, bare_pilot.pause), await burst(pilot, checked)
            if turn:  # the first fills the caches
                taken["bare"].append(bare_cost)
                taken["ours"].append(our_cost)
                fresh.append(await freshness(pane))
                await pilot.press(*("backspace",) * BURST)
                await checked()
        pane.desk.session.saved()
    return _result(taken, fresh)


async def until_checked(pane: SdlPane) -> None:
    """Wait until the problems are those of the text."""
    while pane.checked is None or pane.checked.version != pane.desk.session.version:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.001)


async def opened(app: CockpitApp) -> SdlPane:
    """The editor with the file in it."""
    while not isinstance(pane := app.pane_screen and app.pane_screen.pane, SdlPane) or pane.desk.file.path is None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await until_checked(pane)
    return pane


def _result(taken: dict[str, list[float]], fresh: list[float]) -> dict[str, object]:
    cost = {name: statistics.median(costs) for name, costs in taken.items()}
    return {
        "benchmark": "sdl editor",
        "lines": LINES,
        "rounds": len(taken["ours"]),
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "key_cpu_ms": {name: round(1000 * value, 2) for name, value in cost.items()},
        "ratio": round(cost["ours"] / cost["bare"], 3),
        "problems_fresh_ms": round(1000 * statistics.median(fresh), 1),
    }


def main() -> int:
    """Compare, print, and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench" / "sdl-editor.json", metavar="FILE")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            os.environ[name] = folder
        path = Path(folder) / "bench.yaml"
        path.write_text(sample(), encoding="utf-8")
        result = asyncio.run(compare(args.rounds, path))
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    cost = result["key_cpu_ms"]
    assert isinstance(cost, dict)
    print(f"a key in an SDL of {LINES} lines: ours {cost['ours']} ms, a bare text area {cost['bare']} ms of CPU")
    print(f"ratio {result['ratio']}, at most {MOST}; problems fresh after {result['problems_fresh_ms']} ms")
    print(f"written to {args.json}")
    is_good = float(str(result["ratio"])) <= MOST and float(str(result["problems_fresh_ms"])) <= 1000 * FRESH_S
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
