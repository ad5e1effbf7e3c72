"""How new lines are laid out: indentation as the document has it, values in block or flow style."""

from cockpit.sdl.nodes import Mapping, Scalar, Sequence, resolved, walk
from cockpit.sdl.parser import Tree
from cockpit.sdl.scalars import Value, double_quoted, written


class Layout:
    """The habits of one document: `step` columns per level, lists `offset` columns right of their key.

    A `strict` layout puts every text in double quotes.
    """

    __slots__ = ("newline", "offset", "quoted", "step", "strict")

    def __init__(self, tree: Tree, *, strict: bool = False) -> None:
        self.strict = strict
        self.newline = tree.lines.newline()
        self.step = 2
        self.offset = 2
        self.quoted = strict or _quotes_keys(tree)
        self._measure(tree)

    def _measure(self, tree: Tree) -> None:
        steps: list[int] = []
        offsets: list[int] = []
        for node in walk(tree.root):
            if not isinstance(node, Mapping) or node.flow:
                continue
            for key, value in node.pairs:
                space = tree.lines.column(value.start) - tree.lines.column(key.start)
                if isinstance(value, Mapping) and not value.flow and value.pairs:
                    steps.append(space)
                elif isinstance(value, Sequence) and not value.flow:
                    offsets.append(space)
        self.step = _usual([step for step in steps if 0 < step <= 8], 2)
        self.offset = _usual([offset for offset in offsets if 0 <= offset <= 8], 2)

    def pair(self, key: str, value: Value) -> list[str]:
        """The lines of `key: value` as a block, from column 0."""
        name = double_quoted(key) if self.strict else written(key)
        if isinstance(value, dict) and value:
            return [f"{name}:", *self._indented(self.block(value), self.step)]
        if isinstance(value, list) and value:
            return [f"{name}:", *self._indented(self.block(value), self.offset)]
        return [f"{name}: {self._inline(value)}"]

    def item(self, value: Value) -> list[str]:
        """The lines of `- value` as a block, from column 0."""
        lines = self.block(value)
        return [f"- {lines[0]}", *self._indented(lines[1:], 2)]

    def block(self, value: Value) -> list[str]:
        """The lines of a value as a block, from column 0."""
        if isinstance(value, dict) and value:
            return [line for key, item in value.items() for line in self.pair(key, item)]
        if isinstance(value, list) and value:
            return [line for item in value for line in self.item(item)]
        return [self._inline(value)]

    def _inline(self, value: Value) -> str:
        return flow(value, quoted=self.strict) if self.strict or isinstance(value, dict | list) else written(value)

    @staticmethod
    def _indented(lines: list[str], columns: int) -> list[str]:
        return [" " * columns + line for line in lines]

    def flow_pair(self, key: str, value: Value) -> str:
        """`key: value` for the inside of braces, quoted as JSON where the document is JSON."""
        if self.quoted:
            return f"{double_quoted(key)}: {flow(value, quoted=True)}"
        return f"{written(key, flow=True)}: {flow(value)}"

    def flow_item(self, value: Value) -> str:
        """A value for the inside of brackets."""
        return flow(value, quoted=self.quoted)


def flow(value: Value, *, quoted: bool = False) -> str:
    """A value on one line; empty collections as brackets, text in double quotes where `quoted`."""
    if isinstance(value, dict):
        pairs = (f"{flow(key, quoted=quoted)}: {flow(item, quoted=quoted)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item, quoted=quoted) for item in value) + "]"
    if quoted and isinstance(value, str):
        return double_quoted(value)
    return written(value, flow=True)


def _usual(found: list[int], default: int) -> int:
    return max(set(found), key=found.count) if found else default


def _quotes_keys(tree: Tree) -> bool:
    root = resolved(tree.root)
    if not isinstance(root, Mapping) or not root.flow or not root.pairs:
        return False
    key = root.pairs[0][0]
    return isinstance(key, Scalar) and key.style == '"'
