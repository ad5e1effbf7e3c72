"""What can be written into a row of the form, as far as the set is known."""

from collections.abc import Iterable

from cockpit.model.env_names import KNOWN
from cockpit.operations.sdl_editor.form_edits import SECRET
from cockpit.operations.sdl_editor.form_rows import FormRow
from cockpit.sdl import gpu_models, market_names, ray_images
from cockpit.sdl.completion import values_at

_RESOURCES = ("profiles", "compute", "any", "resources")
_CLASS = (*_RESOURCES, "storage", 0, "attributes", "class")
_AMOUNTS = {
    "cpu": (*_RESOURCES, "cpu", "units"),
    "memory": (*_RESOURCES, "memory", "size"),
    "gpu": (*_RESOURCES, "gpu", "units"),
    "volume": (*_RESOURCES, "storage", 0, "size"),
}


def choices_of(row: FormRow, rows: Iterable[FormRow], secrets: Iterable[str]) -> list[str]:
    """The values that are known for a row, the likely ones first; empty where anything may stand."""
    match row.known:
        case "gpu-models":
            return [card.model for card in gpu_models.CARDS]
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
            return [f"{name}={value}" for name, values in market_names.ATTRIBUTES.items() for value in values]
        case "classes":
            return [item.text for item in values_at(_CLASS)]
        case "cuda":
            return ["gpu", "cpu", "12.8", "12.4", "12.1", "11.8"]
        case "env":
            return [f"{name}={SECRET}{name}" if known.is_secret else f"{name}=" for name, known in KNOWN.items()]
        case "secrets":
            return [SECRET + name for name in sorted(secrets)]
    return [item.text for item in values_at(_AMOUNTS[row.field])] if row.field in _AMOUNTS else []


def _of_card(row: FormRow, rows: Iterable[FormRow]) -> list[str]:
    """RAM or interface of the very model that stands beside it."""
    model = next((one.text for one in rows if one.field == "gpu-model" and one.args == row.args), "")
    cards = [card for card in gpu_models.CARDS if card.model == model] or list(gpu_models.CARDS)
    found = (value for card in cards for value in (card.ram if row.field == "gpu-ram" else card.interfaces))
    return list(dict.fromkeys(found))
