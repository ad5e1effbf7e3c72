"""A way to a head that counts what passes: bytes in both directions, and requests."""

import asyncio
import threading
from contextlib import suppress
from typing import Self

BLOCK = 64 * 1024
END_OF_REQUEST_LINE = b" HTTP/1.1\r\n"


class CountingProxy:
    """Passes bytes to a port of this machine in a thread of its own; use as a context manager."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._talks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.bytes = 0
        self.requests = 0

    @property
    def address(self) -> str:
        """Where to connect to instead."""
        return f"http://127.0.0.1:{self.port}"

    def take(self) -> tuple[int, int]:
        """Requests and bytes since this was called before."""
        found = self.requests, self.bytes
        self.requests = self.bytes = 0
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)
        there, onward = await asyncio.open_connection("127.0.0.1", self._target)
        with suppress(OSError):
            await asyncio.gather(self._pass_on(reader, onward), self._pass_on(there, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while block := await reader.read(BLOCK):
                self.bytes += len(block)
                self.requests += block.count(END_OF_REQUEST_LINE)
                writer.write(block)
                await writer.drain()
        finally:
            self._writers.discard(writer)
            writer.close()
