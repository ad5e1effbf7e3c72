"""Asking Akash Console what there is now; no account is needed."""

import asyncio
from datetime import UTC, datetime

from cockpit.errors import CockpitError
from cockpit.operations.deployments import account
from cockpit.sdl.market import Market, shipped

PATIENCE_S = 10
"""How long to wait for the Console before the shipped lists are all there is."""


async def ask_market() -> Market:
    """What Akash has now; the shipped lists, with the reason, where the Console cannot be asked."""
    try:
        async with asyncio.timeout(PATIENCE_S), account.open_console(with_key=False) as console:
            offers, providers = await asyncio.gather(console.gpu_offers(), console.providers())
    except TimeoutError:
        return shipped(f"Akash Console did not answer within {PATIENCE_S} s.")
    except CockpitError as error:
        return shipped(error.title)
    if not offers:
        return shipped("Akash Console lists no GPU.")
    return Market(source=f"Offers on Akash at {datetime.now(UTC):%H:%M} UTC.", offers=offers, providers=providers)
