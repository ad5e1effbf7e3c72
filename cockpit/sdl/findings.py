"""What the rules find: problems with their place, who refuses them, and a fix where one exists."""

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

import msgspec

from cockpit.sdl.lines import Lines
from cockpit.sdl.nodes import Node
from cockpit.sdl.paths import Path
from cockpit.sdl.scalars import Value

Severity: TypeAlias = Literal["error", "warning", "info"]
Side: TypeAlias = Literal["go", "typescript", "chain", "advice"]

GO: Side = "go"
TS: Side = "typescript"
CHAIN: Side = "chain"
ADVICE: Side = "advice"
BOTH: tuple[Side, ...] = (GO, TS)


class Operation(msgspec.Struct, frozen=True):
    """One edit of a fix, by path."""

    kind: Literal["set", "insert", "append", "remove", "rename", "wrap"]
    path: Path
    value: Value = None


class Fix(msgspec.Struct, frozen=True):
    """What would be changed, in words, and the edits that do it."""

    title: str
    operations: tuple[Operation, ...]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell the user; line and column count from 1, `start` and `end` are offsets in the text."""

    line: int
    column: int
    severity: Severity
    code: str
    message: str
    refused_by: tuple[Side, ...]
    fix: Fix | None = None
    start: int = 0
    end: int = 0

    @property
    def fixable(self) -> bool:
        """Whether a fix is known."""
        return self.fix is not None

    def row(self) -> dict[str, object]:
        """The problem as `sdl lint --json` prints it."""
        names = ("line", "column", "severity", "code", "message", "refused_by", "fixable")
        return {name: getattr(self, name) for name in names}


class Finding(msgspec.Struct):
    """A problem while the rules are still at work; `sides` grows when another parser objects to the same place."""

    code: str
    start: int
    end: int
    message: str
    sides: set[Side]
    severity: Severity
    fix: Fix | None


_ORDER: tuple[Side, ...] = (GO, TS, CHAIN, ADVICE)
_RANK: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}


class Report:
    """Collects findings; the same code at the same place is one finding."""

    def __init__(self) -> None:
        self._findings: dict[tuple[int, str], Finding] = {}

    def add(
        self,
        code: str,
        node: Node,
        message: str,
        sides: Iterable[Side],
        *,
        severity: Severity = "error",
        fix: Fix | None = None,
    ) -> None:
        """Note that `sides` object to the node."""
        self.add_at(code, node.start, node.end, message, sides, severity=severity, fix=fix)

    def add_at(
        self,
        code: str,
        start: int,
        end: int,
        message: str,
        sides: Iterable[Side],
        *,
        severity: Severity = "error",
        fix: Fix | None = None,
    ) -> None:
        """Note that `sides` object to a span of the text."""
        sides = tuple(sides)
        known = self._findings.get((start, code))
        if known is None:
            self._findings[start, code] = Finding(code, start, end, message, set(sides), severity, fix)
            return
        known.sides.update(sides)
        known.fix = known.fix or fix
        if GO in known.sides and GO in sides:
            # Go's rules see more of the document, so their words are the better ones for a place that both refuse.
            known.message = message

    def refused_by(self, side: Side) -> bool:
        """Whether anything was found that this side refuses."""
        return any(side in finding.sides for finding in self._findings.values())

    def problems(self, lines: Lines) -> list[Problem]:
        """All findings in the order of the text, the graver first within a place."""
        found = sorted(self._findings.values(), key=lambda one: (one.start, _RANK[one.severity], one.code))
        return [_problem(one, lines) for one in found]


def _problem(one: Finding, lines: Lines) -> Problem:
    line, column = lines.position(one.start)
    sides = tuple(side for side in _ORDER if side in one.sides)
    return Problem(
        line=line, column=column, severity=one.severity, code=one.code, message=one.message,
        refused_by=sides, fix=one.fix, start=one.start, end=one.end,
    )  # fmt: skip


def refuser(side: Side) -> Callable[[Report, str, Node, str], None]:
    """Returns a function that notes that one parser refuses a node."""

    def refuse(report: Report, code: str, node: Node, message: str) -> None:
        report.add(code, node, message, (side,))

    return refuse


def advise(
    report: Report, code: str, node: Node, message: str, *, severity: Severity = "warning", fix: Fix | None = None
) -> None:
    """Note what no parser refuses and a user still should know."""
    report.add(code, node, message, (ADVICE,), severity=severity, fix=fix)


def to_set(title: str, path: Path, value: Value) -> Fix:
    """A fix that sets one value."""
    return Fix(title, (Operation("set", path, value),))


def to_remove(title: str, path: Path) -> Fix:
    """A fix that removes one entry."""
    return Fix(title, (Operation("remove", path),))


def to_insert(title: str, path: Path, value: Value) -> Fix:
    """A fix that inserts one entry."""
    return Fix(title, (Operation("insert", path, value),))
