"""Commands as processes of their own: how long they take, how much of the processor, and what they peak at."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = Path(__file__).with_name("launch.py")
PATIENCE_S = 120.0
COCKPIT = (sys.executable, "-m", "cockpit")


class Taken(NamedTuple):
    """What a command took: seconds on the clock and of the processor, its peak in MiB; and what it printed."""

    wall: float
    cpu: float
    peak: float
    printed: str


def taken(command: Sequence[str], environment: Mapping[str, str]) -> Taken:
    """Run a command to its good end. Raises RuntimeError with its words."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as report:
        done = subprocess.run(
            [sys.executable, "-S", "-I", str(LAUNCH), report.name, *command],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        found = json.loads(report.read() or '{"code": "nothing"}')
    if found["code"] != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {found['code']}: {done.stderr.strip()[-500:]}")
    return Taken(found["wall"], found["cpu"], found["peak"], done.stdout)


def median(runs: Iterable[Taken], what: str) -> float:
    """The one in the middle."""
    return float(statistics.median(getattr(run, what) for run in runs))


def private_home(folder: Path) -> dict[str, str]:
    """An environment in which nothing of the user's is read or written."""
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    # Without the last, each process would compile the cockpit again, which an installed one never does.
    not_ours = ("RAY_", "RAYAKASH_", "PYTHONDONTWRITEBYTECODE")
    own = {name: value for name, value in os.environ.items() if not name.startswith(not_ours)}
    keyring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    return own | dict.fromkeys(names, str(folder)) | keyring
