"""Whether an address answers from here; nothing but a handshake is sent."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from cockpit.clients.address import Address
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.tls import Tls
from cockpit.clients.transport import Transport
from cockpit.errors import UnreachableError, UntrustedError

CONNECT_S = 5.0

Probe = Callable[[Address, str | None], Awaitable[None]]
"""Raises UnreachableError where nothing answers at the address, UntrustedError where it is not the pinned one."""


async def probe(address: Address, pin: str | None) -> None:
    """Try the address, whose certificate must have this fingerprint where one is given."""
    if address.is_encrypted:
        found = await Transport(Endpoint(address=address, tls=Tls(pin=pin))).meet(verify=False)
        if pin is not None and found != pin:
            raise UntrustedError(f"{address} shows another certificate than the SDL's gateway: {found}.")
        return
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError) as error:
        raise UnreachableError(f"{address} does not answer.", detail=str(error)) from error
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
