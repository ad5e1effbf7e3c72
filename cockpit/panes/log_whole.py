"""The whole log, while it comes in behind the end of it that is on the screen."""

from cockpit.feeds.spool import Spool

_ANCHOR = 8192


class ComingLog:
    """A spool that is filled from the log's first byte, and when it has reached what the old one holds."""

    def __init__(self, old: Spool, *, wants_first: bool) -> None:
        self.spool = Spool()
        self.wants_first = wants_first
        length = min(_ANCHOR, old.size)
        self._before = old.size - length
        self._anchor = old.read(self._before, length)
        self._looked_at = 0

    def shift(self) -> int | None:
        """How many bytes come before those that the old spool holds; None as long as that is not known."""
        begin = max(0, self._looked_at - len(self._anchor))
        at = self.spool.read(begin, self.spool.size - begin).rfind(self._anchor)
        self._looked_at = self.spool.size
        shift = begin + at - self._before
        return shift if at >= 0 and shift >= 0 else None
