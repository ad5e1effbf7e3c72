"""The editing of one SDL: its text to the byte, its document, one history for form and text; no widgets."""

import re
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from cockpit.operations.sdl_editor.history import (
    History,
    Location,
    Selection,
    Splice,
    Step,
    differing,
    inverse,
    landed,
    spliced,
)
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnreadableSdlError

BOM = "\ufeff"
_BREAK = re.compile(r"\r\n|\r|\n")


class LineEdit(NamedTuple):
    """What a view of lines has to do: put `text`, its breaks written as \\n, between two places."""

    start: Location
    end: Location
    text: str


class Moved(NamedTuple):
    """What an edit asks of a view: edits from the last to the first, or None where it has to reload all lines.

    `selection` is where the cursor belongs; None where it stays.
    """

    edits: tuple[LineEdit, ...] | None
    selection: Selection | None = None


class EditingSession:
    """One text, edited as lines and as a document.

    Rows and columns count from 0; a byte order mark belongs to no row. `version` grows with every change, so that what
    was worked out for another text can be dropped.
    """

    def __init__(self, text: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._history = History()
        self.version = 0
        self._document: SdlDocument | None = None
        self.changed_rows: frozenset[int] = frozenset()
        self._begin(text)

    def _begin(self, text: str) -> None:
        self._become(text, None)
        self._saved: str | None = text

    # --- the text ---

    @property
    def text(self) -> str:
        """The text, byte order mark and line breaks as they are."""
        return self._text

    @property
    def row_count(self) -> int:
        """How many rows a view shows."""
        return len(self._starts)

    def rows(self) -> list[str]:
        """The rows without their breaks."""
        ends = [*self._starts[1:], len(self._text)]
        return [self._text[start:end].rstrip("\r\n") for start, end in zip(self._starts, ends, strict=True)]

    @property
    def newline(self) -> str:
        """The break that the text uses first, or a line feed."""
        found = _BREAK.search(self._text)
        return found.group() if found else "\n"

    def offset(self, location: Location) -> int:
        """The place in the text of a row and column; what lies beyond the row is its end."""
        row, column = location
        if row >= len(self._starts):
            return len(self._text)
        end = self._starts[row + 1] if row + 1 < len(self._starts) else len(self._text)
        return min(self._starts[row] + column, self._end_of(end, self._starts[row]))

    def _end_of(self, end: int, start: int) -> int:
        while end > start and self._text[end - 1] in "\r\n":
            end -= 1
        return end

    def location(self, offset: int) -> Location:
        """Row and column of a place in the text."""
        row = max(0, bisect_right(self._starts, offset) - 1)
        return row, max(0, offset - self._starts[row])

    # --- the document ---

    @property
    def document(self) -> SdlDocument:
        """The document of this text; reading it may raise UnreadableSdlError."""
        if self._document is None:
            self._document = SdlDocument(self._text)
        return self._document

    def adopt(self, document: SdlDocument) -> None:
        """Take a document over that was parsed elsewhere; that of another text is dropped."""
        if document.text == self._text:
            self._document = document

    @property
    def failure(self) -> UnreadableSdlError | None:
        """Why the text is not YAML, with line and column; None where it is."""
        try:
            _ = self.document.tree
        except UnreadableSdlError as error:
            return error
        return None

    # --- edits ---

    def type(
        self, start: Location, end: Location, text: str, *, selection: Selection | None = None, label: str = "typing"
    ) -> bool:
        """Make an edit that a view of lines has made; breaks become those of the text, byte order marks are left out.

        Returns whether the view still shows the same lines; where not, it has to reload them.
        """
        first, last = sorted((self.offset(start), self.offset(end)))
        written = _BREAK.sub(self.newline, text.replace(BOM, ""))
        splice, marked = Splice(first, self._text[first:last], written), self._text.startswith(BOM)
        if splice.removed == written:
            return BOM not in text
        step = Step(label, (splice,), len(written) <= 1, self._clock(), selection)
        self._history.record(step)
        self.changed_rows = frozenset()
        rows = len(self._starts) + len(_BREAK.findall(text)) - abs(end[0] - start[0])
        self._become(spliced(self._text, (splice,)), self._shifted_starts(splice))
        return rows == len(self._starts) and BOM not in text and marked == self._text.startswith(BOM)

    def apply(self, label: str, edit: Callable[[SdlDocument], object], *, selection: Selection | None = None) -> Moved:
        """Make an edit of the document, as one step; only what it names changes, and its rows are marked.

        Raises what the edit raises, and UnreadableSdlError; nothing has changed then.
        """
        document = self.document
        with document.all_or_none():
            edit(document)
        moved = self.replace(document.text, label, selection=selection)
        self.adopt(document)
        return moved

    def replace(self, text: str, label: str, *, selection: Selection | None = None) -> Moved:
        """Take a whole other text, as one step."""
        splices = differing(self._text, text)
        if not splices:
            return Moved(())
        self._history.record(Step(label, splices, at=self._clock(), selection=selection))
        return self._make(splices)

    def undo(self) -> Moved | None:
        """Take the last step back, every byte of it; None where there is none."""
        step = self._history.back()
        return None if step is None else self._make(inverse(step.splices), step.selection)

    def redo(self) -> Moved | None:
        """Do again what was taken back; None where there is nothing."""
        step = self._history.forth()
        return None if step is None else self._make(step.splices)

    @property
    def undo_label(self) -> str:
        """What an undo would take back; empty where there is nothing."""
        return self._history.undo_label

    @property
    def redo_label(self) -> str:
        """What a redo would do; empty where there is nothing."""
        return self._history.redo_label

    def forget(self) -> None:
        """Forget how the text came to be: a secret value was in it."""
        self._history.forget()
        if self.is_dirty:
            self._saved = None

    def load(self, text: str) -> None:
        """Start again with another text, which counts as saved."""
        self._history.forget()
        self.changed_rows = frozenset()
        self._begin(text)

    # --- saved or not ---

    @property
    def is_dirty(self) -> bool:
        """Whether the text is another one than was saved."""
        return self._text != self._saved

    def saved(self, text: str | None = None) -> None:
        """This text (or the one that was written meanwhile) is on the disk."""
        self._saved = self._text if text is None else text

    def never_saved(self) -> None:
        """The text is on no disk yet, whatever it says."""
        self._saved = None

    # --- within ---

    def _make(self, splices: tuple[Splice, ...], selection: Selection | None = None) -> Moved:
        before, after = self._text, spliced(self._text, splices)
        starts, ends = [(one.start, one.start + len(one.removed)) for one in splices], landed(splices)
        # A break or a mark that comes into being, or goes, moves rows that the splices do not touch.
        is_plain = before.startswith(BOM) == after.startswith(BOM)
        is_plain = is_plain and _between_rows(before, starts) and _between_rows(after, ends)
        edits = self._line_edits(splices, starts) if is_plain else None
        self._become(after, None)
        self.changed_rows = frozenset(row for span in ends for row in self._rows_between(*span))
        return Moved(edits, selection)

    def _line_edits(self, splices: Sequence[Splice], spans: Sequence[tuple[int, int]]) -> tuple[LineEdit, ...]:
        edits = [
            LineEdit(self.location(start), self.location(end), _BREAK.sub("\n", one.inserted))
            for (start, end), one in zip(spans, splices, strict=True)
        ]
        return tuple(reversed(edits))

    def _rows_between(self, start: int, end: int) -> range:
        first = self.location(start)[0]
        last, column = self.location(end)
        return range(first, last + 1 if column or first == last else last)

    def _shifted_starts(self, splice: Splice) -> list[int] | None:
        """The starts of rows behind a splice, or None where a break may be another one than before."""
        end = splice.start + len(splice.removed)
        around = self._text[splice.start - 1 : splice.start] + splice.inserted + self._text[end : end + 1]
        if "\r" in around or splice.start == 0:
            return None
        low, high = bisect_right(self._starts, splice.start), bisect_right(self._starts, end)
        shift = len(splice.inserted) - len(splice.removed)
        fresh = [splice.start + found.end() for found in _BREAK.finditer(splice.inserted)]
        return [*self._starts[:low], *fresh, *(start + shift for start in self._starts[high:])]

    def _become(self, text: str, starts: list[int] | None) -> None:
        self._text = text
        self._document = None
        self._starts = starts or starts_of(text)
        self.version += 1

    def __repr__(self) -> str:
        # Never the text: it may hold secrets.
        return f"<EditingSession of {len(self._text)} characters, version {self.version}>"


def starts_of(text: str) -> list[int]:
    """Where the rows of a text begin; a byte order mark belongs to none."""
    return [len(BOM) if text.startswith(BOM) else 0, *(found.end() for found in _BREAK.finditer(text))]


def _between_rows(text: str, spans: Iterable[tuple[int, int]]) -> bool:
    """Whether no span begins or ends inside a break, or in front of the byte order mark."""
    places = {place for span in spans for place in span}
    if text.startswith(BOM) and 0 in places:
        return False
    return not any(text[place - 1 : place] == "\r" and text[place : place + 1] == "\n" for place in places)
