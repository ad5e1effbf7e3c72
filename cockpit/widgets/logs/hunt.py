"""Going from one line that was found to the next, while more of them may still be found."""

from collections.abc import Callable

from cockpit.feeds.finding.line_finder import LineFinder
from cockpit.feeds.finding.line_set import LineSet
from cockpit.feeds.line_index import LineIndex, Source
from cockpit.render.log_query import Query


class Hunt:
    """One search and where one is in it; `jump(line)` shows a line, `on_change()` is called when something has changed.

    `rows` are the lines that are shown, if not all: what is found in others is passed over.
    """

    def __init__(
        self, source: Source, index: LineIndex, jump: Callable[[int], None], on_change: Callable[[], None]
    ) -> None:
        self.finder = LineFinder(source, index, self._changed)
        self.current: int | None = None
        self.rows: LineSet | None = None
        self.has_turned = False
        self._jump, self._on_change = jump, on_change
        self._wanted: tuple[int, int] | None = None

    @property
    def query(self) -> Query | None:
        """What is looked for."""
        return self.finder.query

    @property
    def hits(self) -> LineSet:
        """What was found so far and is shown."""
        return self.finder.hits if self.rows is None else self.finder.hits.common(self.rows)

    @property
    def is_waiting(self) -> bool:
        """Whether the line to go to is not known yet."""
        return self._wanted is not None

    def start(self, query: Query | None, *, near: int, step: int) -> None:
        """Look for something else, and go to what is found first from line `near` on (`step` 1) or back (-1)."""
        self.current, self.has_turned = None, False
        self._wanted = None if query is None else (near, step)
        self.finder.start(query, near=near + 1 if step < 0 else near)
        self._on_change()

    def go_on(self, step: int, *, near: int) -> None:
        """Go to the next line (`step` 1) or the one before (-1): from the current one, else from line `near`."""
        begin = near if self.current is None else self.current + step
        self.has_turned = False
        self._wanted = (begin, step)
        self._settle()
        self._on_change()

    def _changed(self) -> None:
        self._settle()
        self._on_change()

    def _settle(self) -> None:
        """Jump to the wanted match once its place is known."""
        if self._wanted is None:
            return
        (near, step), hits, finder = self._wanted, self.hits, self.finder
        target = hits.next(near) if step > 0 else hits.last(near)
        if target is None and finder.is_done and hits.count:
            self.has_turned = True
            target = hits.next(0) if step > 0 else hits.last(hits.select(hits.count - 1))
        if target is not None:
            self._wanted, self.current = None, target
            self._jump(target)
        elif finder.is_done:
            self._wanted = None
