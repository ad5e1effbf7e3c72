"""A local Ray is ready when everything answers, and never without asking for its token."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from cockpit.errors import LocalRayError
from cockpit.local import readiness
from cockpit.local.launch import Launch, LocalOptions, prepare

ANSWERS = {
    "/api/authentication_mode": b'{"authentication_mode": "token"}',
    "/api/version": b'{"ray_version": "2.60.0"}',
    "/api/v0/nodes?limit=10": b'{"data": {"result": {"result": [{"state": "ALIVE"}]}}}',
    "/api/local_raylet_healthz": b"success",
    "/api/jobs/": b"[]",
}


@contextlib.asynccontextmanager
async def served(launch: Launch, answers: dict[str, bytes]) -> AsyncIterator[list[str]]:
    """The dashboard and the agent of a launch; only the first path answers without the token."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = request.split()[1]
        asked.append(path)
        allowed = path == "/api/authentication_mode" or f"Bearer {launch.token}\r\n" in request
        body = answers.get(path) if allowed else None
        status = b"200 OK" if body is not None else b"404 Not Found"
        writer.write(b"HTTP/1.0 " + status + b"\r\n\r\n" + (body or b""))
        writer.close()
        await writer.wait_closed()

    ports = (launch.ports.dashboard_port, launch.ports.dashboard_agent_listen_port)
    servers = [await asyncio.start_server(answer, "127.0.0.1", port) for port in ports]
    yield asked
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_each_step_is_told_in_its_order() -> None:
    launch, told = prepare(LocalOptions()), list[str]()
    async with served(launch, ANSWERS):
        await readiness.wait_ready(launch, told.append)
    assert told[0] == "The dashboard answers."
    assert told[-1] == "Jobs can be submitted."
    assert len(told) == 5


@pytest.mark.parametrize("missing", [path for path in ANSWERS if path != "/api/authentication_mode"])
async def test_one_part_that_does_not_answer_keeps_it_waiting(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "PAUSE_S", 0.0)
    launch = prepare(LocalOptions())
    answers = {path: body for path, body in ANSWERS.items() if path != missing}
    async with served(launch, answers) as asked:
        waiting = asyncio.create_task(readiness.wait_ready(launch, lambda _: None))
        async with asyncio.timeout(30):
            while asked.count(missing) < 3:  # noqa: ASYNC110 - the server is what we watch
                await asyncio.sleep(0)
        assert not waiting.done()
        answers[missing] = ANSWERS[missing]
        async with asyncio.timeout(30):
            await waiting


async def test_a_ray_without_authentication_is_refused() -> None:
    launch = prepare(LocalOptions())
    async with served(launch, {"/api/authentication_mode": b'{"authentication_mode": "disabled"}'}) as asked:
        with pytest.raises(LocalRayError, match="without asking for a token"):
            await readiness.wait_ready(launch, lambda _: None)
    assert asked == ["/api/authentication_mode"]


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 nonsense\r\n\r\n", b"\r\n\r\n"])
async def test_something_else_on_the_port_is_no_answer(answer: bytes) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    launch = prepare(LocalOptions())
    server = await asyncio.start_server(reply, "127.0.0.1", launch.ports.dashboard_port)
    async with server:
        assert await readiness.get(launch.ports.dashboard_port, "/api/version", launch.token) == (0, b"")
        assert not await readiness.asks_for_token(launch)


async def test_nobody_on_the_port_is_no_answer() -> None:
    assert await readiness.get(prepare(LocalOptions()).ports.dashboard_port, "/") == (0, b"")
