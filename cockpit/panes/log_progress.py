"""How far a job is, read from the end of its log at most once a second."""

from asyncio import TimerHandle
from collections.abc import Callable

from textual.widget import Widget

from cockpit.widgets.later import after

SECONDS = 1.0


class LogProgress:
    """`text` is what `read` said last; `changed` hears when that is something else."""

    def __init__(self, owner: Widget, read: Callable[[], str], changed: Callable[[], None]) -> None:
        self._owner, self._read, self._changed = owner, read, changed
        self._rest: TimerHandle | None = None
        self._has_news = False
        self.text = ""

    def look(self) -> None:
        """The log or the job may be another."""
        self._has_news = True
        if self._rest is None and self._owner.is_attached:
            self._rest = after(SECONDS, self._owner, self._rested)
            self._read_now()

    def _rested(self) -> None:
        self._rest = None
        if self._has_news:
            self.look()

    def _read_now(self) -> None:
        self._has_news = False
        before, self.text = self.text, self._read()
        if self.text != before:
            self._changed()
