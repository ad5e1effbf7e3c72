"""A number that comes again and again, in bounded memory however often it comes."""

import math
from collections.abc import Iterable
from typing import NamedTuple

MOST_POINTS = 512
SLOPE_SHARE = 4  # the slope is that of the last quarter of the points
LEAST_FOR_SLOPE = 3


class Mark(NamedTuple):
    """A point: where it is along the log, and the mean of what was counted there."""

    at: float
    value: float


class Series:
    """Values in their order; `steps` says whether `at` is a training step or the ordinal of the value, from 0.

    Up to MOST_POINTS buckets of equally many values are kept; minimum, maximum and last are exact. Steps that go back
    by more than a twentieth of what was reached (a second run in the same log) make all of `at` ordinals.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.not_finite = 0
        self.least = math.inf
        self.most = -math.inf
        self.last = math.nan
        self.steps = True
        self._stride = 1
        self._ats: list[float] = []
        self._sums: list[float] = []
        self._in_last = 0
        self._begin = 0.0

    def add(self, value: float, step: float | None = None) -> None:
        """Take the next value; NaN and infinities are counted and not drawn."""
        self.last = value
        if not math.isfinite(value):
            self.not_finite += 1
            return
        self.least, self.most = min(self.least, value), max(self.most, value)
        at = self._place(step)
        if not self.count:
            self._begin = at
        if self._ats and self._in_last < self._stride:
            self._ats[-1] = at
            self._sums[-1] += value
            self._in_last += 1
        else:
            if len(self._ats) == 2 * MOST_POINTS:
                self._halve()
            self._ats.append(at)
            self._sums.append(value)
            self._in_last = 1
        self.count += 1

    def _place(self, step: float | None) -> float:
        if self.steps and (step is None or (self._ats and step < self._ats[-1] - abs(self._ats[-1]) / 20)):
            self.steps, self._begin = False, 0.0
            self._ats = [float(min((at + 1) * self._stride, self.count) - 1) for at in range(len(self._ats))]
        if not self.steps or step is None:
            return float(self.count)
        return max(step, self._ats[-1]) if self._ats else step

    def _halve(self) -> None:
        self._ats = self._ats[1::2]
        self._sums = [first + second for first, second in zip(self._sums[::2], self._sums[1::2], strict=True)]
        self._stride *= 2

    @property
    def marks(self) -> list[Mark]:
        """What is kept, oldest first: each at the last of its values, but the first where the series begins."""
        whole = self._stride
        last = len(self._sums) - 1
        return [
            Mark(at if number else self._begin, total / (self._in_last if number == last else whole))
            for number, (at, total) in enumerate(zip(self._ats, self._sums, strict=True))
        ]

    @property
    def slope(self) -> float | None:
        """Change of the value per step (or per value) over the last quarter, by least squares; None for too few."""
        marks = self.marks
        recent = marks[-max(LEAST_FOR_SLOPE, len(marks) // SLOPE_SHARE) :]
        return _slope(recent) if len(recent) >= LEAST_FOR_SLOPE else None


def _slope(marks: Iterable[Mark]) -> float | None:
    kept = list(marks)
    middle = sum(mark.at for mark in kept) / len(kept)
    mean = sum(mark.value for mark in kept) / len(kept)
    spread = sum((mark.at - middle) ** 2 for mark in kept)
    if not spread:
        return None
    return sum((mark.at - middle) * (mark.value - mean) for mark in kept) / spread
