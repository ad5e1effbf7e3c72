"""A small HTTP server that does as it is told: whole replies, trickles, cuts, silence, junk.

It speaks bytes, so that a test decides about each of them, and it counts what it could send: a client that stops
reading is seen from here.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import msgspec

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

DEADLINE_SECONDS = 30.0
SEND_BUFFER = 64 * 1024


async def until(condition: Callable[[], object], *, seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until `condition()` holds; fails the test where it does not within the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("what was waited for did not happen")
        await asyncio.sleep(0.002)


class Request(msgspec.Struct, frozen=True):
    """A request as it came; `target` is the path with its query, still quoted; header names are lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The quoted path without its query."""
        return self.target.partition("?")[0]


class Exchange:
    """One request, and the ways to answer it."""

    def __init__(self, server: "WireServer", request: Request, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self._server = server
        self._writer = writer

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are; waits while the client does not take them."""
        self._writer.write(data)
        await self._writer.drain()
        self._server.sent += len(data)

    async def reply(
        self,
        body: bytes | str | Mapping[str, Any] | list[Any] = b"",
        *,
        status: int = 200,
        content_type: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """A whole reply; text is sent as text/plain, mappings and lists as JSON."""
        if isinstance(body, bytes | str):
            content = body.encode() if isinstance(body, str) else body
            kind = content_type or "text/plain; charset=utf-8"
        else:
            content, kind = msgspec.json.encode(body), content_type or "application/json; charset=utf-8"
        await self.start(status, {"Content-Length": str(len(content)), "Content-Type": kind, **(headers or {})})
        await self.raw(content)

    async def start(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """The status line and the headers."""
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        await self.raw("\r\n".join([*lines, "", ""]).encode())

    async def start_chunked(self, status: int = 200) -> None:
        """The head of a reply whose length is not known."""
        await self.start(status, {"Transfer-Encoding": "chunked", "Content-Type": "text/plain"})

    async def chunk(self, data: bytes) -> None:
        """A part of a chunked reply."""
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        """The end of a chunked reply."""
        await self.raw(b"0\r\n\r\n")

    def cut(self) -> None:
        """Break the connection, as a lost network does."""
        self._writer.transport.abort()

    async def never(self) -> None:
        """Keep the connection open and say nothing more."""
        await asyncio.Event().wait()


Handler = Callable[[Exchange], Awaitable[None]]


class WireServer:
    """Listens on a free port of 127.0.0.1; use as an async context manager.

    A handler that returns leaves the connection open for the next request; one that raises breaks it.
    """

    def __init__(self, handler: Handler, *, tls: ssl.SSLContext | None = None) -> None:
        self.handler = handler
        self.requests: list[Request] = []
        self.sent = 0
        self.connections = 0
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The address to give to a client."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def seen(self, method: str, path: str) -> list[Request]:
        """The requests of a kind so far, by quoted path."""
        return [request for request in self.requests if request.method == method and request.path == path]

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()

    async def listen(self) -> None:
        """Take connections, at the port of before where there was one."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A small buffer makes `sent` follow closely what the client really takes.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._server = await asyncio.start_server(self._connected, sock=listener, ssl=self._tls, limit=2**20)

    async def refuse(self) -> None:
        """Take no connection any more and break the open ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.drop_connections()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def drop_connections(self) -> None:
        """Break every open connection."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.add(writer)
        self.connections += 1
        try:
            async for request in _requests(reader, writer):
                self.requests.append(request)
                await self.handler(Exchange(self, request, writer))
        except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._open.discard(writer)
            self._tasks.discard(task)


async def _requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[Request]:
    while True:
        try:
            start = await reader.readexactly(1)
            if not start.isalpha():  # TLS, say: servers answer so at once
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                await writer.drain()
                return
            head = start + await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        yield Request(method, target, headers, await _body(reader, headers))


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


@contextlib.asynccontextmanager
async def raw_server(talk: Talk) -> AsyncIterator[int]:
    """A server that speaks no HTTP at all; yields its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def telling_server(context: ssl.SSLContext) -> Iterator[int]:
    """A TLS server that says why it refuses a handshake, which asyncio's does not; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            spare = connection.dup()  # what is closed with something unread takes the alert back
            with spare, contextlib.suppress(OSError):
                with contextlib.suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as stream:
                    stream.recv(65536)
                spare.shutdown(socket.SHUT_WR)
                while spare.recv(65536):
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
