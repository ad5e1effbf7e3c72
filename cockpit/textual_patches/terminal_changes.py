"""What reaches the terminal: of every repaint only the cells that look different from what it shows already.

Textual sends a widget's line from its beginning up to the change, with both colors in full for every piece of text:
one job that ends costs 3 kB so, and a row that changes behind a dialog 20 kB. Here it is 0.6 kB and less.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console, ConsoleOptions, RenderResult
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from cockpit.render.ascii_text import ascii_cell
from cockpit.render.text import without_controls

# So many cells that have not changed are written again rather than jumped over.
SHORTEST_JUMP = 6
# From here on terminals do not agree how wide characters are.
FIRST_DOUBTFUL = 0x2E80
RESET = "\x1b[0m"

_CODES = re.compile(r"\x1b\[([0-9;]*)m")
_SEEN_ON_BLANKS = {"4", "7", "9", "21", "51", "52", "53"}


class Look(NamedTuple):
    """How a cell is drawn, in SGR parameters; None where it makes no difference."""

    attributes: str | None
    ink: str | None
    ground: str


class Cell(NamedTuple):
    """A cell of the screen; empty is the second half of a wide character."""

    text: str
    look: Look


class Place(NamedTuple):
    """A strip and where it goes."""

    y: int
    x: int
    strip: Strip


class TerminalChanges:
    """Knows what the terminal shows, and makes updates of Textual's compositor smaller."""

    def __init__(self) -> None:
        self._lines: dict[int, dict[int, Cell]] = {}
        self.ascii_only = False
        """Whether only ASCII may be written."""

    def forget(self) -> None:
        """The terminal may show anything: the next updates are written as they are."""
        self._lines.clear()

    def smaller(self, update: Any) -> Any:
        """The update without what the terminal already shows; other updates pass through."""
        return Smaller(self, update) if isinstance(update, ChopsUpdate | LayoutUpdate) else update

    def written(self, places: Iterable[Place], colors: ColorSystem) -> str:
        """The sequences that bring these strips on the screen."""
        pen, parts = _Pen(), list[str]()
        for y, x, strip in places:
            cells = _cells_of(strip, colors)
            if self.ascii_only:
                cells = [cell._replace(text=ascii_cell(cell.text)) for cell in cells]
            line = self._lines.setdefault(y, {})
            for begin, end in _runs([line.get(x + index) for index in range(len(cells))], cells):
                parts.append(f"\x1b[{y + 1};{x + begin + 1}H" + pen.write(cells[begin:end]))
            line.update(enumerate(cells, x))
        return "".join(parts) + (RESET if parts else "")


class Smaller(CompositorUpdate):
    """Asks what has changed when it is written, for Textual may drop an update before."""

    _text: str | None = None

    def __init__(self, changes: TerminalChanges, update: ChopsUpdate | LayoutUpdate) -> None:
        self._changes, self._update = changes, update

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self._update.__rich_console__(console, options)

    def render_segments(self, console: Console) -> str:
        """The sequences to be written."""
        return self.text(console)

    def text(self, console: Console) -> str:
        """The same; the caller must write it, since from then on it counts as written."""
        if self._text is None:
            colors = console._color_system or ColorSystem.TRUECOLOR
            self._text = self._changes.written(_places(self._update), colors)
        return self._text


