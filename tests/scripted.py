"""A transport that answers from a script, and hands its answers out when a test says so."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec

from cockpit.clients import meter
from cockpit.clients.address import Address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint, Params, Reply, Transport
from cockpit.errors import CockpitError

VERSION = {"version": "4", "ray_version": "2.60.0", "ray_commit": "b7f4259e", "session_name": "session_a"}

PATIENCE = 10.0  # seconds until a test that waits for what never comes is called failed


class ScriptedTransport(Transport):
    """Answers by path: with JSON, with an error, or with what a function makes of the moment.

    A path that is held keeps its requests in flight until it is released.
    """

    def __init__(self, **answers: object) -> None:
        super().__init__(Endpoint(address=Address("http", "127.0.0.1", 8265)))
        self.answers: dict[str, object] = {"/api/version": VERSION, **answers}
        self.asked: list[str] = []
        self.first_byte_seconds = 0.0
        self.most_in_flight: Counter[str] = Counter()
        self.when_asked: Callable[[str], None] = lambda _: None
        self._in_flight: Counter[str] = Counter()
        self._gates: dict[str, asyncio.Event] = {}
        self._news = asyncio.Event()

    @property
    def client(self) -> RayClient:
        """A client that speaks through this transport."""
        return RayClient(self)

    def hold(self, path: str) -> None:
        """Keep the requests for a path in flight."""
        self._gates[path] = asyncio.Event()

    def release(self, path: str) -> None:
        """Let the requests for a path be answered, those to come too."""
        self._gates.pop(path).set()

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return self.asked.count(path)

    async def arrived(self, path: str, count: int) -> None:
        """Wait until a path has been asked for so often."""
        async with asyncio.timeout(PATIENCE):
            while self.count(path) < count:
                self._news.clear()
                await self._news.wait()

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        content: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 0,
        seconds: float | None = None,
    ) -> Reply:
        self._begins(path)
        try:
            if path in self._gates:
                await self._gates[path].wait()
        finally:
            self._in_flight[path] -= 1
        meter.note_first_byte(self.first_byte_seconds)
        return self._scripted_reply(self.answers[path if method == "GET" else f"{method} {path}"])

    def _begins(self, path: str) -> None:
        meter.note_request()
        self.asked.append(path)
        self.when_asked(path)
        self._in_flight[path] += 1
        self.most_in_flight[path] = max(self.most_in_flight[path], self._in_flight[path])
        self._news.set()

    def _scripted_reply(self, answer: object) -> Reply:
        answer = answer() if callable(answer) else answer
        if isinstance(answer, CockpitError):
            raise answer
        body = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
        meter.note_bytes(len(body))
        return Reply(200, "application/json; charset=utf-8", body)

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        params: Params,
        endless: bool = False,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        self._begins(path)
        answer = self.answers[path]
        if isinstance(answer, CockpitError):
            raise answer
        assert isinstance(answer, list)
        yield _chunks(answer, endless=endless)


async def _chunks(chunks: list[bytes], *, endless: bool) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if endless:
        await asyncio.Event().wait()


async def turns(count: int = 20) -> None:
    """Let the event loop go round: what is ready to run has run afterwards."""
    for _ in range(count):
        await asyncio.sleep(0)
