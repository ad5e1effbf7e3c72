"""A framed box with a title at the left of its upper edge and a count or state at the right."""

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cockpit.render.cell_text import clip
from cockpit.widgets.state_line import Piece, StateLine, fitting

TITLE_GAP = 1
_CORNERS = 6  # both corners, and the spaces around what stands at each end


class PanelEdge(StateLine):
    """The upper edge of a panel: `╭ Jobs ─────── 60 in all ╮`; repainted only when it says something else."""

    COMPONENT_CLASSES = StateLine.COMPONENT_CLASSES | {"panel-edge--line"}
    DEFAULT_CSS = """
    PanelEdge { height: 1; width: 1fr; padding: 0; }
    PanelEdge > .panel-edge--line { color: $foreground 25%; }
    """

    class Pressed(Message):
        """The edge was clicked."""

        def __init__(self, edge: "PanelEdge") -> None:
            super().__init__()
            self.edge = edge

    def on_click(self) -> None:
        """Pass the filter to what is in the frame."""
        self.post_message(self.Pressed(self))

    def render_line(self, y: int) -> Strip:
        """Paint the edge."""
        width = self.size.width
        ground = self._style("")
        if y or width < _CORNERS:
            return Strip.blank(width, ground)
        line, space = self.get_component_rich_style("panel-edge--line"), Segment(" ", ground)
        left, right = self._segments(width - _CORNERS)
        begin = [Segment("╭", line), *([space, *left, space] if left else [])]
        end = [*([space, *right, space] if right else []), Segment("╮", line)]
        fill = width - sum(segment.cell_length for segment in (*begin, *end))
        drawn = [*begin, Segment("─" * max(0, fill), line), *end]
        return Strip(drawn).adjust_cell_length(width, ground).simplify()

    def _segments(self, room: int) -> tuple[list[Segment], list[Segment]]:
        pieces = [*self._left, *self._right]
        sized = [clip(piece.text, room, self._ellipsis) for piece in self._left]
        # A sentence at the right is cut to what the title leaves; what goes by priority are short words.
        rest = room - sum(size + TITLE_GAP for _, size in sized if size)
        sized += [clip(piece.text, max(0, rest), self._ellipsis) for piece in self._right]
        kept = fitting([size for _, size in sized], [piece.priority for piece in pieces], room, TITLE_GAP)
        left = [self._segment(sized[index][0], pieces[index]) for index in kept if index < len(self._left)]
        right = [self._segment(sized[index][0], pieces[index]) for index in kept if index >= len(self._left)]
        space = Segment(" ", self._style(""))
        return _joined(left, space), _joined(right, space)

    def _segment(self, text: str, piece: Piece) -> Segment:
        return Segment(text, self._style(piece.tone))


def _joined(segments: Sequence[Segment], space: Segment) -> list[Segment]:
    spaced = [one for segment in segments for one in (space, segment)]
    return spaced[1:]


class Panel(Vertical):
    """A box around `contents`; on a small terminal only the contents are left (`-folded` in the stylesheet)."""

    DEFAULT_CSS = """
    Panel { height: auto; width: 1fr; }
    Panel > .panel-body { height: auto; border: round $foreground 25%; border-top: none; }
    Panel.-fills, Panel.-fills > .panel-body { height: 1fr; }
    """

    def __init__(
        self,
        *contents: Widget,
        title: str = "",
        fills: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's own name
    ) -> None:
        super().__init__(id=id, classes="-fills" if fills else None)
        self._edge = PanelEdge([Piece(title, "strong", 0)] if title else [])
        self._contents = contents

    def compose(self) -> ComposeResult:
        """The edge, and the contents in the rest of the frame."""
        yield self._edge
        yield Vertical(*self._contents, classes="panel-body")

    def show_title(self, left: Iterable[Piece], right: Iterable[Piece] = ()) -> None:
        """Set the text of the edge; unchanged pieces write nothing to the terminal."""
        self._edge.show(left, right)
