"""Completions at the cursor, as a small list drawn over the text without a new layout."""

from collections.abc import Callable, Hashable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cockpit.render.cell_text import clip
from cockpit.render.text import visible
from cockpit.sdl.completion import Item

MOST_SHOWN = 8
WIDEST = 64

Location = tuple[int, int]


class Offers:
    """Items for what stands from `start` to the cursor; an active list takes arrows and Enter, a quiet one only Tab."""

    def __init__(self, items: Sequence[Item], start: Location, *, is_active: bool) -> None:
        self.items = tuple(items)
        self.start = start
        self.is_active = is_active
        self._index = 0

    @property
    def text(self) -> str:
        """What would be written."""
        return self.items[self._index].text

    def step(self, by: int) -> None:
        """The next one, or the one before; behind the last comes the first."""
        self._index = (self._index + by) % len(self.items)

    def choose(self, line: int) -> bool:
        """Choose the one on a line of the list; False for the line with its keys."""
        if line >= self.height - 1:
            return False
        self._index = self._first + line
        return True

    @property
    def looks(self) -> Hashable:
        """All that the look of the list depends on."""
        return self.items, self.start, self.is_active, self._index

    def fits(self, written: str) -> bool:
        """Whether the chosen one is still one for what was written meanwhile."""
        return written.lower() in self.text.lower()

    @property
    def height(self) -> int:
        """Lines of the list, the one with its keys included."""
        return min(MOST_SHOWN, len(self.items)) + 1

    def top(self, row: int, height: int) -> int:
        """Where the list begins for a cursor in that row of a view: below it where there is room, else above."""
        below = row + 1
        return below if below + self.height <= height or row < self.height else row - self.height

    def left(self, wanted: int, width: int) -> int:
        """Where its lines begin in a view of that width."""
        return max(0, min(wanted, width - self.width(width)))

    def draw(self, strip: Strip, line: int, left: int, style: Callable[[str], Style]) -> Strip:
        """A line of the view with a line of the list over it; `style` gives the ink by `item`, `chosen`, `quiet`."""
        width = self.width(strip.cell_length)
        pieces = self._keys() if line == self.height - 1 else self._item(line)
        segments: list[Segment] = []
        room = width
        for text, tone in pieces:
            shown, used = clip(text, room)
            segments.append(Segment(shown, style(tone)))
            room -= used
        segments.append(Segment(" " * room, style(pieces[0][1])))
        return Strip([*strip.crop(0, left), *segments, *strip.crop(left + width)], strip.cell_length)

    @property
    def _first(self) -> int:
        """The item on the first line."""
        return max(0, min(self._index - MOST_SHOWN + 1, len(self.items) - MOST_SHOWN))

    def _item(self, line: int) -> list[tuple[str, str]]:
        item = self.items[self._first + line]
        tone = "chosen" if self._first + line == self._index else "item"
        detail = f"   {visible(item.detail)}" if item.detail else ""
        return [(f" {visible(item.text)}", tone), (f"{detail} ", tone if tone == "chosen" else "quiet")]

    def _keys(self) -> list[tuple[str, str]]:
        more = f"{self._index + 1} of {len(self.items)}"
        return [(f" ⏎ takes it, ↑↓  {more} " if self.is_active else f" tab takes it, ctrl+␣ choose  {more} ", "quiet")]

    def width(self, most: int) -> int:
        """How wide it is in a view of that width."""
        widest = max(len(item.text) + (3 + len(item.detail) if item.detail else 0) for item in self.items)
        return min(WIDEST, most, max(widest + 2, len(self._keys()[0][0])))
