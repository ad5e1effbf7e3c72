"""The benchmarks that are programs of their own, each run in a process, and their JSON as figures of the one table."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.figures import Figure
from tests.bench.processes import ROOT, private_home

PATIENCE_S = 240.0
LOGS = "A log of 1,000,000 lines into the spool"
LOG_VIEW = "A log of 1,000,000 lines on the screen"
EDITOR = "A key in an SDL of 500 lines"
WHOLE_BETWEEN = (
    "Counting the lines twice, for the screen and for one's place after a cut: a third of it with a Python whose"
    " bytes.count is slow. One request to find the job, and one at the end."
)
VIEW_BETWEEN = "Counting the lines of the first pieces before anything is drawn; other work on the second processor."
KEY_BETWEEN = "Drawing the form's marks and the changed lines, and telling the other side of the editor of each key."
FRESH_BETWEEN = "Parsing the whole text anew, in a thread, after the last key."
LINT = "Lint of a folder of SDLs, beside the official package"


class Program(NamedTuple):
    """A benchmark: its module, its options, and how its JSON is read."""

    part: str
    module: str
    options: tuple[str, ...]
    read: Callable[[Any], list[Figure]]


def programs(seconds: float, runs: int) -> Sequence[Program]:
    """All of them; a fast log is followed for so many seconds."""
    fast = ("--runs", str(runs), "--seconds", str(seconds))
    return (
        Program(LOGS, "tests.bench.bench_logs", fast, _logs),
        Program(LOG_VIEW, "tests.bench.bench_log_view", (), _log_view),
        Program(EDITOR, "tests.bench.bench_sdl_editor", (), _editor),
        Program(LINT, "tests.bench.bench_sdl", ("--rounds", "3"), _lint),
    )


def measured(program: Program, home: Path) -> list[Figure]:
    """Run one; a missed target of its own is no failure. Raises RuntimeError with its last words."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", program.module, *program.options, "--json", str(report)]
        known = {name: os.environ[name] for name in ("RAYAKASH_SHARED", "CHAIN_SDK") if name in os.environ}
        done = subprocess.run(
            command, cwd=ROOT, env=private_home(home) | known, capture_output=True, text=True,
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        if not report.exists():
            words = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
            raise RuntimeError(words[0])
        return program.read(json.loads(report.read_text(encoding="utf-8")))


def _logs(found: dict[str, float]) -> list[Figure]:
    known = {"bare stream, s", "into the spool, s", "ratio to a bare stream"}
    seconds = found["bare stream, s"]
    name, ours = "whole in, lines counted; theirs: bare stream", found["into the spool, s"]
    whole = Figure(LOGS, name, ours, "s", seconds, at_most=1.3, between=WHOLE_BETWEEN)
    return [whole, *(_plain(name, value) for name, value in found.items() if name not in known)]


def _plain(name: str, value: float) -> Figure:
    title, _, unit = name.rpartition(", ")
    is_unit = title and unit in ("s", "MiB")
    most = {"memory growth, MiB": 30.0, "seconds behind at the end": 1.0}.get(name)
    least = 100_000.0 if name == "lines a second followed" else None
    return Figure(
        LOGS, title if is_unit else name, value, unit if is_unit else "", at_most=most, at_least=least,
        between="The bytes come as fast as they are written; what is missing has not been read yet.",
    )  # fmt: skip


def _log_view(found: list[dict[str, Any]]) -> list[Figure]:
    return [
        Figure(LOG_VIEW, row["name"], row["value"], row["unit"], at_most=row["target"], between=VIEW_BETWEEN)
        for row in found
    ]


def _editor(found: dict[str, Any]) -> list[Figure]:
    keys = [
        Figure(EDITOR, f"in a {name}; theirs: a bare text area, processor", cost["key_cpu_ms"]["ours"], "ms",
               cost["key_cpu_ms"]["bare"], at_most=1.3, between=KEY_BETWEEN)
        for name, cost in found["places"].items()
    ]  # fmt: skip
    fresh = found["problems_fresh_ms"]
    return [*keys, Figure(EDITOR, "problems fresh after", fresh, "ms", at_most=100, between=FRESH_BETWEEN)]


def _lint(found: dict[str, Any]) -> list[Figure]:
    cpu, wall = found["cpu_s"], found["wall_s"]
    return [
        Figure(LINT, "processor", cpu["ours"], "s", cpu["node"], at_most=1, between="Composing YAML is most of it."),
        Figure(LINT, "time", wall["ours"], "s", wall["node"]),
    ]
