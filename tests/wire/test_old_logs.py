"""Logs of processes that have ended: Ray moves them to `old/` and then does not find them by actor or task."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cockpit.clients.ray.log_files import LogFile
from cockpit.errors import NotFoundError
from tests.wire.clients import handled_by
from tests.wire.server import Exchange, Handler

NODE, ACTOR, TASK = "n" * 56, "a" * 32, "t" * 48
FILE = "old/worker-abc-01000000-4711.out"


def state(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"result": True, "msg": "", "data": {"result": {"result": rows, "total": 1, "num_after_truncation": 1}}}


def dashboard(*, files: list[str], owner: dict[str, Any]) -> Handler:
    """A Ray whose process has ended; its file lies where `files` says."""

    async def handle(exchange: Exchange) -> None:
        path = exchange.request.path
        query = {key: values[0] for key, values in parse_qs(urlsplit(exchange.request.target).query).items()}
        if path == "/api/v0/logs/file" and query.get("filename") == FILE:
            await exchange.reply(b"last words\n", headers={"Content-Type": "text/plain"})
        elif path == "/api/v0/logs/file":
            await exchange.reply("Could not find a log file", status=500)
        elif path == "/api/v0/logs":
            assert query["glob"] in ("old/worker-*-4711.out", FILE)
            await exchange.reply({"result": True, "msg": "", "data": {"result": {"worker_out": files}}})
        else:
            await exchange.reply(state([owner]))

    return handle


async def read(handler: Handler, file: LogFile) -> bytes:
    async with handled_by(handler) as (client, _), client.logs.open(file) as chunks:
        return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize("name", [FILE, f"/tmp/ray/session_1/logs/{FILE}"])
async def test_an_actors_log_survives_its_process(name: str) -> None:
    owner = {"actor_id": ACTOR, "state": "DEAD", "node_id": NODE, "pid": 4711}
    assert await read(dashboard(files=[name], owner=owner), LogFile(actor_id=ACTOR)) == b"last words\n"


@pytest.mark.parametrize("info", [{"stdout_file": f"/tmp/ray/session_1/logs/{FILE[4:]}"}, None])
async def test_a_tasks_log_survives_its_worker(info: dict[str, str] | None) -> None:
    owner = {"task_id": TASK, "node_id": NODE, "worker_pid": 4711, "task_log_info": info}
    assert await read(dashboard(files=[FILE], owner=owner), LogFile(task_id=TASK)) == b"last words\n"


@pytest.mark.parametrize(
    ("files", "owner"),
    [
        ([], {"actor_id": ACTOR, "node_id": NODE, "pid": 4711}),
        ([FILE], {"actor_id": ACTOR, "node_id": NODE, "pid": 0}),
        ([FILE], {"actor_id": ACTOR, "node_id": None, "pid": 4711}),
    ],
)
async def test_what_is_nowhere_is_not_found(files: list[str], owner: dict[str, Any]) -> None:
    with pytest.raises(NotFoundError, match="There is no log out of actor"):
        await read(dashboard(files=files, owner=owner), LogFile(actor_id=ACTOR))
