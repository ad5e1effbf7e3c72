"""What a long log costs: whole into the spool, beside a bare httpx stream to a file; a fast one followed; a reconnect.

    python -m tests.bench.bench_logs [--runs 5] [--seconds 60] [--json FILE]

The server is a process of its own, and each figure is of a process of its own: what it peaks at is its own doing. The
two are run by turns, and the medians compared.
"""

import argparse
import asyncio
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.wire.fake_ray import FakeRay, serve
from tests.wire.server import until

ROOT = Path(__file__).resolve().parents[2]
LINES = 1_000_000
LINES_A_SECOND = 100_000
LINE = b"step %9d | loss 1.2345 | 41.2k tok/s | lr 2.99e-04 | gpu 0 61 C 312 W\n"
HEADER = b"2026-11-20 21:40:01,112\tINFO job_manager.py:581 -- Runtime env is setting up.\n"
MIB = 2**20
COUNTED_AT_ONCE = 8 * MIB

CUT_LINES = 6_000_000 // len(LINE % 0)
SLOW_LINES = 20_000_000 // len(LINE % 0)

TARGETS = {
    "ratio to a bare stream": 1.3,
    "memory growth, MiB": 30.0,
    "seconds behind at the end": 1.0,
    "6 MB cut every 64 to 400 kB: times its bytes": 4.0,
    "20 MB at 2 MB/s cut every 3 s: share that came": 1.0,
}


def log_of(lines: int) -> bytes:
    """So many lines that differ."""
    return HEADER + b"".join(LINE % number for number in range(lines))


async def served(seconds: float) -> None:
    """Be the dashboard: `whole` has ended, `stays` has as much and is silent, `grows` does so once it is followed."""
    ray, data = FakeRay(), log_of(LINES)
    ray.add("whole", "SUCCEEDED", log=data)
    ray.add("stays", log=data)
    grows = ray.add("grows", log=HEADER)
    ray.add("cut", "SUCCEEDED", log=log_of(CUT_LINES))
    ray.add("slow", "SUCCEEDED", log=log_of(SLOW_LINES))
    async with serve(ray) as server:
        print(server.url, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        begun, written = time.monotonic(), 0
        whole = int(seconds * LINES_A_SECOND)
        while written < whole:
            due = min(whole, int((time.monotonic() - begun) * LINES_A_SECOND))
            grows.write(b"".join(LINE % number for number in range(written, due)))
            written = due
            await asyncio.sleep(0.05)
        ray.end("grows")
        print(json.dumps({"lines": written, "ended": time.time()}), flush=True)
        await asyncio.to_thread(sys.stdin.readline)


class Deaf:
    """A listener that does nothing, but knows when the last bytes came (seconds since the epoch)."""

    last = 0.0

    def wrote(self, chunk: bytes) -> None:
        Deaf.last = time.time()

    def waiting(self, state: object) -> None: ...
    def away(self, outage: object) -> None: ...
    def reconnected(self, *, proven: bool) -> None: ...
    def replaced(self) -> None: ...
    def noted(self, sentence: str) -> None: ...


async def bare(url: str) -> int:
    """A bare httpx stream to a file."""
    import httpx

    from tests.wire.fake_ray import NODE

    params = {"node_id": NODE, "filename": "job-driver-whole.log", "lines": "-1"}
    size = 0
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        with tempfile.TemporaryFile() as file:
            async with client.stream("GET", f"{url}/api/v0/logs/file", params=params) as reply:
                async for chunk in reply.aiter_bytes():
                    size += file.write(chunk)
    return size


async def followed(url: str, job_id: str) -> int:
    """Our follower into its spool; the lines are counted, as the screen and the search need them."""
    from cockpit.clients.address import parse_address
    from cockpit.clients.ray import RayClient
    from cockpit.clients.transport import Endpoint
    from cockpit.feeds.follower import LogFollower
    from cockpit.feeds.line_index import LineIndex
    from cockpit.feeds.log_source import JobLog
    from cockpit.feeds.spool import Spool

    async with RayClient.at(Endpoint(address=parse_address(url))) as client:
        with Spool() as spool:
            await LogFollower(JobLog(client, job_id), spool, Deaf()).run()
            index = LineIndex(spool)
            while not index.extend(COUNTED_AT_ONCE):
                pass
            assert index.line_count == spool.size // len(LINE % 0), "not as many lines as there are"
            return spool.size


async def reconnected(url: str) -> dict[str, int]:
    """What comes over the line when the stream of a long, silent log is cut, once and again."""
    from cockpit.clients.address import parse_address
    from cockpit.clients.ray import RayClient
    from cockpit.clients.transport import Endpoint
    from cockpit.feeds.follower import LogFollower
    from cockpit.feeds.log_source import JobLog
    from cockpit.feeds.spool import Spool
    from tests.live.proxy import Proxy

    proxy = Proxy(int(url.rpartition(":")[2]))
    async with proxy:
        client = RayClient.at(Endpoint(address=parse_address(proxy.address)))
        async with client:
            with Spool() as spool:
                task = asyncio.create_task(LogFollower(JobLog(client, "stays"), spool, Deaf()).run())
                await until(lambda: spool.size >= len(HEADER) + LINES * len(LINE % 0))
                costs = []
                for _ in range(3):
                    before = proxy.passed
                    proxy.cut()
                    await asyncio.sleep(6.0)
                    costs.append(proxy.passed - before)
                task.cancel()
    return {"bytes": max(costs), "log": spool.size}


async def through_cuts(url: str, job_id: str, **faults: Any) -> dict[str, float]:
    """An ended job's log through a line with faults: what was held in the end, and what came over the line."""
    from tests.live.proxy import Proxy

    async with Proxy(int(url.rpartition(":")[2]), **faults) as proxy:
        size = await followed(proxy.address, job_id)
    return {"bytes": proxy.passed, "log": size}


def measured(what: str, url: str) -> None:
    """One figure, in this process."""
    work: Any = {
        "bare": lambda: bare(url),
        "followed": lambda: followed(url, "whole"),
        "grows": lambda: followed(url, "grows"),
        "reconnected": lambda: reconnected(url),
        "cut": lambda: through_cuts(url, "cut", allowance=partial(random.Random(6).randrange, 64_000, 400_001)),
        "slow": lambda: through_cuts(url, "slow", lifetime=3.0, rate=2e6),
    }[what]
    import anyio._backends._asyncio  # noqa: F401 - what is imported is neither time nor growth, of both
    import httpx  # noqa: F401

    if what != "bare":
        import cockpit.feeds.follower  # noqa: F401
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun, cpu = time.monotonic(), time.process_time()
    result = asyncio.run(work())
    print(
        json.dumps(
            {
                "seconds": time.monotonic() - begun,
                "cpu": time.process_time() - cpu,
                "growth": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) / 1024,
                "result": result,
                "last": Deaf.last,
            }
        )
    )


