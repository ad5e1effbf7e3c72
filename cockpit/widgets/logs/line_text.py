"""What one line of a log looks like: colours kept, other escapes written out, progress folded, cut at the view.

The rule of what passes is that of `cockpit.render.sanitize`: SGR sequences, and nothing else that a terminal obeys.
"""

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cockpit.render.text import visible
from cockpit.widgets.cell_text import CHARACTERS_PER_CELL, cut, tamed
from cockpit.widgets.glyphs import Glyphs
from cockpit.widgets.logs.line_index import Source, Span
from cockpit.widgets.logs.sgr import styled

# Escapes take bytes and no cells: a rainbow needs some twenty bytes for each cell.
_BYTES_PER_CELL = 32
_MOST_BYTES = 256 * 1024
_LOOK_BACK = 64 * 1024
_TAB = 8

_TOKEN = re.compile(r"\x1b\[(?P<sgr>[0-9;:]{0,64})m|(?P<hidden>[\x00-\x08\x0a-\x1f\x7f-\x9f]+)|(?P<tab>\t)")
_UNFINISHED = re.compile(r"\x1b(\[[0-9;:]{0,64})?\Z")


class LineText(NamedTuple):
    """The part of a line that the view may need: with `more` it goes on, with `growing` it may at any moment."""

    data: bytes
    more: bool
    growing: bool


class Inks(NamedTuple):
    """What lines are drawn with; `quiet` is for what is not the log's own text."""

    ground: Style
    quiet: Style
    glyphs: Glyphs


def line_text(source: Source, span: Span, cells: int, *, growing: bool) -> LineText:
    """The bytes of a line that its first `cells` cells may need.

    Of a line with carriage returns only what a terminal would have left on the screen last: the text after the
    last of them. They are looked for in the last 64 KiB.
    """
    begin = max(span.start, span.end - _LOOK_BACK)
    tail = source.read(begin, span.end - begin).rstrip(b"\r")
    at = tail.rfind(b"\r")
    start, end = (span.start if at < 0 else begin + at + 1), begin + len(tail)
    wanted = min(_MOST_BYTES, cells * _BYTES_PER_CELL)
    return LineText(source.read(start, min(wanted, end - start)), end - start > wanted, growing)


def line_strip(line: LineText, x: int, width: int, inks: Inks) -> Strip:
    """The cells `x` to `x + width` of a line; signs at its ends say where it goes on."""
    segments, cells = _segments(line, x + width + 1, inks)
    strip = Strip(segments, cells).crop(x, x + width) if cells > x else Strip([], 0)
    strip = strip.adjust_cell_length(width, inks.ground)
    if width > 2 and (line.more or cells > x + width):
        strip = Strip.join([strip.crop(0, width - 1), Strip([Segment(inks.glyphs.more_right, inks.quiet)], 1)])
    if width > 2 and x > 0 and cells:
        strip = Strip.join([Strip([Segment(inks.glyphs.more_left, inks.quiet)], 1), strip.crop(1, width)])
    return strip.simplify()


def reaches(line: LineText, cells: int, inks: Inks) -> bool:
    """Whether a line has more than so many cells."""
    return line.more or _segments(line, cells + 1, inks)[1] > cells


def _segments(line: LineText, cells: int, inks: Inks) -> tuple[list[Segment], int]:
    """Segments of at most `cells` cells, and how many these are."""
    segments: list[Segment] = []
    style, used = inks.ground, 0
    for text, kind in _tokens(_decoded(line)):
        if kind == "sgr":
            style = styled(style, text, inks.ground)
            continue
        room = cells - used
        plain = " " * (_TAB - used % _TAB) if kind == "tab" else tamed(visible(text[: room * CHARACTERS_PER_CELL]))
        shown, size = cut(plain, room)
        if shown:
            segments.append(Segment(shown, inks.quiet if kind == "hidden" else style))
        used += size
        if used >= cells:
            break
    return segments, used


def _decoded(line: LineText) -> str:
    """The text of a line; what is cut in the middle of a character or an escape is left out until it is whole."""
    if not line.more and not line.growing:
        return line.data.decode("utf-8", "backslashreplace")
    text = codecs.getincrementaldecoder("utf-8")("backslashreplace").decode(line.data)
    return _UNFINISHED.sub("", text)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Pieces of text and what they are: `text`, `sgr` (its parameters), `hidden` or `tab`."""
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() > at:
            yield text[at : match.start()], "text"
        kind = match.lastgroup or "text"
        yield match[kind], kind
        at = match.end()
    if at < len(text):
        yield text[at:], "text"
