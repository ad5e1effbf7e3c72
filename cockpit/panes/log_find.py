"""Below a log: the lines in which one types what to look for and what to leave, and what came of it."""

from asyncio import TimerHandle

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from cockpit.render.glyphs import UNICODE, Glyphs
from cockpit.widgets.filter_bar import FilterBar
from cockpit.widgets.find_bar import FindBar
from cockpit.widgets.later import after
from cockpit.widgets.log_reader import MOST_CONTEXT, FindStatus, LogReader, Sieve
from cockpit.widgets.state_line import Piece, StateLine

# After the last key, so that a word that is typed does not start five searches.
TYPING_SECONDS = 0.08


class LogFind(Vertical):
    """Drives the search and the filter of a log; what is typed is done as it is typed."""

    DEFAULT_CSS = "LogFind { height: auto; } LogFind #log-found { display: none; }"

    def __init__(self, reader: LogReader, *, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(id="log-find")
        self._reader, self._glyphs = reader, glyphs
        self._search_bar = FindBar("/", placeholder="a regex to find", id="log-search")
        self._filter_bar = FindBar("filter", placeholder="a regex; ! for the other lines", id="log-filter")
        self._found = StateLine(id="log-found", ellipsis=glyphs.ellipsis)
        self._around = 0
        self._bookmark = (True, 0)
        self._last_search = ""
        self._filter_text = ""
        self._typing: TimerHandle | None = None

    def compose(self) -> ComposeResult:
        """What came of it, and the two lines to type into, which are seen while one types."""
        yield self._found
        for bar in (self._search_bar, self._filter_bar):
            bar.display = False
            yield bar

    # Typing

    def open_search(self) -> None:
        """Type what to find; nothing typed finds again what was found last."""
        self._reader.prepare()
        self._bookmark = self._reader.bookmark()
        self._open(self._search_bar, "")

    def open_filter(self) -> None:
        """Type what to leave on the screen."""
        self._reader.prepare(to_filter=True)
        self._open(self._filter_bar, self._filter_text)

    def _open(self, bar: FindBar, text: str) -> None:
        self._search_bar.display = self._filter_bar.display = False
        bar.display = True
        bar.open(text)
        self._tell_bar()

    @on(FilterBar.Changed)
    def _typed(self, event: FilterBar.Changed) -> None:
        if self._typing is not None:
            self._typing.cancel()
        bar, text = event.filter_bar, event.text
        self._typing = after(TYPING_SECONDS, self, lambda: self._look(bar, text))
        self._tell_bar()

    def _look(self, bar: FilterBar, text: str) -> None:
        self._typing = None
        if bar is self._filter_bar:
            self._filter_text = text
            self._sift()
        else:
            self._reader.return_to(self._bookmark)
            self._reader.search(self._search_bar.query_of(text))

    def _sift(self) -> None:
        """Filter by the text as it is; `!` before it leaves the other lines."""
        text = self._filter_text
        query = self._filter_bar.query_of(text.removeprefix("!"))
        sieve = Sieve(query, text.startswith("!"), self._around) if query is not None else None
        if sieve != self._reader.find_status.sieve:
            self._reader.sift(sieve)

    @on(FilterBar.Submitted)
    def _kept(self, event: FilterBar.Submitted) -> None:
        if event.filter_bar is self._search_bar:
            text = event.text or self._last_search
            query = self._search_bar.query_of(text)
            if self._typing is not None or query != self._reader.find_status.query:
                self._look(event.filter_bar, text)
            self._last_search = text
        else:
            self._look(event.filter_bar, event.text)
        self._leave()

    @on(FilterBar.Cancelled)
    def _cancelled(self, event: FilterBar.Cancelled) -> None:
        if event.filter_bar is self._search_bar:
            self._reader.search(None)
            self._reader.return_to(self._bookmark)
        else:
            self._look(event.filter_bar, event.text)
        self._leave()

    def _leave(self) -> None:
        if self._typing is not None:
            self._typing.cancel()
            self._typing = None
        self._search_bar.display = self._filter_bar.display = False
        self._reader.focus()
        self.show(self._reader.find_status)

    def widen(self, lines: int) -> None:
        """Show more lines around those that pass the filter, or fewer."""
        self._around = min(max(0, self._around + lines), MOST_CONTEXT)
        self._sift()

    # What came of it

    def show(self, status: FindStatus) -> None:
        """Tell of the search, the filter and the marks."""
        if status.sieve is None and not self._filter_bar.display:
            self._filter_text = ""
        pieces = [*self._search_pieces(status), *self._filter_pieces(status)]
        if status.errors is not None and not status.query:
            pieces.append(Piece(_count(status.errors, "line of errors", "lines of errors"), "quiet", 3))
        right = [Piece(_count(status.marked, "line marked", "lines marked"), "accent", 0)] if status.marked else []
        if status.progress is not None:
            right.append(Piece(f"searching {status.progress:.0%}", "quiet", 1))
        self._found.display = bool(pieces or right) and not self._is_typing
        self._found.show(pieces, right)
        self._tell_bar()

    @property
    def _is_typing(self) -> bool:
        return self._search_bar.display or self._filter_bar.display

    def _search_pieces(self, status: FindStatus) -> list[Piece]:
        if status.query is None:
            return []
        pieces = [Piece(f"/ {status.query.text}", "accent", 0), *_outcome(status)]
        return [*pieces, Piece("from the other end", "quiet", 4)] if status.has_turned else pieces

    def _filter_pieces(self, status: FindStatus) -> list[Piece]:
        sieve = status.sieve
        if sieve is None:
            return []
        around = f" {'+-' if self._glyphs.ellipsis == '~' else '±'}{sieve.context}" if sieve.context else ""
        text = f"filter {'!' if sieve.inverse else ''}{sieve.query.text}{around}"
        if status.sieve_error:
            return [Piece(text, "accent", 0), Piece(f"no regex: {status.sieve_error}", "error", 1)]
        return [Piece(text, "accent", 0), Piece(_count(status.shown, "line", "lines"), "quiet", 1)]

    def _tell_bar(self) -> None:
        status = self._reader.find_status
        if self._search_bar.display:
            pieces = _outcome(status) if status.query else []
            bar = self._search_bar
        else:
            pieces = self._filter_pieces(status)[1:]
            bar = self._filter_bar
        result = pieces[0] if pieces and bar.text else Piece("", "quiet")
        texts = [result.text] if result.tone == "error" else [result.text, bar.switches]
        bar.result("   ".join(text for text in texts if text), result.tone)


def _outcome(status: FindStatus) -> list[Piece]:
    if status.error:
        return [Piece(f"no regex: {status.error}", "error", 1)]
    if not status.hits:
        return [Piece("not found" if status.progress is None else "searching…", "quiet", 1)]
    if status.position:
        return [Piece(f"{status.position:,} of {_count(status.hits, 'line', 'lines')}", "quiet", 1)]
    return [Piece(_count(status.hits, "line", "lines"), "quiet", 1)]


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
