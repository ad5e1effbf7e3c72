"""TOML as its author wrote it: which lines belong to which table, what is readable of a broken file, and small edits.

An edit changes the lines that it is about and no other byte; what the text means afterwards is compared with what it
should mean, so that a text that is laid out in a way we do not foresee is refused instead of damaged.
"""

import copy
import re
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from cockpit.errors import UsageError

Path = tuple[str, ...]

_HEADER = re.compile(r"""\s*\[\[?(?P<path>(?:"(?:\\.|[^"\\])*"|'[^']*'|[^\[\]"'#])+)\]\]?\s*(#.*)?$""")
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
# What hides brackets and quotes from a reader of lines, the longest first.
_TOKEN = re.compile(r'"""|\'\'\'|"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*|[\[\]{}]')
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Table(msgspec.Struct, frozen=True):
    """The lines of a table from its header to the next, counted from 0; `path` is empty before any header."""

    path: Path
    start: int
    end: int


class Fault(msgspec.Struct, frozen=True):
    """What cannot be read: line and column counted from 1, the parser's words, and the table that is left out."""

    line: int
    column: int
    words: str
    path: Path
    first: int | None = None  # the line of the table that has the name already


def tables(text: str) -> list[Table]:
    """The tables of a text in their order; the first is without a header and may be empty."""
    lines = text.split("\n")
    starts: list[tuple[Path, int]] = [((), 0)]
    quote, depth = "", 0
    for number, line in enumerate(lines):
        if not quote and not depth and (path := _header(line)) is not None:
            starts.append((path, number))
            continue
        quote, depth = _after(line, quote, depth)
    ends = [number for _, number in starts[1:]] + [len(lines)]
    return [Table(path, start, end) for (path, start), end in zip(starts, ends, strict=True)]


def _header(line: str) -> Path | None:
    found = _HEADER.match(line)
    if found is None:
        return None
    try:
        value: Any = _loads(f"[{found['path']}]")
    except tomllib.TOMLDecodeError:
        return ("?",)
    path: list[str] = []
    while value:
        path.append(next(iter(value)))
        value = value[path[-1]]
    return tuple(path)


def _after(line: str, quote: str, depth: int) -> tuple[str, int]:
    """Whether a line ends inside of a text of several lines, and how many brackets are open then."""
    at = 0
    while True:
        if quote:
            end = line.find(quote, at)
            if end < 0:
                return quote, depth
            at, quote = end + len(quote), ""
        found = _TOKEN.search(line, at)
        if found is None:
            return "", depth
        at, token = found.end(), found[0]
        if token in ('"""', "'''"):
            quote = token
        elif token in "[{":
            depth += 1
        elif token in "]}":
            depth = max(0, depth - 1)


