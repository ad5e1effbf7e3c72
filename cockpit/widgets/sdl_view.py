"""How the rows of an SDL look: colors, marks of problems, changed lines; only rows that look another way are painted.

A bare text area paints all its rows for every key; here each row has a token that says all that its look depends on.
"""

import re
from collections.abc import Hashable, Mapping
from typing import Any, Self

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.cache import LRUCache
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Selection, TextAreaTheme

from cockpit.operations.sdl_editor.editing import EditingSession
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.text import INVISIBLE
from cockpit.widgets.yaml_lines import YamlLines
from cockpit.widgets.yaml_lines import highlights as yaml_highlights

THEME = "sdl"
MARK_TONES = {"error": "text-error", "warning": "text-warning", "info": "text-muted"}
# One cell for one character, so that columns stay what they are.
_HIDDEN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069{INVISIBLE}]")


class SdlView(TextArea):
    """The rows of one session as they are seen."""

    DEFAULT_CSS = """
    SdlView {
        border: none;
        padding: 0;
        background: $background;
        scrollbar-size: 0 1;
        scrollbar-color: $foreground 25%;
        scrollbar-color-hover: $foreground 40%;
        scrollbar-color-active: $primary;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
        scrollbar-corner-color: $background;
    }
    SdlView:focus { border: none; }
    SdlView .text-area--gutter { color: $foreground 35%; }
    SdlView .text-area--cursor-gutter { color: $foreground 80%; background: $foreground 6%; text-style: none; }
    SdlView .text-area--cursor-line { background: $foreground 6%; }
    """

    def __init__(self, session: EditingSession, *, glyphs: Glyphs = UNICODE, **options: Any) -> None:
        super().__init__("", soft_wrap=False, show_line_numbers=True, tab_behavior="indent", theme="css", **options)
        self.cursor_blink = False
        self.indent_width = 2
        self.session = session
        self._marks: dict[int, str] = {}
        self._signs = {"error": glyphs.failed, "warning": "!", "info": glyphs.separator}
        self._tones: dict[str, Style] = {}
        self._colored: set[int] = set()
        self._drawn: LRUCache[Hashable, Strip] = LRUCache(512)
        self._painted: dict[int, Hashable] = {}
        self._is_stale = self._is_styled = False
        self.register_theme(TextAreaTheme(THEME))

    def forget_looks(self) -> None:
        """Drop the rows that were drawn: a secret value was in one of them."""
        self._drawn.clear()
        self._painted.clear()
        self.refresh()

    def take_rows(self, rows: list[str], selection: Selection) -> None:
        """Show these rows from now on; the scroll position stays where it can."""
        from textual.document._document_navigator import DocumentNavigator
        from textual.document._wrapped_document import WrappedDocument

        self.history.clear()
        self.document = YamlLines(rows)
        self.wrapped_document = WrappedDocument(self.document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self._build_highlight_map()
        # Before anything is laid out: the cursor may have been below the last line of this text.
        self.set_reactive(TextArea.selection, self._validate_selection(selection))
        self._matching_bracket_location = None
        self._rewrap_and_refresh_virtual_size()
        self.selection = self.selection
        self.refresh()

    def show_row(self, row: int) -> None:
        """Scroll so that a row is seen, as little as need be."""
        top, height = round(self.scroll_y), self.scrollable_content_region.height
        if height and not top <= row < top + height:
            self.scroll_to(y=max(0, row - height // 3), animate=False, force=True)

    # --- marks ---

    def show_marks(self, marks: Mapping[int, str]) -> None:
        """Mark rows with the severity of their gravest problem."""
        if marks != self._marks:
            self._marks = dict(marks)
            self.refresh()

    def _move_marks(self, row: int, by: int) -> None:
        """Keep marks beside their lines until the next check."""
        if by and self._marks:
            self._marks = {at + by if at > row else at: mark for at, mark in self._marks.items()}

    # --- which rows are painted ---

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Have regions repainted, or the rows that look another way than they were painted."""
        if regions or layout or recompose or not repaint or not self._is_mounted:
            super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        else:
            # Compared once, when nothing is left to do: a key changes text, cursor and scroll position in turn.
            self._is_stale = True
            self.check_idle()
        return self

    def _check_refresh(self) -> None:
        if self._is_stale:
            self._is_stale = False
            stale = [y for y in range(self.size.height) if y not in self._painted or self._painted[y] != self._looks(y)]
            if stale:
                super().refresh(*[Region(0, y, self.size.width, 1) for y in stale])
        super()._check_refresh()

    def _looks(self, y: int) -> Hashable:
        """All that the look of a line of the screen depends on."""
        return self._row_looks(round(self.scroll_y) + y)

    def _row_looks(self, row: int) -> Hashable:
        width = (self.size.width, self.virtual_size.width, self.gutter_width, self.scroll_x)
        if row >= self.document.line_count:
            return width
        self._color(row)
        looks = (tuple(self._highlights[row]), self._marks.get(row), row in self.session.changed_rows)
        return row, self.document.get_line(row), looks, width, self._cursor_look(row)

    def _cursor_look(self, row: int) -> Hashable:
        """What cursor, selection and a matched bracket change about a row; None if they do not touch it."""
        start, end = self.selection
        bracket = self._matching_bracket_location
        if min(start, end)[0] <= row <= max(start, end)[0] or (bracket is not None and bracket[0] == row):
            return start, end, bracket, self._draw_cursor, self.has_focus
        return None

    # --- drawing ---

    def get_line(self, line_index: int) -> Text:
        """The row, whatever would drive the terminal replaced by a sign of the same width."""
        line = self.document.get_line(line_index)
        shown = line if line.isascii() and line.isprintable() else _HIDDEN.sub("\ufffd", line)
        return Text(shown, end="", no_wrap=True)

    def _build_highlight_map(self) -> None:
        """Forget the colors; those of the rows that are seen are looked up when they are drawn."""
        self._highlights.clear()
        self._colored = set()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines of the screen; TextArea would compute all styles again for each of them."""
        if not self._is_styled and self._theme is not None:
            self._is_styled = True
            self._theme.apply_css(self)
        return super(TextArea, self).render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen; a row that says what it said looks as it looked."""
        self._painted[y] = self._looks(y)
        row = round(self.scroll_y) + y
        if row >= self.document.line_count:
            return Strip.blank(self.size.width, self.rich_style)
        looks = self._row_looks(row)
        known = self._drawn.get(looks)
        if known is None:
            known = self._drawn[looks] = self._marked(self._render_line(y), row)
        return known

    def _color(self, row: int) -> None:
        if row in self._colored or not isinstance(self.document, YamlLines):
            return
        top = round(self.scroll_y)
        first, last = min(row, top), max(row, top + self.size.height)
        for line, spans in yaml_highlights(self.document, first, last).items():
            self._highlights[line] = list(spans)
        self._colored.update(range(first, last + 1))

    def _marked(self, strip: Strip, row: int) -> Strip:
        mark, is_changed = self._marks.get(row), row in self.session.changed_rows
        if mark is None and not is_changed:
            return strip
        segments = list(strip)
        gutter = self.gutter_width
        number = segments[0].text[: gutter - 2]
        rest = list(strip.crop(gutter))
        style = segments[0].style or Style()
        if is_changed:
            ground = self._tone("changed")
            rest = [Segment(text, (ink or Style()) + ground if _is_ground(ink, self) else ink) for text, ink, _ in rest]
            style += self._tone("primary")
        sign = Segment(self._signs[mark], style + self._tone(MARK_TONES[mark])) if mark else Segment(" ", style)
        return Strip([Segment(number, style), sign, Segment(" ", style), *rest], strip.cell_length)

    # --- styles ---

    def _tone(self, name: str) -> Style:
        if name not in self._tones:
            colors = self.app.theme_variables
            if name == "changed":
                ground = Color.parse(colors["background"]).blend(Color.parse(colors["primary"]), 0.18)
                self._tones[name] = Style(bgcolor=ground.rich_color)
            else:
                self._tones[name] = Style(color=color_of(colors, name).rich_color)
        return self._tones[name]

    def _app_theme_changed(self) -> None:
        self.register_theme(_theme_of(self.app.theme_variables))
        self.theme = THEME
        super()._app_theme_changed()
        self._forget_styles()

    def on_mount(self) -> None:
        """Take the theme's colors. Textual calls `_on_mount` of each class by itself."""
        self._app_theme_changed()

    def notify_style_update(self) -> None:
        """The theme, the focus or a style rule has changed."""
        self._forget_styles()
        super().notify_style_update()

    def _forget_styles(self) -> None:
        self._tones = {}
        self._is_styled = False
        self._drawn.clear()
        self._painted.clear()


def _is_ground(style: Style | None, area: SdlView) -> bool:
    return style is None or style.bgcolor is None or style.bgcolor == area.rich_style.bgcolor


def color_of(colors: Mapping[str, str], name: str) -> Color:
    """A color of the theme; what the theme leaves to the terminal is its foreground."""
    value = colors.get(name, colors["foreground"])
    return Color.parse(colors["foreground"]) if value.startswith("auto") else Color.parse(value)


def _theme_of(colors: Mapping[str, str]) -> TextAreaTheme:
    """The colors of YAML: keys in the accent, values plainly, comments quietly."""

    def ink(name: str, share: float = 1.0) -> Style:
        ground = Color.parse(colors["background"])
        return Style(color=ground.blend(color_of(colors, name), share).rich_color)

    quiet, value = ink("foreground", 0.5), ink("foreground")
    return TextAreaTheme(
        THEME,
        syntax_styles={
            "yaml.field": ink("primary"),
            "string": value,
            "number": ink("success"),
            "boolean": ink("success"),
            "constant.builtin": ink("success"),
            "comment": quiet + Style(italic=True),
            "type": ink("warning"),
            "punctuation.delimiter": quiet,
            "punctuation.bracket": quiet,
            "punctuation.special": ink("warning"),
            "error": ink("error"),
        },
    )
