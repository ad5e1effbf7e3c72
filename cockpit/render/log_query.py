"""What to look for in a log, and which of its lines have it: pure functions over bytes.

A line is looked at as it is seen (`cockpit.render.log_text`), one by one: no match crosses a newline.
"""

import re
from collections.abc import Callable
from enum import IntEnum
from functools import reduce
from itertools import count
from operator import or_
from typing import NamedTuple

from cockpit.render.log_literals import alternatives, required, without_flag
from cockpit.render.log_text import LOOK_BACK, all_folded, decoded, uncolored

# A line that is longer is looked at in pieces of so many bytes, which share as many as a match may have.
PIECE = 1024 * 1024
SHARED = 4096

_ESCAPED_LETTER = re.compile(r"\\.")
# Patterns of which no match holds or sees a newline: many lines may be searched at once for them.
_SAFE_ESCAPE = r"\\[^0-9A-Za-z\n]"
_WITHIN_A_LINE = re.compile(
    rf"(?:[^\\\[\]()\x00-\x1f]|\\[wdSb]|{_SAFE_ESCAPE}|\[(?!\^)(?:[^\\\[\]\x00-\x1f]|\\[wd]|{_SAFE_ESCAPE})+\]"
    r"|\((?:\?:|(?!\?))|\))*"
)
_DENSE = 8  # where every eighth line has a match, looking at each line is faster than jumping

Spans = tuple[tuple[int, int], ...]


class Case(IntEnum):
    """Whether capitals matter; `SMART`: only if there is one in the text that is looked for."""

    SMART = 0
    IGNORED = 1
    EXACT = 2


class Query(NamedTuple):
    """A text, or a regex, to look for."""

    text: str
    is_regex: bool = True
    case: Case = Case.SMART

    @property
    def ignores_case(self) -> bool:
        """Whether capitals do not matter."""
        if self.case is not Case.SMART:
            return self.case is Case.IGNORED
        letters = _ESCAPED_LETTER.sub("", self.text) if self.is_regex else self.text
        return letters == letters.lower()


class QueryError(Exception):
    """The text is not a valid regex; the error says why in a few words."""