def _places(update: ChopsUpdate | LayoutUpdate) -> Iterator[Place]:
    """The strips of an update; of those that a span cuts, the part up to its end."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            yield Place(y, update.region.x, Strip.join(strips))
        return
    for y, begin, end in update.spans:
        for chop_end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= end and chop_end > begin:
                yield Place(y, x, strip if chop_end <= end else strip.crop(0, end - x))


def _cells_of(strip: Strip, colors: ColorSystem) -> list[Cell]:
    cells: list[Cell] = []
    for text, style, control in strip:
        if not control:
            # The last gate: what a widget forgot to make visible. Textual gave it no cell.
            _add(cells, without_controls(text), _look(style or Style.null(), colors))
    return cells


def _add(cells: list[Cell], text: str, look: Look) -> None:
    blank = _blank_look(look)
    if text.isascii():
        cells.extend([Cell(character, blank if character == " " else look) for character in text])
        return
    for character in text:
        width = cell_len(character)
        if width == 0 and cells:
            _combine(cells, character)
        elif width:
            cells.append(Cell(character, blank if character == " " else look))
            cells.extend([Cell("", look)] * (width - 1))


def _combine(cells: list[Cell], character: str) -> None:
    """Put a character that takes no cell to the one before it."""
    place = len(cells) - (2 if len(cells) > 1 and not cells[-1].text else 1)
    cells[place] = cells[place]._replace(text=cells[place].text + character)


def _runs(before: list[Cell | None], after: list[Cell]) -> list[tuple[int, int]]:
    """Where to write: from and to, in cells."""
    if not any(before):
        return [(0, len(after))] if after else []
    changed = [index for index, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    if not changed:
        return []
    if any(map(_is_doubtful, after)) or any(cell is not None and _is_doubtful(cell) for cell in before):
        return [(0, len(after))]
    runs: list[tuple[int, int]] = []
    for index in changed:
        if runs and index - runs[-1][1] < SHORTEST_JUMP:
            runs[-1] = (runs[-1][0], index + 1)
        else:
            runs.append((index, index + 1))
    return runs


def _is_doubtful(cell: Cell) -> bool:
    """Whether a terminal may find it wider or narrower than we do, so that what follows is elsewhere."""
    return len(cell.text) != 1 or ord(cell.text) >= FIRST_DOUBTFUL


class _Pen:
    """The terminal's present way of drawing."""

    def __init__(self) -> None:
        self._look = Look("", "39", "49")

    def write(self, cells: list[Cell]) -> str:
        """The texts of the cells, with the escape codes of their styles."""
        groups = groupby(cells, key=lambda cell: cell.look)
        return "".join(self._turned(look) + "".join(cell.text for cell in group) for look, group in groups)

    def _turned(self, look: Look) -> str:
        now = self._look
        attributes = look.attributes
        if attributes is None:
            attributes = "" if _is_seen_on_blanks(now) else now.attributes
        self._look = wanted = Look(attributes, now.ink if look.ink is None else look.ink, look.ground)
        if wanted == now:
            return ""
        if wanted.attributes == now.attributes:
            codes = [new for old, new in ((now.ink, wanted.ink), (now.ground, wanted.ground)) if old != new]
        else:
            codes = ["0", *(code for code in wanted if code not in ("", "39", "49"))]
        return f"\x1b[{';'.join(code for code in codes if code)}m"


@lru_cache(4096)
def _look(style: Style, colors: ColorSystem) -> Look:
    found = _CODES.search(style.render("x", color_system=colors))
    codes = found[1].split(";") if found and found[1] else []
    attributes, ink, ground = list[str](), "39", "49"
    while codes:
        taken = codes[: _length(codes)]
        del codes[: len(taken)]
        number = int(taken[0])
        if 30 <= number <= 39 or 90 <= number <= 97:
            ink = ";".join(taken)
        elif 40 <= number <= 49 or 100 <= number <= 107:
            ground = ";".join(taken)
        else:
            attributes += taken
    return Look(";".join(attributes), ink, ground)


def _length(codes: list[str]) -> int:
    """How many of the parameters belong to the first: 38 and 48 bring a color of 256, or its three parts."""
    return {"2": 5, "5": 3}.get(codes[1] if len(codes) > 1 else "", 1) if codes[0] in ("38", "48") else 1


@lru_cache(4096)
def _blank_look(look: Look) -> Look:
    """That of a space: its ink is not seen."""
    return look if _is_seen_on_blanks(look) else Look(None, None, look.ground)


def _is_seen_on_blanks(look: Look) -> bool:
    return not _SEEN_ON_BLANKS.isdisjoint((look.attributes or "").split(";"))
