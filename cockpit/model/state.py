"""Replies of Ray's state API: the rows that came, and how many there are."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from cockpit.model.cluster import Rows

Row = TypeVar("Row")


class StateRows(Rows[Row], Generic[Row], frozen=True, kw_only=True):
    """The rows of one reply, with Ray's own totals; None where Ray did not count.

    `total` counts what Ray has, `num_after_truncation` what it looked at (at most 10,000), and `num_filtered` what
    passed the filters; filters that the head itself applies narrow `total` too. `warnings` are Ray's own sentences
    about nodes that did not answer. Of a partial value the other rows are still being read.
    """

    total: int | None = None
    num_after_truncation: int | None = None
    num_filtered: int | None = None
    warnings: tuple[str, ...] = ()
    is_partial: bool = False

    @property
    def is_truncated(self) -> bool:
        """Whether Ray has more than it looked at, so that rows may be missing."""
        return None not in (self.total, self.num_after_truncation) and self.num_after_truncation < self.total  # type: ignore[operator]

    @property
    def is_complete(self) -> bool:
        """Whether every row that passed the filters is here."""
        return not self.is_truncated and (self.num_filtered or 0) <= len(self.rows) + self.unreadable


First = Callable[[StateRows[Any]], None]
"""Called with the first rows of a long list, before the others are read."""
