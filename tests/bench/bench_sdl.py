"""Lint of the corpus in one process, against `node` with the official package doing the same.

`python -m tests.bench.bench_sdl [--rounds N] [--json FILE]`: the two take turns, medians are compared. Prints a table
and writes the JSON beside it; exits 1 where ours takes more of the processor, and 0 with a reason where it cannot be
compared. `CHAIN_SDK` names a folder in which the package is installed already.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = "@akashnetwork/chain-sdk@1.0.0-alpha.25"
SCRIPT = Path(__file__).with_name("lint.mjs")
PATIENCE_S = 300  # for the registry


class SkippedError(Exception):
    """The comparison cannot be made here."""


class Run(NamedTuple):
    """How long one process took: on the clock, and of the processor."""

    wall: float
    cpu: float


def corpus_files() -> list[Path]:
    """The real SDLs. Raises SkippedError."""
    folder = Path(os.environ.get("RAYAKASH_SHARED", ROOT.parent / "shared")) / "corpus" / "awesome"
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml"))
    if not files:
        raise SkippedError(f"there is no corpus at {folder}; set RAYAKASH_SHARED")
    return files


def installed_package(folder: Path) -> Path:
    """A folder from which node finds the package. Raises SkippedError."""
    if given := os.environ.get("CHAIN_SDK"):
        return Path(given)
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        raise SkippedError("node and npm are not here")
    command = [npm, "install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder), PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        raise SkippedError(f"{PACKAGE} did not arrive in {PATIENCE_S} s") from None
    if done.returncode:
        raise SkippedError(f"{PACKAGE} cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return folder


def timed(command: Sequence[str], *, codes: Sequence[int]) -> tuple[Run, bytes]:
    """Run a command to its end; returns what it took and what it printed."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in codes:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu), done.stdout


def compare(rounds: int, folder: Path) -> dict[str, object]:
    """Both, in turns. Raises SkippedError."""
    files = [str(path) for path in corpus_files()]
    package = installed_package(folder)
    script = package / SCRIPT.name  # node looks for packages from where the script lies
    shutil.copyfile(SCRIPT, script)
    commands = {
        "ours": [sys.executable, "-m", "cockpit", "sdl", "lint", "--json", *files],
        "node": ["node", str(script), *files],
    }
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    accepted: dict[str, int] = {}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            run, printed = timed(command, codes=(0, 1))
            if turn:  # the first fills the caches
                runs[name].append(run)
            accepted[name] = sum(
                bool(row.get("typescript", row.get("accepted"))) for row in json.loads(printed)["files"]
            )
    return _result(len(files), runs, accepted)


def _result(files: int, runs: dict[str, list[Run]], accepted: dict[str, int]) -> dict[str, object]:
    wall = {name: statistics.median(run.wall for run in taken) for name, taken in runs.items()}
    cpu = {name: statistics.median(run.cpu for run in taken) for name, taken in runs.items()}
    return {
        "benchmark": "sdl lint",
        "files": files,
        "rounds": len(runs["ours"]),
        "package": PACKAGE,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "wall_s": {name: round(value, 4) for name, value in wall.items()},
        "cpu_s": {name: round(value, 4) for name, value in cpu.items()},
        "ratio": {"wall": round(wall["ours"] / wall["node"], 3), "cpu": round(cpu["ours"] / cpu["node"], 3)},
        "accepted_by_typescript": accepted,
    }


def table(result: dict[str, object]) -> list[str]:
    """The result as lines."""
    lines = [f"sdl lint of {result['files']} files in one process, medians of {result['rounds']} rounds in turns", ""]
    lines.append(f"{'':8}{'ours':>10}{'node':>10}{'ratio':>8}")
    for name, key in (("clock", "wall"), ("CPU", "cpu")):
        row, ratio = result[f"{key}_s"], result["ratio"]
        assert isinstance(row, dict)
        assert isinstance(ratio, dict)
        lines.append(f"{name:8}{row['ours']:>8.3f} s{row['node']:>8.3f} s{ratio[key]:>8.2f}")
    return lines


def main() -> int:
    """Compare, print, and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench" / "sdl.json", metavar="FILE")
    args = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            result = compare(args.rounds, Path(folder))
    except SkippedError as reason:
        print(f"skipped: {reason}")
        return 0
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print("\n".join([*table(result), "", f"written to {args.json}"]))
    ratio = result["ratio"]
    assert isinstance(ratio, dict)
    return 0 if ratio["cpu"] <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
