"""Ray's dashboard over HTTP: version, jobs, nodes, actors, logs and packages.

The facts behind each call were measured on Ray 2.60; what an older Ray lacks is said where it matters.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import msgspec

from cockpit.clients import decoding, older_logs
from cockpit.clients.job_wire import JobReader, tidy
from cockpit.clients.log_files import LogFile, log_error
from cockpit.clients.node_wire import WireNode, to_node
from cockpit.clients.transport import (
    LIST_LIMIT,
    Endpoint,
    Transport,
)
from cockpit.errors import NotFoundError, NotRayError, RejectedError, ServerError
from cockpit.model.cluster import ClusterUsage, Rows, Version
from cockpit.model.jobs import Job, JobRequest
from cockpit.model.log_owners import ActorRow, TaskRow
from cockpit.model.nodes import Node, Usage
from cockpit.model.slices import in_slices

T = TypeVar("T")
R = TypeVar("R", bound=msgspec.Struct)

UPLOAD_CHUNK = 64 * 1024
STREAM_INTERVAL = "0.2"
MOST_ROWS = "10000"  # of a reply of the state API; more is refused
# Ray runs every submitted job below an actor of its own (dashboard/modules/job/common.py).
SUPERVISOR_CLASS = "JobSupervisor"
SUPERVISOR_NAME = "_ray_internal_job_actor_"
# Ray breaks off a reading of a log after `timeout` seconds, 30 unless told otherwise: too few for a long log and a slow
# line. Silence is bounded on our side.
READ_SECONDS = "3600"
MOST_LINES = 2**31 - 1  # an int32 on its way to the node


class RayClient:
    """Typed calls to one Ray dashboard; use as an async context manager, or call `close`.

    Every call may raise UnreachableError, NotRayError, ServerError or AuthenticationError; others are named.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.shortcomings: set[str] = set()
        """Sentences about what could not be had from this release of Ray, to be said once."""
        self.rest = 0.0
        """Seconds that a long list leaves to others between slices of its decoding; keys want some."""
        self._jobs = JobReader()

    @classmethod
    def at(cls, endpoint: Endpoint) -> Self:
        """A client of the dashboard at `endpoint`; nothing is sent yet."""
        return cls(Transport(endpoint))

    @property
    def address(self) -> str:
        """The dashboard's address as text."""
        return str(self.transport.endpoint.address)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self.transport.close()

    async def _get(self, path: str, **params: str) -> bytes:
        return (await self.transport.request("GET", path, params=params)).body

    async def _get_list(self, path: str, **params: str) -> bytes:
        reply = await self.transport.request(
            "GET", path, params=params, limit=LIST_LIMIT, seconds=self.transport.timeouts.listing
        )
        return reply.body

    def _decode(self, body: bytes, type_: type[T]) -> T:
        return decoding.decode(body, type_, address=self.address)

    async def version(self) -> Version:
        """Ray's version and the name of the head's session."""
        body = await self._get("/api/version")
        version = self._decode(body, Version)
        if version.ray_version is None:
            raise decoding.not_ray(body, self.address)
        return version

    async def authentication_mode(self) -> str | None:
        """`disabled`, `token` or `k8s`; None on a Ray before 2.52, which knows no authentication.

        The path is public: it answers without a token.
        """
        try:
            body = await self._get("/api/authentication_mode")
        except NotRayError:
            await self.version()
            return None
        return self._decode(body, _AuthenticationMode).authentication_mode

    async def jobs(self) -> Rows[Job]:
        """Every job that the head remembers, newest first.

        Ray sends the whole list in hash order each time; there is no paging (1,000 jobs: about 0.6 MB).
        """
        body = await self._get_list("/api/jobs/")
        given = self._jobs.rows(body, address=self.address)
        found = await in_slices(self._jobs.reading(given, address=self.address), rest=self.rest)
        rows = sorted((job for job in found if job is not None), key=lambda job: job.start_time or 0, reverse=True)
        return Rows(rows=tuple(rows), unreadable=len(given) - len(rows))

    async def job(self, job_id: str) -> Job:
        """One job by submission id or job id; cheap on any cluster. Raises NotFoundError."""
        try:
            body = await self._get(_job_path(job_id))
        except NotFoundError as error:
            raise _unknown_job(job_id) from error
        job = self._decode(body, Job)
        if job.status is None and job.id is None:
            raise decoding.not_ray(body, self.address)
        return tidy(job)

    async def submit(self, request: JobRequest) -> str:
        """Submit a job; returns its submission id. Raises RejectedError with Ray's reason.

        Ray accepts malformed content of `runtime_env` and fails the job later. Raises NotRayError where the reply
        names another job than the one that was sent: the name goes on into scripts, and is not the server's to choose.
        """
        try:
            reply = await self.transport.request("POST", "/api/jobs/", json=request)
        except ServerError as error:
            raise _submit_error(request, error) from error
        accepted = self._decode(reply.body, _Accepted)
        submission_id = accepted.submission_id or accepted.job_id
        if not submission_id:
            raise decoding.not_ray(reply.body, self.address)
        if request.submission_id and submission_id != request.submission_id:
            raise NotRayError(
                f"{self.address} accepted {request.submission_id} under another submission ID.",
                detail=f"It answered {submission_id[:200]!r}.",
                hint="Check that this is the address of a Ray dashboard; look for the job with `rayakash-tui jobs`.",
            )
        return submission_id

    async def stop(self, job_id: str) -> bool:
        """Ask Ray to stop a job; returns whether there was something to stop.

        Stopping is asynchronous (SIGTERM, 3 s, SIGKILL), and True is answered for a PENDING job too, which then stays
        PENDING: ask for the job again. Raises NotFoundError, and RejectedError for a driver.
        """
        try:
            reply = await self.transport.request("POST", _job_path(job_id, "/stop"))
        except NotFoundError as error:
            raise _unknown_job(job_id) from error
        except ServerError as error:
            raise _slash_error(job_id, error) from error
        return bool(self._decode(reply.body, _Stopped).stopped)

    async def delete(self, job_id: str) -> None:
        """Make the head forget an ended job; its log file stays. Raises NotFoundError, RejectedError."""
        try:
            await self.transport.request("DELETE", _job_path(job_id))
        except NotFoundError as error:
            raise _unknown_job(job_id) from error
        except ServerError as error:
            if "non-terminal state" not in error.detail:
                raise _slash_error(job_id, error) from error
            raise RejectedError(
                f"Job {job_id} has not ended yet, and Ray deletes only jobs that have.",
                detail=error.detail,
                hint="Stop it first.",
            ) from error

    async def nodes(self) -> Rows[Node]:
        """Nodes with their GPUs, living and recently dead; a sample is up to 5 s old.

        Without `nocache` Ray would return the answer of the previous call, however old (ray-api section 0.6).
        """
        body = await self._get_list("/nodes", view="summary", nocache="1")
        await asyncio.sleep(self.rest)  # to take 15 MB in was long enough
        given, logical = self._raw_nodes(body)
        reading = decoding.read_rows(given, partial(self._node, logical), address=self.address)
        found = await in_slices(reading, rest=self.rest)
        nodes = tuple(node for node in found if node is not None)
        return Rows(rows=nodes, unreadable=len(given) - len(nodes))

    def _raw_nodes(self, body: bytes) -> tuple[Sequence[msgspec.Raw], dict[str, str]]:
        """Nodes, not decoded yet, since those of 1,000 are 15 MB; and their logical resources."""
        parts = self._envelope(body, _Nodes)
        logical = self._decode(b'{"names":' + bytes(parts.node_logical_resources) + b"}", _Logical).names or {}
        return self._listed(parts.summary), logical

    def _node(self, logical: dict[str, str], given: msgspec.Raw) -> Node | None:
        wire = self._read_row(WireNode, given)
        return None if wire is None else to_node(wire, logical.get((wire.raylet and wire.raylet.node_id) or ""))

    def _listed(self, rows: msgspec.Raw) -> Sequence[msgspec.Raw]:
        """The rows of a part of a reply; none where it is missing or null."""
        return decoding.listed(bytes(rows), address=self.address) if bytes(rows) != b"null" else ()

    def _read_row(self, type_: type[R], row: msgspec.Raw) -> R | None:
        """One row field by field; None for what is not an object. Raises NotRayError for what is not JSON."""
        decoding.check(bytes(row), address=self.address)
        with suppress(*decoding.MALFORMED):
            return msgspec.json.decode(row, type=type_, strict=False)
        return next(iter(decoding.readable_rows([decoding.parse(bytes(row), address=self.address)], type_).rows), None)

    def _state_rows(self, reply: "_StateRows", type_: type[R]) -> Rows[R]:
        """The rows of a reply of the state API, with the number of those that cannot be read."""
        given = self._listed(reply.result)
        found = decoding.read_rows(given, partial(self._read_row, type_), address=self.address)
        rows = tuple(row for row in found if row is not None)
        return Rows(rows=rows, unreadable=len(given) - len(rows))

    async def cluster_usage(self) -> ClusterUsage:
        """Logical resources used and total, of the cluster and by node id; lags about 5 s behind."""
        body = await self._get_list("/api/cluster_status")
        report = self._envelope(body, _ClusterStatus).report
        return ClusterUsage(
            total=_usages(report.usage),
            by_node={node: _usages(use) for node, use in (report.usage_by_node or {}).items()},
        )

    async def actor_count(self) -> int | None:
        """How many actors are alive, Ray's own job supervisors left out; None where Ray did not count."""
        reply = await self._actors("1", ("state", "=", "ALIVE"), ("class_name", "!=", SUPERVISOR_CLASS))
        return reply.num_filtered

    async def job_supervisors(self) -> dict[str, str]:
        """Submission ids by the id of the actor that runs the job: it holds what was asked for the entrypoint."""
        reply = await self._actors(MOST_ROWS, ("state", "=", "ALIVE"), ("class_name", "=", SUPERVISOR_CLASS))
        actors = self._state_rows(reply, _Actor).rows
        return {
            actor.actor_id: actor.name.removeprefix(SUPERVISOR_NAME)
            for actor in actors
            if actor.actor_id and actor.name and actor.name.startswith(SUPERVISOR_NAME)
        }

    async def _actors(self, limit: str, *filters: tuple[str, str, str]) -> "_StateRows":
        params = [("limit", limit), ("timeout", "10")]
        for key, predicate, value in filters:
            params += [("filter_keys", key), ("filter_predicates", predicate), ("filter_values", value)]
        reply = await self.transport.request("GET", "/api/v0/actors", params=params, limit=LIST_LIMIT)
        return self._state(reply.body)

    def _state(self, body: bytes) -> "_StateRows":
        result = self._envelope(body, _StateReply).result
        return _StateRows() if bytes(result) == b"null" else self._parts(bytes(result), _StateRows)

    def _envelope(self, body: bytes, type_: type[R]) -> R:
        """The `data` of a reply of the form `{"result": bool, "msg": str, "data": …}`."""
        envelope = self._parts(body, _Envelope)
        if envelope.result is False:
            raise ServerError(f"Ray failed to answer: {envelope.msg or 'no reason given'}", detail=envelope.msg or "")
        if envelope.result is None or bytes(envelope.data)[:1] != b"{":
            raise decoding.not_ray(body, self.address)
        return self._parts(bytes(envelope.data), type_)

    def _parts(self, body: bytes, type_: type[R]) -> R:
        """The parts of an object, those declared as Raw undecoded: one odd row hides nothing but itself."""
        if not any(field.type is msgspec.Raw for field in msgspec.structs.fields(type_)):
            return self._decode(body, type_)
        with suppress(*decoding.MALFORMED):
            return msgspec.json.decode(body, type=type_, strict=False)
        return decoding.parts(body, type_, address=self.address)

    async def log_files(self, node_id: str, *, glob: str = "*") -> dict[str, list[str]]:
        """Names of log files on a node by Ray's category; logs of job drivers are `internal`.

        Raises NotFoundError where the node is gone.
        """
        try:
            body = await self._get_list("/api/v0/logs", node_id=node_id, glob=glob)
            return self._envelope(body, _LogFiles).result
        except ServerError as error:
            raise log_error(LogFile(node_id=node_id), error) from error

    async def actor(self, actor_id: str) -> ActorRow:
        """One actor. Raises NotFoundError."""
        rows = await self._rows("/api/v0/actors", ActorRow, "actor_id", actor_id)
        return rows[0]

    async def actors_of(self, job_id: str) -> Sequence[ActorRow]:
        """The actors of a job, by the id that Ray gave its driver."""
        reply = await self._actors(MOST_ROWS, ("job_id", "=", job_id))
        return self._state_rows(reply, ActorRow).rows

    async def task(self, task_id: str) -> TaskRow:
        """The latest attempt of one task. Raises NotFoundError."""
        rows = await self._rows("/api/v0/tasks", TaskRow, "task_id", task_id)
        return max(rows, key=lambda row: row.attempt_number or 0)

    async def tasks_of(self, job_id: str) -> Sequence[TaskRow]:
        """The tasks of a job that Ray remembers, 10,000 at most; none is no error."""
        try:
            return await self._rows("/api/v0/tasks", TaskRow, "job_id", job_id)
        except NotFoundError:
            return ()

    async def _rows(self, path: str, type_: type[R], key: str, value: str) -> Sequence[R]:
        """The rows of the state API with this id. Raises NotFoundError where there is none."""
        params = [("limit", MOST_ROWS), ("timeout", "10"), ("detail", "true")]
        params += [("filter_keys", key), ("filter_predicates", "="), ("filter_values", value)]
        reply = await self.transport.request("GET", path, params=params, limit=LIST_LIMIT)
        rows = self._state_rows(self._state(reply.body), type_).rows
        if not rows:
            raise NotFoundError(f"The cluster knows no {key.removesuffix('_id')} {value or '(no id)'}.")
        return rows

    def read_log(
        self, node_id: str, filename: str, *, lines: int = -1
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open the last `lines` lines (-1: all) of a file of a node; see `open_log`."""
        return self.open_log(LogFile(node_id=node_id, filename=filename), lines=lines)

    def stream_log(
        self, node_id: str, filename: str, *, lines: int = -1
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Follow a file of a node from its last `lines` lines (-1: all); see `open_log`."""
        return self.open_log(LogFile(node_id=node_id, filename=filename), lines=lines, endless=True)

    @asynccontextmanager
    async def open_log(
        self, file: LogFile, *, lines: int = -1, endless: bool = False
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open the last `lines` lines (-1: all) of a log as it is now; the bytes end where the file ends.

        An `endless` one never ends by itself, is silent while the file is, and even its headers wait for the first
        byte. Raises NotFoundError where the file or its node is gone.
        """
        kind, more = ("stream", {"interval": STREAM_INTERVAL}) if endless else ("file", {"timeout": READ_SECONDS})
        params = file.params | {"lines": str(min(lines, MOST_LINES)), **more}
        try:
            async with AsyncExitStack() as stack:
                try:
                    reply = self.transport.stream(
                        f"/api/v0/logs/{kind}", params=params | older_logs.PLAIN, endless=endless
                    )
                    log = older_logs.without_failures(await stack.enter_async_context(reply))
                except ServerError as error:
                    job_id = older_logs.job_of_withheld(file.filename, error)
                    if job_id is None:
                        raise
                    self.shortcomings.add(older_logs.TEXT_ONLY)
                    log = older_logs.as_text(partial(self._job_text, job_id), lines=lines, endless=endless)
                yield await stack.enter_async_context(aclosing(log))
        except ServerError as error:
            raise log_error(file, error) from error

    async def _job_text(self, job_id: str) -> bytes:
        """The whole log of a job as Ray reads it: in text mode, into the memory of three of its processes."""
        body = await self._get_list(_job_path(job_id, "/logs"))
        return (self._decode(body, _JobText).logs or "").encode("utf-8", "surrogatepass")

    async def package_exists(self, name: str) -> bool:
        """Whether the cluster holds the package `name`; asking also keeps it there for 600 s."""
        try:
            await self.transport.request("GET", f"/api/packages/gcs/{quote(name, safe='')}")
        except NotFoundError:
            return False
        return True

    async def put_package(self, name: str, path: Path) -> None:
        """Upload a zip file as the package `name`; Ray takes at most 104,857,600 bytes (413 beyond)."""
        size = (await asyncio.to_thread(path.stat)).st_size
        await self.transport.request(
            "PUT",
            f"/api/packages/gcs/{quote(name, safe='')}",
            content=_file_chunks(path),
            headers={"Content-Length": str(size)},
            seconds=self.transport.timeouts.upload,
        )


async def _file_chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(UPLOAD_CHUNK):
            yield chunk


def _job_path(job_id: str, tail: str = "") -> str:
    """The path of a job. Raises NotFoundError for an empty id, which would lead to the list of all jobs."""
    if not job_id:
        raise NotFoundError("A job has no empty id.")
    name = quote(job_id, safe="", errors="surrogateescape")  # argv holds bytes that are no UTF-8 so
    if name in (".", ".."):
        name = name.replace(".", "%2E")  # or it would be resolved before it is sent
    return f"/api/jobs/{name}{tail}"


def _unknown_job(job_id: str) -> NotFoundError:
    return NotFoundError(
        f"Job {job_id or '(no id)'} not found.",
        hint="`rayakash-tui jobs` lists the jobs; a restarted head forgets its jobs.",
    )


def _slash_error(job_id: str, error: ServerError) -> Exception:
    if "/" not in job_id or "404: Not Found" not in error.detail:
        return error
    return RejectedError(
        f"Job {job_id} is out of reach: Ray can neither stop nor delete a job with a slash in its id.",
        detail=error.title,
        hint="It is forgotten when the head is restarted.",
    )


def _submit_error(request: JobRequest, error: ServerError) -> Exception:
    if "already exists" in error.detail:
        return RejectedError(
            f"A job with the id {request.submission_id} already exists.",
            detail=error.detail,
            hint="Choose another id, or leave it out to get a fresh one.",
        )
    if "status code 400" in error.detail:
        return RejectedError(error.title.replace("failed to answer", "refused the job"), detail=error.detail)
    return error


def _usages(pairs: dict[str, list[float]] | None) -> dict[str, Usage]:
    return {name: Usage(used=pair[0], total=pair[1]) for name, pair in (pairs or {}).items() if len(pair) == 2}


class _AuthenticationMode(msgspec.Struct):
    authentication_mode: str | None = None


class _Accepted(msgspec.Struct):
    submission_id: str | None = None
    job_id: str | None = None


class _Stopped(msgspec.Struct):
    stopped: bool | None = None


NULL = msgspec.Raw(b"null")


class _Envelope(msgspec.Struct):
    result: bool | None = None
    msg: str | None = None
    data: msgspec.Raw = NULL


class _Logical(msgspec.Struct):
    names: dict[str, str] | None = None


class _Nodes(msgspec.Struct, rename="camel"):
    summary: msgspec.Raw = NULL
    node_logical_resources: msgspec.Raw = NULL


class _LoadMetrics(msgspec.Struct, rename="camel"):
    usage: dict[str, list[decoding.Number]] | None = None
    usage_by_node: dict[str, dict[str, list[decoding.Number]]] | None = None


class _ClusterStatusBody(msgspec.Struct, rename="camel"):
    load_metrics_report: _LoadMetrics | None = None


class _ClusterStatus(msgspec.Struct, rename="camel"):
    cluster_status: _ClusterStatusBody | None = None

    @property
    def report(self) -> _LoadMetrics:
        return (self.cluster_status and self.cluster_status.load_metrics_report) or _LoadMetrics()


class _StateRows(msgspec.Struct):
    total: int | None = None
    num_filtered: int | None = None
    result: msgspec.Raw = NULL


class _StateReply(msgspec.Struct):
    result: msgspec.Raw = NULL


class _Actor(msgspec.Struct):
    actor_id: str | None = None
    name: str | None = None


class _JobText(msgspec.Struct):
    logs: str | None = None


class _LogFiles(msgspec.Struct):
    result: dict[str, list[str]] = {}
