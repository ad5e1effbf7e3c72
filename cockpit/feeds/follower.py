"""Following a job's log: its bytes, all of them, until the job has ended and its log with it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import Protocol

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError, NotRayError, RejectedError, UnreachableError
from cockpit.feeds.job_watch import LONGEST_POLL_SECONDS, JobWatch
from cockpit.feeds.patience import Outage, Patience
from cockpit.feeds.position import AnchorSearch, LogReplacedError, Overlap, anchor_of, is_shiftable
from cockpit.feeds.spool import Spool
from cockpit.model.jobs import Job

FILE_POLL_SECONDS = 0.5
SETTLE_SECONDS = 0.6
SETTLE_ROUNDS = 10
BULK_BYTES = 256 * 1024
CHECK_LINES = 100
CHECK_BYTES = 1024 * 1024
QUIET_CHECK_SECONDS = 30.0
STEADY_SECONDS = 5.0


class Listener(Protocol):
    """What hears of a followed log; called in the event loop, so it must not block for long."""

    def wrote(self, chunk: bytes) -> None:
        """These bytes were added to the spool."""

    def waiting(self, job: Job) -> None:
        """The job has no log yet; told once."""

    def away(self, outage: Outage) -> None:
        """The cluster does not answer."""

    def reconnected(self, *, proven: bool) -> None:
        """It answers again; `proven` tells whether nothing was lost for certain."""

    def replaced(self) -> None:
        """The log on the cluster is another file now; what was held stays, the new file follows."""


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """How following ended: the job's last state, and why its log is not whole, if it is not."""

    job: Job
    missing: str | None = None


class _LogAwayError(Exception):
    """The log cannot be read, which says nothing about the rest of the cluster."""

    def __init__(self, error: UnreachableError) -> None:
        super().__init__(error.title)
        self.error = error


Opener = Callable[..., AbstractAsyncContextManager[AsyncIterator[bytes]]]


