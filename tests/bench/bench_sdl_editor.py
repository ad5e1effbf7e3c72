"""A key in a 500-line SDL: the whole editor, its checks included, against a bare text area with tree-sitter.

`python -m tests.bench.bench_sdl_editor [--rounds N] [--json FILE]`: both are open at once and take turns; medians of
the processor's time per key are compared, at each of several places: in a value, where the text stays YAML and all is
worked out anew for every key; in a key that is begun, where a list is shown; and in a script that is broken by it.
Prints also how long after the last key the problems are those of the text.
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
LINES, SIZE = 500, (160, 45)
# What to look for, how far into its line to go, what to press there first, and the word to type and take back.
Place = tuple[str, int, tuple[str, ...], str]
PLACES: dict[str, Place] = {
    "value": ("- RAY_AUTH_MODE=token", 27, (), "suffixed"),
    "key": ("- port: 6379", 18, ("enter",), "http_opt"),
    "script": ("cat >$folder/Caddyfile", 2, (), "xxxxxxxx"),
}
MOST, FRESH_S = 1.3, 0.1


def sample() -> str:
    """A template, made as long as it is said to be by leaving out comments at its head."""
    lines = template_named("ray-gpu").text.splitlines()
    return "\n".join([lines[0], *lines[1 + len(lines) - LINES :]]) + "\n"


class BareApp(App[None]):
    """Nothing but a text area that knows YAML."""

    def compose(self) -> ComposeResult:
        """The text area."""
        yield TextArea.code_editor(sample(), language="yaml")


async def burst(pilot: Pilot[Any], word: str, settled: Callable[[], Awaitable[None]]) -> float:
    """Type a word and take it back; the processor's time for each key in seconds, all that followed included."""
    begin = time.process_time()
    for key in (*(("underscore" if letter == "_" else letter) for letter in word), *("backspace",) * len(word)):
        await pilot.press(key)
    await settled()
    return (time.process_time() - begin) / (2 * len(word))


async def freshness(pane: SdlPane, pilot: Pilot[Any], word: str) -> float:
    """The time from the last key to problems that are those of the text, in seconds."""
    for letter in word:
        pane.text.insert(letter)
    begin = time.perf_counter()
    await until_checked(pane)
    taken = time.perf_counter() - begin
    await pilot.press(*("backspace",) * len(word))
    await until_checked(pane)
    return taken


async def compare(rounds: int, path: Path, place: Place) -> dict[str, object]:
    """Both, in turns, at one place."""
    needle, column, first, word = place
    row = next(at for at, line in enumerate(sample().splitlines()) if needle in line)
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    fresh: list[float] = []
    bare, ours = BareApp(), CockpitApp(None, first_pane="sdl", sdl=path)
    async with bare.run_test(size=SIZE) as bare_pilot, ours.run_test(size=SIZE) as pilot:
        area = bare.query_one(TextArea)
        area.focus()
        area.move_cursor((row, column), center=True)
        pane = await opened(ours)
        pane.go_to(row, column)
        await pilot.pause()
        await bare_pilot.press(*first)
        await pilot.press(*first)

        async def checked() -> None:
            await until_checked(pane)
            await pilot.pause()

        for turn in range(rounds + 1):
            bare_cost, our_cost = await burst(bare_pilot, word, bare_pilot.pause), await burst(pilot, word, checked)
            if turn:  # the first fills the caches
                taken["bare"].append(bare_cost)
                taken["ours"].append(our_cost)
                fresh.append(await freshness(pane, pilot, word))
        pane.desk.session.saved()
    return _cost(taken, fresh)


async def until_checked(pane: SdlPane) -> None:
    """Wait until the problems are those of the text."""
    while pane.checked is None or pane.checked.version != pane.desk.session.version:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.001)


async def opened(app: CockpitApp) -> SdlPane:
    """The editor with the file in it."""

    def pane() -> SdlPane | None:
        shown = app.workspace.screen.pane if app.workspace.screen is not None else None
        return shown if isinstance(shown, SdlPane) and shown.desk.file.path is not None else None

    while (found := pane()) is None:  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.01)
    await until_checked(found)
    return found


def _cost(taken: dict[str, list[float]], fresh: list[float]) -> dict[str, object]:
    cost = {name: statistics.median(costs) for name, costs in taken.items()}
    return {
        "key_cpu_ms": {name: round(1000 * value, 2) for name, value in cost.items()},
        "ratio": round(cost["ours"] / cost["bare"], 3),
        "problems_fresh_ms": round(1000 * statistics.median(fresh), 1),
    }


def _result(places: dict[str, dict[str, Any]], rounds: int) -> dict[str, object]:
    """The worst of the places is what counts."""
    worst = max(places.values(), key=lambda one: float(one["ratio"]))
    return {
        "benchmark": "sdl editor",
        "lines": LINES,
        "rounds": rounds,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "key_cpu_ms": worst["key_cpu_ms"],
        "ratio": worst["ratio"],
        "problems_fresh_ms": max(float(one["problems_fresh_ms"]) for one in places.values()),
        "places": places,
    }


def main() -> int:
    """Compare, print, and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench" / "sdl-editor.json", metavar="FILE")
    args = parser.parse_args()
    places: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            os.environ[name] = folder
        for name, place in PLACES.items():
            path = Path(folder) / f"{name}.yaml"
            path.write_text(sample(), encoding="utf-8")
            places[name] = asyncio.run(compare(args.rounds, path, place))
    result = _result(places, args.rounds)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"a key in an SDL of {LINES} lines, ms of CPU:")
    for name, found in places.items():
        cost = found["key_cpu_ms"]
        times = f"ours {cost['ours']:6.2f}   a bare text area {cost['bare']:6.2f}"
        print(f"  in a {name:7} {times}   ratio {found['ratio']:.2f}")
    print(f"ratio at most {result['ratio']}, allowed {MOST}; problems fresh after {result['problems_fresh_ms']} ms")
    print(f"written to {args.json}")
    is_good = float(str(result["ratio"])) <= MOST and float(str(result["problems_fresh_ms"])) <= 1000 * FRESH_S
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
