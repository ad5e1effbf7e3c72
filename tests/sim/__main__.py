"""The simulated dashboard as a process: prints its address and serves until it is ended.

Orders come as JSON on standard input, one a line, each answered by a line `ok`:
{"do": "advance", "seconds": 60}, {"do": "restart"}, {"do": "refuse"}, {"do": "listen"}, {"do": "clear"},
{"do": "fault", "path": "/api/jobs/", "kind": "hang"} (see tests.sim.faults), {"do": "run"}.
"""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from tests.sim import NOON, Fault, Plan, SimClock, SimCluster, SimServer


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description="a Ray dashboard of a simulated cluster")
    parser.add_argument("--nodes", type=int, default=12, help="living nodes, the head among them")
    parser.add_argument("--gpus", type=int, default=8, help="GPUs of each node")
    parser.add_argument("--jobs", type=int, default=212)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token", help="want this token")
    parser.add_argument("--frozen", action="store_true", help=f"stand still, at {NOON:.0f} unless --at says otherwise")
    parser.add_argument("--at", type=float, metavar="EPOCH", help="the time to begin at (default: now)")
    return parser.parse_args()


async def serve(args: argparse.Namespace) -> None:
    """Serve until standard input says so, or for ever where there is none."""
    origin = args.at if args.at is not None else (NOON if args.frozen else time.time())
    plan = Plan(nodes=args.nodes, gpus=args.gpus, jobs=args.jobs, seed=args.seed, origin=origin)
    cluster = SimCluster(plan, clock=SimClock(origin, frozen=args.frozen))
    async with SimServer(cluster, port=args.port, token=args.token) as server:
        print(server.url, flush=True)
        async for order in _orders():
            await obey(server, order)
            print("ok", flush=True)
        await asyncio.Event().wait()


async def obey(server: SimServer, order: dict[str, Any]) -> None:
    """Carry out an order."""
    what = order.pop("do")
    if what == "fault":
        server.dashboard.faults.add(msgspec.convert(order, Fault))
    elif what in ("refuse", "listen"):
        await getattr(server, what)()
    else:
        actions: dict[str, Callable[..., None]] = {
            "advance": server.cluster.clock.advance,
            "run": server.cluster.clock.run,
            "restart": server.cluster.restart,
            "clear": server.dashboard.faults.clear,
        }
        actions[what](**order)


async def _orders() -> AsyncIterator[dict[str, Any]]:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    except (OSError, ValueError):  # a file, or nothing at all: no orders
        return
    while line := await reader.readline():
        yield msgspec.json.decode(line)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parsed()))
