"""From parsed options to a client, with the questions that a token may raise."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cockpit.cli import output
from cockpit.errors import UsageError
from cockpit.render.text import visible

if TYPE_CHECKING:
    from cockpit.clients.ray import RayClient
    from cockpit.operations.connect import Question, Selection, Target


def selection_of(args: argparse.Namespace) -> "Selection":
    """What the user named."""
    from cockpit.operations.connect import Selection

    return Selection(context=args.context, address=args.address)


@asynccontextmanager
async def cluster(args: argparse.Namespace, *, changes: bool = False) -> AsyncIterator["RayClient"]:
    """A connected client of the cluster that the options name.

    With `changes` a read-only context is refused with UsageError.
    """
    # httpx takes most of a start, and not every command speaks to a cluster.
    from cockpit.operations.connect import choose, connect

    target = choose(selection_of(args))
    if changes and target.is_read_only:
        raise UsageError(f"The context {target.name} is read-only.", hint="Remove read_only from it to change that.")
    _warn(target)
    ask = _ask if sys.stdin.isatty() else None
    client = await connect(target, ask=ask, agreed=args.send_token, accept=args.accept_certificate)
    async with client:
        try:
            yield client
        finally:
            for shortcoming in sorted(client.shortcomings):
                output.warning(shortcoming)


def _warn(target: "Target") -> None:
    if target.context is not None and not target.context.verify:
        output.warning(f"the certificate of {target.address} is not verified (verify = false).")


async def _ask(question: "Question") -> bool:
    for line in question.lines:
        output.message(f"  {line}")
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
