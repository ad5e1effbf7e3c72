"""The IP addresses of a host name, from this machine's resolver."""

import asyncio
import ipaddress
import socket

from cockpit.errors import UnreachableError

PATIENCE_S = 10.0


async def lookup(host: str) -> tuple[str, ...]:
    """The IP addresses of a host; an address is its own. Raises UnreachableError where the name is not known."""
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        pass
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise _unknown(host, f"no answer within {PATIENCE_S:g} s") from error
    except (OSError, UnicodeError) as error:
        raise _unknown(host, str(error)) from error
    return tuple(dict.fromkeys(str(address[0]).partition("%")[0] for *_, address in found))


def _unknown(host: str, words: str) -> UnreachableError:
    return UnreachableError(
        f"The name {host} is not known here.",
        detail=words,
        hint="Is it spelled as the lease shows it, and is there a network?",
        fault="name-unknown",
    )
