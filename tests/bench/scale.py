"""The cockpit on a cluster of 1,000 nodes with 8 GPUs each and 5,000 jobs, which are all renewed while keys go in."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.bench.figures import Figure
from tests.bench.processes import COCKPIT, ROOT, private_home
from tests.bench.terminal import Terminal

PART = "1,000 nodes × 8 GPUs, 5,000 jobs, refreshing"
PANES = {"overview": b"1", "jobs": b"2", "nodes": b"4", "gpus": b"3"}
KEYS = (b"\x1b[B", b"\x1b[6~", b"\x1b[A", b"\x1b[5~", b"\x1b[B")
PAUSE_S = 0.05
WARM_S = 8.0
FIRST_JOB = "raysubmit_"
FLOOD_S = 3.0
KEY_MS, CPU_PERCENT, RSS_MB, FLOOD_LINES = 50.0, 15.0, 200.0, 150_000

CPU_BETWEEN = "An answer of /nodes is 15 MB, and comes every 5 s; all of it is read and decoded each time."
RSS_BETWEEN = "An answer of /nodes is 15 MB as it comes, and its nodes are made beside those of the answer before."
KEY_BETWEEN = (
    "A key waits for the piece in work: 15 MB of nodes are parsed in one; the rest is read and made rows of in pieces."
)


class Dashboard(NamedTuple):
    """The big simulated dashboard: its address, its process, and what it says of itself."""

    url: str
    process: subprocess.Popen[str]
    sizes: dict[str, float]

    def since(self) -> dict[str, dict[str, int]]:
        """Requests and bytes by path since the last time."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found: dict[str, dict[str, int]] = json.loads(self.process.stdout.readline())
        return found


class Watched(NamedTuple):
    """One pane: milliseconds from each key to its paint, and percent of a core without keys."""

    keys: list[float]
    cpu: float
    unanswered: int


@contextmanager
def big_dashboard() -> Iterator[Dashboard]:
    """Serve the big cluster."""
    command = [sys.executable, "-m", "tests.bench.big_dashboard"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        about: dict[str, Any] = json.loads(process.stdout.readline())
        yield Dashboard(about.pop("url"), process, about)
    finally:
        process.kill()
        process.communicate()


def measured(home: Path, *, seconds: float, say: Callable[[str], None]) -> list[Figure]:
    """Each pane for so many seconds with keys, and as many without."""
    say("a big cluster …")
    with big_dashboard() as dashboard:
        lines = flooded(dashboard.url)
        environment = private_home(home) | {"RAYAKASH_ADDRESS": dashboard.url}
        dashboard.since()
        with Terminal(COCKPIT, environment) as terminal:
            rows = terminal.wait_for(FIRST_JOB)
            watched = {name: watch(terminal, key, seconds) for name, key in PANES.items()}
            memory, peak = terminal.memory(), terminal.memory("VmHWM")
    return [*_served(dashboard.sizes, lines), *_figures(watched, rows, memory, peak)]


def watch(terminal: Terminal, pane: bytes, seconds: float) -> Watched:
    """Show a pane, leave it alone for a time, then press keys for as long."""
    terminal.send(pane)
    terminal.read_for(WARM_S)
    before, begun = terminal.cpu(), time.monotonic()
    terminal.read_for(seconds)
    cpu = 100 * (terminal.cpu() - before) / (time.monotonic() - begun)
    delays: list[float | None] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        delays.append(terminal.key(KEYS[len(delays) % len(KEYS)]))
        terminal.read_for(PAUSE_S)
    answered = [1000 * delay for delay in delays if delay is not None]
    return Watched(answered, cpu, len(delays) - len(answered))


def flooded(url: str) -> float:
    """Lines a second that the dashboard's fast log brings to a bare client."""
    count, begun = 0, time.monotonic()
    params = {"node_id": "any", "filename": "job-driver-flood.log"}
    with httpx.stream("GET", f"{url}/api/v0/logs/stream", params=params, trust_env=False, timeout=10) as reply:
        for chunk in reply.iter_bytes():
            count += chunk.count(b"\n")
            if time.monotonic() - begun > FLOOD_S:
                break
    return count / (time.monotonic() - begun)


def _served(sizes: dict[str, float], lines: float) -> list[Figure]:
    return [
        Figure(PART, "simulated: a node", sizes["kb_per_node"], "kB"),
        Figure(PART, "simulated: a job", sizes["kb_per_job"], "kB"),
        Figure(PART, "simulated: actors", sizes["actors"], ""),
        Figure(PART, "simulated: lines/s of its fast log, to a bare client", lines, "", at_least=0.95 * FLOOD_LINES),
    ]


def _figures(watched: dict[str, Watched], rows: float, memory: float, peak: float) -> list[Figure]:
    found = [Figure(PART, "first live rows", rows, "s")]
    for name, pane in watched.items():
        p99 = statistics.quantiles(pane.keys, n=100)[-1]
        found += [
            Figure(PART, f"{name}: key to paint, median", statistics.median(pane.keys), "ms"),
            Figure(PART, f"{name}: key to paint, p99", p99, "ms", at_most=KEY_MS, between=KEY_BETWEEN),
            Figure(PART, f"{name}: keys without an answer", pane.unanswered, "", at_most=0),
            Figure(PART, f"{name}: processor", pane.cpu, "%", at_most=CPU_PERCENT, between=CPU_BETWEEN),
        ]
    return [
        *found,
        Figure(PART, "memory after all panes", memory, "MB", at_most=RSS_MB, between=RSS_BETWEEN),
        Figure(PART, "memory at its peak", peak, "MB"),
    ]
