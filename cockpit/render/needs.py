"""Logical resources as a few words."""

from collections.abc import Mapping

from cockpit.render.units import UNKNOWN, size

_SIZES = ("memory", "object_store_memory")
_FIRST = ("GPU", "CPU", "memory")


def needs(resources: Mapping[str, float] | None) -> str:
    """What something asks for, such as `2 GPU, 1 CPU, 16.0 GiB memory`; `none` for nothing, `–` for unknown.

    Resources of placement groups, `CPU_group_0_<id>` and the like, are Ray's bookkeeping and left out.
    """
    if resources is None:
        return UNKNOWN
    shown = {name: amount for name, amount in resources.items() if "_group_" not in name and amount}
    names = sorted(shown, key=lambda name: (name not in _FIRST, _FIRST.index(name) if name in _FIRST else 0, name))
    return ", ".join(_amount(name, shown[name]) for name in names) or "none"


def _amount(name: str, amount: float) -> str:
    return f"{size(int(amount))} {name}" if name in _SIZES else f"{amount:g} {name}"