class LogFollower:
    """Copies the log of one job to a spool, through cut connections and restarts of what lies between.

    `tail` starts at the last so many lines instead of the first byte. With `follow` False it stops where the log ends
    now. Raises what the client raises, UnreachableError once `retry_for` seconds have passed without an answer, and
    RejectedError for a driver, for which Ray keeps no log.
    """

    def __init__(
        self,
        client: RayClient,
        job_id: str,
        spool: Spool,
        listener: Listener,
        *,
        tail: int | None = None,
        follow: bool = True,
        retry_for: float = 300.0,
        retry_from_start: bool = False,
    ) -> None:
        self._client = client
        self._spool = spool
        self._listener = listener
        self._tail = tail
        self._follow = follow
        self._watch = JobWatch(client, job_id)
        self._patience = Patience(retry_for, from_start=retry_from_start, report=listener.away)
        self._log_patience = Patience(retry_for, from_start=True, report=listener.away)
        self._base = 0
        self._origin: int | None = 0 if tail is None else None
        self._proven = True
        self._doubt_told = False
        self._came_back = False
        self._told_waiting = False
        self._is_behind = False
        self._last_byte = 0.0
        self._reading_since = 0.0

    async def run(self) -> Followed:
        """Follow to the end; cancel to stop earlier."""
        while True:
            try:
                return await self._session()
            except _LogAwayError as away:
                await self._log_failed(away.error)
            except UnreachableError as error:
                if isinstance(error, NotRayError) and self._watch.job is None:
                    raise
                await self._patience.failed(error)
            except LogReplacedError:
                self._listener.replaced()
                self._base, self._origin = self._spool.size, 0

    async def _log_failed(self, error: UnreachableError) -> None:
        """Wait before the log is opened again; a reading that went well for a while begins a new count."""
        if asyncio.get_running_loop().time() - self._reading_since >= STEADY_SECONDS:
            self._came_back = self._log_patience.succeeded() or self._came_back
        else:
            await asyncio.sleep(self._watch.interval)
        await self._log_patience.failed(error, silently=True)

    async def _session(self) -> Followed:
        job = await self._place()
        if job.driver_node_id is None:
            return Followed(job=job)
        self._reading_since = self._last_byte = asyncio.get_running_loop().time()
        if self._follow and not job.is_terminal:
            job = await self._stream(job)
        try:
            with _reading():
                await self._read_to_end(job)
        except NotFoundError as error:
            return Followed(job=job, missing=error.title)
        self._arrived()
        return Followed(job=job)

    async def _poll(self) -> Job:
        job = await self._watch.poll()
        self._came_back = self._patience.succeeded() or self._came_back
        if self._spool.size == self._base:
            self._tell_reconnected()
        return job

    def _arrived(self) -> None:
        """All that was held before has been seen again, and the log is being read on."""
        self._came_back = self._log_patience.succeeded() or self._came_back
        if not self._proven and not self._doubt_told:
            self._came_back = self._doubt_told = True
        self._tell_reconnected()

    def _tell_reconnected(self) -> None:
        """Say that the cluster is back, once it is known whether anything was lost."""
        if self._came_back:
            self._came_back = False
            self._listener.reconnected(proven=self._proven)

    async def _place(self) -> Job:
        """Wait until the job runs somewhere, or has ended without ever running."""
        while True:
            job = await self._poll()
            if job.is_driver:
                raise _no_log_of_driver(job)
            if job.driver_node_id or job.is_terminal or not self._follow:
                return job
            if not self._told_waiting:
                self._listener.waiting(job)
                self._told_waiting = True
            await asyncio.sleep(self._watch.interval)

    async def _stream(self, job: Job) -> Job:
        """Copy the growing log until the job has ended; returns the ended job."""
        pump = asyncio.create_task(self._pump(job))
        try:
            while not job.is_terminal:
                await asyncio.wait({pump}, timeout=self._watch.interval)
                if pump.done():
                    pump.result()
                job = await self._poll()
                await self._check_quiet(job)
            await self._settle(pump)
        finally:
            pump.cancel()
            await asyncio.wait({pump})
            failure = None if pump.cancelled() else pump.exception()
        if failure is not None and not isinstance(failure, _LogAwayError | LogReplacedError):
            raise failure  # what is missing will be read anew, but a full disk stays full
        return job

    async def _pump(self, job: Job) -> None:
        pause = self._watch.interval
        while True:
            held = self._spool.size
            try:
                with _reading():
                    if self._is_behind:
                        await self._copy(job)
                        self._is_behind = False
                    await self._copy(job, endless=True)
            except NotFoundError:
                # The file appears a moment after the job is said to run.
                await asyncio.sleep(FILE_POLL_SECONDS)
                continue
            # Ray never ends a stream, but what lies between may, every time; each opening replays the whole log.
            pause = self._watch.interval if self._spool.size > held else min(2 * pause, LONGEST_POLL_SECONDS)
            await asyncio.sleep(pause)

    async def _settle(self, pump: asyncio.Task[None]) -> None:
        """Let the stream bring what is on its way; whether that was all is checked afterwards."""
        rounds = 0
        while not pump.done() and rounds < SETTLE_ROUNDS:
            before = self._spool.size
            await asyncio.wait({pump}, timeout=SETTLE_SECONDS)
            fresh = self._spool.size - before
            if not fresh:
                return
            # Little by little is no backlog: a process that the job left behind may write for ever.
            rounds += fresh < BULK_BYTES

    async def _check_quiet(self, job: Job) -> None:
        """A stream that is silent for long may be a dead connection: look whether the log grew without us."""
        now = asyncio.get_running_loop().time()
        if now - self._last_byte < QUIET_CHECK_SECONDS:
            return
        self._last_byte = now
        with suppress(NotFoundError), _reading():
            if not await self._holds_tail(job):
                self._is_behind = True
                raise UnreachableError("The log stream went silent while the log grew.")

    async def _read_to_end(self, job: Job) -> None:
        """Make sure that the spool ends where the log does."""
        if self._spool.size > self._base and await self._holds_tail(job):
            return
        await self._copy(job)

    async def _holds_tail(self, job: Job) -> bool:
        """Whether the last lines of the log are what the spool ends with, beyond doubt."""
        held = self._spool.size - self._base
        lines = CHECK_LINES if self._origin is not None else self._lines_held() + 1
        tail = bytearray()
        async with self._client.read_log(*_log_of(job), lines=lines) as chunks:
            async for chunk in chunks:
                tail += chunk
                if len(tail) > CHECK_BYTES:
                    return False
        if self._origin is not None and tail.count(b"\n") < lines - 1:  # the whole file
            whole = self._origin + held == len(tail)
            return whole and self._spool.read(self._base, held) == tail[self._origin :]
        if not tail or not held:
            return len(tail) == held
        if is_shiftable(bytes(tail)) or (self._origin is not None and len(tail) > held):
            return False
        common = min(len(tail), held)
        return self._spool.read(self._spool.size - common, common) == tail[-common:]

    def _lines_held(self) -> int:
        """How many lines the last bytes held are: one more of the file shows whether they repeat what is before."""
        length = min(CHECK_BYTES, self._spool.size - self._base)
        return min(CHECK_LINES, self._spool.read(self._spool.size - length, length).count(b"\n") + 1)

    async def _copy(self, job: Job, *, endless: bool = False) -> None:
        """Read the log from the first byte that is not held yet, to its end of now or endlessly."""
        open_log: Opener = self._client.stream_log if endless else self._client.read_log
        lines = -1
        if self._spool.size == self._base:
            lines = -1 if self._origin is not None else self._tail or -1
            overlap = None
        else:
            overlap = Overlap(self._spool, base=self._base, origin=await self._located(job))
        async with open_log(*_log_of(job), lines=lines) as chunks:
            async for chunk in chunks:
                self._last_byte = asyncio.get_running_loop().time()
                self._keep(overlap.feed(chunk) if overlap else chunk)
                if overlap is None or overlap.is_passed:
                    self._arrived()
        if overlap and not overlap.is_passed and not endless:
            raise LogReplacedError

    def _keep(self, fresh: bytes) -> None:
        if fresh:
            self._spool.append(fresh)
            self._listener.wrote(fresh)

    async def _located(self, job: Job) -> int:
        """The offset in the remote file of the first byte held; found by content where we began at a tail."""
        if self._origin is not None:
            return self._origin
        search = AnchorSearch(anchor_of(self._spool, self._base))
        async with self._client.read_log(*_log_of(job)) as chunks:
            async for chunk in chunks:
                self._last_byte = asyncio.get_running_loop().time()
                search.feed(chunk)
        found = search.found()
        if found is None or found.end < self._spool.size - self._base:
            raise LogReplacedError
        self._proven = self._proven and found.is_only
        self._origin = found.end - (self._spool.size - self._base)
        return self._origin


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except UnreachableError as error:
        raise _LogAwayError(error) from error


def _log_of(job: Job) -> tuple[str, str]:
    """Node and file name of a job's log (ray-api section 2b)."""
    return job.driver_node_id or "", f"job-driver-{job.submission_id}.log"


def _no_log_of_driver(job: Job) -> RejectedError:
    where = f" (node {job.driver_info.node_ip_address}, pid {job.driver_info.pid})" if job.driver_info else ""
    return RejectedError(
        f"Job {job.id} is a driver that was not submitted as a job: Ray keeps no log of it.",
        hint=f"Its output is where it was started{where}.",
    )
