"""The simulated Akash as a process: prints the Console's address and a key, and serves until it is ended.

    python -m tests.akash_sim --dialect august --scale 10
    AKASH_CONSOLE_URL=http://127.0.0.1:PORT AKASH_API_KEY=ac.sk.sim.… rayakash-tui offers

    python -m tests.akash_sim --containers 127.0.0.1 --home /tmp/provider    runs what is leased, by podman, as root

Time runs as fast as `--scale` says; orders go to `POST /_sim` (see tests.akash_sim.server).
"""

import argparse
import asyncio
import contextlib
import signal
import time
from decimal import Decimal
from pathlib import Path

from tests.akash_sim.clock import VirtualClock
from tests.akash_sim.console import SimConsole
from tests.akash_sim.gateway import gateways
from tests.akash_sim.machines import machines_of
from tests.akash_sim.market import providers
from tests.akash_sim.server import SimServer
from tests.akash_sim.world import SimWorld


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.akash_sim", description="a simulated Akash network")
    parser.add_argument("--dialect", choices=("august", "autumn"), default="autumn")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="virtual seconds a second")
    parser.add_argument("--usd", type=Decimal, default=Decimal(1000), help="the account's credit")
    parser.add_argument("--providers", type=int, default=6)
    parser.add_argument("--trial", action="store_true")
    parser.add_argument("--ray", metavar="HOST:PORT", help="where port 8443 of the service `gateway` really leads")
    parser.add_argument("--folder", type=Path, help="where the shells of the providers run (default: no shells)")
    parser.add_argument(
        "--containers", metavar="IP", help="run what is leased for real, with its ports at this address"
    )
    parser.add_argument("--home", type=Path, help="the home of those who run it")
    return parser.parse_args()


async def main(args: argparse.Namespace) -> None:
    """Serve for ever."""
    clock = VirtualClock(time.time(), scale=args.scale)
    world = SimWorld(
        seed=args.seed, clock=clock, available=args.usd * 1_000_000, market=providers(args.providers),
        is_trial=args.trial,
    )  # fmt: skip
    if args.ray:
        host, _, port = args.ray.rpartition(":")
        for provider in world.providers:
            provider.forwards["gateway", 8443] = (host, int(port))
    console = SimConsole(world, dialect=args.dialect)
    async with (
        machines_of(console, args.containers, args.home or Path.home()) as machines,
        gateways(world, folder=args.folder, enter=machines.enter if machines else None),
        SimServer(console, port=args.port) as server,
    ):
        print(f"AKASH_CONSOLE_URL={server.url} AKASH_API_KEY={world.keys[0].value}", flush=True)
        await asyncio.Event().wait()


async def until_told() -> None:
    """Serve until SIGTERM, and then take down what runs."""
    serving = asyncio.ensure_future(main(parsed()))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(until_told())
