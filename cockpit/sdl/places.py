"""Finding the node that a path names, and whether it can be edited where it stands."""

from cockpit.sdl.failures import MissingNodeError, UnsafeEditError
from cockpit.sdl.nodes import Alias, Mapping, Node, Scalar, Sequence, key_of, own_pair, pairs_of, resolved
from cockpit.sdl.parser import Tree
from cockpit.sdl.paths import Path, Step, spelled


class Place:
    """A node with the way to it; `key` is its key's node in a mapping, `entry` a name inside an env list."""

    __slots__ = ("double", "entry", "foreign", "index", "key", "node", "parents", "path")

    def __init__(self, path: Path, node: Node) -> None:
        self.path = path
        self.node = node
        self.key: Node | None = None
        self.index = 0
        self.parents: list[Mapping | Sequence] = []
        self.entry: str | None = None
        self.double: Node | None = None
        self.foreign: tuple[str, Node] | None = None

    @property
    def parent(self) -> Mapping | Sequence | None:
        """The collection that holds the node, or None for the root."""
        return self.parents[-1] if self.parents else None

    @property
    def in_flow(self) -> bool:
        """Whether the node stands inside brackets or braces."""
        return any(parent.flow for parent in self.parents)


def locate(tree: Tree, path: Path) -> Place:
    """The place that `path` names.

    Raises MissingNodeError, with the line of the deepest node that exists, where it names nothing.
    """
    if tree.root is None:
        raise MissingNodeError("The document is empty.", line=1)
    place = Place(path, tree.root)
    for depth, step in enumerate(path):
        _follow_alias(place)
        if not _enter(place, step, after=path[depth - 1] if depth else None):
            raise _missing(tree, place, path, depth)
    return place


def find(tree: Tree, path: Path) -> Place | None:
    """The place that `path` names, or None."""
    try:
        return locate(tree, path)
    except MissingNodeError:
        return None


def _follow_alias(place: Place) -> None:
    if isinstance(place.node, Alias):
        place.foreign = place.foreign or (f"the alias *{place.node.name}", place.node)
        place.node = place.node.target


def _enter(place: Place, step: Step, *, after: Step | None) -> bool:
    node = place.node
    if place.entry is not None:
        return False
    if isinstance(node, Mapping):
        return _enter_mapping(place, node, str(step))
    if isinstance(node, Sequence):
        return _enter_sequence(place, node, step, is_env=after == "env")
    return False


def _enter_mapping(place: Place, node: Mapping, key: str) -> bool:
    pair = own_pair(node, key)
    if pair is None:
        pair = pairs_of(node).get(key)
        if pair is not None:
            place.foreign = place.foreign or (f"the merge key that brings {key!r} in", node)
    if pair is None:
        return False
    twins = [own for own, _ in node.pairs if key_of(own) == key]
    place.double = place.double or (twins[1] if len(twins) > 1 else None)
    place.parents.append(node)
    place.key, place.node = pair
    place.index = next((at for at, own in enumerate(node.pairs) if own == pair), 0)
    return True


def _enter_sequence(place: Place, node: Sequence, step: Step, *, is_env: bool) -> bool:
    index = _index(node, step)
    if index is None and is_env:
        index = entry_index(node, str(step))
        place.entry = None if index is None else str(step)
    if index is None:
        return False
    place.parents.append(node)
    place.key, place.node, place.index = None, node.items[index], index
    return True


def _index(node: Sequence, step: Step) -> int | None:
    if isinstance(step, str):
        if not step.lstrip("-").isdecimal():
            return None
        step = int(step)
    size = len(node.items)
    return step % size if -size <= step < size else None


def entry_index(node: Sequence, name: str) -> int | None:
    """The last item of an env list that sets `name`: Kubernetes lets the last one win."""
    for index in range(len(node.items) - 1, -1, -1):
        item = resolved(node.items[index])
        if isinstance(item, Scalar) and item.value.partition("=")[0] == name:
            return index
    return None


def _missing(tree: Tree, place: Place, path: Path, depth: int) -> MissingNodeError:
    line, column = tree.lines.position(place.node.start)
    there = spelled(path[:depth])
    known = list(pairs_of(place.node)) or [str(at) for at, _ in enumerate(getattr(place.node, "items", ()))]
    hint = f"It has {', '.join(known[:12])}." if known else ""
    return MissingNodeError(
        f"There is no {path[depth]!r} in {there} (line {line}).", line=line, column=column, hint=hint
    )


def require_editable(tree: Tree, place: Place) -> None:
    """Refuse a place whose edit would reach further than the place itself.

    Raises UnsafeEditError, with the line, for several documents, aliases, merge keys, double keys, anchors in use.
    """
    if tree.documents > 1:
        raise refusal(tree, tree.second or 0, "the file has several documents; only a single one can be edited")
    if place.foreign is not None:
        what, node = place.foreign
        raise refusal(tree, node.start, f"{spelled(place.path)} comes from {what}; edit it where it is written")
    if isinstance(place.node, Alias):
        raise refusal(tree, place.node.start, f"{spelled(place.path)} is the alias *{place.node.name}")
    if place.double is not None:
        raise refusal(tree, place.double.start, f"a key of {spelled(place.path)} is written twice")
    for node in (*place.parents, place.node):
        if node.anchor in tree.aliased:
            raise refusal(
                tree, node.start, f"&{node.anchor} is used again as *{node.anchor} and would change there too"
            )


def refusal(tree: Tree, offset: int, reason: str) -> UnsafeEditError:
    """The error for an edit that is not made, with the line that is the reason."""
    line, column = tree.lines.position(offset)
    return UnsafeEditError(f"Line {line}: {reason}. Nothing was changed.", line=line, column=column)
