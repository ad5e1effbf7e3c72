"""The form of an SDL: rows to move over, and a field over the one that is edited."""

import textwrap
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.suggester import SuggestFromList
from textual.widgets import Input

from cockpit.operations.sdl_editor.form_rows import FormRow
from cockpit.render.cell_text import clip
from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.render.text import visible
from cockpit.widgets.cursor_lines import CursorLines
from cockpit.widgets.fields import Field
from cockpit.widgets.state_line import Piece, StateLine
from cockpit.widgets.tones import tone_classes, tone_css

LABEL = 16
NARROW_LABEL = 11
NARROW = 34
FIELDS_WITH_NUMBERS = ("count", "cpu", "gpu", "price")


class FormView(CursorLines):
    """The rows. A key on one of them posts a message; nothing is changed here."""

    STYLES = "form-view"
    COMPONENT_CLASSES = tone_classes("form-view") | {"form-view--cursor", "form-view--idle-cursor"}
    DEFAULT_CSS = """
    FormView { height: 1fr; width: 1fr; }
    FormView > .form-view--cursor { background: $primary 25%; }
    FormView > .form-view--idle-cursor { background: $foreground 8%; }
    """ + tone_css("FormView", "form-view")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "section(-1)", "Section before", show=False),
        Binding("right", "section(1)", "Next section", show=False),
        Binding("enter", "choose", "Edit", show=False),
        Binding("plus,equals_sign", "step(1)", "More", show=False),
        Binding("minus", "step(-1)", "Less", show=False),
    ]

    class Chosen(Message):
        """A row is to be edited."""

        def __init__(self, row: FormRow) -> None:
            super().__init__()
            self.row = row

    class Stepped(Message):
        """A number is to be one more, or one less."""

        def __init__(self, row: FormRow, by: int) -> None:
            super().__init__()
            self.row = row
            self.by = by

    class Moved(Message):
        """The cursor is on another row."""

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._glyphs = glyphs
        self._rows: tuple[FormRow, ...] = ()
        self._is_grey = False

    # --- rows ---

    @property
    def rows(self) -> tuple[FormRow, ...]:
        """What is shown."""
        return self._rows

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    @property
    def row(self) -> FormRow | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    @property
    def is_grey(self) -> bool:
        """Whether the rows are those of a text that was."""
        return self._is_grey

    def show(self, rows: Sequence[FormRow], *, grey: bool = False) -> None:
        """These rows from now on; the cursor stays on its row, wherever that is now."""
        before = self.row
        self._rows, self._is_grey = tuple(rows), grey
        keys, cursor = [row.key for row in self._rows], self._cursor
        if before is not None and before.key in keys:
            cursor = keys.index(before.key)
        elif before is None:
            cursor = next((at for at, row in enumerate(self._rows) if row.kind != "section"), 0)
        self.show_lines(cursor)

    def show_grey(self, reason: str) -> None:
        """The rows that are there, quietly, and above them why they wait."""
        # As rows, so that typing causes no new layout.
        lines = textwrap.wrap(visible(reason), max(20, self.view_size.width - 2))
        above = [FormRow(key=f"reason:{at}", kind="reason", label=line) for at, line in enumerate(lines)]
        self.show([*above, *(row for row in self._rows if row.kind != "reason")], grey=True)

    def move_to(self, key: str) -> bool:
        """Put the cursor on the row with that key; False where there is none."""
        index = next((at for at, row in enumerate(self._rows) if row.key == key), None)
        if index is not None:
            self.go(index)
        return index is not None

    def screen_line(self) -> int:
        """The line of the view on which the cursor is."""
        return self._cursor - round(self.scroll_y)

    # --- keys and mouse ---

    def action_section(self, by: int) -> None:
        """The cursor goes to the next section, or to the one before."""
        sections = [at for at, row in enumerate(self._rows) if row.kind == "section"]
        ahead = [at for at in sections if (at > self._cursor if by > 0 else at < self._cursor)]
        if ahead:
            self.go(ahead[0] if by > 0 else ahead[-1])
            self.scroll_lines_to(self._cursor)

    def action_choose(self) -> None:
        """The row is to be edited."""
        if self.row is not None:
            self.post_message(self.Chosen(self.row))

    def action_step(self, by: int) -> None:
        """The number of the row is to be another one."""
        if self.row is not None:
            self.post_message(self.Stepped(self.row, by))

    def clicked(self, index: int) -> None:
        """A click moves the cursor; a click where it is edits."""
        if index == self._cursor:
            self.action_choose()
        else:
            self.go(index)

    def moved(self) -> None:
        """Tell of it."""
        self.post_message(self.Moved())

    # --- drawing ---

    def line_token(self, y: int, view: Size) -> object:
        """The row on that line, and how it is drawn."""
        index = y + round(self.scroll_y)
        row = self._rows[index] if index < len(self._rows) else None
        return row, row is not None and index == self._cursor, self.has_focus, self._is_grey, view.width

    def paint_line(self, token: object, view: Size) -> Strip:
        """Draw a row."""
        assert isinstance(token, tuple)
        row, is_cursor, has_focus, is_grey, _ = token
        base = ("cursor" if has_focus else "idle-cursor") if is_cursor else ""
        if row is None:
            return Strip.blank(view.width, self.style_of("", ""))
        pieces = _section(row, view.width) if row.kind == "section" else _field(row, view.width, self._glyphs)
        is_quiet = is_grey and row.kind != "reason"
        segments = [Segment(text, self.style_of("quiet" if is_quiet else tone, base)) for text, tone in pieces]
        return Strip(segments).adjust_cell_length(view.width, self.style_of("", base)).simplify()


