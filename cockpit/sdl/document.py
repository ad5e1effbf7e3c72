"""The document: text that is the truth, and edits of spans."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cockpit.sdl import edits
from cockpit.sdl.failures import SdlError, UnreadableSdlError
from cockpit.sdl.layout import Layout
from cockpit.sdl.nodes import Mapping, Node, Scalar, Sequence, is_merge, key_of, pairs_of, resolved
from cockpit.sdl.parser import Tree, parse
from cockpit.sdl.paths import Path, Step, spelled, to_path
from cockpit.sdl.places import Place, find, locate, refusal, require_editable
from cockpit.sdl.ray_cluster import Cluster
from cockpit.sdl.removal import removal_of
from cockpit.sdl.scalars import Simple, Value, meaning
from cockpit.sdl.view import View

Spelling = Callable[[str, Simple, Simple], str | None]


class SdlDocument:
    """An SDL's text with edits that change nothing but what they name.

    Any text is accepted; reading and editing raise UnreadableSdlError while it is not YAML. Every edit parses the
    text again and raises UnsafeEditError, leaving all as it was, where more than the intended node would change.
    The way back is the history of an EditingSession.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tree: Tree | None = None
        self._failure: UnreadableSdlError | None = None
        self._cluster: Cluster | None = None

    # --- text and tree ---

    @property
    def text(self) -> str:
        """The text, byte order mark and line breaks included."""
        return self._text

    @property
    def tree(self) -> Tree:
        """The parsed text. Raises UnreadableSdlError where it is not YAML."""
        if self._failure is not None:
            raise self._failure
        if self._tree is None:
            try:
                self._tree = parse(self._text)
            except UnreadableSdlError as error:
                self._failure = error
                raise
        return self._tree

    @property
    def cluster(self) -> Cluster:
        """What the text asks for, read leniently, and the Ray cluster in it; worked out once for each text.

        Raises UnreadableSdlError where it is not YAML.
        """
        tree = self.tree
        if self._cluster is None or self._cluster.view.root is not tree.root:
            self._cluster = Cluster(View(tree.root))
        return self._cluster

    # --- reading ---

    def get(self, path: str | Path) -> Value:
        """The value at `path`, aliases and merge keys applied; of an env entry the part behind `=`.

        Raises MissingNodeError where there is none.
        """
        place = locate(self.tree, to_path(path))
        if place.entry is not None:
            return _text_of(place).partition("=")[2]
        return plain(place.node)

    def has(self, path: str | Path) -> bool:
        """Whether `path` names something."""
        return find(self.tree, to_path(path)) is not None

    def position(self, path: str | Path) -> tuple[int, int]:
        """Line and column of the value at `path`, from 1. Raises MissingNodeError where there is none."""
        return self.tree.lines.position(locate(self.tree, to_path(path)).node.start)

    # --- editing ---

    def set(self, path: str | Path, value: Simple, *, spelling: Spelling | None = None) -> None:
        """Give the value at `path` (or a key that its mapping lacks) another value, quoted as it was.

        `spelling` is called with how the old value is written, the old value and the new one, and says how that was
        written here before, if it was. Raises MissingNodeError, UnsafeEditError.
        """
        steps = to_path(path)
        place = find(self.tree, steps)
        if place is None and steps:
            self.insert(steps, value)
            return
        place = place or locate(self.tree, steps)
        require_editable(self.tree, place)
        if place.entry is not None:
            value = f"{place.entry}={'' if value is None else value}"
        elif isinstance(place.node, Scalar) and _equal(meaning(place.node), value):
            return
        ways = edits.set_ways(self.tree, place, value)
        known = None
        if spelling is not None and isinstance(place.node, Scalar):
            known = spelling(edits.source_of(self.tree, place), meaning(place.node), value)
        if known is not None:
            ways = [*edits.spelled_way(self.tree, place, value, known), *ways]
        self._try(ways, f"set {spelled(steps)}")

    def insert(self, path: str | Path, value: Value, *, after: str | None = None) -> None:
        """Put a new key into a mapping, an item in front of a list's index, or a new env entry at its end.

        Raises MissingNodeError where the parent is missing, UnsafeEditError where the key exists already.
        """
        steps = to_path(path)
        if not steps:
            raise refusal(self.tree, 0, "the document itself cannot be inserted")
        if steps[-2:-1] == ("env",) and len(steps) > 2 and not self.has(steps[:-1]):
            self.insert(steps[:-1], [f"{steps[-1]}={'' if value is None else value}"])
            return
        parent = locate(self.tree, steps[:-1])
        require_editable(self.tree, parent)
        layouts = (Layout(self.tree), Layout(self.tree, strict=True))
        ways = [self._insertion(layout, parent, steps, value, after) for layout in layouts]
        self._try(ways, f"insert {spelled(steps)}")

    def _insertion(self, layout: Layout, parent: Place, steps: Path, value: Value, after: str | None) -> edits.Edit:
        node, step = parent.node, steps[-1]
        if isinstance(node, Mapping):
            if str(step) in pairs_of(node):
                raise refusal(self.tree, node.start, f"{spelled(steps)} exists already")
            return edits.insert_pair(self.tree, layout, node, str(step), value, after=after)
        index = _new_index(node, step)
        if index is None and steps[-2:-1] == ("env",):
            index, value = len(getattr(node, "items", ())), f"{step}={'' if value is None else value}"
        if index is not None:
            return edits.insert_item(self.tree, layout, node, index, value)
        return edits.insert_pair(self.tree, layout, node, str(step), value, after=after)

    def append(self, path: str | Path, value: Value) -> None:
        """Put an item at the end of the list (or the empty value) at `path`.

        Raises MissingNodeError, UnsafeEditError.
        """
        steps = to_path(path)
        node = locate(self.tree, steps).node
        self.insert((*steps, len(node.items) if isinstance(node, Sequence) else 0), value)

    def remove(self, path: str | Path) -> None:
        """Take the pair or item at `path` out, its own comment included. Raises MissingNodeError, UnsafeEditError."""
        steps = to_path(path)
        place = locate(self.tree, steps)
        require_editable(self.tree, place)
        self._try([removal_of(self.tree, place)], f"remove {spelled(steps)}")

    def rename_key(self, path: str | Path, name: str) -> None:
        """Give the key at `path` another name. Raises MissingNodeError, UnsafeEditError where the name is taken."""
        steps = to_path(path)
        place = locate(self.tree, steps)
        require_editable(self.tree, place)
        if not isinstance(place.key, Scalar):
            raise refusal(self.tree, place.node.start, f"{spelled(steps)} has no name")
        if name in pairs_of(place.parent):
            raise refusal(self.tree, place.key.start, f"{name!r} exists already")
        flow = place.in_flow
        self._try(edits.scalar_ways(self.tree, place.key, name, flow=flow), f"rename {spelled(steps)}")

    def wrap(self, path: str | Path) -> None:
        """Make the mapping at `path` the only item of a list. Raises MissingNodeError, UnsafeEditError."""
        steps = to_path(path)
        place = locate(self.tree, steps)
        require_editable(self.tree, place)
        self._try([edits.wrapping(self.tree, place)], f"make {spelled(steps)} a list")

    def apply(self, edit: edits.Edit, label: str) -> None:
        """Make an edit that was prepared for this very text. Raises UnsafeEditError where it does not hold."""
        self._try([edit], label)

    def _try(self, ways: list[edits.Edit], label: str) -> None:
        tree = self.tree
        for way in ways:
            text = edits.applied(self._text, way.changes)
            try:
                new = parse(text)
            except UnreadableSdlError:
                continue
            if edits.is_only_change(tree, new, way):
                self._become(text, new)
                return
        raise refusal(tree, ways[0].changes[0].start, f"«{label}» cannot be done without changing something else")

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Make all edits inside, or none: an error takes those back that were made before it."""
        before, tree = self._text, self._tree
        try:
            yield
        except BaseException:
            self._become(before, tree)
            raise

    def _become(self, text: str, tree: Tree | None) -> None:
        self._text, self._tree, self._failure, self._cluster = text, tree, None, None

    def __repr__(self) -> str:
        # Never the text: it may hold secrets.
        return f"<SdlDocument of {len(self._text)} characters>"


# Quotes, blocks, brackets, properties and aliases.
_BEGINS_YAML = "\"'|>[{&!*"


def read_value(text: str) -> Simple:
    """The value of a YAML scalar: `3` a number, `"3"` a text. Raises SdlError for lists and mappings.

    Lines without quotes are a text as it is: YAML would make spaces of its line breaks, and another script of a script.
    """
    if "\n" in text.strip() and text.lstrip()[0] not in _BEGINS_YAML:
        return text
    root = parse(text).root if text.strip() else Scalar(0, 0, 0)
    if not isinstance(root, Scalar):
        raise SdlError(f"A single value is wanted, not a {root.kind if root else 'nothing'}.")
    return meaning(root)


def plain(node: Node | None) -> Value:
    """The node as Python data, aliases and merge keys applied; bounded by the parser's limit on values."""
    node = resolved(node)
    if isinstance(node, Scalar):
        return meaning(node)
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, (_, value) in pairs_of(node).items()}


def paths_of(tree: Tree) -> Iterator[tuple[Path, Scalar]]:
    """Every scalar value that is written in the first document, with its path; what aliases repeat is left out."""
    yield from _paths(tree.root, ())


def _paths(node: Node | None, path: Path) -> Iterator[tuple[Path, Scalar]]:
    if isinstance(node, Scalar):
        yield path, node
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _paths(item, (*path, index))
    elif isinstance(node, Mapping):
        for key, value in node.pairs:
            name = key_of(key)
            if name is not None and not is_merge(key):
                yield from _paths(value, (*path, name))


def _text_of(place: Place) -> str:
    node = resolved(place.node)
    return node.value if isinstance(node, Scalar) else ""


def _new_index(node: Node, step: Step) -> int | None:
    if isinstance(step, str) and not step.isdecimal():
        return None
    if isinstance(node, Sequence):
        return min(int(step), len(node.items))
    return 0 if isinstance(step, int) else None


def _equal(left: Simple, right: Simple) -> bool:
    return type(left) is type(right) and left == right
