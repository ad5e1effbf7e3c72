"""What a benchmark found, beside what it is compared with and what it may be at most; the table of all of it."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

WIDTH = 118
NAME, NUMBER = 52, 12


class Figure(NamedTuple):
    """A number: `ours` in `unit`, `theirs` where it is compared with another program's.

    `at_most` bounds the ratio of the two where there is `theirs`, and `ours` where there is not; None measures alone.
    `at_least` bounds `ours` from below. `between` says what stands between a missed figure and its target.
    """

    part: str
    name: str
    ours: float
    unit: str
    theirs: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    between: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours by theirs; None where there is nothing to compare with."""
        if self.theirs is None:
            return None
        return self.ours / self.theirs if self.theirs else (0.0 if self.ours == 0 else float("inf"))

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.at_least is not None:
            return self.ours >= self.at_least
        if self.at_most is None:
            return None
        return (self.ours if self.ratio is None else self.ratio) <= self.at_most

    @property
    def target(self) -> str:
        """The target in words."""
        if self.at_least is not None:
            return f"≥ {short(self.at_least)} {self.unit}"
        if self.at_most is None:
            return "–"
        return f"≤ {short(self.at_most)} {self.unit if self.theirs is None else '×'}"

    def as_dict(self) -> dict[str, object]:
        """As JSON wants it."""
        return {**self._asdict(), "ratio": self.ratio, "met": self.is_met}


class Missing(NamedTuple):
    """A part that could not be measured, and why."""

    part: str
    reason: str


def short(number: float) -> str:
    """A number with three digits that matter."""
    if number == 0 or abs(number) >= 100:
        return f"{number:,.0f}"
    digits = 1 if abs(number) >= 10 else 2 if abs(number) >= 1 else 3
    return f"{number:.{digits}f}".rstrip("0").rstrip(".")


def table(figures: Sequence[Figure], missing: Iterable[Missing] = ()) -> list[str]:
    """One line for each figure, under the name of its part."""
    lines = [f"{'':{NAME}}{'ours':>{NUMBER}} {'':5}{'theirs':>{NUMBER}}{'ratio':>8}  {'target':12}", "─" * WIDTH]
    part = ""
    for figure in figures:
        if figure.part != part:
            part = figure.part
            lines += ["", part]
        lines += _lines(figure)
    for gap in missing:
        lines += ["", f"{gap.part}: not measured: {gap.reason}"]
    return lines


def summary(figures: Sequence[Figure]) -> str:
    """How many targets there are, and how many are missed."""
    verdicts = [figure.is_met for figure in figures if figure.is_met is not None]
    return f"{len(figures)} figures, {len(verdicts)} targets, {verdicts.count(False)} missed"


def _lines(figure: Figure) -> list[str]:
    theirs = "" if figure.theirs is None else short(figure.theirs)
    ratio = "" if figure.ratio is None else short(figure.ratio)
    verdict = {True: "met", False: "MISSED", None: ""}[figure.is_met]
    name = f"  {figure.name}"
    first = (
        f"{name:{NAME}}{short(figure.ours):>{NUMBER}} {figure.unit:5}{theirs:>{NUMBER}}{ratio:>8}  {figure.target:12}"
    )
    rest = textwrap.wrap(figure.between, WIDTH - 6) if figure.is_met is False and figure.between else []
    return [f"{first} {verdict}".rstrip(), *(f"      {line}" for line in rest)]
