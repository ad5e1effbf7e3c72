"""Asking why until Ray shows a thing as it is."""

import asyncio
import time

from cockpit.clients.ray import RayClient
from cockpit.model.why.verdicts import Explanation
from cockpit.operations.why.explain import explain

SECONDS = 120.0  # workers start slowly on a busy machine


async def explained(client: RayClient, text: str, verdict: str) -> Explanation:
    """The explanation once it has this verdict; what Ray has decided shows up in its replies after a while."""
    end = time.monotonic() + SECONDS
    while True:
        found = await explain(client, text)
        if found.cause.verdict == verdict or time.monotonic() > end:
            assert found.cause.verdict == verdict, found.cause
            return found
        await asyncio.sleep(0.5)