def alone(what: str, url: str) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.bench_logs", "--measure", what, "--url", url]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def server(seconds: float) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The dashboard, and its process to give orders to."""
    command = [sys.executable, "-m", "tests.bench.bench_logs", "--serve", "--seconds", str(seconds)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(30)


def compared(runs: int, seconds: float) -> dict[str, float]:
    """All figures."""
    with server(seconds) as (url, process):
        pairs = [(alone("bare", url), alone("followed", url)) for _ in range(runs)]
        reconnect = alone("reconnected", url)["result"]
        cut, slow = alone("cut", url), alone("slow", url)
        assert process.stdin is not None
        assert process.stdout is not None
        command = [sys.executable, "-m", "tests.bench.bench_logs", "--measure", "grows", "--url", url]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as follower:
            process.stdin.write("go\n")
            process.stdin.flush()
            end = json.loads(process.stdout.readline())
            grown = json.loads(follower.communicate()[0])
    assert all(ours["result"] == theirs["result"] for theirs, ours in pairs), "not the same bytes"
    assert grown["result"] == len(HEADER) + end["lines"] * len(LINE % 0)
    cpu = [statistics.median(run[which]["cpu"] for run in pairs) for which in (0, 1)]
    medians = [statistics.median(run[which]["seconds"] for run in pairs) for which in (0, 1)]
    return {
        "bare stream, s": medians[0],
        "into the spool, s": medians[1],
        "ratio to a bare stream": medians[1] / medians[0],
        "the same in CPU time": cpu[1] / cpu[0],
        "memory growth, MiB": max(ours["growth"] for _, ours in pairs),
        "memory growth of a bare stream, MiB": max(theirs["growth"] for theirs, _ in pairs),
        "bytes of a reconnect, of a silent log": reconnect["bytes"],
        "bytes of that log": reconnect["log"],
        "6 MB cut every 64 to 400 kB: times its bytes": cut["result"]["bytes"] / cut["result"]["log"],
        "the same, s": cut["seconds"],
        "20 MB at 2 MB/s cut every 3 s: share that came": slow["result"]["log"] / len(log_of(SLOW_LINES)),
        "the same: times its bytes": slow["result"]["bytes"] / slow["result"]["log"],
        "the same, s ": slow["seconds"],
        "lines a second followed": end["lines"] / seconds,
        "seconds behind at the end": max(0.0, grown["last"] - end["ended"]),
        "CPU seconds a second while it was followed": grown["cpu"] / seconds,
        "memory growth while it was followed, MiB": grown["growth"],
    }


def main() -> None:
    """Measure, print a table, and write JSON where that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the fast log is followed")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        asyncio.run(served(args.seconds))
        return
    if args.measure:
        measured(args.measure, args.url)
        return
    figures = compared(args.runs, args.seconds)
    for name, value in figures.items():
        target = f"   target {TARGETS[name]:g}" if name in TARGETS else ""
        print(f"{name:48} {value:>14,.2f}{target}")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
