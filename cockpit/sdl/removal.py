"""Removes entries of a collection with exactly their lines."""

import re

from cockpit.sdl.edits import Change, Edit, dash, means, value_start
from cockpit.sdl.nodes import Mapping, Sequence
from cockpit.sdl.parser import Tree
from cockpit.sdl.places import Place, refusal


def removal_of(tree: Tree, place: Place) -> Edit:
    """Take a pair or an item out of its collection; the last one leaves `{}` or `[]`.

    Raises UnsafeEditError for the root.
    """
    parent = place.parent
    if parent is None:
        raise refusal(tree, place.node.start, "the whole document cannot be removed")
    spans = _spans(tree, parent)
    first = place.key.first if place.key is not None else place.node.first
    if len(spans) == 1:
        return _emptied(tree, place, parent, spans[0])
    change = (_flow_removal if parent.flow else _line_removal)(tree, spans, place.index)
    return Edit((change,), first, place.node.last, means())


def _spans(tree: Tree, parent: Mapping | Sequence) -> list[tuple[int, int]]:
    if isinstance(parent, Mapping):
        return [(key.start, max(key.end, value.end)) for key, value in parent.pairs]
    if parent.flow:
        return [(item.start, item.end) for item in parent.items]
    return [(dash(tree, item), max(item.end, dash(tree, item) + 1)) for item in parent.items]


def _flow_removal(_tree: Tree, spans: list[tuple[int, int]], index: int) -> Change:
    if index + 1 < len(spans):
        return Change(spans[index][0], spans[index + 1][0], "")
    return Change(spans[index - 1][1], spans[index][1], "")


def _line_removal(tree: Tree, spans: list[tuple[int, int]], index: int) -> Change:
    lines = tree.lines
    start, end = spans[index]
    begin = lines.begin(start)
    if lines.text[begin:start].strip("\ufeff "):
        # The first entry behind a dash: what follows moves up to where it began.
        following = re.compile(r"\s*").match(lines.text, lines.next(end))
        return Change(start, following.end() if following else end, "")
    stop = lines.next(end)
    if stop == lines.end(end) and begin:
        # The last line lacks a line break, so the one before it is removed.
        previous = len(lines.text[:begin].removesuffix("\n").removesuffix("\r"))
        return Change(min(previous, begin - 1), stop, "")
    return Change(begin + lines.text[begin:].startswith("\ufeff"), stop, "")


def _emptied(tree: Tree, place: Place, parent: Mapping | Sequence, span: tuple[int, int]) -> Edit:
    empty = "{}" if isinstance(parent, Mapping) else "[]"
    accepts = means({} if isinstance(parent, Mapping) else [])
    first, last = parent.first, parent.last
    colon = re.compile(r"[^\S\r\n]*:(?=\s)").match(tree.lines.text, _owner_end(place))
    if parent.flow or colon is None:
        return Edit((Change(value_start(tree, parent), parent.end, empty),), first, last, accepts)
    lines = _line_removal(tree, [span], 0)
    return Edit((Change(colon.end(), colon.end(), f" {empty}"), lines), first, last, accepts)


def _owner_end(place: Place) -> int:
    """The end of the key under which the place's parent stands, or the begin of the parent itself."""
    if len(place.parents) > 1:
        owner = place.parents[-2]
        if isinstance(owner, Mapping):
            return next((key.end for key, value in owner.pairs if value is place.parents[-1]), place.parents[-1].start)
    return place.parents[-1].start
