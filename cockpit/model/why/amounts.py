"""Amounts of resources in words: `8 GPUs`, `1 CPU`, `93.1 GiB of memory`, `2 TPU`."""

from collections.abc import Mapping

from cockpit.model.why.facts import in_group

EPSILON = 5e-5  # Ray counts in ten-thousandths
_SIZES = {"memory": "memory", "object_store_memory": "object store memory"}


def amount_text(resource: str, amount: float) -> str:
    """An amount with its unit."""
    place = in_group(resource)
    name = place.name if place else resource
    if name in _SIZES:
        return f"{size_text(amount)} of {_SIZES[name]}"
    if name in ("GPU", "CPU"):
        return f"{amount:g} {name}{'' if amount == 1 else 's'}"
    return f"{amount:g} {name}"


def number_text(resource: str, amount: float) -> str:
    """The amount alone, such as `8` or `93.1 GiB`."""
    place = in_group(resource)
    name = place.name if place else resource
    return size_text(amount) if name in _SIZES else f"{amount:g}"


def size_text(size: float) -> str:
    """Bytes in the unit that keeps them short."""
    for step, unit in ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size:g} B"


def needs_text(needs: Mapping[str, float]) -> str:
    """All amounts, GPUs first."""
    return joined([amount_text(name, needs[name]) for name in ordered(needs)]) or "no resources"


def joined(words: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def lowered(sentence: str) -> str:
    """A sentence to go on another: its first letter small, unless it begins with a name in capitals."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def resource_text(resource: str) -> str:
    """What a resource is called without an amount."""
    place = in_group(resource)
    name = place.name if place else resource
    return {"GPU": "GPUs", "CPU": "CPUs", **_SIZES}.get(name, name)


def ordered(needs: Mapping[str, float]) -> list[str]:
    """Names of resources, GPUs first and CPUs last."""
    return sorted(needs, key=lambda name: (not name.startswith("GPU"), name.startswith("CPU"), name))