def compiled(query: Query) -> "re.Pattern[str]":
    """The regex of a query. Raises QueryError.

    Python's regexes may take for ever, both to be used and to be made: never do this where a screen waits.
    """
    flags = re.IGNORECASE if query.ignores_case else re.NOFLAG
    try:
        return re.compile(query.text if query.is_regex else re.escape(query.text), flags | re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise QueryError(str(error)) from None


class Matcher:
    """A compiled query. Raises QueryError for an invalid regex."""

    def __init__(self, query: Query) -> None:
        self._pattern = compiled(query)
        body, has_flag = without_flag(query.text) if query.is_regex else (query.text, False)
        self._folds_case = query.ignores_case or has_flag
        self._texts = self._folded(alternatives(body) if query.is_regex else (body,))
        self._required = self._folded((required(body) if query.is_regex else "",))[0]
        self._many_at_once = query.is_regex and _WITHIN_A_LINE.fullmatch(body) is not None

    def _folded(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text.lower() for text in texts) if self._folds_case else texts

    def lines(self, data: bytes) -> int:
        """The lines of `data` that match, as bits: the lowest is the first line's.

        The last line may lack its newline. Lines of more than 64 KiB have another way (`in_piece`).
        """
        data = all_folded(data if data.endswith(b"\n") else data + b"\n")
        # Case is folded here where that is the same in every language: a regex also takes ſ for an s.
        can_fold = not self._folds_case or (data.isascii() and all(text.isascii() for text in self._texts))
        if can_fold and b"\x1b" not in data and all(_is_plain(text) for text in self._texts) and self._texts:
            haystack = data.lower() if self._folds_case else data
            return reduce(or_, (_lines_with(text.encode(), haystack) for text in self._texts))
        return self._by_regex(uncolored(decoded(data)))

    def _by_regex(self, text: str) -> int:
        search = self._pattern.search
        if self._required and (not self._folds_case or (text.isascii() and self._required.isascii())):
            return _lines_where(search, text, self._required, text.lower() if self._folds_case else text)
        if self._many_at_once:
            return _lines_at(search, text)
        return _bits([search(line) is not None for line in text.split("\n")[:-1]])

    def in_piece(self, piece: bytes, *, first: bool, last: bool) -> bool:
        """Whether a piece of a long line matches; a match in what it shares with the next is left to that one."""
        text = uncolored(decoded(piece))
        # From the second character on, `^` knows that it is not at the beginning.
        match = self._pattern.search(text, 0 if first else 1)
        return match is not None and (last or match.start() <= len(text) - len(uncolored(decoded(piece[-SHARED:]))))

    def spans(self, text: str) -> Spans:
        """Where in a text the matches are."""
        return tuple(match.span() for match in self._pattern.finditer(text) if match.group())


Reader = Callable[[int, int], bytes]


def lines_between(matcher: Matcher, read: Reader, start: int, end: int) -> int:
    """The matching lines of the bytes from `start`, where a line begins, to `end`, as bits.

    `read(offset, length)` gives the bytes; of a line of any length no more than a piece is held.
    """
    bits, lines, at = 0, 0, start
    while at < end:
        data = read(at, min(PIECE, end - at))
        if not data:
            break
        cut = len(data) if at + len(data) >= end else data.rfind(b"\n") + 1
        if cut == 0 or _has_long_line(data):
            found, number, length = _line_by_line(matcher, read, at, end, data)
        else:
            data = data[:cut]
            found, length = matcher.lines(data), cut
            number = line_count(data) if at + length < end else 0  # only what follows needs it
        bits |= found << lines
        lines, at = lines + number, at + length
    return bits


def _line_by_line(matcher: Matcher, read: Reader, at: int, end: int, data: bytes) -> tuple[int, int, int]:
    """As `lines_between`, for bytes with a long line in them: bits, lines, bytes looked at."""
    first = data.find(b"\n", 0, LOOK_BACK + 1)
    if first >= 0:  # the lines before the long one, as far as they are short
        cut = first + 1
        while (newline := data.find(b"\n", cut, cut + LOOK_BACK + 1)) >= 0:
            cut = newline + 1
        return matcher.lines(data[:cut]), line_count(data[:cut]), cut
    newline = _newline_from(read, at, end)
    return int(_is_in_long_line(matcher, read, at, newline)), 1, min(newline + 1, end) - at


def _newline_from(read: Reader, at: int, end: int) -> int:
    while at < end:
        data = read(at, min(PIECE, end - at))
        if not data or (found := data.find(b"\n")) >= 0:
            return at + found if data else at
        at += len(data)
    return end


def _is_in_long_line(matcher: Matcher, read: Reader, start: int, end: int) -> bool:
    # What a view shows of it: the text after the last carriage return, if that is near its end.
    tail_at = max(start, end - LOOK_BACK)
    tail = read(tail_at, end - tail_at)
    text_end = tail_at + len(tail.rstrip(b"\r"))
    returned = tail.rfind(b"\r", 0, text_end - tail_at)
    begin = start if returned < 0 else tail_at + returned + 1
    for at in count(begin, PIECE - SHARED):
        last = at + PIECE >= text_end
        if matcher.in_piece(read(at, min(PIECE, text_end - at)), first=at == begin, last=last):
            return True
        if last:
            return False
    return False


def _has_long_line(data: bytes) -> bool:
    """Whether there may be a line of more than 64 KiB: it covers a half of that somewhere without a newline."""
    half = LOOK_BACK // 2
    return any(data.find(b"\n", at, at + half) < 0 for at in range(0, len(data) - half + 1, half))


def line_count(data: bytes) -> int:
    """How many lines there are, the last one with or without a newline."""
    return data.count(b"\n") + (0 if data.endswith(b"\n") or not data else 1)


# Bits


def _lines_with(needle: bytes, data: bytes) -> int:
    occurrences = data.count(needle)
    if not occurrences:
        return 0
    if occurrences * _DENSE > data.count(b"\n"):
        return _bits([needle in line for line in data.split(b"\n")[:-1]])
    numbers, number, counted, at = [], 0, 0, data.find(needle)
    while at >= 0:
        number += data.count(b"\n", counted, at)
        numbers.append(number)
        counted = at
        at = data.find(needle, data.find(b"\n", at))
    return _bits_of(numbers)


def _is_plain(text: str) -> bool:
    """Whether a text can be searched in bytes: not if it is empty or may stand for an invalid byte."""
    return bool(text) and "\\" not in text and text.isprintable()


def _lines_where(search: Callable[[str], "re.Match[str] | None"], text: str, needle: str, haystack: str) -> int:
    """The lines in which a search finds something, of those that have the needle in the haystack."""
    if haystack.count(needle) * _DENSE > haystack.count("\n"):
        return _bits([search(line) is not None for line in text.split("\n")[:-1]])
    numbers, number, counted, at = [], 0, 0, haystack.find(needle)
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        if search(text[start:end]):
            number += text.count("\n", counted, start)
            numbers.append(number)
            counted = start
        at = haystack.find(needle, end)
    return _bits_of(numbers)


def _lines_at(search: Callable[[str, int], "re.Match[str] | None"], text: str) -> int:
    """The lines in which a search that never crosses a newline finds something."""
    numbers, number, counted, at = [], 0, 0, 0
    while at < len(text) and (match := search(text, at)):
        start = match.start()
        if start == len(text):
            break  # behind the last line
        number += text.count("\n", counted, start)
        numbers.append(number)
        counted = start
        at = text.find("\n", start) + 1
    return _bits_of(numbers)


def _bits(flags: list[bool]) -> int:
    digits = bytes(flags).translate(_DIGITS)
    return int(digits[::-1], 2) if digits else 0


def _bits_of(numbers: list[int]) -> int:
    if not numbers:
        return 0
    packed = bytearray(numbers[-1] // 8 + 1)
    for number in numbers:
        packed[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(packed, "little")


_DIGITS = b"01" + bytes(254)
