"""What a deployment would cost before anything is spent: ceiling, observed price, escrow, runtime, and who could bid.

Money sources: Console `GET /v1/deployment-funding-config` (48 h of cost move to escrow at lease start, 5 USD stay free,
0.50 USD at create); chain: price in uact per block.
"""

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

import msgspec

from cockpit.errors import UsageError
from cockpit.model.akash.market import GpuOffer, ScreenedProvider
from cockpit.model.quantities import parse_seconds
from cockpit.operations.deployments.groups import Group, Part
from cockpit.operations.deployments.images import ImageCheck

CENT = Decimal("0.01")
MOST_HOURS = 10_000
LONGEST_AT_CREATE_HOURS = 48
"""The longest runtime that a create accepts; an extension sets the rest."""


class Funding(msgspec.Struct, frozen=True, kw_only=True):
    """How the Console moves money into escrow."""

    target_hours: Decimal = Decimal(48)
    headroom_usd: Decimal = Decimal(5)
    deposit_usd: Decimal = Decimal("0.50")


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """When the deployment ends by itself: created with `at_create` hours, and extended at once to `hours`.

    Both are None where it does not end by itself: none was asked for, or the Console does not know limits.
    """

    hours: int | None
    at_create: int | None

    @property
    def is_extended(self) -> bool:
        """Whether a second call sets the whole runtime."""
        return self.hours != self.at_create


def runtime_of(hours: int | None, *, has_limits: bool) -> Runtime:
    """The runtime limit that this Console can keep."""
    if hours is None or not has_limits:
        return Runtime(hours=None, at_create=None)
    return Runtime(hours=hours, at_create=min(hours, LONGEST_AT_CREATE_HOURS))


def runtime_hours(text: str) -> int | None:
    """Whole hours from 1, of `8h` or `2d`; None for `none`. Raises UsageError."""
    if text.strip().lower() == "none":
        return None
    hours = parse_seconds(text) / 3600
    if not 1 <= hours < MOST_HOURS or hours != int(hours):
        raise UsageError(f"Invalid runtime: {text!r}.", hint="Give whole hours, such as 8h, or none.")
    return int(hours)


def cents(usd: Decimal) -> Decimal:
    """An amount of USD to the cent."""
    return usd.quantize(CENT, ROUND_HALF_UP)


def at_most_cents(usd: Decimal) -> Decimal:
    """An upper bound to the cent: never rounded below what it bounds."""
    return usd.quantize(CENT, ROUND_CEILING)


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """What moves from the balance into escrow when a lease starts; it comes back at close, less what was used.

    `hours` is how long that lasts; `is_short` tells that the balance cannot fund as long as the Console would.
    """

    usd: Decimal
    hours: Decimal
    is_short: bool


def lock_of(price: Decimal, available: Decimal | None, runtime: Runtime, funding: Funding) -> Lock:
    """What is locked at a price in USD per hour; an unknown balance is taken for enough."""
    hours = funding.target_hours if runtime.hours is None else min(funding.target_hours, Decimal(runtime.hours))
    wanted = max(price * hours, funding.deposit_usd)
    if available is None:
        return Lock(usd=wanted, hours=hours, is_short=False)
    # The deposit of the create is taken first, and the headroom holds for what is added at lease start.
    after_deposit = max(Decimal(0), available - funding.deposit_usd)
    added = min(wanted - funding.deposit_usd, max(Decimal(0), after_deposit - funding.headroom_usd))
    locked = min(available, funding.deposit_usd + added)
    lasts = locked / price if price else hours
    return Lock(usd=locked, hours=lasts, is_short=locked < wanted)


