"""The YAML of an SDL: colours, line numbers, marks of problems, and the lines that the last edit changed.

The text area below it draws; what the text is, and what is undone, is the session's alone.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.color import Color
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult, Selection, TextAreaTheme

from cockpit.operations.sdl_editing import EditingSession, Moved
from cockpit.sdl.files import MAX_BYTES
from cockpit.widgets.fields import act_at_once
from cockpit.widgets.glyphs import UNICODE, Glyphs
from cockpit.widgets.sdl_offers import Offers
from cockpit.widgets.yaml_lines import YamlLines
from cockpit.widgets.yaml_lines import highlights as yaml_highlights

THEME = "sdl"
MARK_TONES = {"error": "text-error", "warning": "text-warning", "info": "text-muted"}
# One cell for one character, so that columns stay what they are.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
# Keys that go through a list, and those that are neither letters nor leave the word.
_STEPS = {"up": -1, "down": 1, "pageup": -7, "pagedown": 7}
_KEEPING = frozenset(("backspace", "delete", "ctrl+@", "minus", "underscore", "full_stop", "slash", "colon", "space"))
_INDENT = re.compile(r"[ ]*(?:- +)*")


class SdlText(TextArea):
    """The text area of one session: every edit goes into the session, every change of the session is followed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+tab", "outdent", "Less indentation", show=False),
        # Textual's own keys for these are wanted elsewhere, or are known from other programs.
        Binding("ctrl+shift+z", "redo", "Redo", show=False),
        Binding("ctrl+f", "find", "Find", show=False),
    ]
    DEFAULT_CSS = """
    SdlText {
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
    SdlText:focus { border: none; }
    SdlText .text-area--gutter { color: $foreground 35%; }
    SdlText .text-area--cursor-gutter { color: $foreground 80%; background: $foreground 6%; text-style: none; }
    SdlText .text-area--cursor-line { background: $foreground 6%; }
    """

    class Edited(Message):
        """The user has changed the text."""

    class Refused(Message):
        """A paste was not taken; `reason` is a sentence."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    class FindWanted(Message):
        """The user looks for something in the text."""

    class Left(Message):
        """The user wants to go elsewhere with the keys."""

    def __init__(self, session: EditingSession, *, glyphs: Glyphs = UNICODE, **options: Any) -> None:
        super().__init__("", soft_wrap=False, show_line_numbers=True, tab_behavior="indent", theme="css", **options)
        self.cursor_blink = False
        self.indent_width = 2
        self.session = session
        self._marks: dict[int, str] = {}
        self._signs = {"error": glyphs.failed, "warning": "!", "info": glyphs.separator}
        self._tones: dict[str, Style] = {}
        self._coloured: set[int] = set()
        self._drawn: LRUCache[object, Strip] = LRUCache(512)
        self._last_rows = frozenset[int]()
        self._offers: Offers | None = None
        self.typed_version = -1
        self.register_theme(TextAreaTheme(THEME))
        self._load(((0, 0), (0, 0)))

    # --- the session ---

    def show_session(self, session: EditingSession) -> None:
        """Show another session, from its first line."""
        self.session = session
        self._marks = {}
        self.offer(None)
        self.forget_looks()
        self._load(((0, 0), (0, 0)))
        self.scroll_to(0, 0, animate=False, force=True)

    def forget_looks(self) -> None:
        """Drop the rows that were drawn: a secret value was in one of them."""
        self._drawn.clear()

    def _load(self, selection: tuple[tuple[int, int], tuple[int, int]]) -> None:
        self._take_document(YamlLines(self.session.rows()), Selection(*selection))

    def _take_document(self, document: YamlLines, selection: Selection) -> None:
        from textual.document._document_navigator import DocumentNavigator
        from textual.document._wrapped_document import WrappedDocument

        self.history.clear()
        self.document = document
        self.wrapped_document = WrappedDocument(document, tab_width=self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        self._build_highlight_map()
        # Before anything is laid out: the cursor may have been below the last line of this text.
        self.set_reactive(TextArea.selection, self._validate_selection(selection))
        self._matching_bracket_location = None
        self._rewrap_and_refresh_virtual_size()
        self.selection = self.selection
        self.refresh()

    def follow(self, moved: Moved) -> None:
        """Do what a change of the session asks for; cursor and scroll position stay where they can."""
        if moved.edits is None:
            self._load((self.selection.start, self.selection.end))
        for edit in moved.edits or ():
            super().edit(Edit(edit.text, edit.start, edit.end, maintain_selection_offset=True))
        self.history.clear()
        if moved.selection is not None:
            self.selection = Selection(*moved.selection)
        elif self.session.changed_rows and not self.has_focus:
            self.show_row(min(self.session.changed_rows))
        self._show_changed()

    def show_row(self, row: int) -> None:
        """Scroll so that a row is seen, as little as need be."""
        top, height = round(self.scroll_y), self.scrollable_content_region.height
        if height and not top <= row < top + height:
            self.scroll_to(y=max(0, row - height // 3), animate=False, force=True)

    def go_to(self, row: int, column: int) -> None:
        """Put the cursor on a place and show it in the middle."""
        self.move_cursor((row, column), center=True)

    def mark(self, start: tuple[int, int], length: int) -> None:
        """Select so many characters of a row, and show them."""
        self.selection = Selection(start, (start[0], start[1] + length))
        self.show_row(start[0])
        if start[1] + length < self.size.width - self.gutter_width:
            self.scroll_to(x=0, animate=False, force=True)
        self.scroll_cursor_visible()

    def edit(self, edit: Edit) -> EditResult:
        """Make an edit of the user's, in the view and in the session."""
        where = (self.selection.start, self.selection.end)
        top, bottom, text = edit.top, edit.bottom, edit.text
        result = super().edit(edit)
        self.history.clear()
        if not self.session.type(top, bottom, text, selection=where):
            self._load((self.selection.start, self.selection.end))
        if len(text) <= 1:
            self.typed_version = self.session.version
        self._move_marks(bottom[0], result.end_location[0] - bottom[0])
        self._show_changed()
        self.post_message(self.Edited())
        return result

    def undo(self) -> None:
        """Take the last step back, whoever made it."""
        self._go(self.session.undo())

    def redo(self) -> None:
        """Do again what was taken back."""
        self._go(self.session.redo())

    def _go(self, moved: Moved | None) -> None:
        if moved is None:
            return
        self.follow(moved)
        rows = self.session.changed_rows
        if moved.selection is None and rows:
            self.move_cursor((min(rows), 0))
        self.scroll_cursor_visible()
        self.post_message(self.Edited())

    # --- what can be written here ---

    @property
    def offers(self) -> Offers | None:
        """The list that is shown."""
        return self._offers

    def offer(self, offers: Offers | None) -> None:
        """Show a list over the text, or none."""
        before, self._offers = self._offers, offers
        if before is not None or offers is not None:
            self.refresh()

    def step_offers(self, by: int) -> None:
        """Choose another one; from now on the list has the arrows and Enter."""
        if self._offers is not None:
            self._offers.is_active = True
            self._offers.step(by)
            self.refresh()

    def take_offer(self) -> bool:
        """Write the chosen one in place of what was begun; False where it is none for that any more."""
        offers, self._offers = self._offers, None
        if offers is None:
            return False
        self.refresh()
        end = self.cursor_location
        written = self.document.get_line(end[0])[offers.start[1] : end[1]]
        if end[0] != offers.start[0] or end[1] < offers.start[1] or not offers.fits(written):
            return False
        self.write(offers.text, offers.start, end)
        return True

    def write(self, text: str, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Put a word in the place of another one, and the cursor behind it."""
        result = self.replace(text, start, end)
        self.move_cursor(result.end_location)
        self.typed_version = self.session.version

    def _offers_line(self, strip: Strip, y: int) -> Strip:
        offers = self._offers
        if offers is None:
            return strip
        row, column = offers.start
        line = y - offers.top(row - round(self.scroll_y), self.size.height)
        if not 0 <= line < offers.height:
            return strip
        before = cell_len(self.document.get_line(row)[:column]) if row < self.document.line_count else 0
        return offers.draw(strip, line, self.gutter_width + before - round(self.scroll_x) - 1, self._offer_style)

    def _offer_style(self, name: str) -> Style:
        colours = self.app.theme_variables
        ground = Color.parse(colours["primary" if name == "chosen" else "panel"])
        ink = ground.get_contrast_text() if name == "chosen" else _colour_of(colours, "foreground")
        if name == "quiet":
            ink = ground.blend(ink, 0.6)
        return Style(color=ground.blend(ink, 1.0 if ink.a == 1 else ink.a).rich_color, bgcolor=ground.rich_color)

    # --- marks ---

    def show_marks(self, marks: Mapping[int, str]) -> None:
        """Mark rows with the severity of their gravest problem."""
        if marks != self._marks:
            changed = {row for row in {*marks, *self._marks} if marks.get(row) != self._marks.get(row)}
            self._marks = dict(marks)
            self._repaint_rows(changed)

    def _move_marks(self, row: int, by: int) -> None:
        """Keep marks beside their lines until the next check."""
        if by and self._marks:
            self._marks = {at + by if at > row else at: mark for at, mark in self._marks.items()}

    def _show_changed(self) -> None:
        rows = self.session.changed_rows
        self._repaint_rows(rows | self._last_rows)
        self._last_rows = rows

    def _repaint_rows(self, rows: set[int] | frozenset[int]) -> None:
        top, height = round(self.scroll_y), self.size.height
        seen = [Region(0, row - top, self.size.width, 1) for row in rows if 0 <= row - top < height]
        if seen:
            self.refresh(*seen)

    # --- drawing ---

    def get_line(self, line_index: int) -> Text:
        """The row, whatever would drive the terminal replaced by a sign of the same width."""
        line = self.document.get_line(line_index)
        shown = line if line.isascii() and line.isprintable() else _HIDDEN.sub("\ufffd", line)
        return Text(shown, end="", no_wrap=True)

    def _build_highlight_map(self) -> None:
        """Forget the colours; those of the rows that are seen are looked up when they are drawn."""
        self._highlights.clear()
        self._coloured = set()

    def render_line(self, y: int) -> Strip:
        """Draw a line of the screen; a row that says what it said looks as it looked."""
        return self._offers_line(self._text_line(y), y)

    def _text_line(self, y: int) -> Strip:
        row = round(self.scroll_y) + y
        if row >= self.document.line_count:
            return Strip.blank(self.size.width, self.rich_style)
        self._colour(row)
        key = self._content_key(row)
        known = self._drawn.get(key) if key is not None else None
        if known is None:
            known = self._marked(self._render_line(y), row)
            if key is not None:
                self._drawn[key] = known
        return known

    def _content_key(self, row: int) -> object:
        """All that a row's look depends on; None for rows with cursor, selection or a matched bracket."""
        start, end = self.selection
        bracket = self._matching_bracket_location
        if min(start, end)[0] <= row <= max(start, end)[0] or (bracket is not None and bracket[0] == row):
            return None
        changed = row in self.session.changed_rows
        width = (self.size.width, self.virtual_size.width, self.gutter_width, self.scroll_x)
        return row, self.document.get_line(row), tuple(self._highlights[row]), self._marks.get(row), changed, width

    def _colour(self, row: int) -> None:
        if row in self._coloured or not isinstance(self.document, YamlLines):
            return
        top = round(self.scroll_y)
        first, last = min(row, top), max(row, top + self.size.height)
        for line, spans in yaml_highlights(self.document, first, last).items():
            self._highlights[line] = list(spans)
        self._coloured.update(range(first, last + 1))

    def _marked(self, strip: Strip, row: int) -> Strip:
        mark, is_changed = self._marks.get(row), row in self.session.changed_rows
        if (mark is None and not is_changed) or row >= self.document.line_count:
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

    def _tone(self, name: str) -> Style:
        if name not in self._tones:
            colours = self.app.theme_variables
            if name == "changed":
                ground = Color.parse(colours["background"]).blend(Color.parse(colours["primary"]), 0.18)
                self._tones[name] = Style(bgcolor=ground.rich_color)
            else:
                self._tones[name] = Style(color=_colour_of(colours, name).rich_color)
        return self._tones[name]

    def _app_theme_changed(self) -> None:
        self._tones = {}
        self.register_theme(_theme_of(self.app.theme_variables))
        self.theme = THEME
        super()._app_theme_changed()
        self._drawn.clear()

    def _on_mount(self, event: events.Mount) -> None:
        super()._on_mount(event)
        self._app_theme_changed()

    def notify_style_update(self) -> None:
        """The theme, the focus or a style rule has changed."""
        self._tones = {}
        self._drawn.clear()
        super().notify_style_update()

    # --- keys ---

    async def _on_key(self, event: events.Key) -> None:
        if self._offers is not None and self._is_for_offers(event.key):
            event.stop()
            event.prevent_default()
            return
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.post_message(self.Left())
            return
        if event.key == "enter" and not self.read_only:
            event.stop()
            event.prevent_default()
            self._break_line()
            return
        await act_at_once(self, event)

    def _is_for_offers(self, key: str) -> bool:
        """Do what a key does to the list; of a list that nobody asked for only Tab and Escape."""
        assert self._offers is not None
        if key == "tab" or (key == "enter" and self._offers.is_active):
            return self.take_offer()
        if key in _STEPS and self._offers.is_active:
            self.step_offers(_STEPS[key])
            return True
        if key == "escape" or (len(key) > 1 and key not in _KEEPING):
            self.offer(None)
        return key == "escape"

    def on_blur(self) -> None:
        """The list is for whoever types here."""
        self.offer(None)

    def action_find(self) -> None:
        """Look for something."""
        self.post_message(self.FindWanted())

    def _break_line(self) -> None:
        """A new line that begins where this one does, deeper behind a key without a value."""
        start, end = self.selection
        row, column = min(start, end)
        before = self.document.get_line(row)[:column]
        indent = len(_INDENT.match(before).group())  # type: ignore[union-attr]
        if before.rstrip().endswith(":"):
            indent += self.indent_width
        self._replace_via_keyboard("\n" + " " * indent, start, end)

    def action_outdent(self) -> None:
        """Take one step of indentation from the line."""
        row, _ = self.cursor_location
        line = self.document.get_line(row)
        blanks = min(self.indent_width, len(line) - len(line.lstrip(" ")))
        if blanks:
            self.delete((row, 0), (row, blanks))

    async def _on_paste(self, event: events.Paste) -> None:
        reason = refusal_of_paste(event.text)
        event.stop()
        event.prevent_default()
        if reason:
            self.post_message(self.Refused(reason))
        elif result := self._replace_via_keyboard(
            event.text.replace("\r\n", "\n").replace("\r", "\n"), *self.selection
        ):
            self.move_cursor(result.end_location)


def refusal_of_paste(text: str) -> str:
    """Why a text cannot be pasted into an SDL; empty where it can."""
    if len(text) > MAX_BYTES:
        return f"{len(text):,} characters are too many: an SDL has a few kB. Nothing was pasted."
    if re.search("[\x00-\x08\x0e-\x1a\x1c-\x1f]", text) or "\ufffd" in text:
        return "That is no text of an SDL: it holds bytes of a binary file. Nothing was pasted."
    return ""


def _is_ground(style: Style | None, area: SdlText) -> bool:
    return style is None or style.bgcolor is None or style.bgcolor == area.rich_style.bgcolor


def _colour_of(colours: Mapping[str, str], name: str) -> Color:
    value = colours.get(name, colours["foreground"])
    return Color.parse(colours["foreground"]) if value.startswith("auto") else Color.parse(value)


def _theme_of(colours: Mapping[str, str]) -> TextAreaTheme:
    """The colours of YAML: keys in the accent, values plainly, comments quietly."""

    def ink(name: str, share: float = 1.0) -> Style:
        ground = Color.parse(colours["background"])
        return Style(color=ground.blend(_colour_of(colours, name), share).rich_color)

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
