"""Who can reach a dashboard, and whether it requires a login. Checks only addresses that the user named."""

import ipaddress
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from cockpit.clients.address import Address
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Transport
from cockpit.errors import AuthenticationError, CockpitError, NotRayError, UnreachableError

OPEN_MODES = ("disabled", "none")


class Reach(StrEnum):
    """From where an address can be reached; an unresolved name may lead anywhere."""

    LOOPBACK = "loopback"
    PRIVATE = "private"
    PUBLIC = "public"
    UNKNOWN = "unknown"


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """How exposed a dashboard is.

    `mode` is Ray's own (`disabled`, `token`, `k8s`), or `none` for a Ray before 2.52, without token support;
    `is_guarded` says that a proxy in front of it refuses requests without credentials.
    """

    mode: str
    reach: Reach
    ray_version: str | None = None
    is_guarded: bool = False

    @property
    def is_open(self) -> bool:
        """Whether anyone who reaches it can run commands there (CVE-2023-48022)."""
        return self.mode in OPEN_MODES and not self.is_guarded


async def look(client: RayClient) -> Exposure:
    """Ask the dashboard for its mode, and the resolver for its addresses. Raises what the client raises."""
    mode = await client.authentication_mode() or "none"
    version = (await client.version()).ray_version if mode == "none" else None
    is_guarded = mode in OPEN_MODES and await _turns_strangers_away(client)
    return Exposure(mode=mode, reach=await _reach(client.transport), ray_version=version, is_guarded=is_guarded)


async def _turns_strangers_away(client: RayClient) -> bool:
    """Whether credentials were needed to come this far: asked once more without them."""
    endpoint = client.transport.endpoint
    shows = endpoint.headers or endpoint.cookies or endpoint.basic or endpoint.tls.client_cert
    if not shows:
        return False
    tls = msgspec.structs.replace(endpoint.tls, client_cert=None, client_key=None)
    bare = Endpoint(address=endpoint.address, tls=tls, use_proxy=endpoint.use_proxy, passage=endpoint.passage)
    stranger = RayClient.at(bare)
    try:
        await stranger.version()
    except (AuthenticationError, NotRayError):
        return True
    except UnreachableError:
        return bool(endpoint.tls.client_cert)
    finally:
        await stranger.close()
    return False


async def _reach(transport: Transport) -> Reach:
    try:
        addresses = await transport.whereabouts()
    except CockpitError:  # a proxy on the way may know the name
        addresses = ()
    return reach_of(transport.endpoint.address, addresses)


def reach_of(address: Address, addresses: Iterable[str]) -> Reach:
    """From where an address can be reached, by the IP addresses of its host; the farthest counts."""
    if address.is_loopback:
        return Reach.LOOPBACK
    found = {_reach_of_ip(one) for one in addresses or _literal(address.host)}
    return next((reach for reach in (Reach.PUBLIC, Reach.PRIVATE, Reach.LOOPBACK) if reach in found), Reach.UNKNOWN)


def _literal(host: str) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        return []


def _reach_of_ip(text: str) -> Reach:
    ip = ipaddress.ip_address(text)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if ip.is_loopback:
        return Reach.LOOPBACK
    # What is not routed on the internet, that of carriers and of overlay networks (100.64.0.0/10) among it.
    return Reach.PUBLIC if ip.is_global else Reach.PRIVATE
