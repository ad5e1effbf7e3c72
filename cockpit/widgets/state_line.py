"""A line of the header: pieces at its left and its right, repainted only when what it says has changed."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from cockpit.render.cell_text import clip
from cockpit.widgets.tones import Palette, tone_classes, tone_css

GAP = 3


class Piece(msgspec.Struct, frozen=True):
    """A piece of a line; on a narrow line those with the highest `priority` are dropped first, 0 never."""

    text: str
    tone: str = ""
    priority: int = 1


class StateLine(Widget, can_focus=False):
    """One line of text in tones; not `Static`, which lays the screen out again whenever it changes."""

    ALLOW_SELECT = False
    SPACE: ClassVar[int] = GAP  # between two pieces
    COMPONENT_CLASSES = tone_classes("state-line")
    DEFAULT_CSS = "StateLine { height: 1; width: 1fr; padding: 0 1; }\n" + tone_css("StateLine", "state-line")

    def __init__(
        self,
        left: Iterable[Piece] = (),
        right: Iterable[Piece] = (),
        *,
        ellipsis: str = "…",
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._left, self._right = tuple(left), tuple(right)
        self._ellipsis = ellipsis
        self._palette: Palette | None = None

    def show(self, left: Iterable[Piece], right: Iterable[Piece] = ()) -> None:
        """What the line says from now on; equal pieces write nothing to the terminal."""
        pieces = (tuple(left), tuple(right))
        if pieces != (self._left, self._right):
            self._left, self._right = pieces
            self.refresh()

    @property
    def text(self) -> str:
        """The line as it is seen."""
        return self.render_line(0).text

    def notify_style_update(self) -> None:
        """The theme or a style rule has changed."""
        super().notify_style_update()
        self._palette = None

    def render_line(self, y: int) -> Strip:
        """Paint the line."""
        width = self.size.width
        if y:
            return Strip.blank(width, self._style(""))
        pieces = [*self._left, *self._right]
        sized = [clip(piece.text, width, self._ellipsis) for piece in pieces]
        kept = fitting([size for _, size in sized], [piece.priority for piece in pieces], width, self.SPACE)
        drawn = [Segment(sized[index][0], self._style(pieces[index].tone)) for index in kept]
        left = sum(1 for index in kept if index < len(self._left))
        return justified(drawn[:left], drawn[left:], width, self._style(""), self.SPACE)

    def _style(self, tone: str) -> Style:
        if self._palette is None:
            self._palette = Palette(self, "state-line")
        return self._palette.style(tone)


def fitting(widths: Sequence[int], priorities: Sequence[int], room: int, gap: int = GAP) -> list[int]:
    """Indexes of the pieces that fit side by side into `room` cells; empty ones are passed over."""
    kept = [index for index, width in enumerate(widths) if width > 0]
    for index in sorted(kept, key=lambda one: (priorities[one], one), reverse=True):
        if priorities[index] == 0 or sum(widths[one] + gap for one in kept) - gap <= room:
            break
        kept.remove(index)
    return kept


def justified(left: Sequence[Segment], right: Sequence[Segment], width: int, ground: Style, space: int = GAP) -> Strip:
    """A strip with segments at its left and its right end, `space` cells between any two."""
    gap = Segment(" " * space, ground)
    first, last = _spaced(left, gap), _spaced(right, gap)
    room = width - sum(segment.cell_length for segment in (*first, *last))
    middle = [Segment(" " * room, ground)] if room > 0 else []
    return Strip([*first, *middle, *last]).adjust_cell_length(width, ground).simplify()


def _spaced(segments: Sequence[Segment], gap: Segment) -> list[Segment]:
    spaced = [one for segment in segments for one in (gap, segment)]
    return spaced[1:]
