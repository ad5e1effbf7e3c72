"""Free TCP ports of this machine."""

import errno
import random
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from cockpit.errors import LocalRayError

LOWEST = 20_000  # above Ray's own default worker ports (10002 to 19999): another Ray may take those later
HIGHEST = 65_535
ROOM = 2_000  # the fewest ports that the search is worth confining to
TRIES = 400
MACOS = sys.platform == "darwin"
MACOS_EPHEMERAL = 49_152
LINUX_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """`count` distinct ports that nothing holds on any interface, in no order.

    They are free at the time of asking and not reserved; where the system leaves room they lie below the
    range that it hands out for outgoing connections, so only another chooser can take them.
    Raises LocalRayError where there are not enough.
    """
    candidates = search_range()
    found: list[int] = []
    for port in random.sample(candidates, k=min(len(candidates), count + TRIES)):
        if len(found) == count:
            return found
        if is_free(port):
            found.append(port)
    if len(found) < count:
        raise not_enough(count)
    return found


def free_port_block(count: int) -> range:
    """`count` free ports in a row, under the same terms as `free_ports`. Raises LocalRayError."""
    candidates = search_range()
    for _ in range(TRIES):
        first = random.choice(candidates[: len(candidates) - count])
        block = range(first, first + count)
        if all(is_free(port) for port in block):
            return block
    raise not_enough(count)


def is_free(port: int) -> bool:
    """Whether nothing holds the TCP port on any IPv4 or IPv6 address of this machine."""
    return all(_can_bind(family, address, port) for family, address in _wildcards())


def is_served(port: int) -> bool:
    """Whether a process accepts connections on the port of the loopback."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False


def search_range() -> range:
    """The ports to choose from: below the ephemeral range, or all of them where that leaves too few."""
    ceiling = ephemeral_start()
    return range(LOWEST, ceiling if ceiling - LOWEST >= ROOM else HIGHEST + 1)


def ephemeral_start() -> int:
    """The first port that the system hands out by itself for outgoing connections."""
    if MACOS:
        return MACOS_EPHEMERAL
    try:
        return int(LINUX_EPHEMERAL.read_text().split()[0])
    except OSError:  # hidden in some sandboxes: choose from the whole range
        return LOWEST


def not_enough(count: int) -> LocalRayError:
    """The error for a machine without `count` free ports."""
    return LocalRayError(
        f"No {count} free TCP ports were found on this machine.",
        hint="Something holds nearly all of them; `ss -tlnp` (or `lsof -iTCP`) says what.",
    )


def _wildcards() -> Iterator[tuple[socket.AddressFamily, str]]:
    yield socket.AF_INET, "0.0.0.0"
    if socket.has_ipv6:
        yield socket.AF_INET6, "::"


def _can_bind(family: socket.AddressFamily, address: str, port: int) -> bool:
    # Without SO_REUSEADDR the wildcard also collides with a listener on one single address.
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((address, port))
    except OSError as error:
        # An IPv6 stack that is compiled in but switched off holds no port.
        return error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL) and family == socket.AF_INET6
    return True
