"""What the bytes of a reply may become in memory: 117 kB of gzip can hold 60 million rows of 72 bytes each.

A reply is bounded three times: in bytes (by the transport), in rows, and in what its values take once they are decoded.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import suppress

import msgspec

MIB = 1024 * 1024
MOST_ROWS = 100_000
MOST_MEMORY = 104 * MIB  # of decoded values; 50,000 jobs take about 100 MiB
UNWEIGHED = 256 * 1024  # so few bytes cannot become more than about 30 MiB
_VALUE_BYTES = 80  # of the largest small values: an empty object and its place in a list
_MOST_TOKENS = 3_000_000
_MOST_FIELDS = 500
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

# A string, unfinished ones too, or a bracket. Possessive: over hostile bytes a regex that goes back takes the square.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,:\[\]{}\"]++")
_SPACE = re.compile(rb"\s*+")


class TooLargeError(Exception):
    """A reply would take more memory than any honest one."""


class _Row(msgspec.Struct, gc=False):
    """An object of which nothing is kept: its size is that of a pointer and a header."""


_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECTS = msgspec.json.Decoder(list[_Row])


def check_weight(data: bytes) -> None:
    """Raise TooLargeError where decoding all of `data` could take more than MOST_MEMORY; takes 1 ms a megabyte."""
    if len(data) <= UNWEIGHED:
        return
    empty = data.count(b'""')  # Ray's own nodes hold thousands of them (ray-api section 3); they cost nothing
    values = data.count(b",") + data.count(b"{") + data.count(b"[") - empty
    if max(0, values) * _VALUE_BYTES + empty * 8 + _text_bytes(data) > MOST_MEMORY:
        raise TooLargeError


def _text_bytes(data: bytes) -> int:
    """The most that strings of `data` can take: one wide character widens the whole string to four bytes each."""
    return len(data) if data.isascii() and b"\\u" not in data else 4 * len(data)


def raw_rows(data: bytes, *, checked: bool | None = None) -> list[msgspec.Raw]:
    """The elements of a JSON list, undecoded; `checked` is what `is_short_list` has said about it already.

    Raises TooLargeError for more than MOST_ROWS, ValueError where `data` is not a whole list.
    """
    if is_short_list(data) if checked is None else checked:
        with suppress(*_MALFORMED):
            return _ROWS.decode(data)
    return list(_split(data))


def is_short_list(data: bytes) -> bool:
    """Whether `data` is tiny, or a list of at most MOST_ROWS objects; takes as long as `raw_rows` then does.

    Raises TooLargeError for more objects.
    """
    if len(data) <= UNWEIGHED:
        return True
    if data.count(b"{") > MOST_ROWS * 20:
        return False
    try:
        # Objects alone, and nothing of them kept: an element that is not one ends this before it costs anything.
        rows = len(_OBJECTS.decode(data))
    except _MALFORMED:
        return False
    if rows > MOST_ROWS:
        raise TooLargeError
    return True


def raw_fields(data: bytes) -> dict[str, msgspec.Raw]:
    """The members of a JSON object as they are written; the last of one name counts, and hundreds are too many.

    Raises TooLargeError, and ValueError where `data` is not a whole object.
    """
    parts = iter(_split(data, b"{}", most=_MOST_FIELDS))
    return {_name(key): value for key, value in zip(parts, parts, strict=True)}


def _name(key: bytes | msgspec.Raw) -> str:
    with suppress(*_MALFORMED):
        return msgspec.json.decode(key, type=str)
    raise ValueError("not a name")


def _split(data: bytes, marks: bytes = b"[]", *, most: int = MOST_ROWS) -> Iterator[msgspec.Raw]:
    """The parts of a list or an object: each as it is written, nested however deep, or not even JSON."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    begin, last = marks[:1], marks[1:]
    at = _after_space(data, 0)
    if data[at : at + 1] != begin:
        raise ValueError("unexpected")
    at = _after_space(data, at + 1)
    if data[at : at + 1] == last:
        return
    rows = tokens = 0
    while True:
        end, seen = _element(data, at, _MOST_TOKENS - tokens)
        rows, tokens = rows + 1, tokens + seen
        if rows > most:
            raise TooLargeError
        yield msgspec.Raw(data[at:end])
        at = _after_space(data, end)
        if data[at : at + 1] == last:
            return
        if data[at : at + 1] not in (b",", b":" if begin == b"{" else b","):
            raise ValueError("not whole")
        at = _after_space(data, at + 1)


def _element(data: bytes, start: int, most: int) -> tuple[int, int]:
    """Where the element that begins at `start` ends, and how many tokens it took."""
    if scalar := _SCALAR.match(data, start):
        return scalar.end(), 1
    depth = 0
    for count, token in enumerate(_TOKEN.finditer(data, start), 1):
        if count > most:
            raise TooLargeError
        mark = token[0]
        depth += (mark in (b"[", b"{")) - (mark in (b"]", b"}"))
        if depth <= 0:
            return token.end(), count
    raise ValueError("not a whole list")


def _after_space(data: bytes, at: int) -> int:
    found = _SPACE.match(data, at)
    return found.end() if found else at


class Budget:
    """Adds up what decoded rows take; without a `limit` in bytes it is MOST_MEMORY."""

    def __init__(self, limit: int = MOST_MEMORY) -> None:
        self._left = limit

    def take(self, value: object) -> None:
        """Count a value with all that it holds. Raises TooLargeError once it is too much."""
        self._left -= size_of(value)
        if self._left < 0:
            raise TooLargeError


def size_of(value: object) -> int:
    """Bytes in memory of a decoded value with all that it holds."""
    total, todo = 0, [value]
    while todo:
        part = todo.pop()
        total += sys.getsizeof(part)
        if isinstance(part, dict):
            todo.extend(part)
            todo.extend(part.values())
        elif isinstance(part, list | tuple):
            todo.extend(part)
        elif isinstance(part, msgspec.Struct):
            todo.extend(msgspec.structs.astuple(part))
    return total
