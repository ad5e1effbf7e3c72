"""The YAML of an SDL as it is typed.

The text area below it draws; what the text is, and what is undone, is the session's alone.
"""

import re
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets.text_area import Edit, EditResult, Selection

from cockpit.operations.sdl_editor.editing import EditingSession, Moved
from cockpit.sdl.files import MAX_BYTES
from cockpit.sdl.foreign.reading import kind_of
from cockpit.widgets.fields import act_at_once
from cockpit.widgets.sdl_offering import SdlOffering

_INDENT = re.compile(r"([ ]*)(?:- +)*")
# A key without a value, or the head of a block text: what comes below it is deeper.
_OPENING = re.compile(r"(?::|(?:^|\s)[|>][-+0-9]*)\s*$")
# What no part of an SDL has at the beginning of a line.
_WHOLE = (re.compile(r"^services:", re.MULTILINE), re.compile(r"^deployment:", re.MULTILINE))
_KEY = re.compile(r"""[^\s#'"{\[][^#]*?:(?:\s|$)""")


class SdlText(SdlOffering):
    """The text area of one session: every edit goes into the session, every change of the session is followed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+tab", "outdent", "Less indentation", show=False),
        # Textual's own keys for these are wanted elsewhere, or are known from other programs.
        Binding("ctrl+shift+z", "redo", "Redo", show=False),
        Binding("ctrl+f", "find", "Find", show=False),
        Binding("ctrl+home", "go_to_end(False)", "First line", show=False),
        Binding("ctrl+end", "go_to_end(True)", "Last line", show=False),
    ]

    class Edited(Message):
        """The user has changed the text."""

    class Refused(Message):
        """A paste was not taken; `reason` is a sentence."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    class Foreign(Message):
        """A file of another tool was pasted, whole; nothing was written."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Replaced(Message):
        """A whole SDL was pasted, and took the place of the text."""

    class FindWanted(Message):
        """The user looks for something in the text."""

    class Left(Message):
        """The user wants to go elsewhere with the keys."""

    def __init__(self, session: EditingSession, **options: Any) -> None:
        super().__init__(session, **options)
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

    def _load(self, selection: tuple[tuple[int, int], tuple[int, int]]) -> None:
        self.take_rows(self.session.rows(), Selection(*selection))

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
        self.refresh()

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
        self.refresh()
        self.post_message(self.Edited())
        return result

    def undo(self) -> None:
        """Undo the last step, of form or text."""
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

    # --- keys ---

    async def _on_key(self, event: events.Key) -> None:
        if self.is_for_offers(event.key):
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

    def action_go_to_end(self, is_last: bool) -> None:
        """The cursor goes to the first or to the last place of the text."""
        self.move_cursor(self.document.end if is_last else (0, 0))

    def action_find(self) -> None:
        """Look for something."""
        self.post_message(self.FindWanted())

    def _break_line(self) -> None:
        """A new line that begins where this one does, or deeper where what is above asks for it."""
        start, end = self.selection
        row, column = min(start, end)
        before = self.document.get_line(row)[:column]
        indent = _INDENT.match(before)
        assert indent is not None
        # Below an item that is a mapping comes its next key; below any other item the next item.
        deep = len(indent[0] if _KEY.match(before, indent.end()) else indent[1])
        if _OPENING.search(before) and not before.lstrip().startswith("#"):
            deep += self.indent_width
        self._replace_via_keyboard("\n" + " " * deep, start, end)

    def action_outdent(self) -> None:
        """Take one step of indentation from the line."""
        row, _ = self.cursor_location
        line = self.document.get_line(row)
        blanks = min(self.indent_width, len(line) - len(line.lstrip(" ")))
        if blanks:
            self.delete((row, 0), (row, blanks))

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.paste(event.text)

    def paste(self, text: str) -> None:
        """Write a text in the place of the selection; a whole SDL takes the place of all of it."""
        if reason := refusal_of_paste(text):
            self.post_message(self.Refused(reason))
            return
        if kind_of(text):
            self.post_message(self.Foreign(text))
            return
        is_other = is_whole_sdl(text) and bool(self.session.text.strip())
        where = ((0, 0), self.document.end) if is_other else self.selection
        if result := self._replace_via_keyboard(text.replace("\r\n", "\n").replace("\r", "\n"), *where):
            self.move_cursor((0, 0) if is_other else result.end_location)
            if is_other:
                self.post_message(self.Replaced())


def is_whole_sdl(text: str) -> bool:
    """Whether a text is an SDL and no part of one."""
    return all(pattern.search(text) for pattern in _WHOLE)


def refusal_of_paste(text: str) -> str:
    """Why a text cannot be pasted into an SDL; empty where it can."""
    if len(text) > MAX_BYTES:
        return f"{len(text):,} characters are too many: an SDL has a few kB. Nothing was pasted."
    if re.search("[\x00-\x08\x0e-\x1a\x1c-\x1f]", text) or "\ufffd" in text:
        return "The clipboard holds binary data, not SDL text. Nothing was pasted."
    return ""
