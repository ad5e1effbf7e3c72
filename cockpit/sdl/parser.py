"""From text to tree: the YAML parser's events, composed here so that aliases, spans and limits are ours."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from cockpit.sdl.failures import UnreadableSdlError
from cockpit.sdl.lines import Lines
from cockpit.sdl.nodes import CORE_TAG, Alias, Event, Mapping, Node, Scalar, Sequence

MAX_CHARACTERS = 1_048_576
MAX_DEPTH = 64
MAX_NODES = 100_000

# The C parser is some twenty times faster; its marks count characters, which are string offsets.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Tree:
    """One parsed text: the root of its first document, all events, and how many documents there are."""

    __slots__ = ("aliased", "directive", "documents", "events", "lines", "root", "second")

    def __init__(self, text: str) -> None:
        self.lines = Lines(text)
        self.root: Node | None = None
        self.events: list[Event] = []
        self.documents = 0
        self.second: int | None = None
        self.directive: int | None = None
        self.aliased: set[str] = set()


def parse(text: str) -> Tree:
    """Parse `text` without constructing anything.

    Raises UnreadableSdlError with line and column if it is not YAML, has control characters, is larger than
    1 MiB, deeper than 64 levels or of more than 100,000 values (aliases counted as often as they are used).
    """
    if len(text) > MAX_CHARACTERS:
        raise UnreadableSdlError(
            f"The text has {len(text) / 1e6:.1f} million characters; an SDL has a few thousand (limit 1 MiB).", line=1
        )
    tree = Tree(text)
    # The parser swallows a byte order mark without counting it, so it is taken off and added to every mark.
    shift = 1 if text.startswith("\ufeff") else 0
    try:
        _Composer(tree, shift).run(_events(text[shift:]))
    except yaml.YAMLError as error:
        raise _unreadable(error, tree.lines, shift) from None
    except UnicodeEncodeError as error:
        line, column = tree.lines.position(error.start + shift)
        raise UnreadableSdlError(
            f"Line {line} has half of a surrogate pair; the file is not valid UTF-8.", line=line, column=column
        ) from None
    return tree


def _events(text: str) -> Iterator[Any]:
    loader = _LOADER(text)
    try:
        while (event := loader.get_event()) is not None:
            yield event
            if type(event) is yaml.StreamEndEvent:
                return
    finally:
        loader.dispose()


def _unreadable(error: yaml.YAMLError, lines: Lines, shift: int) -> UnreadableSdlError:
    if isinstance(error, yaml.reader.ReaderError):
        line, column = lines.position(min(_reader_offset(error, lines.text, shift), len(lines.text)))
        return UnreadableSdlError(
            f"Line {line} has a control character ({_name(error)}); this is not a text file.", line=line, column=column
        )
    mark = getattr(error, "problem_mark", None)
    line, column = lines.position(min(mark.index + shift, len(lines.text))) if mark else (1, 1)
    words = getattr(error, "problem", "") or "it cannot be parsed"
    if mark and lines.text[mark.index + shift : mark.index + shift + 1] == "\t":
        words = "a tab, and YAML is indented with blanks only"
    elif begin := getattr(error, "context_mark", None):
        words += f" ({getattr(error, 'context', '')}, which begins at line {begin.line + 1})"
    return UnreadableSdlError(f"Not YAML at line {line}, column {column}: {words}.", line=line, column=column)


_ALLOWED = re.compile("[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _reader_offset(error: Any, text: str, shift: int) -> int:
    # The C reader counts bytes and the Python one characters; the first bad character is the same in both.
    found = _ALLOWED.search(text, shift)
    return found.start() if found else int(getattr(error, "position", 0) or 0) + shift


def _name(error: Any) -> str:
    character = getattr(error, "character", 0)
    return f"U+{character:04X}" if isinstance(character, int) else "invalid bytes"


class _Open:
    """A collection whose end has not been seen; `weight` counts its values with aliases expanded."""

    __slots__ = ("key", "node", "weight")

    def __init__(self, node: Mapping | Sequence) -> None:
        self.node = node
        self.key: Node | None = None
        self.weight = 1

    def add(self, node: Node, weight: int) -> None:
        self.weight += weight
        self.node.end = max(self.node.end, node.end)
        if isinstance(self.node, Sequence):
            self.node.items.append(node)
        elif self.key is None:
            self.key = node
        else:
            self.node.pairs.append((self.key, node))
            self.key = None


class _Composer:
    """Puts events together to nodes, iteratively: no depth or alias can exhaust stack or memory."""

    def __init__(self, tree: Tree, shift: int) -> None:
        self.tree = tree
        self.shift = shift
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int]] = {}

    def run(self, events: Iterator[Any]) -> None:
        handlers: dict[type, Any] = {
            yaml.ScalarEvent: self.scalar,
            yaml.AliasEvent: self.alias,
            yaml.SequenceStartEvent: self.sequence,
            yaml.MappingStartEvent: self.mapping,
            yaml.SequenceEndEvent: self.close,
            yaml.MappingEndEvent: self.close,
            yaml.DocumentStartEvent: self.document,
        }
        for event in events:
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)

    def span(self, event: Any) -> tuple[int, int]:
        return event.start_mark.index + self.shift, event.end_mark.index + self.shift

    def fail(self, sentence: str, offset: int) -> UnreadableSdlError:
        line, column = self.tree.lines.position(offset)
        return UnreadableSdlError(f"Line {line}: {sentence}", line=line, column=column)

    def document(self, event: Any) -> None:
        self.tree.documents += 1
        self.anchors.clear()
        self.tree.events.append(("document",))
        if self.tree.documents == 1 and event.version not in (None, (1, 1)):
            self.tree.directive = self.span(event)[0]
        if self.tree.documents == 2:
            self.tree.second = self.span(event)[0]

    def scalar(self, event: Any) -> None:
        shift, events = self.shift, self.tree.events
        start, end = event.start_mark.index + shift, event.end_mark.index + shift
        anchor, tag, style, value = event.anchor or "", event.tag or "", event.style or "", event.value
        if style in ("|", ">"):
            end = _block_end(self.tree.lines, start, end)
        node = Scalar(start, end, len(events), anchor, tag, value, style)
        events.append(("scalar", value, style, tag, anchor))
        self.put(node, 1)

    def alias(self, event: Any) -> None:
        start, end = self.span(event)
        known = self.anchors.get(event.anchor)
        if known is None:
            raise self.fail(f"the alias *{event.anchor} does not refer to an earlier anchor.", start)
        if any(opened.node is known[0] for opened in self.open):
            raise self.fail(f"the alias *{event.anchor} contains itself.", start)
        self.tree.aliased.add(event.anchor)
        node = Alias(start, end, len(self.tree.events), event.anchor, known[0])
        self.tree.events.append(("alias", event.anchor))
        self.put(node, known[1])

    def sequence(self, event: Any) -> None:
        self.begin(event, Sequence, "list")

    def mapping(self, event: Any) -> None:
        self.begin(event, Mapping, "mapping")

    def begin(self, event: Any, kind: type[Mapping] | type[Sequence], word: str) -> None:
        start, _ = self.span(event)
        anchor, tag, flow = event.anchor or "", event.tag or "", bool(event.flow_style)
        node = kind(start, start, len(self.tree.events), anchor, tag, flow)
        self.tree.events.append((word, "flow" if flow else "block", tag, anchor))
        if len(self.open) >= MAX_DEPTH:
            raise self.fail(f"values are nested deeper than {MAX_DEPTH} levels.", start)
        if anchor:
            self.anchors[anchor] = (node, 1)
        self.open.append(_Open(node))

    def close(self, event: Any) -> None:
        opened = self.open.pop()
        if opened.node.flow:
            opened.node.end = self.span(event)[1]
        self.tree.events.append(("end",))
        opened.node.last = len(self.tree.events)
        self.put(opened.node, opened.weight)

    def put(self, node: Node, weight: int) -> None:
        if weight > MAX_NODES or len(self.tree.events) > 2 * MAX_NODES:
            raise self.fail(f"the document has more than {MAX_NODES:,} values, aliases counted.", node.start)
        if node.anchor:
            self.anchors[node.anchor] = (node, weight)
        if self.open:
            self.open[-1].add(node, weight)
        elif self.tree.documents == 1:
            self.tree.root = node


def _block_end(lines: Lines, start: int, end: int) -> int:
    """The end of a block scalar's last line that counts; with `+` the blank lines below count too."""
    header = lines.text[start : lines.end(start)].split("#")[0]
    body = lines.text[start:end]
    kept = body.removesuffix("\n").removesuffix("\r") if "+" in header else _without_blank_lines(body)
    return start + max(len(kept), len(header.rstrip()))


def _without_blank_lines(body: str) -> str:
    """A text without the blanks and blank lines at its end."""
    # By hand: a regular expression tries every run of blanks of a script, which costs as much as the whole parsing.
    text = body.rstrip()
    tail = body[len(text) :]
    last = max(tail.rfind("\n"), tail.rfind("\r"))
    return text if last >= 0 and not tail[last + 1 :].strip(" \t") else body.rstrip(" \t")


_TAGS = frozenset(
    ("str", "int", "float", "bool", "null", "map", "seq", "merge", "binary", "timestamp", "set", "omap", "pairs")
)


def is_core_tag(tag: str) -> bool:
    """Whether an explicit tag is one of YAML's own types, which every reader knows."""
    return tag in ("", "!") or tag.removeprefix(CORE_TAG) in _TAGS