class Observed(msgspec.Struct, frozen=True):
    """What comparable deployments pay in USD per hour, from bids of one GPU with its CPU and memory."""

    low: Decimal
    median: Decimal
    high: Decimal


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the question shows. `screened` is None, and `offers` empty, where the Console did not tell.

    `node_problems` are sentences about replicas that no single node can hold now. `active_dseqs` are the account's
    deployments of before, among which a create whose answer is lost is not.
    """

    groups: tuple[Group, ...]
    runtime: Runtime
    funding: Funding = Funding()
    max_usd_per_hour: Decimal | None = None
    available_usd: Decimal | None = None
    balance_is_certain: bool = True
    is_trial: bool | None = None
    screened: tuple[ScreenedProvider, ...] | None = None
    providers_total: int | None = None
    observed: Observed | None = None
    node_problems: tuple[str, ...] = ()
    images: tuple[ImageCheck, ...] = ()
    unchecked: tuple[str, ...] = ()
    has_limits: bool = True
    active_dseqs: tuple[str, ...] | None = None

    @property
    def ceiling_usd_per_hour(self) -> Decimal:
        """The most that it may cost: what the SDL allows, or less where the user does."""
        allowed = sum((group.ceiling_usd_per_hour for group in self.groups), Decimal(0))
        return allowed if self.max_usd_per_hour is None else min(allowed, self.max_usd_per_hour)

    @property
    def gpus(self) -> int:
        """GPUs of all replicas."""
        return sum(group.gpus for group in self.groups)

    @property
    def lock(self) -> Lock:
        """What is locked at the ceiling."""
        return lock_of(self.ceiling_usd_per_hour, self.available_usd, self.runtime, self.funding)

    @property
    def balance_hours(self) -> Decimal | None:
        """How long the whole balance pays for the ceiling; None where it is not known."""
        if self.available_usd is None or not self.ceiling_usd_per_hour:
            return None
        return self.available_usd / self.ceiling_usd_per_hour


def observed_of(groups: Sequence[Group], offers: Sequence[GpuOffer]) -> Observed | None:
    """What such GPUs cost elsewhere; None as soon as one part has none, or its model no known price."""
    low = median = high = Decimal(0)
    for part in (part for group in groups for part in group.parts if part.gpus):
        priced = [offer for offer in _fitting(part, offers) if offer.median_usd_per_hour is not None]
        if not priced:
            return None
        units = part.gpus * part.count
        medians = [offer.median_usd_per_hour for offer in priced if offer.median_usd_per_hour is not None]
        low += units * min(offer.min_usd_per_hour or medians[0] for offer in priced)
        median += units * min(medians)
        high += units * max(offer.max_usd_per_hour or medians[0] for offer in priced)
    return Observed(low, median, high) if high else None


def node_problems_of(groups: Sequence[Group], offers: Sequence[GpuOffer]) -> Iterator[str]:
    """Sentences about replicas that ask one node for more GPUs than any has free."""
    for part in (part for group in groups for part in group.parts if part.gpus):
        fitting = _fitting(part, offers)
        sizes = [offer.largest_free_node for offer in fitting if offer.largest_free_node is not None]
        if not offers or (fitting and not sizes):
            continue
        what = " or ".join(part.models) or "GPU"
        largest = max(sizes, default=0)
        if not fitting:
            yield f"{part.service} needs {part.gpus} × {what}; no provider offers that now."
        elif largest < part.gpus:
            yield f"{part.service} needs {part.gpus} × {what} on one node; the largest free node has {largest}."


def _fitting(part: Part, offers: Sequence[GpuOffer]) -> list[GpuOffer]:
    """The offers that a part accepts: of its models, and of the memory and interface that it names."""
    return [offer for offer in offers if any(_accepts(key, offer) for key in part.gpu_attributes)]


def _accepts(key: str, offer: GpuOffer) -> bool:
    words = key.split("/")
    wanted = dict(zip(words[::2], words[1::2], strict=False))
    gpu = offer.gpu
    return (
        wanted.get("model") in ("*", gpu.model)
        and wanted.get("ram") in (None, gpu.ram)
        and (wanted.get("interface") is None or (gpu.interface or "").lower().startswith(wanted["interface"]))
    )
