"""What Akash has now, beside each choice: GPUs with free units and prices, regions, a price ceiling from them.

The offers are Akash Console's. Offline the shipped lists take their place, and `source` says so.
"""

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import ROUND_UP, Decimal

import msgspec

from cockpit.model.akash.market import GpuOffer, Provider
from cockpit.sdl import gpu_models, market_names
from cockpit.sdl.completion import Completion, Item
from cockpit.sdl.image_sizes import known_bytes
from cockpit.sdl.quantities import GI
from cockpit.sdl.ray_images import stock_image, torch_image
from cockpit.sdl.wish import Gpu, Wish, card_ceiling

ABOVE_MEDIAN = Decimal("1.25")
"""A proposed ceiling is a quarter above the median: bids come below it, and one dear provider does not set it."""

_CENT = Decimal("0.01")


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """Offers and providers, and a sentence about where they come from; without either, the shipped lists count."""

    source: str
    offers: tuple[GpuOffer, ...] = ()
    providers: tuple[Provider, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether it is what Akash has now."""
        return bool(self.offers)


def shipped(why: str) -> Market:
    """The lists of this release, for the reason that is given."""
    return Market(source=f"{why} Shipped list of {gpu_models.AS_OF:%d %b %Y}, without prices.")


SHIPPED = shipped("Offers were not asked for.")


# --- what to write beside each choice --------------------------------------------------------------------------------


def gpu_choices(market: Market, each: int = 1) -> list[Item]:
    """Cards as `MODEL:RAM:INTERFACE`, those first that a node has `each` of now."""
    if not market.is_live:
        cards = gpu_models.CARDS
        return [Item(f"{card.model}:{ram}:{card.interfaces[0]}", card.detail) for card in cards for ram in card.ram]
    offers = sorted(market.offers, key=lambda one: (_room(one) < each, -one.free, one.gpu.model))
    return [Item(_spelled(one), offer_words(one)) for one in offers]


def _spelled(offer: GpuOffer) -> str:
    return ":".join(filter(None, (offer.gpu.model, offer.gpu.ram, _interface(offer))))


def _interface(offer: GpuOffer) -> str:
    """As an SDL spells it: providers have SXM2 to SXM5, and both parsers take `sxm` alone."""
    name = (offer.gpu.interface or "").lower()
    return next((one for one in gpu_models.INTERFACES if name.startswith(one)), "")


def _room(offer: GpuOffer) -> int:
    return offer.free if offer.largest_free_node is None else offer.largest_free_node


def offer_words(offer: GpuOffer) -> str:
    """`12 free, 8 on one node, $1.80-2.60/h, 5 providers`."""
    if not offer.free:
        return "none free now"
    parts = [f"{offer.free} free"]
    if offer.largest_free_node is not None:
        parts.append(f"{offer.largest_free_node} on one node")
    if offer.min_usd_per_hour is not None and offer.max_usd_per_hour is not None:
        parts.append(f"${offer.min_usd_per_hour:.2f}-{offer.max_usd_per_hour:.2f}/h")
    return ", ".join((*parts, f"{offer.providers} provider{'' if offer.providers == 1 else 's'}"))


def model_words(market: Market, model: str) -> str:
    """What is offered of a model in all its variants; the shipped list's words without offers."""
    found = [one for one in market.offers if one.gpu.model == model]
    if not market.is_live:
        card = gpu_models.BY_MODEL.get(model)
        return card.detail if card else ""
    return offer_words(_together(found)) if found else "not offered now"


def _together(offers: Sequence[GpuOffer]) -> GpuOffer:
    """Offers of one model as one, with the widest range of prices."""
    lows = [one.min_usd_per_hour for one in offers if one.min_usd_per_hour is not None]
    highs = [one.max_usd_per_hour for one in offers if one.max_usd_per_hour is not None]
    rooms = [one.largest_free_node for one in offers if one.largest_free_node is not None]
    return msgspec.structs.replace(
        offers[0],
        free=sum(one.free for one in offers),
        providers=max(one.providers for one in offers),
        largest_free_node=max(rooms, default=None),
        min_usd_per_hour=min(lows, default=None),
        max_usd_per_hour=max(highs, default=None),
    )


def offers_of(market: Market, gpu: Gpu) -> list[GpuOffer]:
    """The offers that a card of a wish may come from."""
    return [
        one
        for one in market.offers
        if one.gpu.model == gpu.model
        and (not gpu.ram or one.gpu.ram == gpu.ram)
        and (not gpu.interface or _interface(one) == gpu.interface)
    ]


def median_price(market: Market, gpu: Gpu) -> Decimal | None:
    """US dollars per hour of a deployment with one such GPU: the median of the offer with most free units."""
    priced = [one for one in offers_of(market, gpu) if one.median_usd_per_hour is not None]
    return max(priced, key=lambda one: one.free).median_usd_per_hour if priced else None


def proposed_ceiling(market: Market, gpu: Gpu) -> Decimal:
    """US dollars per hour and GPU: a quarter above the median of the offers, or the shipped ceiling of the card."""
    median = median_price(market, gpu)
    return card_ceiling(gpu.model) if median is None else (median * ABOVE_MEDIAN).quantize(_CENT, ROUND_UP)


def ceiling_choices(market: Market, gpu: Gpu | None) -> list[Item]:
    """Price ceilings as `USD/gpu-h`, the proposed one first."""
    if gpu is None:
        return []
    ceiling = proposed_ceiling(market, gpu)
    if median_price(market, gpu) is None:
        return [Item(f"{ceiling}/gpu-h", f"the shipped ceiling for {gpu.model}; no offer is known")]
    found = offers_of(market, gpu)
    items = [Item(f"{ceiling}/gpu-h", "proposed: a quarter above the median of the offers")]
    highs = [one.max_usd_per_hour for one in found if one.max_usd_per_hour is not None]
    lows = [one.min_usd_per_hour for one in found if one.min_usd_per_hour is not None]
    items += [Item(f"{max(highs).quantize(_CENT, ROUND_UP)}/gpu-h", "admits every provider")] if highs else []
    items += [Item(f"{min(lows).quantize(_CENT, ROUND_UP)}/gpu-h", "admits the cheapest alone")] if lows else []
    return list({one.text: one for one in reversed(items)}.values())[::-1]


def attribute_choices(market: Market, name: str, gpu: Gpu | None = None) -> list[Item]:
    """Values of a placement attribute: those that most providers announce first, of those that have the card."""
    shipped = [Item(value) for value in market_names.ATTRIBUTES.get(name, ())]
    if not market.providers:
        return shipped
    counted = Counter(
        value
        for one in market.providers
        if one.is_online is not False and _has(one, gpu) and (value := one.attributes.get(name))
    )
    what = f"with {gpu.model}" if gpu else "online"
    found = [
        Item(value, f"{count} provider{'' if count == 1 else 's'} {what}") for value, count in counted.most_common()
    ]
    return [*found, *(Item(one.text, f"no provider {what}") for one in shipped if one.text not in counted)]


def _has(provider: Provider, gpu: Gpu | None) -> bool:
    return gpu is None or any(one.model == gpu.model for one in provider.gpu_models)


def wish_choices(market: Market, field: str, gpu: Gpu | None, each: int = 1) -> list[Item]:
    """What can be written into a field of the form of a new cluster."""
    match field:
        case "gpu":
            return gpu_choices(market, each)
        case "max_price":
            return ceiling_choices(market, gpu)
        case "region":
            return attribute_choices(market, "region", gpu)
        case "gpus_per_worker":
            most = max(map(_room, offers_of(market, gpu)), default=8) if gpu else 0
            return [Item(str(count)) for count in (1, 2, 4, 8) if count <= most]
        case "image":
            torch = Item("torch", f"{torch_image()}: has torch, about {(known_bytes(torch_image()) or 0) / GI:.0f} GiB")
            return [torch, Item(stock_image(gpu=gpu is not None), "Ray's own, without torch")]
    return [Item(one) for one in _FIXED.get(field, ())]


_FIXED = {
    "workers": ("1", "2", "4", "8"),
    "store": ("s3", "r2", "b2", "minio"),
    "serve": ("yes", "no"),
    "persistent": ("beta3:500Gi:/data", "beta2:500Gi:/data"),
}


# --- what a wish would cost, and what stands against it --------------------------------------------------------------


def cost_words(market: Market, gpu: Gpu, workers: int, each: int = 1) -> str:
    """`6 workers would cost about $15.30/h by the median of the offers`; empty where no offer has a price."""
    median = median_price(market, gpu)
    if median is None:
        return ""
    usd = median * workers * each
    return f"{workers} worker{'' if workers == 1 else 's'} would cost about ${usd:.2f}/h by the median of the offers."


def doubts(market: Market, wish: Wish) -> Iterator[str]:
    """What no provider can meet now, each with the nearest that one can."""
    if wish.gpu is None or not market.is_live:
        return
    gpu, each, workers = wish.gpu, wish.gpus_per_worker or 1, 2 if wish.workers is None else wish.workers
    found = offers_of(market, gpu)
    free = [one for one in found if one.free]
    if not free:
        name = ":".join(filter(None, (gpu.model, gpu.ram, gpu.interface)))
        yield f"No provider offers {name} now.{_nearest(market, gpu)}"
        return
    room, units = max(map(_room, free)), sum(one.free for one in free)
    if room < each:
        yield f"No node has {each} free {gpu.model} now. The nearest: {room} on one node."
    elif units < each * workers:
        needed = f"{workers} workers need {each * workers}"
        yield f"Akash has {units} free {gpu.model} now, and {needed}. The nearest: {units // each} workers."
    lows = [one.min_usd_per_hour for one in free if one.min_usd_per_hour is not None]
    if wish.ceiling is not None and wish.ceiling.per_gpu and lows and wish.ceiling.usd < min(lows):
        lowest = min(lows).quantize(_CENT, ROUND_UP)
        yield f"Offers of {gpu.model} begin at ${lowest}/h. The nearest: {lowest}/gpu-h."
    if wish.region:
        yield from _region_doubts(market, wish.region, gpu)


def _nearest(market: Market, gpu: Gpu) -> str:
    """Another variant of the model, else models that are spelled alike, else those with most free units."""
    free = [one for one in market.offers if one.free]
    same = [_spelled(one) for one in free if one.gpu.model == gpu.model]
    alike = difflib.get_close_matches(gpu.model, [one.gpu.model for one in free], 3, 0.5)
    most = [_spelled(one) for one in sorted(free, key=lambda one: -one.free)[:3]]
    return f" The nearest: {', '.join(list(dict.fromkeys(same or alike or most))[:3])}." if free else ""


def _region_doubts(market: Market, region: str, gpu: Gpu) -> Iterator[str]:
    choices = [one.text for one in attribute_choices(market, "region", gpu) if not one.detail.startswith("no ")]
    if market.providers and region not in choices:
        nearest = difflib.get_close_matches(region, choices, 1, 0.3) or choices[:1]
        hint = f" The nearest: {nearest[0]}." if nearest else ""
        yield f"No provider with {gpu.model} announces the region {region}.{hint}"


# --- the text --------------------------------------------------------------------------------------------------------


def is_offered(found: Completion) -> bool:
    """Whether offers say something of what can stand at the cursor: a GPU model, or an attribute of a placement."""
    path = found.path
    is_model = path[-1:] == ("model",) and "gpu" in path
    return is_model or (path[:2] == ("profiles", "placement") and "attributes" in path[:-1])


def with_offers(found: Completion, market: Market) -> Completion:
    """What can stand at the cursor, with what is offered of it."""
    if not market.is_live or not is_offered(found):
        return found
    if found.path[-1] == "model":
        items = [Item(one.text, model_words(market, one.text)) for one in found.items]
        items.sort(key=lambda one: one.detail in ("not offered now", "none free now"))
    else:
        words = {one.text: one.detail for one in attribute_choices(market, str(found.path[-1]))}
        items = [Item(one.text, words.get(one.text, one.detail)) for one in found.items]
    return msgspec.structs.replace(found, items=tuple(items))
