"""Whatever is in a log: a terminal gets text and colors from it, and nothing else that it would obey."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cockpit.render.sanitize import RESET, LogSanitizer

SGR = re.compile(rb"\x1b\[[0-9;:]*m")
C0_BUT_TEXT = set(range(0x20)) - {0x09, 0x0A, 0x0D}

# Invisible letters and marks.
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0" + "".join(
    map(chr, range(0xE0100, 0xE01F0))
)

NASTY = [
    b"\x1b",
    b"\x1b[",
    b"\x1b[31m",
    b"\x1b[0m",
    b"\x1b[m",
    b"\x1b[2J",
    b"\x1b]0;title\x07",
    b"\x1b]52;c;aGk=\x1b\\",
    b"\x1bP1$q\x1b\\",
    b"\x1b[>4;2m",
    b"\x1b[?1049h",
    b"\x9b31m",
    b"\xc2\x9b31m",
    b"\x07",
    b"\x00",
    b"\x7f",
    b"\r",
    b"\n",
    b"\t",
    b"\xff",
    b"\xe2\x82",
    "€ü😀".encode(),
    "\u202eevil\u2066".encode(),
    b"\xed\xa0\x80",  # a surrogate, which UTF-8 does not have
    b"1;2",
    b"m",
    b"text",
]
LOGS = st.lists(st.sampled_from(NASTY) | st.binary(max_size=6), max_size=30).map(b"".join)


def sanitized(*chunks: bytes) -> bytes:
    """What comes out for these chunks."""
    sanitizer = LogSanitizer()
    return b"".join(sanitizer.feed(chunk) for chunk in chunks) + sanitizer.finish()


@given(LOGS)
@example(b"\x1b[" + b"1" * 70 + b"m")
def test_nothing_but_text_and_colors_comes_out(log: bytes) -> None:
    out = sanitized(log)
    rest = SGR.sub(b"", out)
    assert not C0_BUT_TEXT & set(rest)
    text = rest.decode("utf-8")  # what comes out is UTF-8, whatever went in
    assert not re.search("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)


@given(LOGS, st.lists(st.integers(0, 200), max_size=8))
def test_chunks_make_no_difference(log: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(log), *(min(cut, len(log)) for cut in cuts)})
    chunks = [log[start:end] for start, end in pairwise(places)]
    assert sanitized(*chunks) == sanitized(log)


@given(LOGS)
def test_byte_by_byte_makes_no_difference(log: bytes) -> None:
    assert sanitized(*(bytes([byte]) for byte in log)) == sanitized(log)


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Cn"], exclude_characters=FILLERS)))
def test_plain_text_is_left_as_it_is(text: str) -> None:
    assert sanitized(text.encode()) == text.encode()


@given(LOGS)
def test_colors_do_not_outlive_the_log(log: bytes) -> None:
    colors = SGR.findall(sanitized(log))
    assert not colors or colors[-1] in (b"\x1b[m", RESET.encode())


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (b"\x1b[31mred\x1b[0m\n", b"\x1b[31mred\x1b[0m\n"),
        (b"\x1b[1;38;2;1;2;3mx", b"\x1b[1;38;2;1;2;3mx\x1b[0m"),
        (b"a\rb\tc\r\n", b"a\rb\tc\r\n"),
        (b"\x1b]0;owned\x07", rb"\x1b]0;owned\x07"),
        (b"\x1b[2J", rb"\x1b[2J"),
        (b"\xff\xfe", rb"\xff\xfe"),
        (b"\xc2\x9b2J", rb"\x9b2J"),
        ("\u202eabc".encode(), rb"\u202eabc"),
        (b"end\x1b[3", rb"end\x1b[3"),
        (b"nul\x00", rb"nul\x00"),
    ],
)
def test_examples(log: bytes, expected: bytes) -> None:
    assert sanitized(log) == expected


def test_what_is_complete_is_not_held_back() -> None:
    sanitizer = LogSanitizer()
    assert sanitizer.feed(b"\x1b[32mok \xe2\x82") == b"\x1b[32mok "
    assert sanitizer.feed(b"\xac\x1b[0") == "€".encode()
    assert sanitizer.feed(b"m") == b"\x1b[0m"
