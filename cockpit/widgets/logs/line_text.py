"""What one line of a log looks like: colors kept, other escapes written out, progress folded, cut or wrapped.

The rule of what passes is that of `cockpit.render.sanitize`: SGR sequences, and nothing else that a terminal obeys.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cockpit.feeds.line_index import Source, Span
from cockpit.render.cell_text import CHARACTERS_PER_CELL, cut, tamed
from cockpit.render.glyphs import Glyphs
from cockpit.render.log_query import Spans
from cockpit.render.log_text import LOOK_BACK
from cockpit.render.text import visible
from cockpit.widgets.logs.sgr import styled

# Escapes take bytes and no cells: a rainbow needs some twenty bytes for each cell.
_BYTES_PER_CELL = 32
_MOST_BYTES = 256 * 1024
_TAB = 8

_SGR = re.compile(r"\x1b\[(?:(?P<sgr>[0-9;:]{0,64})m|[0-2]?K)")
_TOKEN = re.compile(r"(?P<hidden>[\x00-\x08\x0a-\x1f\x7f-\x9f]+)|(?P<tab>\t)")
_UNFINISHED = re.compile(r"\x1b(\[[0-9;:]{0,64})?\Z")


class LineText(NamedTuple):
    """The part of a line that the view may need: with `more` it goes on, with `growing` it may at any moment."""

    data: bytes
    more: bool
    growing: bool


class Inks(NamedTuple):
    """What lines are drawn with; `quiet` is for what is not the log's own text, `found` lies upon matches."""

    ground: Style
    quiet: Style
    glyphs: Glyphs
    found: Style = Style(reverse=True)


class Run(NamedTuple):
    """A piece of text in one style; its tabs and control characters are still in it."""

    text: str
    style: Style


def line_text(source: Source, span: Span, cells: int, *, growing: bool) -> LineText:
    """The bytes of a line that its first `cells` cells may need.

    Of a line with carriage returns only what a terminal would have left on the screen last: the text after the
    last of them. They are looked for in the last 64 KiB.
    """
    begin = max(span.start, span.end - LOOK_BACK)
    tail = source.read(begin, span.end - begin).rstrip(b"\r")
    at = tail.rfind(b"\r")
    start, end = (span.start if at < 0 else begin + at + 1), begin + len(tail)
    wanted = min(_MOST_BYTES, cells * _BYTES_PER_CELL)
    return LineText(source.read(start, min(wanted, end - start)), end - start > wanted, growing)


def runs_of(line: LineText, ground: Style) -> list[Run]:
    """The text of a line by its colors."""
    runs, style, at, text = [], ground, 0, _decoded(line)
    for match in _SGR.finditer(text):
        if match.start() > at:
            runs.append(Run(text[at : match.start()], style))
        if (codes := match["sgr"]) is not None:
            style = styled(style, codes, ground)
        at = match.end()
    return [*runs, Run(text[at:], style)] if at < len(text) else runs


def plain(runs: Sequence[Run]) -> str:
    """The text without its colors: what `Spans` count in."""
    return "".join([run.text for run in runs])


def inked(runs: Sequence[Run], spans: Spans, ink: Style) -> list[Run]:
    """Runs with an ink upon the characters of some spans, which are in order."""
    if not spans:
        return list(runs)
    result: list[Run] = []
    begin, waiting = 0, iter([*spans, (1 << 62, 1 << 62)])
    start, end = next(waiting)
    for run in runs:
        at, stop = begin, begin + len(run.text)
        while at < stop:
            while end <= at:
                start, end = next(waiting)
            inside = start <= at
            upto = min(stop, end if inside else start)
            result.append(Run(run.text[at - begin : upto - begin], run.style + ink if inside else run.style))
            at = upto
        begin = stop
    return result


def line_strip(line: LineText, x: int, width: int, inks: Inks, spans: Spans = ()) -> Strip:
    """The cells `x` to `x + width` of a line; signs at its ends say where it goes on."""
    return cropped(inked(runs_of(line, inks.ground), spans, inks.found), x, width, inks, more=line.more)


def cropped(runs: Sequence[Run], x: int, width: int, inks: Inks, *, more: bool = False) -> Strip:
    """The cells `x` to `x + width` of some runs; with `more` they go on behind what is given."""
    segments, cells = _segments(runs, x + width + 1, inks)
    strip = Strip(segments, cells).crop(x, x + width) if cells > x else Strip([], 0)
    strip = strip.adjust_cell_length(width, inks.ground)
    if width > 2 and (more or cells > x + width):
        strip = Strip.join([strip.crop(0, width - 1), Strip([Segment(inks.glyphs.more_right, inks.quiet)], 1)])
    if width > 2 and x > 0 and cells:
        strip = Strip.join([Strip([Segment(inks.glyphs.more_left, inks.quiet)], 1), strip.crop(1, width)])
    return strip.simplify()


def wrapped(runs: Sequence[Run], width: int, most: int, inks: Inks, *, more: bool = False) -> list[Strip]:
    """Runs in rows of `width` cells, `most` cells of them in all; a sign says where there are more.

    A wide character that would stand at the edge goes to the next row.
    """
    segments, cells = _segments(runs, most + 1, inks)
    rows, row, used = [], list[Segment](), 0
    for text, style, _ in segments:
        rest = text
        while rest and width > 1:
            shown, size = cut(rest, width - used)
            if shown:
                row.append(Segment(shown, style))
            rest, used = rest[len(shown) :], used + size
            if rest:
                rows.append(_row(row, used, width, inks))
                row, used = [], 0
    if row or not rows:
        rows.append(_row(row, used, width, inks))
    if (cells > most or more) and width > 2:
        sign = Strip([Segment(inks.glyphs.more_right, inks.quiet)], 1)
        rows[-1] = Strip.join([rows[-1].crop(0, width - 1), sign]).simplify()
    return rows


def _row(segments: list[Segment], cells: int, width: int, inks: Inks) -> Strip:
    return Strip(segments, cells).adjust_cell_length(width, inks.ground).simplify()


def reaches(line: LineText, cells: int, inks: Inks) -> bool:
    """Whether a line has more than so many cells."""
    return line.more or _segments(runs_of(line, inks.ground), cells + 1, inks)[1] > cells


def _segments(runs: Sequence[Run], cells: int, inks: Inks) -> tuple[list[Segment], int]:
    """Segments of at most `cells` cells, and how many these are."""
    segments: list[Segment] = []
    used = 0
    for run in runs:
        for text, kind in _tokens(run.text):
            room = cells - used
            plain = " " * (_TAB - used % _TAB) if kind == "tab" else tamed(visible(text[: room * CHARACTERS_PER_CELL]))
            shown, size = cut(plain, room)
            if shown:
                # What is written out looks unlike the log's own text, but a match that it is part of stays one.
                style = inks.quiet + Style(reverse=run.style.reverse) if kind == "hidden" else run.style
                segments.append(Segment(shown, style))
            used += size
            if used >= cells:
                return segments, used
    return segments, used


def _decoded(line: LineText) -> str:
    """The text of a line; what is cut in the middle of a character or an escape is left out until it is whole."""
    if not line.more and not line.growing:
        return line.data.decode("utf-8", "backslashreplace")
    text = codecs.getincrementaldecoder("utf-8")("backslashreplace").decode(line.data)
    return _UNFINISHED.sub("", text)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Pieces of text and what they are: `text`, `hidden` or `tab`."""
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() > at:
            yield text[at : match.start()], "text"
        kind = match.lastgroup or "text"
        yield match[kind], kind
        at = match.end()
    if at < len(text):
        yield text[at:], "text"
