"""Span edits: what to replace in the text, and what the parser must then see there and nowhere else."""

import re
from collections.abc import Callable
from typing import NamedTuple

from cockpit.sdl.layout import Layout
from cockpit.sdl.nodes import Alias, Event, Mapping, Node, Scalar, Sequence
from cockpit.sdl.parser import Tree
from cockpit.sdl.places import Place, refusal
from cockpit.sdl.scalars import Simple, Value, meaning, rewritten


class Change(NamedTuple):
    """Replace the text between two offsets."""

    start: int
    end: int
    text: str


class Edit(NamedTuple):
    """Changes of one step; the events `first` to `last` may become what `accepts` says, all others stay."""

    changes: tuple[Change, ...]
    first: int
    last: int
    accepts: Callable[[list[Event]], bool]


def applied(text: str, changes: tuple[Change, ...]) -> str:
    """The text with all changes made; they must not overlap."""
    for change in sorted(changes, key=lambda change: (change.start, change.end), reverse=True):
        text = text[: change.start] + change.text + text[change.end :]
    return text


def is_only_change(old: Tree, new: Tree, edit: Edit) -> bool:
    """Whether the new tree differs from the old one in the edit's run of events alone, and as it should."""
    tail = len(old.events) - edit.last
    if len(new.events) < edit.first + tail or new.events[: edit.first] != old.events[: edit.first]:
        return False
    end = len(new.events) - tail
    return new.events[end:] == old.events[edit.last :] and edit.accepts(new.events[edit.first : end])


# --- reading events back ---------------------------------------------------------------------------------------------


def data_of(events: list[Event]) -> list[Value]:
    """The values of a run of events. Raises ValueError where a value is incomplete."""
    values: list[Value] = []
    at = 0
    while at < len(events):
        value, at = _read(events, at)
        values.append(value)
    return values


def _read(events: list[Event], at: int) -> tuple[Value, int]:
    event = events[at]
    if event[0] == "scalar":
        return meaning(Scalar(0, 0, 0, "", event[3], event[1], event[2])), at + 1
    if event[0] not in ("list", "mapping"):
        raise ValueError(event[0])
    items: list[Value] = []
    at += 1
    while events[at] != ("end",):
        item, at = _read(events, at)
        items.append(item)
    if event[0] == "list":
        return items, at + 1
    return {str(key): value for key, value in zip(items[::2], items[1::2], strict=True)}, at + 1


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(_same(left[key], right[key]) for key in left)
    return type(left) is type(right) and (left == right or (left != left and right != right))


def means(*values: Value) -> Callable[[list[Event]], bool]:
    """Accepts the events that stand for exactly these values, of the same types."""

    def accepts(events: list[Event]) -> bool:
        try:
            found = data_of(events)
        except (ValueError, IndexError):
            return False
        return _same(found, list(values))

    return accepts


# --- setting ---------------------------------------------------------------------------------------------------------

_PROPERTIES = re.compile(r"(?:[&!]\S*(?:\s+|$))*")


def value_start(tree: Tree, node: Node) -> int:
    """Where the value itself begins, behind an anchor and a tag."""
    if not (node.anchor or node.tag):
        return node.start
    found = _PROPERTIES.match(tree.lines.text, node.start, node.end)
    return found.end() if found else node.start


def set_ways(tree: Tree, place: Place, value: Simple) -> list[Edit]:
    """Ways to give a scalar another value, the best first.

    Raises UnsafeEditError where the place holds a list or a mapping.
    """
    node = place.node
    if not isinstance(node, Scalar):
        raise refusal(tree, node.start, f"a {node.kind} cannot be set to a single value; remove it first")
    return scalar_ways(tree, node, value, flow=place.in_flow)


def source_of(tree: Tree, place: Place) -> str:
    """How a scalar is written now, without anchor and tag; empty for a list or a mapping."""
    node = place.node
    return tree.lines.text[value_start(tree, node) : node.end] if isinstance(node, Scalar) else ""


def spelled_way(tree: Tree, place: Place, value: Simple, source: str) -> list[Edit]:
    """The way to give a scalar a value that was written so before, at the same place."""
    node = place.node
    if not isinstance(node, Scalar) or value_start(tree, node) == node.end:
        return []
    return [Edit((Change(value_start(tree, node), node.end, source),), node.first, node.last, means(value))]


def scalar_ways(tree: Tree, node: Scalar, value: Simple, *, flow: bool) -> list[Edit]:
    """Ways to write `value` in place of the scalar: its own quoting first, then what always holds it."""
    text = tree.lines.text
    start = value_start(tree, node)
    source = text[start : node.end]
    indent, newline = _block_indent(tree, node, source), _newline(text)
    ways = rewritten(node, value, flow=flow, indent=indent, source=source, newline=newline)
    if start == node.end:
        # An empty value begins right behind `:` or `-`, which need a space.
        gap = " " if start and not text[start - 1].isspace() else ""
        ways = [gap + way for way in ways]
    return [Edit((Change(start, node.end, way),), node.first, node.last, means(value)) for way in ways]


def _newline(text: str) -> str:
    found = re.search(r"\r\n|\r|\n", text)
    return found.group() if found else "\n"


def _block_indent(tree: Tree, node: Scalar, source: str) -> int:
    for line in re.split(r"\r\n|\r|\n", source)[1:] if node.is_block else ():
        if line.strip():
            return len(line) - len(line.lstrip(" "))
    begin = tree.lines.begin(node.start)
    return len(re.match(r"[ -]*", tree.lines.text[begin:]).group()) + 2  # type: ignore[union-attr]


