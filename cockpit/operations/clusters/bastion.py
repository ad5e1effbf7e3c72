"""The way to a cluster through a bastion: which one, and the tunnel for as long as the cluster is used."""

from typing import TYPE_CHECKING

import msgspec

from cockpit.clients.address import Address
from cockpit.errors import UsageError

if TYPE_CHECKING:
    from cockpit.clients.ssh.route import Route
    from cockpit.clients.ssh.tunnel import Tunnel


class Bastion(msgspec.Struct, frozen=True):
    """The host that ssh goes through, as one writes it after `ssh`, and a TCP port to open here too, if any."""

    destination: str
    local_port: int | None = None


def bastion_of(destination: str | None, local_port: int | None) -> Bastion | None:
    """The bastion that was named. Raises UsageError for a port without one, and for an invalid destination."""
    from cockpit.clients.ssh.route import checked_destination

    if destination is not None:
        return Bastion(checked_destination(destination), local_port)
    if local_port is not None:
        raise UsageError("A port for a tunnel is named, but no tunnel.", hint="Give --ssh DEST too.")
    return None


async def open_tunnel(bastion: Bastion, address: Address) -> "Tunnel":
    """A tunnel to the address as the bastion knows it; the caller closes it.

    It tries again by itself while the bastion is away. Raises UntrustedError for its host key, AuthenticationError
    where it refuses the login, UsageError where ssh cannot be used.
    """
    # Most clusters are reached without.
    from cockpit.clients.ssh.tunnel import Tunnel

    tunnel = Tunnel(_route(bastion, address))
    try:
        await tunnel.open()
    except BaseException:
        await tunnel.close()
        raise
    return tunnel


async def lead_to(tunnel: "Tunnel", bastion: Bastion, address: Address) -> None:
    """Let the tunnel lead to another address, or through another bastion. Raises UsageError as `open_tunnel` does."""
    await tunnel.lead_to(_route(bastion, address))


def _route(bastion: Bastion, address: Address) -> "Route":
    from cockpit.clients.ssh.route import route_to

    return route_to(address.host, address.port, through=bastion.destination, local_port=bastion.local_port)
