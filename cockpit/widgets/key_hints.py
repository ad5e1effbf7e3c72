"""The last line of the screen: the keys that matter most here, as many as fit."""

from collections.abc import Iterable

import msgspec
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from cockpit.render.cell_text import clip
from cockpit.widgets.state_line import fitting
from cockpit.widgets.tones import Palette, tone_classes, tone_css

GAP = 2


class Hint(msgspec.Struct, frozen=True):
    """A key and what it does here; `action` is what a click on it asks for.

    Hints are in order of importance; `keep` are those, such as `? help`, that go last all the same.
    """

    key: str
    label: str
    action: str = ""
    keep: bool = False


class KeyHints(Widget, can_focus=False):
    """One line of hints; a hint is shown whole or not at all."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = tone_classes("key-hints")
    DEFAULT_CSS = "KeyHints { height: 1; width: 1fr; padding: 0 1; }\n" + tone_css("KeyHints", "key-hints")

    class Pressed(Message):
        """A hint was clicked."""

        def __init__(self, key_hints: "KeyHints", hint: Hint) -> None:
            super().__init__()
            self.key_hints = key_hints
            self.hint = hint

        @property
        def control(self) -> "KeyHints":
            """The line of hints."""
            return self.key_hints

    def __init__(
        self,
        hints: Iterable[Hint] = (),
        *,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._hints = tuple(hints)
        self._palette: Palette | None = None

    def show(self, hints: Iterable[Hint]) -> None:
        """The hints from now on; equal ones write nothing to the terminal."""
        given = tuple(hints)
        if given != self._hints:
            self._hints = given
            self.refresh()

    @property
    def shown(self) -> list[Hint]:
        """The hints that have room, in order."""
        priorities = [0 if hint.keep else 1 for hint in self._hints]
        return [self._hints[index] for index in fitting(self._widths(), priorities, self.size.width, GAP)]

    def notify_style_update(self) -> None:
        """The theme or a style rule has changed."""
        super().notify_style_update()
        self._palette = None

    def render_line(self, y: int) -> Strip:
        """Paint the line."""
        ground = self._style("")
        if y:
            return Strip.blank(self.size.width, ground)
        segments: list[Segment] = []
        for hint in self.shown:
            key, label = self._texts(hint)
            segments += [Segment(key, self._style("accent")), Segment(f" {label}", self._style("quiet"))]
            segments.append(Segment(" " * GAP, ground))
        return Strip(segments).adjust_cell_length(self.size.width, ground).simplify()

    def on_click(self, event: events.Click) -> None:
        """A click on a hint is as good as its key."""
        offset = event.get_content_offset(self)
        end = 0
        for hint in self.shown if offset is not None else []:
            begin, end = end, end + sum(len(text) for text in self._texts(hint)) + 1
            if offset is not None and begin <= offset.x < end:
                self.post_message(self.Pressed(self, hint))
            end += GAP

    def _widths(self) -> list[int]:
        return [sum(clip(text, self.size.width)[1] for text in self._texts(hint)) + 1 for hint in self._hints]

    def _texts(self, hint: Hint) -> tuple[str, str]:
        width = self.size.width
        return clip(hint.key, width)[0], clip(hint.label, width)[0]

    def _style(self, tone: str) -> Style:
        if self._palette is None:
            self._palette = Palette(self, "key-hints")
        return self._palette.style(tone)
