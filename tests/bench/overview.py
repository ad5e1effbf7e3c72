"""What the Overview of 12 nodes and 96 GPUs costs while it is looked at: bytes to the terminal, and the processor."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.processes import COCKPIT, ROOT, private_home
from tests.bench.terminal import Terminal

PART = "The Overview of 12 nodes and 96 GPUs at 160x45"
SEEN = "worker-12 died"
WARM_S, WATCHED_S, CPU_S = 15.0, 60.0, 20.0
APART_S = 1.5  # what is written that close together is of one sample
SAMPLE_BYTES, CPU_PERCENT = 6000, 2.0


def measured(home: Path, *, say: Callable[[str], None]) -> list[Figure]:
    """A minute with a curve that is an hour wide, and one with ten minutes, which moves with each sample."""
    say("the Overview …")
    with simulated() as url, Terminal(COCKPIT, private_home(home) | {"RAYAKASH_ADDRESS": url}) as terminal:
        terminal.wait_for(SEEN)
        terminal.read_for(WARM_S)
        hour = bursts(terminal, WATCHED_S)
        terminal.send(b"+")
        terminal.read_for(WARM_S)
        minutes = bursts(terminal, WATCHED_S)
        before, begun = terminal.cpu(), time.monotonic()
        terminal.read_for(CPU_S)
        cpu = 100 * (terminal.cpu() - before) / (time.monotonic() - begun)
    return [
        Figure(PART, "bytes to the terminal for a sample, 1 h shown: most", max(hour), "B", at_most=SAMPLE_BYTES),
        Figure(PART, "bytes to the terminal for a sample, 10 min shown: most", max(minutes), "B", at_most=SAMPLE_BYTES),
        Figure(PART, "times that it wrote in a minute", len(hour), "", at_most=WATCHED_S / 10 + 1),
        Figure(PART, "processor", cpu, "%", at_most=CPU_PERCENT),
    ]


@contextmanager
def simulated() -> Iterator[str]:
    """A simulated dashboard as a process of its own, whose clock goes on."""
    command = [sys.executable, "-m", "tests.sim", "--nodes", "12", "--gpus", "8", "--jobs", "60"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def bursts(terminal: Terminal, seconds: float) -> list[int]:
    """The bytes of each time that it wrote, one after the other."""
    found: list[int] = [0]
    end, last = time.monotonic() + seconds, 0.0
    while (now := time.monotonic()) < end:
        written = len(terminal.read(end - now))
        if written and time.monotonic() - last > APART_S:
            found.append(0)
        if written:
            found[-1] += written
            last = time.monotonic()
    return found[1:] or found
