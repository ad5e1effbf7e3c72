"""Reading JSON of which only the meaning is certain: numbers may come as text, and absent parts as null.

Amounts have 18 decimals, so every number with a point stays exact.
"""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from cockpit.clients.bounds import TooLargeError, check_weight
from cockpit.model.akash.money import Coin

_LARGEST = Decimal(10) ** 30


def loads(body: bytes) -> Any:
    """Parse JSON. Raises ValueError for what is none, or takes more memory than an honest reply."""
    try:
        check_weight(body)
        return json.loads(body.decode("utf-8-sig", "replace"), parse_float=Decimal, parse_constant=lambda _: None)
    except (RecursionError, TooLargeError, InvalidOperation) as error:
        raise ValueError(str(error)) from error


def fields(value: Any) -> Mapping[str, Any]:
    """An object's members; none where it is something else."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; none where it is something else."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """A text, or a whole number as text; empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def optional_text(value: Any) -> str | None:
    """A text that is not empty, or None."""
    return text(value) or None


def decimal(value: Any) -> Decimal | None:
    """An exact number, also from text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        found = Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    return found if found.is_finite() and abs(found) < _LARGEST else None


def whole(value: Any) -> int | None:
    """A whole number, also from text; None for anything else."""
    found = decimal(value)
    return int(found) if found is not None and found == found.to_integral_value() else None


def count(value: Any) -> int:
    """A whole number that is not negative; 0 for anything else."""
    return max(0, whole(value) or 0)


def share(value: Any) -> float | None:
    """A number as a float, or None."""
    found = decimal(value)
    return float(found) if found is not None else None


def flag(value: Any) -> bool | None:
    """A boolean, or None."""
    return value if isinstance(value, bool) else None


def coin(value: Any) -> Coin:
    """A coin; an unreadable one gets an empty denomination, so that it never counts as our money."""
    found, amount = fields(value), decimal(fields(value).get("amount"))
    return Coin(text(found.get("denom")), amount) if amount is not None else Coin("", Decimal(0))


def coins(value: Any) -> tuple[Coin, ...]:
    """A list of coins, or one coin."""
    return tuple(coin(row) for row in (rows(value) if isinstance(value, list) else [value] if value else []))


def attributes(value: Any) -> dict[str, str]:
    """A list of keys and values as a mapping."""
    return {text(row.get("key")): text(row.get("value")) for row in rows(value) if row.get("key")}