def value_column(row: FormRow, width: int) -> int:
    """Where the value of a row begins: in one column, but for long names."""
    if row.kind == "add":
        return 3
    label = NARROW_LABEL if width < NARROW else LABEL
    return 3 + max(label, min(len(row.label), width // 2))


def _section(row: FormRow, width: int) -> list[tuple[str, str]]:
    note, room = clip(row.note, width // 2)
    text, used = clip(visible(row.label), max(4, width - room - 3))
    gap = " " * max(1, width - used - room - 2)
    return [(" ", ""), (text, "accent"), (gap, ""), (note, "quiet")]


def _field(row: FormRow, width: int, glyphs: Glyphs) -> list[tuple[str, str]]:
    if row.kind == "reason":
        return [(" ", ""), (clip(row.label, width - 1, glyphs.ellipsis)[0], "error")]
    if row.kind in ("add", "also"):
        tone = "quiet"
        return [("   ", ""), (clip(visible(row.label), width - 3, glyphs.ellipsis)[0], tone)]
    start = value_column(row, width)
    label, used = clip(visible(row.label), start - 3, glyphs.ellipsis)
    pieces = [("  ", ""), (label + " " * (start - 2 - used), "quiet")]
    value, wide = clip(visible(row.value), max(1, width - start - 1), glyphs.ellipsis)
    pieces.append((value, row.tone if row.tone == "error" else ""))
    room = width - start - wide - 3
    if row.note and room >= 6:
        pieces += [("  ", ""), (clip(visible(row.note), room, glyphs.ellipsis)[0], row.tone or "quiet")]
    return pieces


class ValueField(Field):
    """The field over a row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", show=False),
        Binding("down", "choose(1)", "Next choice", show=False),
        Binding("up", "choose(-1)", "Choice before", show=False),
    ]

    class Left(Message):
        """The value shall stay as it was."""

    class Stepped(Message):
        """The next of the known values is wanted, or the one before."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def action_choose(self, by: int) -> None:
        """Go through what is known."""
        self.post_message(self.Stepped(by))

    def action_leave(self) -> None:
        """Change nothing."""
        self.post_message(self.Left())


class SdlForm(Container):
    """The rows, the field over the one that is edited, and a line that says what can be written there."""

    DEFAULT_CSS = """
    SdlForm { layers: base edit; width: 1fr; height: 1fr; }
    SdlForm > Container { layer: base; height: 1fr; layout: vertical; }
    SdlForm .form-hint { height: 1; padding: 0 1; }
    SdlForm ValueField, SdlForm ValueField:focus {
        layer: edit; display: none; height: 1; border: none; padding: 0 1; background: $panel; color: $foreground;
    }
    """

    class Entered(Message):
        """A value was typed into a row."""

        def __init__(self, row: FormRow, text: str) -> None:
            super().__init__()
            self.row = row
            self.text = text

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._glyphs = glyphs
        self.view = FormView(glyphs=glyphs, id="form-view")
        self._editing: FormRow | None = None
        self._choices: tuple[str, ...] = ()
        self._words: Callable[[str], str] | None = None
        self._reason = ""
        self._stem = self._chosen = ""

    def compose(self) -> ComposeResult:
        """The rows, the line below; the field lies over them."""
        with Container():
            yield self.view
            yield StateLine(classes="form-hint", ellipsis=self._glyphs.ellipsis)
        yield ValueField(id="form-value")

    @property
    def editing(self) -> FormRow | None:
        """The row that is edited now."""
        return self._editing

    def show(self, rows: Sequence[FormRow]) -> None:
        """These rows; the text can be read again."""
        self.view.show(rows)
        self._reason = ""
        self.hint()

    def grey(self, reason: str) -> None:
        """The rows of the last text that could be read, and why this one cannot."""
        self.stop()
        self.view.show_grey(reason)
        self._reason = reason
        self.hint()

    # --- the field ---

    def edit(self, row: FormRow, choices: Sequence[str] = (), words: Callable[[str], str] | None = None) -> None:
        """Put the field over the row under the cursor; `words` says something of what is typed."""
        self._editing, self._choices, self._words = row, tuple(choices), words
        self._stem = self._chosen = ""
        field = self.query_one(ValueField)
        left = value_column(row, self.view.view_size.width) - 1
        field.suggester = SuggestFromList(choices, case_sensitive=False) if choices else None
        field.value = row.text
        field.placeholder = row.hint
        # Fields without a border are drawn over a row; what stands above the view moves it down.
        field.styles.offset = (left, self.view.region.y - self.region.y + self.view.screen_line())
        field.styles.width = max(8, self.size.width - left)
        field.display = True
        field.focus()
        field.cursor_position = len(row.text)
        self.hint()

    def learn(self, row: FormRow, choices: Sequence[str], words: Callable[[str], str] | None) -> None:
        """More is known of the row that is edited; another row, or none, is left as it is."""
        if self._editing is not None and self._editing.key == row.key:
            self._choices, self._words = tuple(choices), words
            self.query_one(ValueField).suggester = SuggestFromList(choices, case_sensitive=False) if choices else None
            self.hint()

    def stop(self) -> None:
        """Take the field away."""
        if self._editing is None:
            return
        self._editing = None
        field = self.query_one(ValueField)
        had_focus = field.has_focus
        field.display = False
        if had_focus:
            self.view.focus()
        self.hint()

    def complain(self, sentence: str) -> None:
        """Say below what is wrong with what was typed."""
        self.query_one(".form-hint", StateLine).show([Piece(visible(sentence), "error", 0)])

    @on(FormView.Moved)
    def hint(self) -> None:
        """What the row is, or what can be written into it."""
        row = self._editing or self.view.row
        line = self.query_one(".form-hint", StateLine)
        if self._reason:
            line.show([Piece(visible(self._reason), "error", 0)])
        elif row is None:
            line.show([])
        elif self._editing is not None:
            keys = "↑↓ choose  ⏎ take" if self._choices else "⏎ take"
            words = self._words(self.query_one(ValueField).value) if self._words is not None else ""
            listed = words or "  ".join(_fitting(self._choices, self._stem))
            said = clip(listed, line.size.width - len(keys) - 5)[0]
            line.show([Piece(visible(said or row.hint), "quiet", 0)], [Piece(keys, "quiet", 2)])
        else:
            text = " ".join(part for part in (row.value, row.note) if part and row.kind == "field")
            line.show([Piece(visible(text or row.hint), "quiet", 0)], [Piece(_keys_of(row), "quiet", 2)])

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._chosen:
            self._stem = "" if self._editing is not None and event.value == self._editing.text else event.value
        self.hint()

    @on(ValueField.Stepped)
    def _stepped(self, message: ValueField.Stepped) -> None:
        """Put the next of the known values into the field; those that begin as was typed come first."""
        field, found = self.query_one(ValueField), _fitting(self._choices, self._stem)
        if found:
            at = found.index(field.value) if field.value in found else -1 if message.by > 0 else 0
            self._chosen = field.value = found[(at + message.by) % len(found)]
            field.cursor_position = len(field.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if self._editing is not None:
            self.post_message(self.Entered(self._editing, event.value))

    @on(ValueField.Left)
    def _left(self) -> None:
        self.stop()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Leaving with the mouse changes nothing."""
        if isinstance(event.widget, ValueField):
            self.call_after_refresh(self._stop_if_left)

    def _stop_if_left(self) -> None:
        if not self.query_one(ValueField).has_focus and self.screen.is_current:
            self.stop()


def _fitting(choices: Sequence[str], typed: str) -> list[str]:
    """What can be written, those first that begin as was typed."""
    word = typed.lower()
    return sorted(choices, key=lambda one: not one.lower().startswith(word))


def _keys_of(row: FormRow) -> str:
    """What a key does to a row, for a first-time user."""
    if row.field in FIELDS_WITH_NUMBERS:
        return "⏎ edit  + − more, less"
    if row.kind == "also":
        return "⏎ to its line"
    if row.field == "env":
        return "⏎ edit  S its value" if row.value.startswith("secret ") else "⏎ edit  S into the store"
    return {"": "", "group": "+ − replicas", "start": "⏎ begin"}.get(row.field, "⏎ edit")
