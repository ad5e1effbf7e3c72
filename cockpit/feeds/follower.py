"""Following a job's log: its bytes, all of them, until the job has ended and its log with it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError, NotRayError, RejectedError, UnreachableError
from cockpit.feeds.job_watch import JobWatch
from cockpit.feeds.patience import Outage, Patience
from cockpit.feeds.position import AnchorSearch, LogReplacedError, Overlap, anchor_of, is_shiftable
from cockpit.feeds.spool import Spool
from cockpit.model.jobs import Job

FILE_POLL_SECONDS = 0.5
SETTLE_SECONDS = 0.6
CHECK_LINES = 100
CHECK_BYTES = 1024 * 1024
QUIET_CHECK_SECONDS = 30.0


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


class _StreamEndedError(UnreachableError):
    """A log stream was closed from the other side; Ray never does that by itself."""


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
        self._base = 0
        self._origin: int | None = 0 if tail is None else None
        self._proven = True
        self._came_back = False
        self._last_byte = 0.0

    async def run(self) -> Followed:
        """Follow to the end; cancel to stop earlier."""
        while True:
            try:
                return await self._session()
            except UnreachableError as error:
                if isinstance(error, NotRayError) and self._watch.job is None:
                    raise
                await self._patience.failed(error, silently=isinstance(error, _StreamEndedError))
            except LogReplacedError:
                self._listener.replaced()
                self._base, self._origin = self._spool.size, 0

    async def _session(self) -> Followed:
        job = await self._place()
        if job.driver_node_id is None:
            return Followed(job=job)
        if self._follow and not job.is_terminal:
            job = await self._stream(job)
        try:
            await self._read_to_end(job)
        except NotFoundError as error:
            return Followed(job=job, missing=error.title)
        self._tell_reconnected()
        return Followed(job=job)

    async def _poll(self) -> Job:
        job = await self._watch.poll()
        self._came_back = self._patience.succeeded() or self._came_back
        if self._spool.size == self._base:
            self._tell_reconnected()
        return job

    def _tell_reconnected(self) -> None:
        """Say that the cluster is back, once it is known whether anything was lost."""
        if self._came_back:
            self._came_back = False
            self._listener.reconnected(proven=self._proven)

    async def _place(self) -> Job:
        """Wait until the job runs somewhere, or has ended without ever running."""
        told = False
        while True:
            job = await self._poll()
            if job.is_driver:
                raise _no_log_of_driver(job)
            if job.driver_node_id or job.is_terminal or not self._follow:
                return job
            if not told:
                self._listener.waiting(job)
                told = True
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
            with suppress(asyncio.CancelledError, UnreachableError, NotFoundError, LogReplacedError):
                await pump
        return job

    async def _pump(self, job: Job) -> None:
        while True:
            try:
                await self._copy(job, self._client.stream_log)
            except NotFoundError:
                # The file appears a moment after the job is said to run.
                await asyncio.sleep(FILE_POLL_SECONDS)
                continue
            raise _StreamEndedError("The log stream was closed from the other side.")

    async def _settle(self, pump: asyncio.Task[None]) -> None:
        """Let the stream bring what is on its way; whether that was all is checked afterwards."""
        clock = asyncio.get_running_loop().time
        while not pump.done():
            before = self._spool.size
            await asyncio.wait({pump}, timeout=SETTLE_SECONDS)
            if self._spool.size == before or clock() - self._last_byte > SETTLE_SECONDS:
                return

    async def _check_quiet(self, job: Job) -> None:
        """A stream that is silent for long may be a dead connection: look whether the log grew without us."""
        now = asyncio.get_running_loop().time()
        self._last_byte = self._last_byte or now
        if now - self._last_byte < QUIET_CHECK_SECONDS:
            return
        self._last_byte = now
        with suppress(NotFoundError):
            if not await self._holds_tail(job):
                raise _StreamEndedError("The log stream went silent while the log grew.")

    async def _read_to_end(self, job: Job) -> None:
        """Make sure that the spool ends where the log does."""
        if self._spool.size > self._base and await self._holds_tail(job):
            return
        await self._copy(job, self._client.read_log)

    async def _holds_tail(self, job: Job) -> bool:
        """Whether the last lines of the log are what the spool ends with, beyond doubt."""
        tail = bytearray()
        async with self._client.read_log(*_log_of(job), lines=CHECK_LINES) as chunks:
            async for chunk in chunks:
                tail += chunk
                if len(tail) > CHECK_BYTES:
                    return False
        held = self._spool.size - self._base
        if self._origin == 0 and held == len(tail):
            return self._spool.read(self._base, held) == tail
        if len(tail) > held or is_shiftable(bytes(tail)):
            return False
        return self._spool.read(self._spool.size - len(tail), len(tail)) == tail

    async def _copy(self, job: Job, open_log: Opener) -> None:
        """Read the log through `open_log`, from the first byte that is not held yet."""
        lines = -1
        if self._spool.size == self._base:
            lines = -1 if self._origin is not None else self._tail or -1
            overlap = None
        else:
            overlap = Overlap(self._spool, base=self._base, origin=await self._located(job))
        async with open_log(*_log_of(job), lines=lines) as chunks:
            async for chunk in chunks:
                self._keep(overlap.feed(chunk) if overlap else chunk)
                if overlap is None or overlap.is_passed:
                    self._tell_reconnected()
        if overlap and not overlap.is_passed:
            raise LogReplacedError

    def _keep(self, fresh: bytes) -> None:
        if fresh:
            self._last_byte = asyncio.get_running_loop().time()
            self._spool.append(fresh)
            self._listener.wrote(fresh)

    async def _located(self, job: Job) -> int:
        """The offset in the remote file of the first byte held; found by content where we began at a tail."""
        if self._origin is not None:
            return self._origin
        search = AnchorSearch(anchor_of(self._spool, self._base))
        async with self._client.read_log(*_log_of(job)) as chunks:
            async for chunk in chunks:
                search.feed(chunk)
        found = search.found()
        if found is None or found.end < self._spool.size - self._base:
            raise LogReplacedError
        self._proven = self._proven and found.count == 1
        self._origin = found.end - (self._spool.size - self._base)
        return self._origin


def _log_of(job: Job) -> tuple[str, str]:
    """Node and file name of a job's log (ray-api section 2b)."""
    return job.driver_node_id or "", f"job-driver-{job.submission_id}.log"


def _no_log_of_driver(job: Job) -> RejectedError:
    where = f" (node {job.driver_info.node_ip_address}, pid {job.driver_info.pid})" if job.driver_info else ""
    return RejectedError(
        f"Job {job.id} is a driver that was not submitted as a job: Ray keeps no log of it.",
        hint=f"Its output is where it was started{where}.",
    )
