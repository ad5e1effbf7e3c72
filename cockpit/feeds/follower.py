"""Following a log: its bytes, all of them, until its writer has ended and the log with it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager, suppress
from typing import Protocol

import msgspec

from cockpit.clients.ray.log_files import LogFile
from cockpit.errors import NotFoundError, UnreachableError
from cockpit.feeds.holding import HEAD_BYTES, Holding
from cockpit.feeds.job_watch import LONGEST_POLL_SECONDS
from cockpit.feeds.log_end import ends_there
from cockpit.feeds.log_source import LogSource, LogState, is_hopeless
from cockpit.feeds.patience import Outage, Patience
from cockpit.feeds.placing import Placing
from cockpit.feeds.position import AnchorSearch, LogReplacedError, Overlap, anchor_of
from cockpit.feeds.spool import Spool
from cockpit.model.jobs import Job

FILE_POLL_SECONDS = 0.5
LONGEST_FILE_POLL_SECONDS = 8.0
SETTLE_SECONDS = 0.6
SETTLE_ROUNDS = 10
BULK_BYTES = 256 * 1024
QUIET_CHECK_SECONDS = 30.0
LONGEST_QUIET_SECONDS = 600.0
STEADY_SECONDS = 5.0
PLENTY_BYTES = 16 * 1024  # a connection that brought so much is worth the next one at once


class Listener(Protocol):
    """What hears of a followed log; called in the event loop, so it must not block for long."""

    def wrote(self, chunk: bytes) -> None:
        """These bytes were added to the spool."""

    def waiting(self, state: LogState) -> None:
        """The log does not exist yet; reported once."""

    def away(self, outage: Outage) -> None:
        """The cluster does not answer."""

    def reconnected(self, *, proven: bool) -> None:
        """It answers again; `proven` is whether nothing was lost."""

    def replaced(self) -> None:
        """The log on the cluster is another file now; what was held stays, the new file follows."""

    def noted(self, sentence: str) -> None:
        """Something that the reader of the log should know."""


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """How following ended: the last that is known of the log, and why it is not whole, if it is not."""

    state: LogState
    missing: str | None = None

    @property
    def job(self) -> Job:
        """The job whose log it is. Raises ValueError for the log of anything else."""
        if self.state.job is None:
            raise ValueError("the log is not that of a job")
        return self.state.job


class _LogAwayError(Exception):
    """The log cannot be read, which says nothing about the rest of the cluster."""

    def __init__(self, error: UnreachableError) -> None:
        super().__init__(error.title)
        self.error = error


class LogFollower:
    """Copies a log to a spool, through cut connections and restarts of what lies between.

    `tail` starts at the last so many lines instead of the first byte. With `follow` False it stops where the log ends
    now. Raises what the client raises, UnreachableError once `retry_for` seconds have passed without an answer, and
    what the source raises.
    """

    def __init__(
        self,
        source: LogSource,
        spool: Spool,
        listener: Listener,
        *,
        tail: int | None = None,
        follow: bool = True,
        retry_for: float = 300.0,
        retry_from_start: bool = False,
    ) -> None:
        self._source = source
        self._spool = spool
        self._listener = listener
        self._tail = tail
        self._follow = follow
        self._patience = Patience(retry_for, from_start=retry_from_start, report=listener.away)
        self._log_patience = Patience(retry_for, from_start=True, report=listener.away)
        self._held = Holding(spool, tail=tail)
        self._proven = True
        self._doubt_told = False
        self._cannot_find = False
        self._came_back = False
        self._told: set[str] = set()
        self._is_behind = False
        self._last_byte = 0.0
        self._quiet_check = QUIET_CHECK_SECONDS
        self._reading_since = 0.0
        self._size_before = 0
        self._has_read = False
        self._is_fresh = False
        self._is_waiting = False

    async def run(self) -> Followed:
        """Follow to the end; cancel to stop earlier."""
        while True:
            try:
                return await self._session()
            except _LogAwayError as away:
                await self._log_failed(away.error)
            except UnreachableError as error:
                if is_hopeless(self._source, error):
                    raise
                await self._patience.failed(error)
            except LogReplacedError:
                self._listener.replaced()
                self._held = Holding(self._spool)

    async def _log_failed(self, error: UnreachableError) -> None:
        """Wait before the log is opened again, longer each time; new bytes begin a new count, and nothing else does.

        How long a reading lasted does not: on a slow line one may take minutes and bring only what is already here.
        """
        self._check_steady()
        is_brief = asyncio.get_running_loop().time() - self._reading_since < STEADY_SECONDS
        if is_brief and self._spool.size - self._size_before < PLENTY_BYTES:
            await asyncio.sleep(self._source.interval)
        if self._has_read and not self._is_fresh:
            error = UnreachableError(
                "The log does not get any further: each connection ends before it brings new bytes.",
                detail=error.title,
                hint="Something between here and the cluster cuts connections; `rayakash-tui doctor` may tell what.",
            )
        self._is_fresh = self._has_read = False
        await self._log_patience.failed(error, silently=True)

    def _check_steady(self) -> None:
        """Count a stream that has brought all there is, and waits for more, as one that works."""
        if self._is_waiting and asyncio.get_running_loop().time() - self._last_byte >= STEADY_SECONDS:
            self._progressed()

    def _progressed(self) -> None:
        self._came_back = self._log_patience.succeeded() or self._came_back
        self._tell_reconnected()

    async def _session(self) -> Followed:
        state = await self._located()
        if state.file is None:
            return Followed(state=state)
        self._reading_since = self._last_byte = asyncio.get_running_loop().time()
        self._size_before = self._spool.size
        self._is_waiting = False
        if self._follow and not state.is_over:
            state = await self._stream(state, state.file)
        try:
            with _reading():
                await self._read_to_end(state.file or LogFile())
        except NotFoundError as error:
            kept = " What was fetched before is kept." if self._held.size else ""
            return Followed(state=state, missing=error.title + kept)
        self._arrived()
        return Followed(state=state)

    async def _look(self) -> LogState:
        state = await self._source.look()
        self._came_back = self._patience.succeeded() or self._came_back
        if not self._held.size:
            self._tell_reconnected()
        return state

    def _arrived(self) -> None:
        """The log was read to its end, or on beyond what was held before."""
        self._tell_doubt()
        self._progressed()

    def _tell_doubt(self) -> None:
        if not self._proven and not self._doubt_told:
            self._came_back = self._doubt_told = True
            self._tell_reconnected()

    def _tell_reconnected(self) -> None:
        """Say that the cluster is back, once it is known whether anything was lost."""
        if self._came_back:
            self._came_back = False
            self._listener.reconnected(proven=self._proven)

    def _note(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._listener.noted(sentence)

    async def _located(self) -> LogState:
        """Wait until there is a log, or will never be one."""
        is_told = "waiting" in self._told
        while True:
            state = await self._look()
            if state.file or state.is_over or not self._follow:
                return state
            if not is_told:
                self._listener.waiting(state)
                self._told.add("waiting")
                is_told = True
            await asyncio.sleep(self._source.interval)

    async def _stream(self, state: LogState, file: LogFile) -> LogState:
        """Copy the growing log until its writer has ended; returns what is known then."""
        pump = asyncio.create_task(self._pump(file))
        try:
            while not state.is_over:
                await asyncio.wait({pump}, timeout=self._source.interval)
                if pump.done():
                    pump.result()
                state = await self._look()
                await self._check_quiet(file)
            await self._settle(pump)
        finally:
            pump.cancel()
            await asyncio.wait({pump})
            failure = None if pump.cancelled() else pump.exception()
        if failure is not None and not isinstance(failure, _LogAwayError | LogReplacedError):
            raise failure  # what is missing will be read again, but a broken listener stays broken
        return state

    async def _pump(self, file: LogFile) -> None:
        pause, absence = self._source.interval, FILE_POLL_SECONDS
        while True:
            held = self._spool.size
            try:
                with _reading():
                    if self._is_behind or not self._source.can_stream:
                        await self._copy(file)
                        self._is_behind = False
                        self._arrived()
                    if self._source.can_stream:
                        await self._copy(file, endless=True)
            except NotFoundError as error:
                # The file appears a moment after the job is said to run; later on it may be gone for good.
                if self._held.size:
                    self._note(f"{error.title} What was fetched before is kept.")
                await asyncio.sleep(absence)
                absence = min(2 * absence, LONGEST_FILE_POLL_SECONDS)
                continue
            # Ray never ends a stream, but what lies between may, every time.
            pause = self._source.interval if self._spool.size > held else min(2 * pause, LONGEST_POLL_SECONDS)
            await asyncio.sleep(pause)

    async def _settle(self, pump: asyncio.Task[None]) -> None:
        """Let the stream bring what is on its way; whether that was all is checked afterwards."""
        rounds = 0
        while self._source.can_stream and not pump.done() and rounds < SETTLE_ROUNDS:
            before = self._spool.size
            await asyncio.wait({pump}, timeout=SETTLE_SECONDS)
            fresh = self._spool.size - before
            if not fresh:
                return
            # A slow trickle is not a backlog: a process that the job left behind may write for ever.
            rounds += fresh < BULK_BYTES

    async def _check_quiet(self, file: LogFile) -> None:
        """A stream that is silent for long may be a dead connection: look whether the log grew without us."""
        self._check_steady()
        now = asyncio.get_running_loop().time()
        if now - self._last_byte < self._quiet_check or not self._source.can_stream:
            return
        self._last_byte = now
        with suppress(NotFoundError), _reading():
            if not await ends_there(self._open(file), self._held):
                # Where equal lines prove nothing the whole log has to be read: not every time.
                self._quiet_check = min(2 * self._quiet_check, LONGEST_QUIET_SECONDS)
                self._is_behind = True
                raise UnreachableError("The log stream went silent while the log grew.")

    async def _read_to_end(self, file: LogFile) -> None:
        """Make sure that the spool ends where the log does."""
        if self._held.size and await ends_there(self._open(file), self._held):
            return
        await self._copy(file)

    def _open(self, file: LogFile, *, endless: bool = False) -> "_Open":
        @asynccontextmanager
        async def opened(lines: int) -> AsyncIterator[AsyncIterator[bytes]]:
            async with (
                self._source.client.logs.open(file, lines=lines, endless=endless) as chunks,
                aclosing(self._marked(chunks)) as marked,
            ):
                yield marked

        return opened

    async def _marked(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """The chunks as they are; whether a reading brought any tells what its failure means."""
        async for chunk in chunks:
            self._has_read = True
            yield chunk

    async def _copy(self, file: LogFile, *, endless: bool = False) -> None:
        """Read the log from the first byte that is not held yet, to its end of now or endlessly."""
        open_ = self._open(file, endless=endless)
        if not self._held.size:
            self._is_waiting = endless
            async with open_(self._tail or -1 if self._held.origin is None else -1) as chunks:
                await self._take(chunks, is_bulk=not endless)
            return
        placing = Placing(self._open(file), self._held)
        if self._held.origin is None:
            if self._cannot_find and await self._copy_from_lines(placing, open_, endless=endless):
                return
            self._cannot_find = True  # unless it comes to its end
            await self._find(file)
        if placing.is_possible and await self._copy_from_lines(placing, open_, endless=endless):
            return
        overlap = Overlap(self._spool, base=self._held.base, origin=self._held.origin or 0)
        async with open_(-1) as chunks:
            await self._take(chunks, overlap)
        if not overlap.is_passed and not endless:
            raise LogReplacedError

    async def _copy_from_lines(self, placing: Placing, open_: "_Open", *, endless: bool) -> bool:
        """The same from a line near the end of the local copy; False if that is impossible or in doubt."""
        async with placing.opened(open_) as resumed:
            if resumed is None:
                return False
            self._proven = self._proven and resumed.is_proven
            try:
                await self._take(resumed.chunks, resumed.overlap)
            except LogReplacedError:
                return False  # the whole file tells
        return endless or resumed.overlap.is_passed

    async def _take(
        self, chunks: AsyncIterator[bytes], overlap: Overlap | None = None, *, is_bulk: bool = False
    ) -> None:
        """Keep what is new of these bytes."""
        clock = asyncio.get_running_loop().time
        async for chunk in chunks:
            self._last_byte = clock()
            if fresh := overlap.feed(chunk) if overlap else chunk:
                self._held.add(fresh, is_bulk=is_bulk)
                self._tell_fresh(fresh)
                self._is_fresh = True
                self._arrived()
            self._is_waiting = overlap is None or overlap.is_passed
            if self._is_waiting:
                self._tell_doubt()

    def _tell_fresh(self, fresh: bytes) -> None:
        self._quiet_check = QUIET_CHECK_SECONDS
        self._listener.wrote(fresh)
        if self._spool.shortage is not None:
            self._note(self._spool.shortage)

    async def _find(self, file: LogFile) -> None:
        """Find by content where in the remote file the held bytes are, once, where reading began at a tail."""
        search, head = AnchorSearch(anchor_of(self._spool, self._held.base)), b""
        async with self._open(file)(-1) as chunks:
            async for chunk in chunks:
                self._last_byte = asyncio.get_running_loop().time()
                head += chunk[: HEAD_BYTES - len(head)]
                search.feed(chunk)
        found = search.found()
        if found is None or found.end < self._held.size:
            raise LogReplacedError
        self._proven = self._proven and found.is_only
        self._held.place(found, head)


class _Open(Protocol):
    def __call__(self, lines: int, /) -> AbstractAsyncContextManager[AsyncIterator[bytes]]: ...


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except UnreachableError as error:
        raise _LogAwayError(error) from error
