"""All benchmarks in one table: `python -m tests.bench [--full] [--only PART…] [--json FILE]`.

Ours and what it is compared with take turns on one machine in one run; the medians are compared, so that what matters
is the ratio. The whole takes some minutes. Exits 1 where a part could not be measured; a missed target is a line of
the table, with what stands between.
"""

import argparse
import compileall
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx

from tests.bench import commands, head_load, idle, inside, others, overview, scale, startup
from tests.bench.figures import Figure, Missing, summary, table
from tests.bench.processes import ROOT
from tests.bench.ray_head import ray_head

PARTS = ("head", "inside", "rows", "scale", "overview", "idle", "logs", "log_view", "sdl_editor", "sdl")
FAILURES = (RuntimeError, TimeoutError, OSError, subprocess.SubprocessError, httpx.HTTPError)

Part = tuple[str, Callable[[], list[Figure]]]


def say(text: str) -> None:
    """Tell on the way what is measured now."""
    print(text, file=sys.stderr, flush=True)


def on_a_head(home: Path, figures: list[Figure], *, full: bool) -> list[Figure]:
    """All that needs a real Ray; what was measured before something failed is kept in `figures`."""
    say("a real Ray …")
    with ray_head(home) as bench:
        figures += commands.measured(bench, rounds=5 if full else 3, say=say)
        figures += startup.measured(bench, rounds=15 if full else 7, say=say)
        return head_load.measured(bench, seconds=60.0 if full else 45.0, say=say)


def parts(home: Path, wanted: Sequence[str], figures: list[Figure], *, full: bool) -> Iterator[Part]:
    """What is to be measured, with the name to give it where it cannot be."""
    own: dict[str, Part] = {
        "head": ("Beside a real Ray", lambda: on_a_head(home, figures, full=full)),
        "inside": (inside.PART, lambda: inside.measured(home, seconds=40.0 if full else 20.0, say=say)),
        "rows": (inside.MANY_PART, lambda: inside.many(home, say)),
        "scale": (scale.PART, lambda: scale.measured(home, seconds=30.0 if full else 12.0, say=say)),
        "overview": (overview.PART, lambda: overview.measured(home, say=say)),
        "idle": (idle.PART, lambda: idle.measured(home, say=say)),
    }
    yield from (part for name, part in own.items() if name in wanted)
    for program in others.programs(60.0, 5 if full else 3):
        if program.module.removeprefix("tests.bench.bench_") in wanted:
            yield program.part, _run_of(program, home)


def _run_of(program: others.Program, home: Path) -> Callable[[], list[Figure]]:
    def run() -> list[Figure]:
        say(f"{program.part} …")
        return others.measured(program, home)

    return run


def measured(wanted: Sequence[str], *, full: bool) -> tuple[list[Figure], list[Missing]]:
    """The figures of all parts, and the parts that could not be measured."""
    figures: list[Figure] = []
    missing: list[Missing] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, part in parts(Path(folder), wanted, figures, full=full):
            try:
                figures += part()
            except FAILURES as failure:
                missing.append(Missing(name, str(failure)))
    return figures, missing


def about(seconds: float) -> dict[str, object]:
    """When and where."""
    return {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "load": round(os.getloadavg()[0], 2),
        "seconds": round(seconds),
    }


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="take more rounds, and more time for each")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench" / "bench.json", metavar="FILE")
    args = parser.parse_args()
    compileall.compile_dir(ROOT / "cockpit", quiet=1)  # as pip does, which a checkout may not be allowed to
    begun = time.monotonic()
    figures, missing = measured(args.only, full=args.full)
    facts = about(time.monotonic() - begun)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    rows = {"figures": [figure.as_dict() for figure in figures], "missing": [gap._asdict() for gap in missing]}
    args.json.write_text(json.dumps({**facts, **rows}, indent=2) + "\n", encoding="utf-8")
    print(" · ".join(f"{name} {value}" for name, value in facts.items()))
    print("\n".join(["", *table(figures, missing), "", f"{summary(figures)}; written to {args.json}"]))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
