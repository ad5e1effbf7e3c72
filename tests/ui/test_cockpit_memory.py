"""What the cockpit itself takes when two lists at once are bombs: 117 kB of gzip that unpack to 120 MB of numbers."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.ui.pty_cockpit import Terminal
from tests.wire.fake_ray import FakeRay, serve
from tests.wire.server import Exchange
from tests.wire.test_reply_memory import HOSTILE, MIB

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of a process in /proc"),
]

MOST = 200 * MIB


def bomb(name: str) -> Callable[[Exchange], Awaitable[None]]:
    """An answer that is small on the wire."""
    body = gzip.compress(HOSTILE[name], 1)

    async def answer(exchange: Exchange) -> None:
        await exchange.reply(body, content_type="application/json", headers={"Content-Encoding": "gzip"})

    return answer


def peak(pid: int) -> int:
    """The most that a process had in memory so far, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


@pytest.mark.parametrize(("jobs", "nodes"), [("zeros", "nodes of zeros"), ("small objects", "small nodes")])
async def test_two_bombs_at_once_stay_small_however_often_they_come(jobs: str, nodes: str, tmp_path: Path) -> None:
    ray = FakeRay()
    paths = {"/api/jobs/": jobs, "/nodes": nodes}
    ray.overrides = {("GET", path): bomb(name) for path, name in paths.items()}
    async with serve(ray) as server:
        with closing(Terminal(["--address", server.url], tmp_path)) as terminal:
            async with asyncio.timeout(120):
                while any(len(server.seen("GET", path)) < 4 for path in paths):
                    await asyncio.to_thread(terminal.read_for, 0.1)
            assert peak(terminal.pid) < MOST, f"{peak(terminal.pid) / MIB:.0f} MiB"
