"""A wish from what was typed, after options of the command line or into the fields of a form."""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cockpit.sdl.ray_images import VERSIONS, torch_image
from cockpit.sdl.wish import (
    PRESETS,
    Wish,
    check_versions,
    read_ceiling,
    read_cpu,
    read_gpu,
    read_persistent,
    read_size,
    refuse,
)

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,62}", re.ASCII)
_READ: dict[str, Callable[[str], Any]] = {
    "gpu": read_gpu,
    "cpu": read_cpu,
    "memory": lambda text: read_size(text, "--memory"),
    "shm": lambda text: read_size(text, "--shm"),
    "disk": lambda text: read_size(text, "--disk"),
    "persistent": read_persistent,
    "max_price": read_ceiling,
}
_FIELDS = {"max_price": "ceiling"}
TORCH = "torch"
"""In place of an image: Ray's own that has torch."""

STORES = ("s3", "r2", "b2", "minio")


def wish_from(name: str, preset: str | None, typed: Mapping[str, Any]) -> Wish:
    """The wish of these options, None for one that was not given; a name equal to a preset's means that preset.

    Raises UsageError for what cannot be read, and for a preset that there is none of.
    """
    if not _NAME.fullmatch(name):
        refuse(f"Invalid name: {name!r}.", "Use letters, digits, - and _; -o FILE says where to.")
    chosen = preset or (name if name in PRESETS else None)
    if chosen is not None and chosen not in PRESETS:
        refuse(f"Unknown preset: {chosen!r}.", f"Use {', '.join(PRESETS)}.")
    given = {key: value for key, value in typed.items() if value is not None}
    if chosen == "ray-cpu" and given.get("gpu"):
        refuse("The preset ray-cpu is without GPUs.", "Use --preset ray-gpu, or leave out --gpu.")
    near = difflib.get_close_matches(name, PRESETS, 1, 0.8)
    if chosen is None and not given and near:
        hint = f"Use {', '.join(PRESETS)}; or --preset {near[0]} to give the cluster a name of your own."
        refuse(f"Unknown preset: {name!r}.", hint)
    if given.get("image") == TORCH:
        check_versions(Wish(name=name, ray=given.get("ray", "")))
        given |= {"image": torch_image(given.get("ray") or VERSIONS[0])}
        given.pop("ray", None)
    asked = {_FIELDS.get(key, key): _READ[key](value) if key in _READ else value for key, value in given.items()}
    start = PRESETS[chosen] if chosen else Wish(name=name)
    return msgspec.structs.replace(start, name=name, **asked, **({"title": ""} if asked else {}))


def typed_in_form(fields: Mapping[str, str]) -> dict[str, Any]:
    """What stands in the fields of a form, by the names of the options. Raises UsageError."""
    found: dict[str, Any] = {}
    for name, text in fields.items():
        value = text.strip()
        if not value:
            continue
        if name in ("workers", "gpus_per_worker"):
            if not re.fullmatch(r"[0-9]{1,6}", value):
                refuse(f"Invalid number: {value!r}.", "Use a whole number.")
            found[name] = int(value)
        elif name in ("serve", "head_gpu", "audited"):
            if value.lower() not in ("y", "yes", "n", "no"):
                refuse(f"Invalid answer: {value!r}.", "Use yes or no.")
            found[name] = value.lower() in ("y", "yes")
        elif name == "store" and value not in STORES:
            refuse(f"Unknown store: {value!r}.", f"Use {', '.join(STORES)}.")
        else:
            found[name] = value
    return found
