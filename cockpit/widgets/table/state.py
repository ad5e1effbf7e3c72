"""How far the rows of a live table can be trusted, and how many there are."""

from enum import StrEnum

import msgspec


class Phase(StrEnum):
    """How far the rows can be trusted."""

    READY = "ready"
    LOADING = "loading"
    STALE = "stale"
    FAILED = "failed"


class Counts(msgspec.Struct, frozen=True):
    """Rows that pass the filter, all rows, and marked rows."""

    shown: int = 0
    total: int = 0
    marked: int = 0
