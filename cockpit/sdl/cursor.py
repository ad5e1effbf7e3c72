"""The cursor's place in an SDL, found by indentation alone, so that it works while the YAML is broken.

Only what stands above and on the line counts, except for the keys that the mapping has below. Block texts and quoted
values over several lines are stepped over; what is in braces and brackets is followed on the cursor's line.
"""

import re
from typing import Literal

import msgspec

from cockpit.sdl.paths import Path, Step

_BREAKS = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_KEY = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"\[\]{},&*!|>%@`-][^#:\r\n]*?|-[^\s:#][^:#\r\n]*?)\s*:(?=\s|$)"""
)
_BLOCK = re.compile(r"(?:[&!]\S+\s+)*[|>][-+0-9]*\s*(?:#.*)?$")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


class Cursor(msgspec.Struct, frozen=True):
    """What is being written where the cursor stands.

    `path` names the mapping for a key, and the place itself for an item of a list and for a value; `written` is what
    stands in front of the cursor, and `start` to `end` (offsets) what a completion takes the place of. `keys` are those
    that the mapping has already, `siblings` the scalar values of these.
    """

    kind: Literal["key", "value", "item"]
    path: Path
    written: str
    start: int
    end: int
    column: int
    keys: tuple[str, ...] = ()
    siblings: dict[str, str] = {}
    quote: str = ""


class _Entry:
    """One level above the cursor: a key at a column, or an item of a list."""

    __slots__ = ("column", "step")

    def __init__(self, column: int, step: Step) -> None:
        self.column = column
        self.step = step


class _Scan:
    """Goes down the lines, and knows at each where it is."""

    def __init__(self) -> None:
        self.levels: list[_Entry] = []
        self.seen: dict[tuple[Step, ...], dict[str, str]] = {}
        self.block: int | None = None
        self.quote: tuple[str, int] | None = None

    @property
    def path(self) -> Path:
        return tuple(level.step for level in self.levels)

    def is_text(self, line: str) -> bool:
        """Whether the line belongs to a block text or an open quote above."""
        column, body = _indent(line), line.strip()
        if self.block is not None:
            if not body or column > self.block:
                return True
            self.block = None
        if self.quote is not None:
            mark, least = self.quote
            if body and column <= least:
                self.quote = None  # not closed yet while typing: YAML would need more indentation
            else:
                if _closes(line, mark):
                    self.quote = None
                return True
        return False

    def holds_blank(self, column: int) -> bool:
        """Whether a text above goes on where nothing but blanks up to this column stand."""
        least = self.block if self.block is not None else self.quote[1] if self.quote is not None else column
        return column > least

    def line(self, line: str) -> None:
        """Take in a whole line."""
        column, body = self.dashes(_indent(line), line.strip())
        found = _KEY.match(body)
        if found is not None:
            value = _COMMENT.sub("", body[found.end() :]).strip()
            self.key(column, _bare(found[1]), value)
            self.opens(value, column)
        else:
            self.opens(body, column - 2 if self.levels and isinstance(self.levels[-1].step, int) else column)

    def opens(self, value: str, column: int) -> None:
        """Note a text that goes on below the line."""
        if _BLOCK.match(value):
            self.block = column
        elif value[:1] in ("'", '"') and not _closes(value[1:], value[0]):
            self.quote = (value[0], column)

    def dashes(self, column: int, body: str) -> tuple[int, str]:
        """Step into the items that the line begins; returns the column and text behind the dashes."""
        while body == "-" or body.startswith("- "):
            self.item(column)
            rest = body[1:].lstrip(" ")
            column += len(body) - len(rest)
            body = rest
        return column, body

    def item(self, column: int) -> None:
        while self.levels and self.levels[-1].column > column:
            self.levels.pop()
        last = self.levels[-1] if self.levels else None
        index = 0
        if last is not None and last.column == column and isinstance(last.step, int):
            index = last.step + 1
            self.levels.pop()
        self.levels.append(_Entry(column, index))

    def leave(self, column: int) -> None:
        """Go up to the mapping whose keys begin at this column."""
        while self.levels and self.levels[-1].column >= column:
            self.levels.pop()

    def key(self, column: int, name: str, value: str) -> None:
        self.leave(column)
        self.seen.setdefault(self.path, {})[name] = _bare(value)
        self.levels.append(_Entry(column, name))


