"""A log that is read on a screen, without the screen: its end first, the whole behind it once that is wanted."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

from cockpit.errors import AuthenticationError, CockpitError, UntrustedError
from cockpit.feeds.follower import Followed, LogFollower
from cockpit.feeds.log_source import LogSource, LogState
from cockpit.feeds.patience import Outage
from cockpit.feeds.spool import Spool
from cockpit.render.text import visible
from cockpit.render.units import size

TAIL_LINES = 5000
PATIENCE_SECONDS = 7 * 86400.0
_ANCHOR = 8192


class Note(NamedTuple):
    """The log's current status line, and its tone."""

    text: str = ""
    tone: str = ""


class LogShown(Protocol):
    """Who shows the log; called in the event loop."""

    def grew(self) -> None:
        """The spool has more bytes."""

    def changed(self) -> None:
        """The note or the end of the log is another."""

    def heard(self, state: LogState) -> None:
        """This is known of the log's writer."""

    def replaced_by(self, spool: Spool, *, shift: int | None, at_start: bool) -> None:
        """Another spool holds the log, with `shift` bytes before those that were there; None where nothing of it stays.

        The spool from before is closed afterwards. `at_start`: its first line is wanted.
        """

    def crashed(self, error: BaseException) -> None:
        """A bug ended the following."""


class LogSession:
    """Follows one log after another into a spool, as long as it is awake; `ended` is how the present one ended."""

    def __init__(self, shown: LogShown) -> None:
        self._shown = shown
        self.spool = Spool()
        self.is_whole = False
        self.is_refused = False
        self.note = Note()
        self.ended: Followed | None = None
        self._source: Callable[[], LogSource] | None = None
        self._follower: LogFollower | None = None
        self._coming: _ComingLog | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_awake = False

    @property
    def is_coming(self) -> bool:
        """Whether the whole log is being fetched behind the end that is there."""
        return self._coming is not None

    def open(self, source: Callable[[], LogSource] | None) -> None:
        """Show a log from its end, or none; nothing of the one before is kept."""
        self._stop()
        self._drop_coming()
        self._source, self._follower = source, None
        self.ended = None
        self.is_whole, self.is_refused, self.note = False, False, Note()
        self._take(Spool(), shift=None)
        self._follow(self.spool, tail=TAIL_LINES)

    def close(self) -> None:
        """Give all files back; the session is over."""
        self._stop()
        self._drop_coming()
        self.spool.close()

    def wake(self) -> None:
        """It is seen: go on where it was."""
        self._is_awake = True
        if self.ended is None:
            self._start()

    def sleep(self) -> None:
        """It is hidden: no stream is kept open for it."""
        self._is_awake = False
        self._stop()

    def try_again(self) -> None:
        """Retry what was refused: the token or the trusted certificate changed."""
        if self.is_refused and self._is_awake and self._follower is not None:
            self.note = Note()
            self._start()
            self._shown.changed()

    def want_whole(self, *, wants_first: bool = False) -> None:
        """Fetch the whole log behind the end of it that is there; `wants_first`: and show its first line at once."""
        if self._coming is not None:
            self._coming.wants_first = self._coming.wants_first or wants_first
            self._show_what_came()
        else:
            self._stop()
            self._coming = _ComingLog(self.spool, wants_first=wants_first)
            self._follow(self._coming.spool, tail=None)

    def end_of_log(self, most: int) -> bytes:
        """Up to so many of the last bytes that are held."""
        return self.spool.read(max(0, self.spool.size - most), most)

    # Following

    def _follow(self, spool: Spool, *, tail: int | None) -> None:
        if self._source is None:
            return
        self.is_whole, self.ended = tail is None, None
        self._follower = LogFollower(
            self._source(), spool, self, tail=tail, retry_for=PATIENCE_SECONDS, retry_from_start=True
        )
        self.note = Note("asking for the log…", "quiet")
        self._start()
        self._shown.changed()

    def _start(self) -> None:
        self._stop()
        if self._is_awake and self._follower is not None:
            self._task = asyncio.create_task(self._run(self._follower))
            self._task.add_done_callback(self._over)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _over(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._shown.crashed(error)

    async def _run(self, follower: LogFollower) -> None:
        self.is_refused = False
        try:
            followed = await follower.run()
        except CockpitError as error:
            self.is_refused = isinstance(error, AuthenticationError | UntrustedError)
            self.note = Note(visible(" ".join((error.title, error.hint))), "error")
        else:
            self.ended = followed
            self._shown.heard(followed.state)
            self._show_what_came()
            self.note = Note(visible(followed.missing or ""), "warn")
        self._shown.changed()

    # The whole

    def _show_what_came(self) -> None:
        """Show the whole log once it has reached what is there, or at once if its first line is wanted."""
        coming = self._coming
        if coming is None:
            return
        shift = coming.shift()
        if shift is None and not coming.wants_first and self.ended is None:
            self.note = Note(f"fetching the whole log: {size(coming.spool.size)}", "quiet")
            self._shown.changed()
            return
        self._coming, self.note = None, Note()
        self._take(coming.spool, shift=None if coming.wants_first else shift, at_start=coming.wants_first)

    def _take(self, spool: Spool, *, shift: int | None, at_start: bool = False) -> None:
        old, self.spool = self.spool, spool
        self._shown.replaced_by(spool, shift=shift, at_start=at_start)
        old.close()

    def _drop_coming(self) -> None:
        if self._coming is not None:
            self._coming.spool.close()
            self._coming = None

    # What the follower tells

    def wrote(self, chunk: bytes) -> None:
        """The log has grown."""
        if self._coming is not None:
            self._show_what_came()
            return
        if self.note.tone == "quiet":
            self.note = Note()
        self._shown.grew()

    def waiting(self, state: LogState) -> None:
        """The log does not exist yet."""
        self._shown.heard(state)
        self._say("waiting for the job to start" if state.job else f"{state.words}, no log yet", "quiet")

    def away(self, outage: Outage) -> None:
        """The cluster does not answer."""
        self._say(f"{outage.error.title} Next try in {outage.next_try:.0f} s.", "warn")

    def reconnected(self, *, proven: bool) -> None:
        """It answers again."""
        self._say("reconnected, 0 bytes lost" if proven else "reconnected, loss unproven", "quiet")

    def replaced(self) -> None:
        """Another file follows."""
        self._say("the log was replaced on the cluster; the new one follows", "warn")

    def noted(self, sentence: str) -> None:
        """Something to know about the log."""
        self._say(sentence, "warn")

    def _say(self, text: str, tone: str) -> None:
        self.note = Note(visible(text), tone)
        self._shown.changed()


class _ComingLog:
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
