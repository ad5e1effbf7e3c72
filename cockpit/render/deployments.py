"""Money, offers, bids and deployments as rows of plain tables, and as JSON."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from cockpit.model.akash.market import GpuOffer
from cockpit.render.table import text_column
from cockpit.render.units import UNKNOWN

CENT = Decimal("0.01")
_TENTH_CENT = Decimal("0.001")

OFFER_COLUMNS = [
    text_column("GPU"), text_column("RAM", right=True), text_column("INTERFACE"), text_column("FREE", right=True),
    text_column("TOTAL", right=True), text_column("LARGEST NODE", right=True), text_column("$/H MIN", right=True),
    text_column("MEDIAN", right=True), text_column("MAX", right=True), text_column("PROVIDERS", right=True),
]  # fmt: skip


def dollars(usd: Decimal | None) -> str:
    """An amount such as `$1.80`; less than ten cents to a tenth of a cent; `–` where it is not known."""
    if usd is None:
        return UNKNOWN
    step = CENT if abs(usd) >= Decimal("0.1") or not usd else _TENTH_CENT
    return f"${usd.quantize(step, ROUND_HALF_UP):,}"


def dollars_at_most(usd: Decimal) -> str:
    """An upper bound: never rounded below what it bounds."""
    step = CENT if usd >= Decimal("0.1") or not usd else _TENTH_CENT
    return f"${usd.quantize(step, ROUND_CEILING):,}"


def per_hour(usd: Decimal | None) -> str:
    """A price such as `$1.80/h`."""
    return UNKNOWN if usd is None else f"{dollars(usd)}/h"


def hours(count: Decimal | None) -> str:
    """How long money lasts: minutes below two hours, days from 100 hours on."""
    if count is None:
        return UNKNOWN
    if count < 2:
        return f"{int(count * 60)} min"
    return f"{int(count)} h" if count < 100 else f"{int(count / 24)} days"


def money(usd: Decimal | None) -> float | None:
    """An amount of USD for JSON, to a hundredth of a cent."""
    return None if usd is None else float(round(usd, 4))


def offer_row(offer: GpuOffer) -> list[str]:
    """The cells of an offer."""
    gpu = offer.gpu
    counts = [None if number is None else str(number) for number in (offer.total, offer.largest_free_node)]
    prices = (offer.min_usd_per_hour, offer.median_usd_per_hour, offer.max_usd_per_hour)
    return [
        gpu.model, gpu.ram or UNKNOWN, gpu.interface or UNKNOWN, str(offer.free), *(one or UNKNOWN for one in counts),
        *(UNKNOWN if one is None else f"{one:.2f}" for one in prices), str(offer.providers),
    ]  # fmt: skip


def offer_record(offer: GpuOffer) -> dict[str, Any]:
    """An offer for JSON; prices in USD per hour."""
    return {
        "model": offer.gpu.model,
        "ram": offer.gpu.ram,
        "interface": offer.gpu.interface,
        "free": offer.free,
        "total": offer.total,
        "largest_free_node": offer.largest_free_node,
        "min_usd_per_hour": money(offer.min_usd_per_hour),
        "median_usd_per_hour": money(offer.median_usd_per_hour),
        "max_usd_per_hour": money(offer.max_usd_per_hour),
        "providers": offer.providers,
        "regions": list(offer.regions),
    }