def cursor_at(text: str, offset: int) -> Cursor | None:
    """What is being written at the offset; None inside comments and block texts, where nothing can be known."""
    scan = _Scan()
    at = 1 if text.startswith("\ufeff") else 0
    while True:
        found = _LINE.match(text, at)
        if found is None:
            return None
        if offset <= found.end(1) or not found[2]:
            return _on_line(scan, text, at, min(offset, found.end(1)), found.end(1))
        line = found[1]
        if not scan.is_text(line) and line.strip() and not line.lstrip().startswith("#"):
            if line.startswith(("---", "...")):
                scan = _Scan()
            else:
                scan.line(line)
        at = found.end()


def _on_line(scan: _Scan, text: str, begin: int, offset: int, end: int) -> Cursor | None:
    line, before = text[begin:end], text[begin:offset]
    if scan.is_text(line) if line.strip() else scan.holds_blank(len(before)):
        return None
    if _in_comment(before):
        return None
    column, _ = scan.dashes(_indent(before), before.lstrip(" "))
    body = before[column:]
    if before.endswith("-") and not body:
        return None  # a blank is still to come
    found = _KEY.match(body)
    tail = text[offset:end]
    if found is not None:
        lead = len(body) - len(body[found.end() :].lstrip(" "))
        if lead == found.end() and offset == begin + column + lead:
            return None  # right behind the colon a blank is still to come
        scan.key(column, _bare(found[1]), "")
        value = body[lead:]
        if value[:1] in ("{", "["):
            return _in_flow(scan, value, offset, tail)
        return _value(scan, text, offset, value, tail, begin + column + lead)
    if body[:1] in ("{", "["):
        return _in_flow(scan, body, offset, tail)
    return _key_or_item(scan, text, begin, offset, end, column, body)


def _value(scan: _Scan, text: str, offset: int, value: str, tail: str, start: int) -> Cursor:
    mapping = scan.path[:-1]
    siblings = {**_below(text, offset, scan.levels[-1].column), **scan.seen.get(mapping, {})}
    quote = value[:1] if value[:1] in ("'", '"') else ""
    rest = re.match(r"[^\s,#\]}]*" if not quote else rf"[^{quote}\r\n]*{quote}?", tail)
    return Cursor(
        kind="value",
        path=scan.path,
        written=value[len(quote) :],
        start=start,
        end=offset + (rest.end() if rest else 0),
        column=scan.levels[-1].column,
        keys=tuple(siblings),
        siblings=siblings,
        quote=quote,
    )


def _key_or_item(scan: _Scan, text: str, begin: int, offset: int, end: int, column: int, body: str) -> Cursor:
    is_item = bool(scan.levels) and isinstance(scan.levels[-1].step, int) and scan.levels[-1].column < column
    fresh = is_item and text[begin : begin + column].rstrip(" ").endswith("-")
    if not fresh:
        scan.leave(column)
    path = scan.path
    after = _below(text, end, column)
    seen = {**after, **({} if fresh else scan.seen.get(path, {}))}
    rest = re.match(r"[^\s:#]*:?[ ]?" if not is_item else r"[^\s#]*", text[offset:end])
    quote = body[:1] if body[:1] in ("'", '"') else ""
    return Cursor(
        kind="item" if fresh else "key",
        path=path,
        written=body[len(quote) :],
        start=begin + column,
        end=offset + (rest.end() if rest else 0),
        column=column,
        keys=tuple(seen),
        siblings=seen,
        quote=quote,
    )


