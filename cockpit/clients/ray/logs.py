"""Log files of nodes, actors and tasks (ray-api section 2b)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from functools import partial
from typing import NamedTuple

import msgspec

from cockpit.clients.ray import older_logs
from cockpit.clients.ray.http import DashboardHttp
from cockpit.clients.ray.log_files import LogFile, log_error
from cockpit.clients.ray.state import StateApi
from cockpit.errors import NotFoundError, ServerError, UnreachableError
from cockpit.model.log_paths import below_logs

STREAM_INTERVAL = "0.2"
# Ray breaks off a reading of a log after `timeout` seconds, 30 by default: too few for a long log and a slow line.
# Silence is bounded on our side.
READ_SECONDS = "3600"
OLD = "old"  # the folder into which the log monitor moves the files of ended processes
MOST_LINES = 2**31 - 1  # an int32 on its way to the node


class LogsApi:
    """Calls below `/api/v0/logs`; `job_text` gets the log of a job whole, for a Ray that withholds its file."""

    def __init__(self, http: DashboardHttp, job_text: Callable[[str], Awaitable[bytes]], state: StateApi) -> None:
        self._http = http
        self._job_text = job_text
        self._state = state
        self.shortcomings: set[str] = set()
        """Sentences about what this release of Ray cannot do, each to be shown once."""

    async def files(self, node_id: str, *, glob: str = "*") -> dict[str, list[str]]:
        """Names of log files on a node by Ray's category; logs of job drivers are `internal`.

        Raises NotFoundError where the node is gone.
        """
        try:
            body = await self._http.get_list("/api/v0/logs", {"node_id": node_id, "glob": glob})
            return self._http.envelope(body, _LogFiles).result
        except ServerError as error:
            raise log_error(LogFile(node_id=node_id), error) from error

    @asynccontextmanager
    async def open(
        self, file: LogFile, *, lines: int = -1, endless: bool = False
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open the last `lines` lines (-1: all) of a log as it is now; the bytes end where the file ends.

        An `endless` one never ends by itself, is silent while the file is, and even its headers wait for the first
        byte. Raises NotFoundError where the file or its node is gone. Once its process has ended, the log of an actor
        or a task is looked for below `old/`, where Ray has moved it: of a task the whole file of its worker.
        """
        async with AsyncExitStack() as stack:
            try:
                log = await stack.enter_async_context(self._opened(file, lines=lines, endless=endless))
            except NotFoundError:
                moved = await self._moved(file)
                if moved is None:
                    raise
                log = await stack.enter_async_context(self._opened(moved, lines=lines, endless=endless))
            yield log

    async def _moved(self, file: LogFile) -> LogFile | None:
        """Where the log of an actor or a task lies by now; None where there is none."""
        with suppress(NotFoundError, UnreachableError):
            owner = await self._owner(file)
            if owner is None or not owner.node_id:
                return None
            found = await self.files(owner.node_id, glob=f"{OLD}/{owner.pattern}")
            names = sorted(below_logs(name) for names in found.values() for name in names)
            return LogFile(node_id=owner.node_id, filename=names[-1]) if names else None
        return None

    async def _owner(self, file: LogFile) -> "_Owner | None":
        if file.actor_id:
            actor = await self._state.actor(file.actor_id)
            return _Owner(actor.node_id, f"worker-*-{actor.pid}.{file.suffix}") if actor.pid else None
        if file.task_id:
            task = await self._state.task(file.task_id)
            info = task.task_log_info
            path = (info.stderr_file if file.suffix == "err" else info.stdout_file) if info else None
            pattern = path.rpartition("/")[2] if path else f"worker-*-{task.worker_pid}.{file.suffix}"
            return _Owner(task.node_id, pattern) if path or task.worker_pid else None
        return None

    @asynccontextmanager
    async def _opened(self, file: LogFile, *, lines: int, endless: bool) -> AsyncIterator[AsyncIterator[bytes]]:
        kind, more = ("stream", {"interval": STREAM_INTERVAL}) if endless else ("file", {"timeout": READ_SECONDS})
        params = file.params | {"lines": str(min(lines, MOST_LINES)), **more}
        try:
            async with AsyncExitStack() as stack:
                try:
                    reply = self._http.transport.stream(
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


class _Owner(NamedTuple):
    """The node and the file name, with wildcards, of what a process of it has written."""

    node_id: str | None
    pattern: str


class _LogFiles(msgspec.Struct):
    result: dict[str, list[str]] = {}
