"""The rows of a YAML text as a text area edits them, and the colors of those that are seen, from tree-sitter."""

from collections import defaultdict
from functools import cache
from pathlib import Path

import textual
from textual.document._document import Document, EditResult, Location
from tree_sitter import Language, Node, Parser, Point, Query, QueryCursor, Tree

Span = tuple[int, int | None, str]


@cache
def _language() -> Language:
    import tree_sitter_yaml

    return Language(tree_sitter_yaml.language())


@cache
def _query() -> Query:
    source = Path(textual.__file__).parent / "tree-sitter" / "highlights" / "yaml.scm"
    return Query(_language(), source.read_text(encoding="utf-8"))


@cache
def _names() -> tuple[str, ...]:
    query = _query()
    return tuple(query.capture_name(index) for index in range(query.capture_count))


class YamlLines(Document):
    """Rows that end with a line feed and nothing else, so that rows and columns are those of the session."""

    def __init__(self, rows: list[str]) -> None:
        super().__init__("")
        self._lines = rows or [""]
        self._parser = Parser(_language())
        self._tree: Tree | None = None
        self._stale = False

    @property
    def tree(self) -> Tree:
        """The syntax tree; made when it is first needed after an edit."""
        if self._tree is None or self._stale:
            old = self._tree if self._stale and self._tree is not None else None
            source = "\n".join(self._lines).encode("utf-8", "surrogatepass")
            self._tree = self._parser.parse(source, old) if old is not None else self._parser.parse(source)
            self._stale = False
        return self._tree

    def replace_range(self, start: Location, end: Location, text: str) -> EditResult:
        """Replace what lies between two places; only line feeds break rows."""
        (top, left), (bottom, right) = sorted((start, end))
        lines = self._lines
        top, bottom = min(top, len(lines) - 1), min(bottom, len(lines) - 1)
        left, right = min(left, len(lines[top])), min(right, len(lines[bottom]))
        removed = self.get_text_range((top, left), (bottom, right))
        fresh = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        column = len(fresh[-1]) + (left if len(fresh) == 1 else 0)
        self._note_edit((top, left), (bottom, right), removed, fresh)
        fresh[0] = lines[top][:left] + fresh[0]
        fresh[-1] += lines[bottom][right:]
        lines[top : bottom + 1] = fresh
        return EditResult((top + len(fresh) - 1, column), removed)

    def _note_edit(self, top: Location, bottom: Location, removed: str, fresh: list[str]) -> None:
        """Tell the syntax tree what moved, so that it parses only what it must."""
        if self._tree is None:
            return
        lines = self._lines
        start = sum(map(_size, lines[: top[0]])) + top[0] + _size(lines[top[0]][: top[1]])
        inserted = "\n".join(fresh)
        left, right = _size(lines[top[0]][: top[1]]), _size(lines[bottom[0]][: bottom[1]])
        last = _size(fresh[-1]) + (left if len(fresh) == 1 else 0)
        self._tree.edit(
            start_byte=start,
            old_end_byte=start + _size(removed),
            new_end_byte=start + _size(inserted),
            start_point=Point(top[0], left),
            old_end_point=Point(bottom[0], right),
            new_end_point=Point(top[0] + len(fresh) - 1, last),
        )
        self._stale = True


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _place(node: Node) -> tuple[int, int]:
    return node.start_byte, -node.end_byte


def highlights(document: YamlLines, first: int, last: int) -> dict[int, list[Span]]:
    """The colored spans of the rows `first` to `last`, by row, in bytes of the row; None is the end of the row.

    Where two lie over each other the later one counts: names come in the order of the query, and then of the row.
    """
    cursor = QueryCursor(_query())
    cursor.set_point_range(Point(first, 0), Point(last + 1, 0))
    found: dict[int, list[Span]] = defaultdict(list)
    captured = cursor.captures(document.tree.root_node)
    for name in filter(captured.__contains__, _names()):
        # Tree-sitter gives them in any order, another one after each edit.
        for node in sorted(captured[name], key=_place):
            (top, left), (bottom, right) = node.start_point, node.end_point
            for row in range(max(top, first), min(bottom, last) + 1):
                found[row].append((left if row == top else 0, right if row == bottom else None, name))
    return found
