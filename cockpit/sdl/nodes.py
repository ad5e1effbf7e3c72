"""The tree of a YAML text: every node knows its span in the text and its run of parser events."""

from collections.abc import Iterator
from typing import ClassVar, TypeAlias

Event: TypeAlias = tuple[str, ...]
"""What one parser event says, without its place: two texts with equal events mean the same."""

CORE_TAG = "tag:yaml.org,2002:"


class Node:
    """A value in the text; `start` and `end` are string offsets, `first` and `last` a run of events.

    `start` includes an anchor or tag in front of the value; `end` of a block collection is the end of its last
    value, and of a block scalar the end of its last line.
    """

    __slots__ = ("anchor", "end", "first", "last", "start", "tag")

    kind: ClassVar[str] = "node"

    def __init__(self, start: int, end: int, first: int, anchor: str, tag: str) -> None:
        self.start = start
        self.end = end
        self.first = first
        self.last = first + 1
        self.anchor = anchor
        self.tag = tag


class Scalar(Node):
    """A single value as written; `style` is `''` (plain), `'`, `"`, `|` or `>`."""

    __slots__ = ("style", "value")

    kind = "value"

    def __init__(
        self, start: int, end: int, first: int, anchor: str = "", tag: str = "", value: str = "", style: str = ""
    ) -> None:
        # Not by super(): a file has more scalars than anything else.
        self.start = start
        self.end = end
        self.first = first
        self.last = first + 1
        self.anchor = anchor
        self.tag = tag
        self.value = value
        self.style = style

    @property
    def is_block(self) -> bool:
        """Whether it is written as a literal or folded block."""
        return self.style in ("|", ">")


class Alias(Node):
    """A `*name` that refers to a node elsewhere."""

    __slots__ = ("name", "target")

    kind = "alias"

    def __init__(self, start: int, end: int, first: int, name: str, target: Node) -> None:
        super().__init__(start, end, first, "", "")
        self.name = name
        self.target = target


class Sequence(Node):
    """A list; `flow` when it is written in brackets."""

    __slots__ = ("flow", "items")

    kind = "list"

    def __init__(self, start: int, end: int, first: int, anchor: str, tag: str, flow: bool) -> None:
        super().__init__(start, end, first, anchor, tag)
        self.flow = flow
        self.items: list[Node] = []


class Mapping(Node):
    """Keys and values in the order of the text, duplicates and merge keys included."""

    __slots__ = ("by_key", "flow", "pairs", "values")

    kind = "mapping"

    def __init__(self, start: int, end: int, first: int, anchor: str, tag: str, flow: bool) -> None:
        super().__init__(start, end, first, anchor, tag)
        self.flow = flow
        self.pairs: list[tuple[Node, Node]] = []
        self.by_key: dict[str, tuple[Node, Node]] | None = None
        self.values: dict[str, Node] | None = None


def resolved(node: Node | None) -> Node | None:
    """The node itself, or the target of an alias."""
    return node.target if isinstance(node, Alias) else node


def key_of(node: Node) -> str | None:
    """The text of a scalar key, or None for a key that is a list or a mapping."""
    target = resolved(node)
    return target.value if isinstance(target, Scalar) else None


def is_merge(key: Node) -> bool:
    """Whether the key is YAML's merge key, `<<`."""
    return isinstance(key, Scalar) and key.value == "<<" and not key.style


def own_pair(mapping: Mapping, key: str) -> tuple[Node, Node] | None:
    """The last pair of the mapping itself with that key; merged keys do not count."""
    found = None
    for pair in mapping.pairs:
        if key_of(pair[0]) == key and not is_merge(pair[0]):
            found = pair
    return found


def _merged(value: Node) -> Iterator[Mapping]:
    target = resolved(value)
    if isinstance(target, Mapping):
        yield target
    elif isinstance(target, Sequence):
        for item in target.items:
            yield from _merged(item)


_NOTHING: dict[str, tuple[Node, Node]] = {}
_NO_FIELDS: dict[str, Node] = {}


def pairs_of(node: Node | None) -> dict[str, tuple[Node, Node]]:
    """Key and value nodes by key, merge keys applied; empty for anything but a mapping. Not to be changed."""
    target = node.target if isinstance(node, Alias) else node
    if not isinstance(target, Mapping):
        return _NOTHING
    if target.by_key is None:
        target.by_key = _keyed(target)
    return target.by_key


def _keyed(target: Mapping) -> dict[str, tuple[Node, Node]]:
    found: dict[str, tuple[Node, Node]] = {}
    merges: list[Node] = []
    for pair in target.pairs:
        if is_merge(pair[0]):
            merges.append(pair[1])
        elif (name := key_of(pair[0])) is not None:
            found[name] = pair
    for value in merges:
        for mapping in _merged(value):
            for name, pair in pairs_of(mapping).items():
                found.setdefault(name, pair)
    return found


def fields(node: Node | None) -> dict[str, Node]:
    """Values by key with aliases and merge keys applied; empty for anything but a mapping. Not to be changed."""
    target = node.target if isinstance(node, Alias) else node
    if not isinstance(target, Mapping):
        return _NO_FIELDS
    if target.values is None:
        target.values = {key: resolved(value) or value for key, (_, value) in pairs_of(target).items()}
    return target.values


def child(node: Node | None, *keys: str) -> Node | None:
    """The value under the keys, one after the other, or None where one is absent."""
    for key in keys:
        node = fields(node).get(key)
    return node.target if isinstance(node, Alias) else node


def elements(node: Node | None) -> list[Node]:
    """The items of a list with aliases applied; empty for anything but a list."""
    target = resolved(node)
    return [resolved(item) or item for item in target.items] if isinstance(target, Sequence) else []


def walk(node: Node | None) -> Iterator[Node]:
    """Every node of the tree as written, keys included; aliases are not followed."""
    stack = [node] if node is not None else []
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Sequence):
            stack.extend(reversed(node.items))
        elif isinstance(node, Mapping):
            for key, value in reversed(node.pairs):
                stack += (value, key)
