"""What the market offers: bids, providers, GPUs, and who could serve a group of services."""

from decimal import Decimal
from typing import Any

import msgspec

from cockpit.model.akash.deployments import LeaseId
from cockpit.model.akash.money import UACT, Coin, usd_per_hour

BID_SECONDS = 300
"""How long a bid stays open by a provider's default; then the provider withdraws it."""


class GpuModel(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU by the words of the market: `rtx4090`, `24Gi`, `pcie`; None for what was not said."""

    model: str
    vendor: str = "nvidia"
    ram: str | None = None
    interface: str | None = None


class OfferedResource(msgspec.Struct, frozen=True, kw_only=True):
    """What a bid offers for one kind of replica: `count` replicas of these; `gpus` are alternatives or one model."""

    count: int = 1
    cpu_millicores: int | None = None
    memory_bytes: int | None = None
    gpu_units: int = 0
    gpus: tuple[GpuModel, ...] = ()


class Bid(msgspec.Struct, frozen=True, kw_only=True):
    """A bid for a group; `state` is `open`, `active` (won), `lost` or `closed`. Only an open one can be accepted."""

    id: LeaseId
    state: str
    price: Coin
    created_height: int | None = None
    offers: tuple[OfferedResource, ...] = ()
    reclamation_window: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can be accepted."""
        return self.state == "open"

    @property
    def usd_per_hour(self) -> Decimal | None:
        """The price for the whole group; None for a price in another denomination."""
        return usd_per_hour(self.price.amount) if self.price.denom == UACT else None

    @property
    def gpus(self) -> int:
        """GPUs of all replicas."""
        return sum(offer.count * offer.gpu_units for offer in self.offers)


WEEK_S = 7 * 24 * 3600


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider; uptimes are shares from 0 to 1."""

    address: str
    name: str | None = None
    host_uri: str = ""
    region: str | None = None
    country: str | None = None
    organization: str | None = None
    uptime_7d: float | None = None
    is_online: bool | None = None
    is_audited: bool | None = None
    gpu_models: tuple[GpuModel, ...] = ()
    attributes: dict[str, str] = {}


class GpuOffer(msgspec.Struct, frozen=True, kw_only=True):
    """One model of GPU on the whole market; prices are USD per hour of one-GPU deployments, CPU and memory included.

    `largest_free_node` is the most that one node can give, and None where the Console does not tell.
    """

    gpu: GpuModel
    free: int
    total: int | None = None
    providers: int
    largest_free_node: int | None = None
    min_usd_per_hour: Decimal | None = None
    median_usd_per_hour: Decimal | None = None
    max_usd_per_hour: Decimal | None = None
    regions: tuple[str, ...] = ()


class StorageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A volume of a replica."""

    name: str
    size_bytes: int
    attributes: dict[str, str] = {}


class ResourceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of replica needs; `gpu_attributes` are Akash's own keys, `vendor/nvidia/model/h100` to `true`."""

    id: int
    count: int
    cpu_millicores: int
    memory_bytes: int
    gpu_units: int = 0
    gpu_attributes: dict[str, str] = {}
    storage: tuple[StorageRequest, ...] = ()
    max_uact_per_block: Decimal = Decimal(0)
    endpoints: tuple[dict[str, Any], ...] = ()


class ScreeningRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A group of services as providers see it before they bid; attributes are what the placement asks for."""

    resources: tuple[ResourceRequest, ...]
    attributes: dict[str, str] = {}
    signed_by_all: tuple[str, ...] = ()
    signed_by_any: tuple[str, ...] = ()
    timezone: str = "UTC"


class ScreenedProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that could bid; `downtime_s` is that of the last 7 days."""

    address: str
    host_uri: str = ""
    is_audited: bool = False
    region: str | None = None
    organization: str | None = None
    downtime_s: int = 0
    has_open_incident: bool = False

    @property
    def provider(self) -> Provider:
        """The provider, with what the screening reported."""
        return Provider(
            address=self.address,
            host_uri=self.host_uri,
            region=self.region,
            organization=self.organization,
            uptime_7d=max(0.0, 1 - self.downtime_s / WEEK_S),
            is_audited=self.is_audited,
        )
