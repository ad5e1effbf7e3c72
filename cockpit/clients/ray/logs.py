"""Log files of nodes, actors and tasks (ray-api section 2b)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial

import msgspec

from cockpit.clients.ray import older_logs
from cockpit.clients.ray.http import DashboardHttp
from cockpit.clients.ray.log_files import LogFile, log_error
from cockpit.errors import ServerError

STREAM_INTERVAL = "0.2"
# Ray breaks off a reading of a log after `timeout` seconds, 30 by default: too few for a long log and a slow line.
# Silence is bounded on our side.
READ_SECONDS = "3600"
MOST_LINES = 2**31 - 1  # an int32 on its way to the node


class LogsApi:
    """Calls below `/api/v0/logs`; `job_text` gets the log of a job whole, for a Ray that withholds its file."""

    def __init__(self, http: DashboardHttp, job_text: Callable[[str], Awaitable[bytes]]) -> None:
        self._http = http
        self._job_text = job_text
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
        byte. Raises NotFoundError where the file or its node is gone.
        """
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


class _LogFiles(msgspec.Struct):
    result: dict[str, list[str]] = {}
