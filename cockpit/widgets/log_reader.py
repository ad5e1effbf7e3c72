"""A log in which one can search, leave lines out, go from error to error, and mark lines to take them away."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import msgspec
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.message import Message

from cockpit.feeds.finding.line_finder import LineFinder
from cockpit.feeds.finding.line_set import LineSet
from cockpit.feeds.line_index import Source, Span
from cockpit.render.log_errors import ERRORS
from cockpit.render.log_query import Query, Spans
from cockpit.render.log_text import seen
from cockpit.widgets.log_view import LogView
from cockpit.widgets.logs.hunt import Hunt
from cockpit.widgets.logs.pages import Place

MOST_CONTEXT = 20
# Terminals take so much by OSC 52, and throw more away without a word.
MOST_COPIED = 100_000


class Sieve(msgspec.Struct, frozen=True):
    """What lines are left: those that match (`inverse`: that do not), and `context` lines around each."""

    query: Query
    inverse: bool = False
    context: int = 0


class FindStatus(msgspec.Struct, frozen=True):
    """The results of the search and of the filter.

    `position` counts from 1, 0 is none; `hits` and `shown` are lines. `progress` is that of what is not done yet, from
    0 to 1; None where all is done.
    """

    query: Query | None = None
    error: str = ""
    hits: int = 0
    position: int = 0
    has_turned: bool = False
    progress: float | None = None
    sieve: Sieve | None = None
    sieve_error: str = ""
    shown: int = 0
    errors: int | None = None
    marked: int = 0


class LogReader(LogView):
    """Finds in other processes, which begin with the first search and end with the view."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Out", show=False, id="log.back")]
    """
    | Key(s) | Description |
    | :- | :- |
    | escape | Give up the marks, else the search, else the filter. |
    """

    class FindChanged(Message):
        """The search, the filter or the marks have come to something else."""

        def __init__(self, reader: "LogReader", status: FindStatus) -> None:
            super().__init__()
            self.reader = reader
            self.status = status

        @property
        def control(self) -> "LogReader":
            """The log."""
            return self.reader

        def can_replace(self, message: Message) -> bool:
            """Whether `message` is older news of the same log."""
            return isinstance(message, LogReader.FindChanged) and message.reader is self.reader

    def __init__(self, source: Source, **options: Any) -> None:
        super().__init__(source, **options)
        self.find_status = FindStatus()
        self._pressed_at: int | None = None

    def _open(self, source: Source) -> None:
        super()._open(source)
        self._sieve: Sieve | None = None
        self._marks: tuple[int, int] | None = None
        self._now: int | None = None
        # The line that is to stay where it is while a filter works, and on which line of the screen that is.
        self._held: tuple[int, int] | None = None
        index = self._index
        self._search = Hunt(source, index, self._jump, self._found)
        self._errors = Hunt(source, index, self._jump, self._found)
        self._filter = LineFinder(source, index, self._found)

    @property
    def _finders(self) -> tuple[LineFinder, ...]:
        return self._search.finder, self._errors.finder, self._filter

    def set_source(self, source: Source) -> None:
        """Show another log, from its end; the search and the filter go on in it."""
        query, sieve, old = self._search.query, self._sieve, self._finders
        # The old log's finders end in the background, whatever they do.
        for finder in old:
            self.run_worker(finder.close(), group="finders", exit_on_error=False)
        super().set_source(source)
        if sieve is not None:
            self.sift(sieve)
        if query is not None:
            self._search.finder.start(query, near=self._near(-1))

    def replace_source(self, source: Source, shift: int) -> None:
        """Show a source that holds the same log and `shift` bytes more before it; what is on the screen stays there."""
        following, index = self.following, self._index
        top = index.start_of(self.line_of(self.scroll_offset.y)) + shift
        now = None if self._now is None else index.start_of(self._now) + shift
        self.set_source(source)
        self._number_lines()
        self._now = None if now is None else self._index.number_at(now)
        if not following:
            self.following = False
            self.go_to_place(Place(self.row_of(self._index.number_at(top)), 0))

    async def on_unmount(self) -> None:
        """End the processes."""
        for finder in self._finders:
            await finder.close()

    def rest(self) -> None:
        """Nobody looks: give up what is still being looked for. `resume` begins it again."""
        for finder in self._finders:
            if not finder.is_done:
                finder.pause()

    def resume(self) -> None:
        """The log is visible again."""
        for finder in self._finders:
            finder.resume()

    # Searching

    def search(self, query: Query | None, *, origin: int | None = None) -> None:
        """Look for something, and go to what of it is nearest: before the end when following, else below the top."""
        self._number_lines()
        self._now = None
        step = -1 if self.following else 1
        self._search.start(query, near=self._near(step) if origin is None else origin, step=step)

    def prepare(self, *, to_filter: bool = False) -> None:
        """The user starts to type a search or a filter."""
        (self._filter if to_filter else self._search.finder).prepare()

    def _near(self, step: int) -> int:
        """The line of the screen that one begins from."""
        if step > 0:
            return self.line_of(self.scroll_offset.y)
        numbers = [number for number in self._numbers if number is not None]
        return numbers[-1] if numbers else max(0, self._index.line_count - 1)

    def next_hit(self, step: int) -> None:
        """Go to the next line that was found, or the one before."""
        if self._search.query is not None:
            self._search.go_on(step, near=self._near(step))

    def next_error(self, step: int) -> None:
        """Go to the next error or traceback, or the one before."""
        self._number_lines()
        near = self._near(step) if self._now is None else self._now + step
        self._errors.current = None
        if self._errors.query is None:
            self._errors.start(ERRORS, near=near, step=step)
        else:
            self._errors.go_on(step, near=near)

    def _jump(self, line: int) -> None:
        self._now, self._held = line, None
        if line in self._numbers:
            self._show()
        else:
            self.goto_line(line)

    def bookmark(self) -> tuple[bool, int]:
        """Where one is: whether following, and the line at the top."""
        return self.following, self.line_of(self.scroll_offset.y)

    def return_to(self, bookmark: tuple[bool, int]) -> None:
        """Go back to where one was."""
        following, line = bookmark
        if following:
            self.following = True
        else:
            self.go_to_place(Place(self.row_of(line), 0))

    # Leaving lines out

    def sift(self, sieve: Sieve | None) -> None:
        """Show some of the lines only; None shows all. What stands at the top stays on the screen."""
        self._number_lines()
        before, self._sieve = self._sieve, sieve
        self._held = self._held or self._place_now()
        if sieve is None:
            self._filter.start(None)
            self._show_rows(None)
        elif before is None or before.query != sieve.query or self._filter.query is None:
            self._filter.start(sieve.query, near=self._near(-1) + 1)
        self._found()

    def _sift_now(self) -> None:
        """Leave out what the filter has found so far; until it has found anything, what was shown stays."""
        sieve, known = self._sieve, self._filter
        if sieve is None or known.error or (known.high <= known.low and not known.is_done):
            return
        self._show_rows(known.hits.widened(known.low, known.high, inverse=sieve.inverse, context=sieve.context))

        if known.is_done:
            self._held = None

    def _show_rows(self, rows: LineSet | None) -> None:
        line, offset = self._held or self._place_now()
        self._rows = self._search.rows = self._errors.rows = rows
        if not self.following:
            self.show_extent()
            self.go_to_place(Place(max(0, self.row_of(line) - offset), 0))
        if rows is None:
            self._held = None

    def _place_now(self) -> tuple[int, int]:
        """The line that one went to, or the one at the top, and on which line of the screen it is."""
        if self._now is not None and self._now in self._numbers:
            return self._now, self._numbers.index(self._now)
        return self.line_of(self.scroll_offset.y), 0

    # What has come

    def _grow(self) -> None:
        super()._grow()
        for finder in self._finders:
            finder.extend()

    def _found(self) -> None:
        """Something was found: it is shown with the next repaint."""
        if self.is_attached:
            self.notify_grown()

    def _show(self) -> None:
        if self._index.is_complete:
            self._sift_now()
        super()._show()
        self._tell()

    def _tell(self) -> None:
        search, running = self._search, [one for one in self._finders if not one.is_done]
        hits = search.hits if search.query else None
        status = FindStatus(
            query=search.query,
            error=search.finder.error,
            hits=hits.count if hits else 0,
            position=hits.rank(self._now) + 1 if hits and self._now is not None and self._now in hits else 0,
            has_turned=search.has_turned,
            # By hundredths: a number that changes is repainted.
            progress=round(min(one.progress for one in running), 2) if running else None,
            sieve=self._sieve,
            sieve_error=self._filter.error,
            shown=self.row_count if self._sieve else 0,
            errors=self._errors.hits.count if self._errors.query and self._errors.finder.is_done else None,
            marked=self._marked_rows()[1] if self._marks else 0,
        )
        if status != self.find_status:
            self.find_status = status
            self.post_message(self.FindChanged(self, status))

    # What is drawn

    @property
    def is_finding(self) -> bool:
        """Whether there are matches to point at."""
        return self._search.query is not None or (self._sieve is not None and not self._sieve.inverse)

    def found_in(self, texts: Iterable[str]) -> Mapping[str, Spans]:
        """Where the matches are, those of the search before those of the filter; what is not known yet comes later."""
        wanted = list(texts)
        if self._search.query is not None:
            return self._search.finder.spans_in(wanted)
        return self._filter.spans_in(wanted)

    def sign_of(self, line: int | None) -> str:
        """Marked lines, the line that one went to, and lines that only stand around what the filter is for."""
        if line is None:
            return ""
        if self._marks is not None and min(self._marks) <= line <= max(self._marks):
            return "marked"
        if line == self._now:
            return "now"
        sieve = self._sieve
        if sieve is not None and sieve.context and (line in self._filter.hits) is sieve.inverse:
            return "context"
        return ""

    def sentence(self) -> str | None:
        """Why the log shows nothing: it is empty, or the filter hides every line."""
        if self._sieve is not None and self._source.size:
            return "no line passes the filter" if self._filter.is_done else "searching…"
        return super().sentence()

    def set_layout(self, *, wrapped: bool | None = None, pretty: bool | None = None) -> None:
        """Wrap long lines, lay JSON out, or do neither; the line at the top stays."""
        self._number_lines()
        self.is_wrapped = self.is_wrapped if wrapped is None else wrapped
        self.is_pretty = self.is_pretty if pretty is None else pretty
        self._x = self._part = 0
        self._drawn.clear()
        self._show()

    # Marking

    @property
    def is_marking(self) -> bool:
        """Whether lines are being marked."""
        return self._marks is not None

    def action_mark_lines(self) -> None:
        """Begin to mark lines, or take the marks away."""
        if self._marks is not None:
            self._mark(None)
            return
        self._number_lines()
        on_screen = [number for number in self._numbers if number is not None]
        if on_screen:
            self.following = False
            begin = self._now if self._now in on_screen else on_screen[-1]
            self._mark((begin, begin))

    def _mark(self, marks: tuple[int, int] | None) -> None:
        self._marks = marks
        self._show()

    def _marked_rows(self) -> tuple[int, int]:
        """The first marked row, and how many there are."""
        first, last = (self.row_of(line) for line in sorted(self._marks or (0, -1)))
        return first, last - first + 1

    def _extend_marks(self, row: int) -> None:
        assert self._marks is not None
        row = min(max(0, row), self.row_count - 1)
        self._mark((self._marks[0], self.line_of(row)))
        top, height = self.scroll_offset.y, len(self._lines)
        if row < top:
            self.go_to_place(Place(row, 0))
        elif row >= top + height:
            self.go_to_place(self.place_below(row - top - height + 1))

    def action_scroll_by(self, lines: int) -> None:
        """Scroll, or move the end of the marks."""
        self._held = None
        if self._marks is not None:
            self._extend_marks(self.row_of(self._marks[1]) + lines)
        else:
            super().action_scroll_by(lines)

    def action_first(self) -> None:
        """Go to the first line, or mark up to it."""
        self._held = None
        if self._marks is not None:
            self._extend_marks(0)
        else:
            super().action_first()

    def action_follow(self) -> None:
        """Go to the end and follow it, or mark up to it."""
        if self._marks is not None:
            self._extend_marks(self.row_count - 1)
        else:
            super().action_follow()

    def chosen(self) -> list[Span]:
        """The lines that are marked, else the one that one went to, else those on the screen."""
        if self._marks is not None:
            first, count = self._marked_rows()
            return self._spans(first, count)
        if self._now is not None and self._now in self._numbers:
            return self._index.spans(self._now, 1)
        return [Span(line.start, line.end) for line in self._lines]

    def chosen_text(self) -> tuple[str, int] | None:
        """The text of the chosen lines and how many they are; None where a clipboard would not take so much."""
        if self._marks is not None:
            # The bytes tell before any line is read; escapes and progress may be most of them.
            _, count = self._marked_rows()
            if count > MOST_COPIED:
                return None
        parts: list[str] = []
        size = 0
        for span in self.chosen():
            parts.append(seen(self._source.read(span.start, min(span.end - span.start, 4 * MOST_COPIED))))
            size += len(parts[-1].encode()) + 1
            if size > MOST_COPIED:
                return None
        return "\n".join(parts), len(parts)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Marks begin where the mouse is pressed and moved."""
        self._pressed_at = self._line_at(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Lines are marked from where the mouse was pressed."""
        line = self._line_at(event)
        if event.button and self._pressed_at is not None and line is not None:
            if self._marks is not None or line != self._pressed_at:
                self.following = False
                self._mark((self._pressed_at, line))
        elif not event.button:
            self._pressed_at = None

    def _line_at(self, event: events.MouseEvent) -> int | None:
        y = event.y
        return self._numbers[self._screen[y][0]] if 0 <= y < len(self._screen) else None

    def action_back(self) -> None:
        """Give up the marks, else the search, else the filter."""
        if self._marks is not None:
            self._mark(None)
        elif self._search.query is not None or self._now is not None:
            self.search(None)
            self._errors.start(None, near=0, step=1)
        elif self._sieve is not None:
            self.sift(None)
        else:
            raise SkipAction
