"""What the Jobs pane costs while nothing happens, and when one job changes; on a terminal."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.processes import COCKPIT, private_home
from tests.bench.terminal import Terminal
from tests.ui.pty_cockpit import FrozenCluster

PART = "The Jobs pane of a cluster at rest"
IDLE_S, CPU_S, POLLED_S = 10.0, 20.0, 8.0
REST_S = 3.0  # longer than the second in which durations are looked at
CPU_BETWEEN = "Two requests every 4 to 5 s, and a look at the clock each second."
SEEN_JOB = "ci-smoke-12"
TABS = "1 Overview"


def measured(home: Path, *, say: Callable[[str], None]) -> list[Figure]:
    """Bytes to the terminal, and the share of a core."""
    say("at rest …")
    with FrozenCluster() as cluster:
        environment = private_home(home) | {"RAYAKASH_ADDRESS": cluster.url}
        with Terminal(COCKPIT, environment) as terminal:
            terminal.wait_for(TABS)
            terminal.send(b"2")
            terminal.wait_for(SEEN_JOB)
            terminal.settle(REST_S)
            idle = terminal.read_for(IDLE_S)
            before, begun = terminal.cpu(), time.monotonic()
            terminal.read_for(CPU_S)
            cpu = 100 * (terminal.cpu() - before) / (time.monotonic() - begun)
            start = len(terminal.written)
            cluster.stop(SEEN_JOB)
            terminal.wait_for("STOPPED", start=start)
            terminal.read_for(POLLED_S)
            changed = len(terminal.written) - start
            memory = terminal.memory()
    return [
        Figure(PART, "processor", cpu, "%", at_most=1.0, between=CPU_BETWEEN),
        Figure(PART, "bytes to the terminal in 10 s", idle, "B", at_most=0),
        Figure(PART, "bytes to the terminal for one changed job", changed, "B", at_most=1000),
        Figure(PART, "memory", memory, "MB"),
    ]
