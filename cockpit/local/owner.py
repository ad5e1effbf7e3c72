"""The owner's side of a supervisor: start it, hear from it, let it go."""

import asyncio
import contextlib
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

from cockpit.errors import LocalRayError
from cockpit.local.launch import Launch, supervisor_command
from cockpit.local.teardown import sweep
from cockpit.model.kept_process import start_kept

END_S = 60.0
SHOWN_LINES = 25

Report = Callable[[str], None]

# A supervisor that is left running stays a child of this process for as long as both live: its handle is kept
# to collect it, and because one that is forgotten warns.
_left_running: list[subprocess.Popen[bytes]] = []


class Ended(NamedTuple):
    """Why a local Ray is over (`ray`, `owner`, `signal`, `system` or `supervisor`), and its last words."""

    why: str
    code: int | None
    said: str

    def as_error(self, title: str) -> LocalRayError:
        """The error for a Ray that should not have ended; its detail holds the last lines that Ray said."""
        lines = self.said.splitlines()[-SHOWN_LINES:]
        if self.code is not None:
            lines.append(f"(exit code {self.code})")
        return LocalRayError(title, detail="\n".join(lines))


class Supervised:
    """A handle on one supervisor and, through it, on one local Ray. Made inside a running event loop."""

    def __init__(self, launch: Launch) -> None:
        loop = asyncio.get_running_loop()
        self.launch = launch
        self.started: asyncio.Future[dict[str, Any]] = loop.create_future()
        self.detached: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[Ended] = loop.create_future()
        self.process, self._socket = spawn(launch)
        self._listening = loop.create_task(self._listen())

    async def while_it_lives(self, work: Awaitable[object], title: str) -> None:
        """Wait for `work`. Raises what it raises, and LocalRayError where Ray ends before it is done."""
        task: asyncio.Future[Any] = asyncio.ensure_future(work)
        both: list[asyncio.Future[Any]] = [task, self.ended]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if self.ended.done():
                raise self.ended.result().as_error(title)
            await task
        finally:
            task.cancel()

    async def say(self, word: bytes) -> None:
        """Send one word to the supervisor; `ended` reports if it is gone."""
        with contextlib.suppress(ConnectionError):
            await asyncio.get_running_loop().sock_sendall(self._socket, word)

    def let_go(self) -> None:
        """Tell the supervisor to tear down; it finishes even if this process ends."""
        with contextlib.suppress(OSError):  # not connected any more: it is gone
            self._socket.shutdown(socket.SHUT_WR)

    async def end(self, report: Report) -> None:
        """Let go and wait until nothing is left; after END_S it is only said that it takes longer."""
        self.let_go()
        try:
            async with asyncio.timeout(END_S):
                await asyncio.wait({self._listening})  # both supervisors have closed the line
                await collected(self.process)
        except TimeoutError:
            report(f"The local Ray has not ended yet; its supervisor, process {self.process.pid}, goes on.")
            return
        finally:
            await self.hang_up()
        if self.process.returncode != 0:  # it was killed, or broke: it may not have done its work
            await asyncio.to_thread(sweep, self.launch.plan, self.process.pid)

    async def hang_up(self) -> None:
        """Close the line; a detached Ray is then left to itself, any other ends."""
        if self.process.poll() is None:
            _left_running.append(self.process)
        self._listening.cancel()
        try:
            await asyncio.wait({self._listening})
        finally:
            self._socket.close()

    async def _listen(self) -> None:
        """Take events until the supervisors have closed the line, which they do when all is gone."""
        unknown, rest = b"", b""
        while data := await self._receive():
            *lines, rest = (rest + data).split(b"\n")
            unknown += b"".join(line + b"\n" for line in lines if not self._take(line))
        if not self.ended.done():  # it was killed, or says in a traceback what broke it
            self.ended.set_result(Ended("supervisor", None, (unknown + rest).decode(errors="replace")))

    async def _receive(self) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(self._socket, 65_536)
        except ConnectionError:
            return b""

    def _take(self, line: bytes) -> bool:
        """Act on one event; False for a line that is none, such as one of a traceback."""
        try:
            event = json.loads(line)
        except ValueError:
            return False
        match event:
            case {"event": "started"}:
                self.started.set_result(event)
            case {"event": "detached"}:
                self.detached.set_result(None)
            case {"event": "ended", "why": why, "said": said}:
                self.ended.set_result(Ended(why, event.get("code"), said))
            case _:
                return False
        return True


@contextlib.asynccontextmanager
async def supervised(launch: Launch, report: Report) -> AsyncIterator[Supervised]:
    """A supervisor that has begun to start Ray; on the way out nothing of it is left.

    Raises LocalRayError where the supervisor itself cannot be started.
    """
    handle = Supervised(launch)
    try:
        yield handle
    finally:
        await handle.end(report)


def spawn(launch: Launch) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start the supervisor. Raises LocalRayError."""
    _left_running[:] = [process for process in _left_running if process.poll() is None]
    try:
        process, line = start_kept(supervisor_command(launch.plan), launch.environment)
    except OSError as error:
        raise LocalRayError("The supervisor of a local Ray cannot be started.", detail=str(error)) from error
    line.setblocking(False)
    return process, line


async def collected(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has ended, and collect it."""
    while True:
        if process.poll() is not None:
            return
        await asyncio.sleep(0.02)
