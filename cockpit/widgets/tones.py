"""Tones: what a piece of text means, and the theme's colors for it.

`error` is wrong, `warn` needs a look, `accent` is what the eye should find, `strong` stands out without color,
`quiet` may be overlooked, `load-0` to `load-5` are the ramp of `render.load`; healthy things are drawn plainly.
"""

from collections.abc import Sequence

from rich.color import Color
from rich.style import Style
from textual.widget import Widget

from cockpit.render.load import LOAD_TONES

TONES = ("error", "warn", "accent", "strong", "quiet")

_RULES = {
    "error": "color: $text-error;",
    "warn": "color: $text-warning;",
    "accent": "color: $text-primary;",
    "strong": "text-style: bold;",
    "quiet": "color: $text-muted;",
}


def tone_classes(prefix: str) -> set[str]:
    """The component classes of a widget that draws in tones."""
    return {f"{prefix}--{tone}" for tone in TONES}


def tone_css(widget: str, prefix: str) -> str:
    """The default style rules for these component classes."""
    return "\n".join(f"{widget} > .{prefix}--{tone} {{ {_RULES[tone]} }}" for tone in TONES)


class Palette:
    """The resolved styles of a widget, for as long as its theme and focus stay.

    Looking a component class up costs a tenth of a millisecond, and Textual forgets it at every refresh.
    """

    def __init__(self, widget: Widget, prefix: str, *, extra: Sequence[str] = ()) -> None:
        """`extra` are tones of this widget alone, with component classes of their own."""
        self._widget = widget
        self._tones = (*TONES, *extra)
        self._prefix = prefix
        self._styles: dict[tuple[str, str], Style] = {}

    def style(self, tone: str = "", base: str = "") -> Style:
        """The style of a tone on the background of a component; anything else is drawn plainly."""
        known = self._styles.get((base, tone))
        if known is None:
            known = self._styles[base, tone] = self._resolved(tone, base)
        return known

    def _resolved(self, tone: str, base: str) -> Style:
        ground = self._component(base) if base else self._widget.rich_style
        if tone in LOAD_TONES:
            return ground + load_style(self._widget, tone)
        # On the bar of a cursor what is quiet elsewhere could hardly be read.
        if tone not in self._tones or (tone == "quiet" and base):
            return ground
        ink = self._component(tone)
        return ground + ink + Style(bgcolor=ground.bgcolor)

    def _component(self, name: str) -> Style:
        return self._widget.get_component_rich_style(f"{self._prefix}--{name}")


# The three steps that terminals with 16 colors can tell apart: exactly those of their palette.
_FEW_COLORS = ("#55ff55", "#55ff55", "#55ff55", "#ffff55", "#ffff55", "#ff5555")


def load_style(widget: Widget, tone: str) -> Style:
    """The color of a step of the ramp: the theme's, or one of the terminal's own where it has only 16."""
    if widget.app.console.color_system == "standard" and not widget.app.is_headless:
        return Style(color=Color.parse(_FEW_COLORS[LOAD_TONES.index(tone)]))
    return Style(color=Color.parse(widget.app.theme_variables[tone]))
