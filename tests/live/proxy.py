"""A way to a cluster that a test can cut: a TCP proxy in the test's own event loop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Self

LOOPBACK = "127.0.0.1"
BLOCK = 64 * 1024


class Proxy:
    """Passes bytes between its own port and another one of this machine; use as an async context manager.

    With a `lifetime` it ends every connection that many seconds after its beginning, whatever passes then, as proxies
    on the internet do; `expired` counts them. `rate` is that of a slow line: bytes a second, of each connection.
    `allowance` draws the bytes after which a connection is cut.
    """

    def __init__(
        self,
        port: int,
        *,
        lifetime: float | None = None,
        rate: float | None = None,
        allowance: Callable[[], int] | None = None,
    ) -> None:
        self._target = port
        self._lifetime = lifetime
        self._rate = rate
        self._allowance = allowance
        self.expired = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._left: int | None = None
        self.port = 0
        self.passed = 0
        self.is_open = True

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def is_whole(self) -> bool:
        """Whether no cut is to come."""
        return self._left is None

    def cut_after(self, count: int) -> None:
        """Break every connection once `count` more bytes have passed: in the middle of whatever it carries then."""
        self._left = count

    def cut(self) -> None:
        """Break every connection at once."""
        self._left = None
        for writer in self._writers:
            writer.transport.abort()

    def close(self) -> None:
        """Break every connection, and every new one until `open`."""
        self.is_open = False
        self.cut()

    def open(self) -> None:
        self.is_open = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            async with asyncio.timeout(self._lifetime):
                there = await asyncio.open_connection(LOOPBACK, self._target)
                allowed = self._allowance() if self._allowance else None
                await asyncio.gather(self._pass_on(reader, there[1]), self._pass_on(there[0], writer, allowed))
        except OSError as error:
            self.expired += isinstance(error, TimeoutError)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, allowed: int | None = None
    ) -> None:
        self._writers.add(writer)
        try:
            while block := await reader.read(BLOCK if allowed is None else min(BLOCK, allowed)):
                writer.write(block[: self._left])
                await writer.drain()
                self._count(len(block))
                if self._rate is not None:
                    await asyncio.sleep(len(block) / self._rate)
                allowed = None if allowed is None else allowed - len(block)
            if allowed == 0:
                writer.transport.abort()
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _count(self, passed: int) -> None:
        self.passed += passed
        if self._left is not None and (left := self._left - passed) > 0:
            self._left = left
        elif self._left is not None:
            self.cut()