def _below(text: str, offset: int, column: int) -> dict[str, str]:
    """Keys with their values that follow at the same column, down to where the mapping ends."""
    found: dict[str, str] = {}
    at = text.find("\n", offset) + 1
    while at:
        line = _LINE.match(text, at)
        body = line[1] if line else ""
        if body.strip() and not body.lstrip().startswith("#"):
            indent = _indent(body)
            if indent < column or (body.startswith("- ", indent) and indent == column):
                break
            key = _KEY.match(body, indent)
            if key is not None and indent == column:
                found[_bare(key[1])] = _bare(_COMMENT.sub("", body[key.end() :]).strip())
        at = text.find("\n", at) + 1
    return found


_TOKEN = re.compile(r"""\s*([{}\[\],]|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s{}\[\],:"'][^{}\[\],:]*|:)""")


class _Flow:
    """Follows braces and brackets on one line."""

    def __init__(self, path: Path) -> None:
        self.path = list(path)
        self.opened: list[tuple[str, dict[str, str]]] = []
        self.word = ""
        self.key: str | None = None

    @property
    def in_mapping(self) -> bool:
        return bool(self.opened) and self.opened[-1][0] == "{"

    @property
    def pairs(self) -> dict[str, str]:
        """What the mapping has so far."""
        return self.opened[-1][1] if self.opened else {}

    def take(self, token: str) -> None:
        """Go on by a brace, a bracket, a comma, a colon or a word."""
        if token in "{[":
            self.open(token)
        elif token in "}]":
            self.close()
        elif token == ",":
            self.next()
        elif token == ":":
            self.key, self.word = _bare(self.word), ""
        else:
            self.word = token

    def open(self, mark: str) -> None:
        if self.in_mapping and self.key is not None:
            self.path.append(self.key)
        if mark == "[":
            self.path.append(0)
        self.opened.append((mark, {}))
        self.word, self.key = "", None

    def close(self) -> None:
        mark = self.opened.pop()[0] if self.opened else ""
        if mark == "[":
            self.path.pop()
        if self.in_mapping and self.path and isinstance(self.path[-1], str):
            self.path.pop()
        self.word, self.key = "", None

    def next(self) -> None:
        if self.in_mapping and self.key is not None:
            self.pairs[self.key] = _bare(self.word)
        elif self.opened and not self.in_mapping and isinstance(self.path[-1], int):
            self.path[-1] += 1
        self.word, self.key = "", None


def _in_flow(scan: _Scan, before: str, offset: int, tail: str) -> Cursor:
    """Where the cursor is behind an open brace or bracket."""
    flow = _Flow(scan.path)
    for token in _TOKEN.finditer(before):
        flow.take(token[1])
    is_fresh = before[-1].isspace() or before.endswith(("{", "[", ",", ":"))
    written = "" if is_fresh else flow.word.strip("\"'")
    rest = re.match(r"[^\s,{}\[\]:]*", tail)
    start, end = offset - len(written), offset + (rest.end() if rest else 0)
    path, pairs = tuple(flow.path), flow.pairs
    if not flow.in_mapping:
        return Cursor("item", path, written, start, end, 0)
    if flow.key is None:
        return Cursor("key", path, written, start, end, 0, tuple(pairs), pairs)
    return Cursor("value", (*path, flow.key), written, start, end, 0, tuple(pairs), pairs)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _closes(text: str, mark: str) -> bool:
    if mark == "'":
        return text.replace("''", "").count("'") % 2 == 1
    return re.sub(r"\\.", "", text).count('"') % 2 == 1


def _in_comment(before: str) -> bool:
    bare = re.sub(r""""(?:[^"\\]|\\.)*"|'[^']*'""", "", before)
    return bool(re.search(r"(?:^|\s)#", bare))


def _bare(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text


def keys_by_path(text: str) -> dict[Path, dict[str, str]]:
    """Keys with their scalar values by the path of their mapping, read from indentation, whether it is YAML or not."""
    scan = _Scan()
    at = 1 if text.startswith("\ufeff") else 0
    for line in _BREAKS.split(text[at:]):
        if line.startswith(("---", "...")):
            scan = _Scan() if not scan.seen else scan
        elif not scan.is_text(line) and line.strip() and not line.lstrip().startswith("#"):
            scan.line(line)
    return scan.seen
