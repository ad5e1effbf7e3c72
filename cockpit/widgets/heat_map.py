"""GPUs by node as cells colored by their use, with a cursor; thousands of them scroll."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from cockpit.model.overview import FREE, IDLE, HeatNode
from cockpit.render.cell_text import clip
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.load import heat_sign, load_tone
from cockpit.widgets.line_view import LineView
from cockpit.widgets.tones import Palette, tone_classes, tone_css

PREFIX = "heat-map"
LABEL_WIDTHS = (6, 14)
GAP = 3
PITCHES = (3, 2, 1)
"""Columns from one cell to the next: the widest with which all cells can be seen at once."""


class _Block(NamedTuple):
    """Some cells of a node beside its name; the name stands at the first block only."""

    node: int
    first: int
    cells: tuple[int, ...]
    label: str


class HeatMap(LineView, can_focus=True):
    """Blocks of cells in columns: downwards where all fit, else row by row. The cursor belongs to a GPU, not a place.

    `has_color` is False where colors are not shown: then a cell is a digit.
    """

    COMPONENT_CLASSES = tone_classes(PREFIX)
    DEFAULT_CSS = "HeatMap { height: 1fr; width: 1fr; overflow-x: hidden; }\n" + tone_css("HeatMap", PREFIX)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "Previous GPU", show=False),
        Binding("right,l", "step(1)", "Next GPU", show=False),
        Binding("up,k", "line(-1)", "Up", show=False),
        Binding("down,j", "line(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "ends(0)", "First GPU", show=False),
        Binding("end", "ends(-1)", "Last GPU", show=False),
        Binding("enter", "choose", "Go to the GPU", show=False),
    ]

    class Chosen(Message):
        """Go to the GPU under the cursor."""

    class Moved(Message):
        """The cursor is on another cell, or the map has or has not the keys."""

    def __init__(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        has_color: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's own name
    ) -> None:
        super().__init__(id=id)
        self._glyphs, self._has_color = glyphs, has_color
        self._shown: tuple[HeatNode, ...] = ()
        self._blocks: list[_Block] = []
        self._cursor = (0, 0)
        self._label = LABEL_WIDTHS[0]
        self._cells = 1  # in a block
        self._pitch = 1  # columns of the screen from one cell to the next
        self._across = 1  # blocks beside each other
        self._palette: Palette | None = None

    # What is shown

    def show(self, nodes: Sequence[HeatNode]) -> None:
        """These nodes from now on; the cursor stays with its GPU."""
        before = self._node_at_cursor()
        self._shown = tuple(nodes)
        if before is not None and (self._cursor[0] >= len(nodes) or nodes[self._cursor[0]].node_id != before.node_id):
            places = {node.node_id: place for place, node in enumerate(nodes)}
            self._cursor = (places.get(before.node_id, 0), self._cursor[1])
        self._arrange()

    @property
    def chosen(self) -> tuple[HeatNode, int] | None:
        """The node under the cursor and the place of the cell in it; None without nodes."""
        node = self._node_at_cursor()
        return None if node is None else (node, min(self._cursor[1], len(node.cells) - 1))

    def _node_at_cursor(self) -> HeatNode | None:
        return self._shown[min(self._cursor[0], len(self._shown) - 1)] if self._shown else None

    def _arrange(self) -> None:
        view = self.view_size
        least, most = LABEL_WIDTHS
        # Of thousands of nodes the names of the first say how long names are.
        longest = max((len(node.name) for node in self._shown[:200]), default=least)
        self._label = max(least, min(most, longest))
        widest = max((len(node.cells) for node in self._shown), default=1)
        for self._pitch in PITCHES:
            self._lay(widest, view.width)
            if self._is_downwards:
                break
        self.set_extent(0, self._lines)
        self._keep_seen()
        self.sync_lines()

    def _lay(self, widest: int, width: int) -> None:
        """Blocks with cells of the present pitch."""
        self._cells = max(1, min(widest, (width - self._label - 2) // self._pitch))
        self._across = max(1, (width + GAP - 1) // (self._block_width + GAP))
        self._blocks = [block for place, node in enumerate(self._shown) for block in self._blocks_of(place, node)]

    @property
    def _block_width(self) -> int:
        return self._label + 1 + self._cells * self._pitch

    def _blocks_of(self, place: int, node: HeatNode) -> list[_Block]:
        starts = range(0, max(1, len(node.cells)), self._cells)
        return [_Block(place, at, node.cells[at : at + self._cells], "" if at else node.name) for at in starts]

    @property
    def _lines(self) -> int:
        return -(-len(self._blocks) // self._across)

    @property
    def _is_downwards(self) -> bool:
        """Whether blocks follow each other downwards, as names in a listing do."""
        return self._lines <= self.view_size.height

    def _block_at(self, line: int, column: int) -> int | None:
        lines = self._lines
        place = column * lines + line if self._is_downwards else line * self._across + column
        is_there = 0 <= line < lines and 0 <= column < self._across and place < len(self._blocks)
        return place if is_there else None

    def _place_of(self, block: int) -> tuple[int, int]:
        """Line and column of a block."""
        if self._is_downwards:
            column, line = divmod(block, max(1, self._lines))
            return line, column
        return divmod(block, self._across)

    def _block_of_cursor(self) -> int:
        node, cell = self._cursor
        return next(
            (at for at, one in enumerate(self._blocks) if one.node == node and cell < one.first + self._cells), 0
        )

    # Keys and mouse

    def action_step(self, by: int) -> None:
        """The GPU before or after, in the node before or after it where need be."""
        node, cell = self._cursor
        if not self._shown:
            return
        cell = min(cell, len(self._shown[node].cells) - 1) + by
        if cell < 0 and node > 0:
            self._go(node - 1, len(self._shown[node - 1].cells) - 1)
        elif cell >= len(self._shown[node].cells) and node + 1 < len(self._shown):
            self._go(node + 1, 0)
        elif 0 <= cell < len(self._shown[node].cells):
            self._go(node, cell)

    def action_line(self, by: int) -> None:
        """The same cell some lines above or below."""
        if not self._blocks:
            return
        current = self._block_of_cursor()
        line, column = self._place_of(current)
        wanted = max(0, min(self._lines - 1, line + by))
        block = self._block_at(wanted, column)
        if block is None:  # the last line may be shorter
            block = self._block_at(wanted - 1, column) if abs(by) > 1 else None
        if block is not None:
            found = self._blocks[block]
            inside = self._cursor[1] - self._blocks[current].first
            self._go(found.node, min(found.first + inside, found.first + len(found.cells) - 1))

    def action_page(self, by: int) -> None:
        """A page forward."""
        self.action_line(by * max(1, self.view_size.height - 1))

    def action_ends(self, node: int) -> None:
        """The first GPU, or the last."""
        if self._shown:
            place = node % len(self._shown)
            self._go(place, 0 if node == 0 else len(self._shown[place].cells) - 1)

    def action_choose(self) -> None:
        """Go to the GPU under the cursor."""
        if self.chosen is not None:
            self.post_message(self.Chosen())

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor on a cell, a second one goes there."""
        line = event.y + round(self.scroll_y)
        column, x = divmod(event.x - 1, self._block_width + GAP)
        block = self._block_at(line, column)
        if block is None:
            return
        found = self._blocks[block]
        place = (found.node, found.first + max(0, min((x - self._label - 1) // self._pitch, len(found.cells) - 1)))
        if place == self._cursor:
            self.action_choose()
        self._go(*place)

    def _go(self, node: int, cell: int) -> None:
        if (node, cell) != self._cursor:
            self._cursor = (node, max(0, cell))
            self._keep_seen()
            self.sync_lines()
            self.post_message(self.Moved())

    def _keep_seen(self) -> None:
        top, height = round(self.scroll_y), self.view_size.height
        line = self._place_of(self._block_of_cursor())[0] if self._blocks else 0
        if height and not top <= line < top + height:
            self.scroll_lines_to(line if line < top else line - height + 1)

    # Drawing

    def line_token(self, y: int, view: Size) -> object:
        """The blocks of that line, and which cell of it has the cursor."""
        line = y + round(self.scroll_y)
        places = [self._block_at(line, column) for column in range(self._across)]
        blocks = tuple(self._blocks[place] for place in places if place is not None)
        cursor = self._cursor if self.has_focus and any(one.node == self._cursor[0] for one in blocks) else None
        return blocks, cursor, self._label, self._cells, self._pitch, view.width

    def paint_line(self, token: object, view: Size) -> Strip:
        """Draw a line."""
        assert isinstance(token, tuple)
        blocks, cursor, label, cells, pitch, _ = token
        segments = [Segment(" ", self._style(""))]
        for block in blocks:
            name, size = clip(block.label, label, self._glyphs.ellipsis)
            segments.append(Segment(name + " " * (label - size + 1), self._style("quiet")))
            for at, cell in enumerate(block.cells, block.first):
                style = self._cell_style(cell)
                is_cursor = cursor == (block.node, at)
                sign = self._sign(cell, max(1, pitch - 1))
                segments.append(Segment(sign, style + Style(reverse=True) if is_cursor else style))
                segments.append(Segment(" " * (pitch - len(sign)), self._style("")))
            segments.append(Segment(" " * (pitch * (cells - len(block.cells)) + GAP), self._style("")))
        return Strip(segments).adjust_cell_length(view.width, self._style("")).simplify()

    def _sign(self, cell: int, width: int) -> str:
        """A cell in one or two columns; without color two columns have room for the percentage."""
        if cell < 0:
            return {FREE: self._glyphs.free, IDLE: "!"}.get(cell, "?") * width
        if width > 1 and (self._glyphs.is_ascii or not self._has_color):
            return f"{min(cell, 99):2d}"
        return heat_sign(cell, has_color=self._has_color, glyphs=self._glyphs) * width

    def _cell_style(self, cell: int) -> Style:
        return self._style(load_tone(cell) if cell >= 0 else "warn" if cell == IDLE else "quiet")

    def _style(self, tone: str) -> Style:
        if self._palette is None:
            self._palette = Palette(self, PREFIX)
        return self._palette.style(tone)

    def notify_style_update(self) -> None:
        """The theme, the focus or a style rule has changed."""
        super().notify_style_update()
        self._palette = None

    def on_resize(self) -> None:
        """Other blocks have room beside each other."""
        self._arrange()
        self.repaint()

    def on_focus(self) -> None:
        """The cursor is seen."""
        self.repaint()
        self.post_message(self.Moved())

    def on_blur(self) -> None:
        """The cursor is not seen any more."""
        self.repaint()
        self.post_message(self.Moved())