def _loads(text: str) -> dict[str, Any]:
    """As tomllib does it, which leaves nesting to Python's own stack. Raises TOMLDecodeError."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise tomllib.TOMLDecodeError("It is nested too deeply") from None


def readable(text: str) -> tuple[dict[str, Any], list[Fault]]:
    """What the text means without the tables that cannot be read, and what is wrong with those."""
    try:
        return _loads(text), []
    except tomllib.TOMLDecodeError:
        return _rest(text)


def _rest(text: str) -> tuple[dict[str, Any], list[Fault]]:
    # What is not used is blanked, so that the lines that the parser names are those of the file.
    lines = text.split("\n")
    kept, faults, document = [""] * len(lines), list[Fault](), dict[str, Any]()
    first: dict[Path, int] = {}
    for table in _small_tables(text):
        tried = [*kept[: table.start], *lines[table.start : table.end]]
        try:
            document = _loads("\n".join(tried))
        except tomllib.TOMLDecodeError as error:
            line, column, words = _told(str(error), lines, table)
            faults.append(Fault(line, column, words, table.path, first.get(table.path)))
        else:
            kept[table.start : table.end] = lines[table.start : table.end]
            first.setdefault(table.path, table.start + 1)
    return document, faults


def _small_tables(text: str) -> list[Table]:
    """Tables, where a bracket or a quote that is never closed ends at the next header."""
    lines = text.split("\n")
    found: list[Table] = []
    for table in tables(text):
        body = "\n".join(lines[table.start : table.end])
        try:
            _loads(body)
            found.append(table)
        except tomllib.TOMLDecodeError:
            heads = [
                (number, path)
                for number in range(table.start + 1, table.end)
                if (path := _header(lines[number])) is not None
            ]
            starts = [(table.start, table.path), *heads]
            ends = [number for number, _ in heads] + [table.end]
            found += [Table(path, start, end) for (start, path), end in zip(starts, ends, strict=True)]
    return found


def _told(words: str, lines: list[str], table: Table) -> tuple[int, int, str]:
    place = _PLACE.search(words)
    said = words[: place.start()] if place else words
    if place is not None and place["line"]:
        return int(place["line"]), int(place["column"]), said
    last = max((n for n in range(table.start, table.end) if lines[n].strip()), default=table.start)
    return last + 1, len(lines[last]) + 1, said


# --- edits -----------------------------------------------------------------------------------------------------------


def with_table(text: str, path: Path, values: Mapping[str, Any]) -> str:
    """The text with a table at its end. Raises UsageError where there is one already or it cannot be added."""
    document = _parsed(text)
    wanted = copy.deepcopy(document)
    place = _inner(wanted, path[:-1])
    if place is None or path[-1] in place:
        raise _unforeseen(path)
    place[path[-1]] = dict(values)
    between = "" if not text.strip() else "\n" if text.endswith("\n") else "\n\n"
    lines = [f"[{'.'.join(map(_key, path))}]", *(f"{_key(key)} = {_value(value)}" for key, value in values.items())]
    return _checked(text + between + "\n".join(lines) + "\n", wanted, path)


def without_table(text: str, path: Path) -> str:
    """The text without a table and those in it; comments above and below stay. Raises UsageError."""
    document = _parsed(text)
    wanted = copy.deepcopy(document)
    place = _inner(wanted, path[:-1])
    if place is None or place.pop(path[-1], None) is None:
        raise _unforeseen(path)
    lines = text.split("\n")
    for table in reversed(tables(text)):
        if table.path[: len(path)] == path:
            start, end = table.start, _last_line(lines, table)
            while end < len(lines) - 1 and not lines[end].strip() and (start == 0 or not lines[start - 1].strip()):
                end += 1
            del lines[start:end]
    if not place and len(path) == 2 and not any(table.path == path[:1] for table in tables(text)):
        wanted.pop(path[0], None)  # the table around it was never written down
    return _checked("\n".join(lines), wanted, path)


def with_value(text: str, path: Path, key: str, value: Any) -> str:
    """The text with one value of a table set; a comment behind the old one stays. Raises UsageError."""
    document = _parsed(text)
    wanted = copy.deepcopy(document)
    place = _inner(wanted, path)
    table = next((one for one in tables(text) if one.path == path), None)
    if place is None or table is None:
        raise _unforeseen(path)
    place[key] = value
    lines = text.split("\n")
    written = re.compile(rf"(\s*\"?{re.escape(key)}\"?\s*=\s*)" + r"""("(?:\\.|[^"\\])*"|'[^']*'|[\w.:+-]+)""")
    for number in range(table.start + 1, table.end):
        if found := written.match(lines[number]):
            lines[number] = found[1] + _value(value) + lines[number][found.end() :]
            break
    else:
        lines.insert(table.start + 1, f"{_key(key)} = {_value(value)}")
    return _checked("\n".join(lines), wanted, path)


def _last_line(lines: list[str], table: Table) -> int:
    """Where the table's own lines end: blank ones and comments below belong to what follows."""
    end = table.end
    while end > table.start + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return end


def _inner(document: dict[str, Any], path: Path) -> dict[str, Any] | None:
    value: Any = document
    for step in path:
        value = value.setdefault(step, {})
        if not isinstance(value, dict):
            return None
    return value if isinstance(value, dict) else None


def _parsed(text: str) -> dict[str, Any]:
    try:
        return _loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"It is not valid TOML: {error}.", hint="Mend that first; nothing was changed.") from error


def _checked(text: str, wanted: dict[str, Any], path: Path) -> str:
    try:
        if _loads(text) == wanted:
            return text
    except tomllib.TOMLDecodeError:
        pass
    raise _unforeseen(path)


def _unforeseen(path: Path) -> UsageError:
    return UsageError(
        f"{'.'.join(path)} is written in a way that this cannot change without touching the rest.",
        hint="Change it in an editor; nothing was changed.",
    )


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, str):
        # JSON's escapes are among those of TOML; DEL is not allowed in either's plain text there.
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    return msgspec.json.encode(value).decode()
