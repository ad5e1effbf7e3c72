"""What wants a look, one line each; Enter goes to the thing."""

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from cockpit.model.overview import Trouble
from cockpit.render.cell_text import cell_width
from cockpit.render.frames import fitted
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.overview import trouble_parts
from cockpit.render.table import Part
from cockpit.render.text import visible
from cockpit.widgets.cursor_lines import CursorLines
from cockpit.widgets.tones import tone_classes, tone_css

PREFIX = "trouble-list"
LEAST_TEXT = 24


class TroubleList(CursorLines):
    """Troubles in the order of their gravity; the cursor stays with its thing."""

    STYLES = PREFIX
    COMPONENT_CLASSES = tone_classes(PREFIX) | {f"{PREFIX}--cursor", f"{PREFIX}--idle-cursor"}
    DEFAULT_CSS = """
    TroubleList { height: 1fr; width: 1fr; overflow-x: hidden; }
    TroubleList > .trouble-list--cursor { background: $primary 25%; }
    TroubleList > .trouble-list--idle-cursor { background: $background; }
    """ + tone_css("TroubleList", PREFIX)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "Go there", show=False)]

    class Chosen(Message):
        """Go to what is wrong: the thing under the cursor."""

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._glyphs = glyphs
        self._troubles: tuple[Trouble, ...] | None = None
        self._sentence = ""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._troubles or ())

    @property
    def trouble(self) -> Trouble | None:
        """The one under the cursor."""
        troubles = self._troubles or ()
        return troubles[self._cursor] if self._cursor < len(troubles) else None

    def show(self, troubles: Sequence[Trouble] | None, sentence: str = "") -> None:
        """These from now on; None is not known yet, for the reason in `sentence`."""
        before, self._sentence = self.trouble, sentence
        self._troubles = None if troubles is None else tuple(troubles)
        same = [
            at
            for at, one in enumerate(troubles or ())
            if before is not None and (one.kind, one.key) == (before.kind, before.key)
        ]
        self.show_lines(same[0] if same else self._cursor)

    def action_choose(self) -> None:
        """Go to the thing."""
        if self.trouble is not None:
            self.post_message(self.Chosen())

    def clicked(self, index: int) -> None:
        """A click goes to the thing."""
        self.go(index)
        self.action_choose()

    def line_token(self, y: int, view: Size) -> object:
        """The trouble on that line."""
        index = y + round(self.scroll_y)
        trouble = (self._troubles or ())[index] if index < self.count else None
        is_cursor = trouble is not None and index == self._cursor and self.has_focus
        return trouble, is_cursor, self._said_instead if y == 0 and not self.count else "", view.width

    def paint_line(self, token: object, view: Size) -> Strip:
        """Draw a trouble; where there is none, say so once."""
        assert isinstance(token, tuple)
        trouble, is_cursor, instead, _ = token
        base = "cursor" if is_cursor else ""
        parts = self._parts(trouble, view.width) if trouble else (Part(f" {instead}", "quiet"),)
        segments = [Segment(part.text, self.style_of(part.tone, base)) for part in fitted(parts, view.width)]
        return Strip(segments).adjust_cell_length(view.width, self.style_of("", base)).simplify()

    @property
    def _said_instead(self) -> str:
        """What the first line says without any problem."""
        if self._troubles is None:
            return visible(self._sentence)
        return f"{self._glyphs.state('SUCCEEDED')} nothing wants a look"

    def _parts(self, trouble: Trouble, width: int) -> tuple[Part, ...]:
        text, right = trouble_parts(trouble, self._glyphs)
        tail = sum(cell_width(part.text) for part in right)
        room = width - 2 - (tail + 2 if tail else 0)
        if room < LEAST_TEXT:
            return (Part(" "), *fitted(text, width - 1, glyphs=self._glyphs))
        gap = (Part("  "),) if tail else ()
        return (Part(" "), *fitted(text, room, glyphs=self._glyphs), *gap, *right, Part(" "))
