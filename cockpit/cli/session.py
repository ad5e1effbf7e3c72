"""From parsed options to a client, with the questions that a token may raise."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cockpit.cli import left_out, output
from cockpit.errors import UsageError
from cockpit.render.text import visible

if TYPE_CHECKING:
    from cockpit.clients.ray import RayClient
    from cockpit.feeds.patience import Patience
    from cockpit.operations.clusters.connect import Ask, Question, Selection, Target


def selection_of(args: argparse.Namespace) -> "Selection":
    """What the user named."""
    from cockpit.operations.clusters.connect import Selection

    return Selection(context=args.context, address=args.address, ssh=args.ssh, ssh_port=args.ssh_port)


def history_of(args: argparse.Namespace) -> tuple[str, float | None]:
    """The name under which the cluster's history is kept, and what the cluster costs in USD per hour."""
    from cockpit.operations.clusters.connect import history_of as find
    from cockpit.operations.deployments.money import lease_price

    name, cost = find(selection_of(args))
    leased = lease_price(name)
    return name, cost if leased is None else leased


@asynccontextmanager
async def cluster(args: argparse.Namespace, *, changes: bool = False) -> AsyncIterator["RayClient"]:
    """A connected client of the cluster that the options name.

    With `changes` UsageError is raised for a read-only context, and under --read-only.
    """
    # httpx takes most of a start, and not every command speaks to a cluster.
    from cockpit.operations.clusters.connect import choose, connect

    if changes and args.read_only:
        raise UsageError("This would change the cluster, and --read-only was given.")
    target = choose(selection_of(args))
    if changes and target.is_read_only:
        raise UsageError(f"The context {target.name} is read-only.", hint="Remove read_only from it to change that.")
    _warn(target)
    ask = asker()

    async def connected() -> "RayClient":
        return await connect(target, ask=ask, agreed=args.send_token, accept=args.accept_certificate)

    waits = getattr(args, "retry_for", None) is not None
    client = await (patience_of(args).through(connected) if waits else connected())
    async with client:
        await left_out.choose(args, client)
        try:
            yield client
        finally:
            for shortcoming in sorted(client.logs.shortcomings):
                output.warning(shortcoming)


def asker() -> "Ask | None":
    """How to ask on the terminal; None where there is none, as in a script."""
    return _ask if sys.stdin.isatty() else None


def patience_of(args: argparse.Namespace) -> "Patience":
    """How long to go on while the cluster is away; a first request fails at once, unless --retry-for is given."""
    from cockpit.cli.options import RETRY_SECONDS
    from cockpit.cli.watch import away
    from cockpit.feeds.patience import Patience

    retry_for = RETRY_SECONDS if args.retry_for is None else args.retry_for
    return Patience(retry_for, from_start=args.retry_for is not None, report=away)


def _warn(target: "Target") -> None:
    if target.context is not None:
        from cockpit.settings import load_settings

        for problem in load_settings().problems:
            output.warning(problem)
    if target.context is not None and not target.context.verify:
        output.warning(f"the certificate of {target.address} is not verified (verify = false).")


async def _ask(question: "Question") -> bool:
    for line in question.lines:
        output.message(f"  {line}", is_alarm=line in question.alarms)
    return await yes(question.text)


async def yes(question: str) -> bool:
    """Ask on the terminal; only `y` and `yes` are a yes."""
    print(f"{visible(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    # Not in a thread, which Ctrl-C could not end.
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return sys.stdin.readline().strip().lower() in ("y", "yes")
