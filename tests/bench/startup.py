"""The first frame beside a bare Textual app's, and the first live rows of a real head; on a terminal, by turns."""

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tests.bench.bare_app import MARK
from tests.bench.figures import Figure
from tests.bench.processes import COCKPIT
from tests.bench.ray_head import BenchHead
from tests.bench.terminal import Terminal

PART = "Start-up on a terminal, beside a bare Textual app (medians by turns)"
BARE = (sys.executable, "-m", "tests.bench.bare_app")
FRAME_MARK = "Jobs"  # the title of a pane, which stands in the first frame
ROWS_MARK = "succeeded"  # of the jobs in the Overview
FIRST_FRAME, FIRST_ROWS = 1.5, 2.0
FRAME_BETWEEN = "Importing what is ours, and styling thirty widgets for a full screen instead of one line of text."
ROWS_BETWEEN = (
    "The first frame, then httpx, h11 and anyio imported, two requests one after the other, and the head's own time."
)


class Start(NamedTuple):
    """Seconds to the first frame and to the first rows, of the processor by then, and MB in use."""

    frame: float
    rows: float
    cpu: float
    memory: float


def started(command: Sequence[str], environment: Mapping[str, str], frame: str, rows: str) -> Start:
    """Start a program, and see it draw two texts."""
    with Terminal(command, environment) as terminal:
        first = terminal.wait_for(frame)
        cpu = terminal.cpu()
        second = terminal.wait_for(rows)
        return Start(first, second, cpu, terminal.memory())


def measured(bench: BenchHead, *, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """So many starts of each, and one before that which does not count."""
    say("first frames …")
    ours: list[Start] = []
    bare: list[Start] = []
    for turn in range(rounds + 1):
        mine = started(COCKPIT, bench.environment, FRAME_MARK, ROWS_MARK)
        other = started(BARE, bench.environment, MARK, MARK)
        if turn:
            ours.append(mine)
            bare.append(other)
    return [
        _figure("first frame", "frame", "s", ours, bare, FIRST_FRAME),
        _figure("first frame: processor", "cpu", "s", ours, bare, FIRST_FRAME),
        Figure(PART, "first live rows, after a bare app's first frame", _middle(ours, "rows"), "s",
               _middle(bare, "frame"), at_most=FIRST_ROWS, between=ROWS_BETWEEN),
        _figure("memory with the first rows", "memory", "MB", ours, bare, None),
    ]  # fmt: skip


def _figure(name: str, field: str, unit: str, ours: list[Start], bare: list[Start], most: float | None) -> Figure:
    mine, other = _middle(ours, field), _middle(bare, field)
    return Figure(PART, name, mine, unit, other, at_most=most, between=FRAME_BETWEEN)


def _middle(starts: list[Start], field: str) -> float:
    return float(statistics.median(getattr(start, field) for start in starts))
