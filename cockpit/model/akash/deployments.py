"""Deployments, their leases and escrow, as the Console and the provider report them.

States and reasons are Akash's own words; one that is not known here is kept as it came.
"""

from decimal import Decimal
from typing import Any

import msgspec

from cockpit.model.akash.money import BLOCK_SECONDS, UACT, Coin, total_uact, usd, usd_per_hour

LEASE_REASONS = {
    0: "lease_closed_invalid",
    1: "lease_closed_owner",
    10000: "lease_closed_reason_unstable",
    10001: "lease_closed_reason_decommission",
    10002: "lease_closed_reason_unspecified",
    10003: "lease_closed_reason_manifest_timeout",
    10004: "lease_closed_reason_provider",
    20000: "lease_closed_reason_insufficient_funds",
}
"""What the chain writes why a lease ended (akash.market.v1beta5, types.proto)."""


class LeaseId(msgspec.Struct, frozen=True, order=True):
    """What names a lease, and the bid that it grew from."""

    dseq: str
    gseq: int
    oseq: int
    provider: str
    owner: str = ""

    @property
    def wire(self) -> dict[str, Any]:
        """The members that `POST /v1/leases` asks for."""
        return {"dseq": self.dseq, "gseq": self.gseq, "oseq": self.oseq, "provider": self.provider}

    def is_same(self, other: "LeaseId") -> bool:
        """Whether both name the same lease; an owner that was not said counts for any."""
        return self.wire == other.wire


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One service of a lease: how many of its replicas are available, and its host names (no scheme)."""

    name: str
    available: int = 0
    total: int = 0
    ready_replicas: int = 0
    uris: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether every replica is available; a lease with a service that is not gets closed after about 8 minutes."""
        return self.available >= self.total > 0


class ForwardedPort(msgspec.Struct, frozen=True, kw_only=True):
    """A port of a container that the provider forwards: `port` is the container's, `external_port` the public one."""

    port: int
    external_port: int
    host: str = ""
    proto: str = ""
    name: str = ""


class LeasedIp(msgspec.Struct, frozen=True, kw_only=True):
    """A public address leased for a service."""

    ip: str
    port: int
    external_port: int
    protocol: str = ""


class LeaseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says of a lease, by service."""

    services: dict[str, ServiceStatus] = {}
    forwarded_ports: dict[str, tuple[ForwardedPort, ...]] = {}
    ips: dict[str, tuple[LeasedIp, ...]] = {}

    @property
    def is_ready(self) -> bool:
        """Whether every service is."""
        return bool(self.services) and all(service.is_ready for service in self.services.values())

    def forwarded(self, service: str, container_port: int) -> ForwardedPort | None:
        """Where a container's port is reached from outside; None before the provider has said so."""
        ports = self.forwarded_ports.get(service, ())
        return next((port for port in ports if port.port == container_port), None)


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A lease; heights are those of the chain, the price is for the whole group.

    `state` is `active`, `reclaiming`, `insufficient_funds` or `closed`; `status` is None where the provider did not
    answer, or was not asked. `reclaim_deadline` is in seconds since the epoch.
    """

    id: LeaseId
    state: str
    price: Coin
    created_height: int | None = None
    closed_height: int | None = None
    reason: str | None = None
    reclaim_deadline: float | None = None
    status: LeaseStatus | None = None

    @property
    def costs(self) -> bool:
        """Whether it still takes money, as a state that is not known here may."""
        return self.state not in ("closed", "insufficient_funds")

    @property
    def uact_per_block(self) -> Decimal:
        """What it takes each block; 0 for a price in another denomination."""
        return self.price.amount if self.price.denom == UACT else Decimal(0)


class Escrow(msgspec.Struct, frozen=True, kw_only=True):
    """The escrow account as the chain recorded it at `settled_height`, which may be a day ago."""

    state: str = ""
    funds: tuple[Coin, ...] = ()
    transferred: tuple[Coin, ...] = ()
    settled_height: int | None = None

    @property
    def funds_uact(self) -> Decimal:
        """What was left at `settled_height`; negative where it is overdrawn."""
        return total_uact(self.funds)


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment with its leases; `name` and `sdl` are None where this Console keeps none.

    `hash` is the chain's version of the manifest, in base64. The Console writes the SDL again: comments are lost.
    """

    dseq: str
    owner: str = ""
    state: str
    hash: str = ""
    name: str | None = None
    created_height: int | None = None
    leases: tuple[Lease, ...] = ()
    escrow: Escrow = Escrow()
    sdl: str | None = None
    manifest_version: str | None = None

    @property
    def is_closed(self) -> bool:
        """Whether the Console says that it is over: only then nothing costs any more."""
        return self.state == "closed"

    @property
    def costing(self) -> tuple[Lease, ...]:
        """The leases that cost money."""
        return tuple(lease for lease in self.leases if lease.costs)

    @property
    def uact_per_block(self) -> Decimal:
        """What all leases together take each block."""
        return sum((lease.uact_per_block for lease in self.costing), Decimal(0))

    @property
    def usd_per_hour(self) -> Decimal:
        """What it costs by the hour."""
        return usd_per_hour(self.uact_per_block)

    def left_usd(self, height: int) -> Decimal:
        """What is left in escrow at a height of the chain, below 0 counting as 0."""
        settled = self.escrow.settled_height
        blocks = max(0, height - settled) if settled is not None else 0
        return max(Decimal(0), usd(self.escrow.funds_uact - blocks * self.uact_per_block))

    def hours_left(self, height: int) -> Decimal | None:
        """How long the escrow lasts; None while nothing costs."""
        return self.left_usd(height) / self.usd_per_hour if self.uact_per_block else None

    def spent_usd(self, height: int) -> Decimal:
        """What its leases have cost up to a height, the closed ones included."""
        return usd(sum((_spent_uact(lease, height) for lease in self.leases), Decimal(0)))


def _spent_uact(lease: Lease, height: int) -> Decimal:
    if lease.created_height is None:
        return Decimal(0)
    end = height if lease.costs else lease.closed_height or lease.created_height
    price = lease.price.amount if lease.price.denom == UACT else Decimal(0)
    return price * max(0, end - lease.created_height)


def height_after(height: int, seconds: float) -> int:
    """The chain's height so many seconds after it was `height`."""
    return height + int(Decimal(seconds) / BLOCK_SECONDS)


class DeploymentList(msgspec.Struct, frozen=True, kw_only=True):
    """A list of deployments; `server_time` is the Console's own clock, in seconds since the epoch, where it said so.

    A deployment that closed is absent from a list of active ones. `has_all` is False where pages were left out,
    and `unreadable` counts rows that could not be read: they may cost money.
    """

    deployments: tuple[Deployment, ...]
    server_time: float | None = None
    has_all: bool = True
    unreadable: int = 0
