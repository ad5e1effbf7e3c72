"""Transports that write down what a dashboard answers, and that answer from what was written down."""

import asyncio
import itertools
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import unquote

import msgspec

from cockpit.clients import recording_file as file
from cockpit.clients.address import parse_address
from cockpit.clients.masking import WITHHELD, Masker
from cockpit.clients.meter import note_bytes, note_request
from cockpit.clients.recorded_logs import LOG_PATHS, RecordedLog, RecordedLogs, line_count
from cockpit.clients.recording_file import Failing, Pairs, Recorder, Recording
from cockpit.clients.transport import REPLY_LIMIT, Endpoint, Params, Reply, Transport
from cockpit.errors import AuthenticationError, CockpitError, NotFoundError, RejectedError

JOBS_PATH = "/api/jobs/"


class RecordingTransport(Transport):
    """Passes everything on to another transport and writes down the answers, never what was sent.

    `elapsed` gives the seconds since the recording began. Values of env variables and the token are masked first.
    """

    def __init__(self, inner: Transport, recorder: Recorder, elapsed: Callable[[], float]) -> None:
        super().__init__(inner.endpoint, timeouts=inner.timeouts)
        self._inner = inner
        self._recorder = recorder
        self._elapsed = elapsed
        self._masker = Masker(inner.endpoint.secrets())
        self._streams = itertools.count(1)

    async def close(self) -> None:
        """Close the other transport; the recording stays open."""
        await self._inner.close()

    async def renew(self, endpoint: Endpoint) -> None:
        """As the transport that is recorded; new secrets are masked too."""
        self.endpoint = endpoint
        self._masker.learn(endpoint.secrets())
        await self._inner.renew(endpoint)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        content: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = REPLY_LIMIT,
        seconds: float | None = None,
    ) -> Reply:
        """Send a request, and write down its line and its answer."""
        asked: dict[str, object] = {"method": method, "path": path, "params": _pairs(params)}
        try:
            reply = await self._inner.request(
                method, path, params=params, json=json, content=content, headers=headers, limit=limit, seconds=seconds
            )
        except CockpitError as error:
            self._write(file.Failure, **asked, error=self._failing(error))
            raise
        body = file.packed(self._masker.body(reply.body))
        self._write(file.Reply, **asked, status=reply.status, content_type=reply.content_type, **body)
        return reply

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        params: Params,
        endless: bool = False,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a stream, and write down its pieces as they come."""
        number = next(self._streams)
        self._write(file.Open, stream=number, path=path, params=_pairs(params))
        try:
            async with self._inner.stream(path, params=params, endless=endless) as chunks:
                yield self._noted(number, chunks)
        except CockpitError as error:
            self._write(file.End, stream=number, error=self._failing(error))
            raise
        self._write(file.End, stream=number)

    async def _noted(self, number: int, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self._write(file.Chunk, stream=number, **file.packed(self._masker.chunk(chunk)))
            yield chunk

    def _write(self, kind: Callable[..., file.Entry], **fields: object) -> None:
        if self._recorder.is_open:
            self._recorder.write(kind(at=round(self._elapsed(), 3), **fields))

    def _failing(self, error: CockpitError) -> Failing:
        return Failing(
            name=type(error).__name__,
            title=self._masker.text(error.title),
            detail=self._masker.text(error.detail),
            hint=self._masker.text(error.hint),
            status=error.status if isinstance(error, AuthenticationError) else None,
        )


class ReplayTransport(Transport):
    """Answers as the recorded cluster did at the time that `offset` tells, in seconds since the recording began.

    Asked for something before it was first recorded it gives the first answer, after the end the last one. What was
    never asked for is NotFoundError, except a job that a list holds; changes are RejectedError.
    """

    def __init__(
        self, recording: Recording, *, offset: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        super().__init__(Endpoint(address=parse_address(recording.header.address)))
        self._offset = offset
        self._sleep = sleep
        self._answers: dict[tuple[str, Pairs], list[file.Reply | file.Failure]] = {}
        self._logs = RecordedLogs(recording.entries)
        for entry in recording.entries:
            if isinstance(entry, file.Reply | file.Failure) and entry.method == "GET":
                self._answers.setdefault((entry.path, _sorted(entry.params)), []).append(entry)

    async def whereabouts(self) -> tuple[str, ...]:
        """Nobody is asked where it was."""
        return ()

    async def close(self) -> None:
        """There is nothing to close."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        content: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = REPLY_LIMIT,
        seconds: float | None = None,
    ) -> Reply:
        """The answer of that time."""
        if method != "GET":
            raise RejectedError("This is a recording: nothing in it can be changed.")
        # A recording does not load a cluster: the time of its answers is not noted, and a replay keeps its pace.
        note_request()
        reply = self._answer(path, _sorted(_pairs(params)))
        note_bytes(len(reply.body))
        return reply

    def _answer(self, path: str, params: Pairs) -> Reply:
        known = self._answers.get((path, params))
        if known is None:
            return self._from_list(path)
        entry = _at(known, self._offset())
        if isinstance(entry, file.Failure):
            raise _error(entry.error)
        body = file.content(entry)
        if body == WITHHELD and entry.content_type.startswith("application/json"):
            raise NotFoundError(f"The answer to {path} was not recorded: it held secrets that could not be masked.")
        return Reply(entry.status, entry.content_type, body)

    def _from_list(self, path: str) -> Reply:
        """A job that was never asked for by itself, as the list of that time has it."""
        listed = self._answers.get((JOBS_PATH, ()))
        job_id = unquote(path.removeprefix(JOBS_PATH))
        if listed is None or not path.startswith(JOBS_PATH) or "/" in path.removeprefix(JOBS_PATH):
            raise _unrecorded(path)
        for row in _rows(self._answer(JOBS_PATH, ())):
            if job_id in (row.get("submission_id"), row.get("job_id")):
                return Reply(200, "application/json; charset=utf-8", msgspec.json.encode(row))
        raise NotFoundError(f"Job {job_id} does not exist.", detail="at this time of the recording")

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        params: Params,
        endless: bool = False,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """A log as it was at that time; an endless one grows as it did, and then is silent."""
        fields = dict(_pairs(params))
        log = self._logs.find(fields.get("node_id", ""), fields.get("filename", ""))
        if path not in LOG_PATHS or log is None:
            raise _unrecorded(f"{path} ({fields.get('filename', '')})")
        chunks = self._pieces(log, line_count(fields), endless=endless)
        try:
            yield chunks
        finally:
            await chunks.aclose()

    async def _pieces(self, log: RecordedLog, lines: int, *, endless: bool) -> AsyncGenerator[bytes, None]:
        begun = self._offset()
        if first := log.tail(begun, lines):
            yield first
        if not endless:
            return
        for at, piece in log.after(begun):
            while (wait := at - self._offset()) > 0:
                await self._sleep(wait)
            yield piece
        await asyncio.Event().wait()


def _pairs(params: Params | None) -> Pairs:
    if params is None:
        return ()
    pairs = params.items() if isinstance(params, Mapping) else params
    return tuple((str(key), str(value)) for key, value in pairs)


def _sorted(pairs: Pairs) -> Pairs:
    return tuple(sorted(pairs))


def _at(entries: list[file.Reply | file.Failure], offset: float) -> file.Reply | file.Failure:
    return entries[max(0, bisect_right(entries, offset, key=lambda entry: entry.at) - 1)]


def _rows(reply: Reply) -> list[dict[str, object]]:
    rows = msgspec.json.decode(reply.body)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _unrecorded(what: str) -> NotFoundError:
    return NotFoundError(f"The recording does not contain an answer to {what}.")


def _family(base: type[CockpitError]) -> dict[str, type[CockpitError]]:
    found = {base.__name__: base}
    for kind in base.__subclasses__():
        found |= _family(kind)
    return found


def _error(failing: Failing) -> CockpitError:
    kind = _family(CockpitError).get(failing.name, CockpitError)
    if issubclass(kind, AuthenticationError):
        return kind(failing.title, status=failing.status or 401, detail=failing.detail, hint=failing.hint)
    return kind(failing.title, detail=failing.detail, hint=failing.hint)
