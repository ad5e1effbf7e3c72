"""A small HTTP server on asyncio streams: keep-alive, whole replies, chunked streams."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote

from tests.sim.cluster import SimCluster
from tests.sim.dashboard import Dashboard
from tests.sim.wire import Cut, Reply, Request, Stream

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           405: "Method Not Allowed", 413: "Request Entity Too Large", 500: "Internal Server Error"}  # fmt: skip
LINE_LIMIT = 256 * 1024

Handler = Callable[[Request], Awaitable[Reply | Stream]]


class SimServer:
    """Serves a simulated cluster on 127.0.0.1; use as an async context manager.

    `refuse` takes no connections any more and breaks those that are open, `listen` is back at the same port.
    """

    def __init__(self, cluster: SimCluster | None = None, *, port: int = 0, token: str | None = None) -> None:
        self.cluster = cluster or SimCluster()
        self.dashboard = Dashboard(self.cluster, token=token)
        self.port = port
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The dashboard's address."""
        return f"http://127.0.0.1:{self.port}"

    async def listen(self) -> None:
        """Take connections, at the port of before if there was one."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, limit=LINE_LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Be gone, as a head is that was killed."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for talk in self._talks:
            talk.cancel()
        while self._talks:
            await asyncio.wait(self._talks)

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.refuse()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, Cut):
            try:
                while True:
                    await _answer(writer, await self.dashboard.handle(await _read(reader)))
            finally:
                # An abort: what is still buffered must not keep a client waiting that was told to be cut off.
                writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    path, _, query = target.partition("?")
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    return Request(method, unquote(path), path, pairs, headers, await _read_body(reader, headers))


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = bytearray()
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return bytes(body)


async def _answer(writer: asyncio.StreamWriter, answer: Reply | Stream) -> None:
    if isinstance(answer, Stream):
        await _send_stream(writer, answer.chunks)
        return
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    kind = answer.content_type or ("application/json" if not isinstance(answer.body, bytes) else "text/plain")
    writer.write(_head(answer.status, kind, f"Content-Length: {len(body)}"))
    writer.write(body[: answer.cut_at] if answer.cut_at is not None else body)
    await writer.drain()
    if answer.cut_at is not None:
        raise Cut


async def _send_stream(writer: asyncio.StreamWriter, chunks: AsyncIterator[bytes]) -> None:
    """Not even the headers come before the first byte, as with Ray."""
    begun = False
    async for chunk in chunks:
        head = b"" if begun else _head(200, "text/plain", "Transfer-Encoding: chunked")
        begun = True
        writer.write(head + b"%x\r\n%b\r\n" % (len(chunk), chunk))
        await writer.drain()
    writer.write((b"" if begun else _head(200, "text/plain", "Transfer-Encoding: chunked")) + b"0\r\n\r\n")
    await writer.drain()


def _head(status: int, kind: str, length: str) -> bytes:
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Whatever')}", f"Content-Type: {kind}; charset=utf-8", length]
    return "\r\n".join([*lines, "", ""]).encode()
