"""What can be written into a row of the form, as far as the set is known."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from cockpit.errors import UsageError
from cockpit.model.env_names import KNOWN
from cockpit.operations.sdl_editor.form_edits import SECRET, uact_of
from cockpit.operations.sdl_editor.form_rows import FormRow
from cockpit.sdl import gpu_models, market_names, ray_images
from cockpit.sdl.advice import USD_PER_HOUR
from cockpit.sdl.completion import values_at
from cockpit.sdl.market import (
    SHIPPED,
    Market,
    attribute_choices,
    ceiling_choices,
    cost_words,
    gpu_choices,
    median_price,
    model_words,
)
from cockpit.sdl.wish import Gpu

_RESOURCES = ("profiles", "compute", "any", "resources")
_CLASS = (*_RESOURCES, "storage", 0, "attributes", "class")
_AMOUNTS = {
    "cpu": (*_RESOURCES, "cpu", "units"),
    "memory": (*_RESOURCES, "memory", "size"),
    "gpu": (*_RESOURCES, "gpu", "units"),
    "volume": (*_RESOURCES, "storage", 0, "size"),
}


def choices_of(row: FormRow, rows: Sequence[FormRow], secrets: Iterable[str], market: Market = SHIPPED) -> list[str]:
    """The values that are known for a row, those that Akash offers first; empty if anything is allowed."""
    if row.field == "price":
        units = _units(row.args[1], rows)
        ceilings = ceiling_choices(market, _gpu_of(row.args[1], rows))
        return [f"${Decimal(one.text.removesuffix('/gpu-h')) * units}" for one in ceilings]
    match row.known:
        case "gpu-models":
            offered = (one.text.partition(":")[0] for one in gpu_choices(market))
            return list(dict.fromkeys((*offered, *(card.model for card in gpu_models.CARDS))))
        case "gpu-vendors":
            return list(gpu_models.VENDORS)
        case "gpu-ram" | "gpu-interface":
            return _of_card(row, rows)
        case "images":
            others = (one.text for one in rows if one.field == "image")
            found = dict.fromkeys((*others, *ray_images.stock_images(), ray_images.GATEWAY))
            return [image for image in found if image and image != row.text]
        case "ray":
            return list(ray_images.VERSIONS)
        case "python":
            return list(ray_images.PYTHONS)
        case "attributes":
            return [f"{name}={one.text}" for name in market_names.ATTRIBUTES for one in attribute_choices(market, name)]
        case "classes":
            return [item.text for item in values_at(_CLASS)]
        case "cuda":
            return ["gpu", "cpu", "12.8", "12.4", "12.1", "11.8"]
        case "env":
            return [f"{name}={SECRET}{name}" if known.is_secret else f"{name}=" for name, known in KNOWN.items()]
        case "secrets":
            return [SECRET + name for name in sorted(secrets)]
    return [item.text for item in values_at(_AMOUNTS[row.field])] if row.field in _AMOUNTS else []


def words_of(row: FormRow, rows: Sequence[FormRow], market: Market) -> Callable[[str], str] | None:
    """The hint while a value is typed: the offers of a GPU, the cost of so many replicas."""
    if row.field == "count":
        return lambda typed: _cost_of_count(row, rows, market, typed)
    if row.field == "price":
        return lambda typed: _price_in_both(typed, _gpu_of(row.args[1], rows), market)
    if row.known == "gpu-models":
        return lambda typed: " ".join(filter(None, (model_words(market, typed.strip().lower()), market.source)))
    if row.known == "attributes":
        return lambda typed: _attribute_words(typed, market)
    return None


def asks_market(row: FormRow) -> bool:
    """Whether offers matter for a row."""
    return row.field in ("count", "price") or row.known in ("gpu-models", "attributes")


def _cost_of_count(row: FormRow, rows: Sequence[FormRow], market: Market, typed: str) -> str:
    """`6 workers would cost at most $18.00/h`, and about how much by the offers."""
    if not (typed.isdecimal() and typed.isascii() and len(typed) < 6):
        return ""
    service, placement = row.args
    price = next((one for one in rows if one.key == f"{service}:price:{placement}"), None)
    if price is None or not price.value.endswith(" uact"):
        return ""
    try:
        each = Decimal(price.text)
    except ArithmeticError:
        return ""
    count = int(typed)
    usd = each * Decimal(str(USD_PER_HOUR)) * count
    most = f"{count} {service} would cost at most ${usd:.2f}/h."
    gpu = _gpu_of(price.args[1], rows)
    about = cost_words(market, gpu, count, _units(price.args[1], rows)) if gpu else ""
    return " ".join(filter(None, (most, about)))


def _price_in_both(typed: str, gpu: Gpu | None, market: Market) -> str:
    """The price per block and per hour, beside what the card is offered for."""
    try:
        uact = uact_of(typed)
    except UsageError:
        return ""
    usd = float(str(uact)) * USD_PER_HOUR
    median = median_price(market, gpu) if gpu else None
    offers = f" Offers of {gpu.model}: median ${median:.2f}/h." if gpu and median is not None else ""
    return f"{uact} uact per block is ${usd:.2f}/h for each replica.{offers}"


def _attribute_words(typed: str, market: Market) -> str:
    name, _, value = typed.partition("=")
    return next((one.detail for one in attribute_choices(market, name.strip()) if one.text == value.strip()), "")


def _gpu_of(profile: object, rows: Iterable[FormRow]) -> Gpu | None:
    """The first card that a compute profile asks for."""
    model = next((one.text for one in rows if one.field == "gpu-model" and one.args[0] == profile), "")
    return Gpu(model) if model else None


def _units(profile: object, rows: Iterable[FormRow]) -> int:
    text = next((one.text for one in rows if one.field == "gpu" and profile in one.args), "1")
    return int(text) if text.isdecimal() and text.isascii() else 1


def _of_card(row: FormRow, rows: Iterable[FormRow]) -> list[str]:
    """RAM or interface of the very model that stands beside it."""
    model = next((one.text for one in rows if one.field == "gpu-model" and one.args == row.args), "")
    cards = [card for card in gpu_models.CARDS if card.model == model] or list(gpu_models.CARDS)
    found = (value for card in cards for value in (card.ram if row.field == "gpu-ram" else card.interfaces))
    return list(dict.fromkeys(found))
