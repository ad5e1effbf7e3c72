"""Lines of a log: where they begin, and what one of them looks like."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cockpit.feeds.line_index import LineIndex, Span
from cockpit.render.glyphs import UNICODE
from cockpit.widgets.logs.line_text import Inks, line_strip, line_text, reaches
from tests.ui.apps import MemoryLog

GROUND = Style(color="white", bgcolor="black")
QUIET = Style(dim=True)
INKS = Inks(GROUND, QUIET, UNICODE)

LOGS = st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"x", b"\n")) | st.just(b"\n\n"), max_size=10).map(
    b"".join
)


def lines_in(data: bytes) -> list[bytes]:
    """The lines in the simplest way."""
    lines = data.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


@given(st.lists(LOGS, max_size=5), st.integers(1, 9), st.integers(0, 20))
def test_lines_are_found_while_the_log_grows(parts: list[bytes], block: int, first: int) -> None:
    log = MemoryLog()
    index = LineIndex(log, block=block)
    for part in parts:
        log.data += part
        while not index.extend(3):
            assert index.indexed < log.size
        lines = lines_in(log.data)
        assert index.line_count == len(lines)
        found = index.spans(first, 4)
        assert [log.data[span.start : span.end] for span in found] == lines[first : first + 4]
        assert [span.number for span in found] == list(range(first, first + len(found)))


@given(LOGS, st.integers(1, 9), st.integers(0, 12), st.booleans())
def test_the_last_lines_are_found_from_the_end(data: bytes, block: int, count: int, indexed: bool) -> None:
    log = MemoryLog(data)
    index = LineIndex(log, block=block)
    if indexed:
        index.extend(len(data))
    found = [data[span.start : span.end] for span in index.last_spans(count)]
    assert found == (lines_in(data)[-count:] if count else [])


@given(LOGS, st.integers(1, 9))
def test_every_byte_belongs_to_a_line(data: bytes, block: int) -> None:
    index = LineIndex(MemoryLog(data), block=block)
    index.extend(len(data))
    for offset in range(len(data)):
        number = index.number_at(offset)
        span = index.spans(number, 1)[0]
        assert span.start <= offset <= span.end


def test_a_log_that_shrinks_is_read_anew() -> None:
    log = MemoryLog(b"a\nb\nc\n")
    index = LineIndex(log)
    index.extend(100)
    log.data = b"z\n"
    index.extend(100)
    assert index.line_count == 1
    assert index.spans(0, 5) == [Span(0, 1, 0)]


def test_blocks_without_a_newline_are_not_read_again() -> None:
    class Counting(MemoryLog):
        reads = 0

        def read(self, offset: int, length: int) -> bytes:
            self.reads += 1
            return super().read(offset, length)

    log = Counting(b"x" * 100_000 + b"\nend\n")
    index = LineIndex(log, block=100)
    index.extend(len(log.data))
    log.reads = 0
    assert [span.end - span.start for span in index.spans(0, 2)] == [100_000, 3]
    assert [span.end - span.start for span in index.last_spans(2)] == [100_000, 3]
    assert log.reads < 10


# One line


def drawn(data: bytes, width: int = 40, x: int = 0, *, growing: bool = False) -> Strip:
    text = line_text(MemoryLog(data), Span(0, len(data)), x + width + 1, growing=growing)
    return line_strip(text, x, width, INKS)


def seen(data: bytes, width: int = 40, x: int = 0, *, growing: bool = False) -> str:
    return drawn(data, width, x, growing=growing).text.rstrip()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        (b"\x1b[31mred\x1b[0m", "red"),
        (b"\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        (b"\x1b[1;5;31", "\\x1b[1;5;31"),
        (b"a\tb", "a       b"),
        ("中\tb".encode(), "中      b"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("\u202edcba".encode(), "\\u202edcba"),
        (b"\x9b31mx", "\\x9b31mx"),
        ("\x9b31mx".encode(), "\\x9b31mx"),
        (b"nul\x00", "nul\\x00"),
        (b"line\r", "line"),
        (b"10%\r20%\r30%", "30%"),
        (b"10%\r20%\r", "20%"),
        (b"\r\r\r", ""),
        (b"", ""),
    ],
)
def test_what_a_line_shows(data: bytes, text: str) -> None:
    assert seen(data) == text


@given(st.binary(max_size=300), st.integers(0, 40), st.integers(0, 30), st.booleans())
def test_whatever_comes_is_as_wide_as_the_view_and_drives_nothing(
    data: bytes, width: int, x: int, growing: bool
) -> None:
    strip = drawn(data, width, x, growing=growing)
    assert cell_len(strip.text) == strip.cell_length == width
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in strip.text)


@given(st.lists(st.sampled_from(["ab", "é", "\t", "\x1b[31m", "\x07"]), max_size=30).map("".join), st.integers(0, 60))
def test_scrolling_along_a_line_shows_all_of_it(text: str, x: int) -> None:
    whole = drawn(text.encode(), 500).text
    assert drawn(text.encode(), 5, x).crop(1, 4).text == whole[x + 1 : x + 4]


def test_signs_say_where_a_line_goes_on() -> None:
    assert seen(b"0123456789", 5) == "0123›"
    assert seen(b"0123456789", 5, 3) == "‹456›"
    assert seen(b"0123456789", 5, 5) == "‹6789"
    assert seen(b"01234", 5) == "01234"
    assert seen(b"01234", 5, 20) == "‹"


def test_an_endless_line_is_read_as_far_as_it_is_shown() -> None:
    class Counting(MemoryLog):
        given = 0

        def read(self, offset: int, length: int) -> bytes:
            self.given += length
            return super().read(offset, length)

    log = Counting(b"x" * 50_000_000)
    line = line_text(log, Span(0, log.size), 100, growing=True)
    assert len(line.data) < 10_000
    assert log.given < 100_000
    assert reaches(line, 1000, INKS)


def test_only_the_end_of_endless_progress_is_read() -> None:
    data = b"".join(b"%d %%\r" % number for number in range(200_000))
    assert seen(data) == "199999 %"


def test_what_is_not_all_there_yet_is_not_shown_as_broken() -> None:
    assert seen("abc é".encode()[:-1], growing=True) == "abc"
    assert seen(b"abc \x1b[3", growing=True) == "abc"
    assert seen("abc é".encode()[:-1]) == "abc \\xc3"


def styles_of(data: bytes) -> list[Segment]:
    return [segment for segment in drawn(data) if segment.text.strip()]


@pytest.mark.parametrize(
    ("codes", "style"),
    [
        ("31", Style(color=Color.from_ansi(1))),
        ("1;92", Style(color=Color.from_ansi(10), bold=True)),
        ("44", Style(bgcolor=Color.from_ansi(4))),
        ("38;5;196", Style(color=Color.from_ansi(196))),
        ("48:2:1:2:3", Style(bgcolor=Color.from_rgb(1, 2, 3))),
        ("38;2;999;0;0", Style()),
        ("38", Style()),
        ("31;0", Style()),
        ("31;39", Style()),
        ("5", Style()),
        ("8", Style()),
        ("4;24;7", Style(underline=False, reverse=True)),
        ("12345678901234567890", Style()),
        (";;31", Style(color=Color.from_ansi(1))),
    ],
)
def test_colors(codes: str, style: Style) -> None:
    (segment,) = styles_of(f"\x1b[{codes}mx".encode())
    assert segment.style == GROUND + style


def test_a_color_ends_with_its_line_or_its_reset() -> None:
    red, plain = styles_of(b"\x1b[31mred\x1b[mplain")
    assert (red.text, red.style) == ("red", GROUND + Style(color=Color.from_ansi(1)))
    assert (plain.text.strip(), plain.style) == ("plain", GROUND)


def test_what_is_written_out_looks_unlike_the_log_s_own_text() -> None:
    assert [segment.style for segment in styles_of(b"a\x07b")] == [GROUND, QUIET, GROUND]


def test_towers_and_rainbows_are_cut_in_time() -> None:
    tower = "a" + "\u0301" * 100_000
    assert len(seen(tower.encode())) < 50
    rainbow = b"".join(b"\x1b[38;2;%d;0;0mx" % (number % 256) for number in range(10_000))
    assert seen(rainbow, 80) == "x" * 79 + "›"
