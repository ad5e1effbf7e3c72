"""The order of rows: numbers as numbers, digits in text as numbers, unknown last either way."""

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter

from cockpit.render.table import Cell, Row, Value, text_of
from cockpit.render.units import UNKNOWN

# Of a longer text only the beginning decides.
_REACH = 256
_DIGITS = re.compile(r"[0-9]+")
_DIGIT = frozenset("0123456789")
_NUMBER_BEGINS = _DIGIT | frozenset("+-.")

SortKey = float | str | None


def sort_key(value: Value) -> SortKey:
    """What a cell is sorted by; None where it is unknown or empty."""
    given = value.sort if isinstance(value, Cell) else None
    if isinstance(given, (int, float)):
        return float(given) if math.isfinite(given) else None
    text = (text_of(value) if given is None else given)[:_REACH].strip()
    if text in ("", UNKNOWN):
        return None
    number = _number(text)
    return natural(text) if number is None else number


def _number(text: str) -> float | None:
    if text[-1] not in _DIGIT or text[0] not in _NUMBER_BEGINS:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


@lru_cache(16384)
def natural(text: str) -> str:
    """A sort key that puts worker-2 before worker-10, whatever the case of letters."""
    return _DIGITS.sub(_weighed, text.casefold())


def _weighed(match: re.Match[str]) -> str:
    # The number of digits goes before them, so that comparing text compares numbers.
    digits = match[0].lstrip("0") or "0"
    return chr(ord("0") + len(digits)) + digits


def ordered(rows: Sequence[Row], keys: Mapping[str, SortKey], *, descending: bool) -> list[Row]:
    """The rows by their sort keys: numbers before texts, equal ones in the order in which they came, unknown last."""
    numbers: list[tuple[float, Row]] = []
    texts: list[tuple[str, Row]] = []
    unknown: list[Row] = []
    for row in rows:
        by = keys[row.key]
        if by is None:
            unknown.append(row)
        elif isinstance(by, str):
            texts.append((by, row))
        else:
            numbers.append((by, row))
    numbers.sort(key=itemgetter(0), reverse=descending)
    texts.sort(key=itemgetter(0), reverse=descending)
    groups = (texts, numbers) if descending else (numbers, texts)
    return [row for group in groups for _, row in group] + unknown