# --- inserting -------------------------------------------------------------------------------------------------------


def insert_pair(tree: Tree, layout: Layout, target: Node, key: str, value: Value, *, after: str | None) -> Edit:
    """Put `key: value` into a mapping (behind `after`, or last) or into an empty value.

    Raises UnsafeEditError where the target is neither.
    """
    if isinstance(target, Scalar):
        return _fill(tree, layout, target, layout.pair(key, value), {key: value}, indent=layout.step)
    if not isinstance(target, Mapping):
        raise refusal(tree, target.start, f"a {target.kind} has no keys")
    index = _behind(target, after)
    if target.flow:
        rendered = layout.flow_pair(key, value)
        return _insert_flow(tree, target, [pair[1] for pair in target.pairs], index, rendered, means(key, value))
    if not target.pairs:
        raise refusal(tree, target.start, "an empty block cannot be extended")
    column = tree.lines.column(target.pairs[0][0].start)
    return _insert_lines(tree, layout, target.pairs[index][1], column, layout.pair(key, value), means(key, value))


def _behind(target: Mapping, after: str | None) -> int:
    for index, (key, _) in enumerate(target.pairs):
        if after is not None and isinstance(key, Scalar) and key.value == after:
            return index
    return len(target.pairs) - 1


def insert_item(tree: Tree, layout: Layout, target: Node, index: int, value: Value) -> Edit:
    """Put an item into a list in front of `index` (its length: at the end) or into an empty value.

    Raises UnsafeEditError where the target is neither.
    """
    if isinstance(target, Scalar):
        return _fill(tree, layout, target, layout.item(value), [value], indent=layout.offset)
    if not isinstance(target, Sequence):
        raise refusal(tree, target.start, f"a {target.kind} has no items")
    if target.flow:
        return _insert_flow(tree, target, target.items, index - 1, layout.flow_item(value), means(value))
    column = tree.lines.column(dash(tree, target.items[0]))
    if index > 0:
        return _insert_lines(tree, layout, target.items[index - 1], column, layout.item(value), means(value))
    begin = dash(tree, target.items[0])
    lines = (layout.newline + " " * column).join(layout.item(value))
    change = Change(begin, begin, lines + layout.newline + " " * column)
    return Edit((change,), target.items[0].first, target.items[0].first, means(value))


def _insert_lines(
    tree: Tree, layout: Layout, behind: Node, column: int, lines: list[str], accepts: Callable[[list[Event]], bool]
) -> Edit:
    at = tree.lines.end(behind.end)
    text = "".join(layout.newline + " " * column + line for line in lines)
    return Edit((Change(at, at, text),), behind.last, behind.last, accepts)


def _insert_flow(
    tree: Tree,
    target: Mapping | Sequence,
    values: list[Node],
    index: int,
    text: str,
    accepts: Callable[[list[Event]], bool],
) -> Edit:
    if not values:
        at, first = value_start(tree, target) + 1, target.first + 1
    elif index < 0:
        at, first, text = values[0].start, values[0].first, text + ", "
    else:
        at, first, text = values[index].end, values[index].last, ", " + text
    return Edit((Change(at, at, text),), first, first, accepts)


def _fill(tree: Tree, layout: Layout, target: Scalar, lines: list[str], value: Value, *, indent: int) -> Edit:
    if target.value or target.style or target.start != target.end:
        raise refusal(tree, target.start, "a single value cannot be extended; set it or remove it first")
    column = _key_column(tree, target) + indent
    at = tree.lines.end(target.end)
    text = "".join(layout.newline + " " * column + line for line in lines)
    return Edit((Change(at, at, text),), target.first, target.last, means(value))


def _key_column(tree: Tree, target: Scalar) -> int:
    begin = tree.lines.begin(target.start)
    return len(re.match(r"[ -]*", tree.lines.text[begin:].removeprefix("\ufeff")).group())  # type: ignore[union-attr]


def wrapping(tree: Tree, place: Place) -> Edit:
    """Make a mapping the only item of a list, in brackets or behind a dash.

    Raises UnsafeEditError for anything but a mapping with a value.
    """
    node, lines = place.node, tree.lines
    if not isinstance(node, Mapping) or not node.pairs or holds_anchor(node):
        raise refusal(tree, node.start, "only a plain mapping can be made the item of a list")
    if node.flow:
        changes = [Change(node.start, node.start, "["), Change(node.end, node.end, "]")]
    else:
        changes = [Change(node.start, node.start, "- ")]
        at = lines.next(node.start)
        while at < node.end:
            changes.append(Change(at, at, "  " if lines.text[at : lines.end(at)].strip() else ""))
            at = lines.next(at)
    return Edit(tuple(changes), node.first, node.last, means(data_of(tree.events[node.first : node.last])))


def dash(tree: Tree, item: Node) -> int:
    """Where the dash in front of a block list's item stands."""
    return tree.lines.text.rfind("-", 0, item.start)


def holds_anchor(node: Node) -> bool:
    """Whether an anchor or alias stands anywhere in the node."""
    if isinstance(node, Alias) or node.anchor:
        return True
    if isinstance(node, Sequence):
        return any(map(holds_anchor, node.items))
    return isinstance(node, Mapping) and any(holds_anchor(part) for pair in node.pairs for part in pair)
