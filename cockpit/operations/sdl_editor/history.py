"""Undo and redo of a text as splices: exact to the byte, small, and one chain for typing, forms and fixes."""

import difflib
import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

MOST_STEPS = 1000
MOST_CHARACTERS = 32 << 20
PAUSE_SECONDS = 1.5
LONGEST_BURST = 80
# Comparing more lines than these costs more than it tells.
MOST_LINES_COMPARED = 4000

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")

Location = tuple[int, int]
Selection = tuple[Location, Location]


class Splice(NamedTuple):
    """In place of `removed`, which stands at the offset `start`, comes `inserted`."""

    start: int
    removed: str
    inserted: str


class Step(msgspec.Struct):
    """What one undo takes back: splices in the order of the text, their offsets in the text before.

    `selection` is where the cursor stood before.
    """

    label: str
    splices: tuple[Splice, ...]
    is_typing: bool = False
    at: float = 0.0
    selection: Selection | None = None

    @property
    def size(self) -> int:
        """How many characters are kept."""
        return sum(len(one.removed) + len(one.inserted) for one in self.splices)


def spliced(text: str, splices: tuple[Splice, ...]) -> str:
    """The text with all splices made."""
    parts: list[str] = []
    at = 0
    for one in splices:
        parts += (text[at : one.start], one.inserted)
        at = one.start + len(one.removed)
    return "".join((*parts, text[at:]))


def landed(splices: tuple[Splice, ...]) -> list[tuple[int, int]]:
    """Where what was inserted begins and ends, in the text behind the splices."""
    spans: list[tuple[int, int]] = []
    shift = 0
    for one in splices:
        spans.append((one.start + shift, one.start + shift + len(one.inserted)))
        shift += len(one.inserted) - len(one.removed)
    return spans


def inverse(splices: tuple[Splice, ...]) -> tuple[Splice, ...]:
    """The inverse splices, with the offsets of the text behind them."""
    pairs = zip(landed(splices), splices, strict=True)
    return tuple(Splice(start, one.inserted, one.removed) for (start, _), one in pairs)


def differing(before: str, after: str) -> tuple[Splice, ...]:
    """The lines that differ, as few splices; what lies between two changes stays untouched."""
    old, new = _LINES.findall(before), _LINES.findall(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    start = sum(map(len, old[:head]))
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(old) + len(new) > MOST_LINES_COMPARED:
        return (Splice(start, "".join(old), "".join(new)),)
    return tuple(_hunks(old, new, start))


def _hunks(old: list[str], new: list[str], start: int) -> Iterator[Splice]:
    offsets = [start]
    for line in old:
        offsets.append(offsets[-1] + len(line))
    for tag, low, high, first, last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield Splice(offsets[low], "".join(old[low:high]), "".join(new[first:last]))


def _common(one: list[str], other: list[str]) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def joined(before: Splice, after: Splice) -> Splice | None:
    """Both splices as one, where the second goes on at the end of the first or inside of it; else None."""
    begin, end = before.start, before.start + len(before.inserted)
    first, last = after.start, after.start + len(after.removed)
    if begin <= first and last <= end:
        kept = before.inserted[: first - begin] + after.inserted + before.inserted[last - begin :]
        return Splice(begin, before.removed, kept)
    if first < begin and last == end:
        return Splice(first, after.removed[: begin - first] + before.removed, after.inserted)
    if first == end and not after.inserted:
        return Splice(begin, before.removed + after.removed, before.inserted)
    return None


class History:
    """Steps that can be taken back, and those that were."""

    def __init__(self) -> None:
        self._undo: list[Step] = []
        self._redo: list[Step] = []

    def record(self, step: Step) -> None:
        """Something was done; typing that goes on is one step."""
        self._redo.clear()
        if not self._goes_on(step):
            self._undo.append(step)
            self._trim()

    def _goes_on(self, step: Step) -> bool:
        last = self._undo[-1] if self._undo else None
        if last is None or not (last.is_typing and step.is_typing) or step.at - last.at > PAUSE_SECONDS:
            return False
        one = step.splices[0]
        whole = joined(last.splices[0], one) if len(one.inserted) <= 1 and "\n" not in one.inserted else None
        if whole is None or len(whole.inserted) > LONGEST_BURST:
            return False
        last.splices, last.at = (whole,), step.at
        return True

    def _trim(self) -> None:
        del self._undo[:-MOST_STEPS]
        while len(self._undo) > 1 and sum(step.size for step in self._undo) > MOST_CHARACTERS:
            del self._undo[0]

    def back(self) -> Step | None:
        """The step to take back, or None; it can be done again then."""
        return self._move(self._undo, self._redo)

    def forth(self) -> Step | None:
        """The step to do again, or None."""
        return self._move(self._redo, self._undo)

    def _move(self, source: list[Step], target: list[Step]) -> Step | None:
        if not source:
            return None
        step = source.pop()
        step.is_typing = False  # what was taken back is never typed on
        target.append(step)
        return step

    def forget(self) -> None:
        """Drop everything: a value that must not be kept was in the text."""
        self._undo.clear()
        self._redo.clear()

    @property
    def undo_label(self) -> str:
        """What would be taken back; empty where there is nothing."""
        return self._undo[-1].label if self._undo else ""

    @property
    def redo_label(self) -> str:
        """What would be done again; empty where there is nothing."""
        return self._redo[-1].label if self._redo else ""
