"""When a local Ray is ready: asked over its own HTTP, with the standard library."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from cockpit.errors import LocalRayError
from cockpit.local.launch import LOOPBACK, Launch

ANSWER_S = 5.0
PAUSE_S = 0.1

Check = Callable[[Launch], Awaitable[bool]]


async def wait_ready(launch: Launch, report: Callable[[str], None]) -> None:
    """Return once jobs can be submitted: token asked for, dashboard, node, agent and jobs all answer.

    Raises LocalRayError where Ray came up without authentication. It never gives up: the caller sets a limit.
    """
    steps: tuple[tuple[Check, str], ...] = (
        (asks_for_token, "The dashboard answers."),
        (knows_version, "The dashboard has found the cluster."),
        (node_is_alive, "The node is alive."),
        (agent_answers, "The node's agent answers."),
        (serves_jobs, "Jobs can be submitted."),
    )
    for holds, words in steps:
        await until(holds, launch)
        report(words)


async def until(holds: Check, launch: Launch) -> None:
    """Ask until the check holds."""
    while True:
        if await holds(launch):
            return
        await asyncio.sleep(PAUSE_S)


async def asks_for_token(launch: Launch) -> bool:
    """Whether the dashboard answers and is protected. Raises LocalRayError where it is not."""
    status, body = await get(launch.ports.dashboard_port, "/api/authentication_mode")
    mode = decoded(body).get("authentication_mode") if status == 200 else None
    if mode is not None and mode != "token":
        raise LocalRayError("Ray started without asking for a token, so it was ended.", detail=f"mode: {mode}")
    return mode == "token"


async def knows_version(launch: Launch) -> bool:
    """Whether the dashboard accepts the token and says its version."""
    status, body = await get(launch.ports.dashboard_port, "/api/version", launch.token)
    return status == 200 and "ray_version" in decoded(body)


async def node_is_alive(launch: Launch) -> bool:
    """Whether the one node has joined."""
    status, body = await get(launch.ports.dashboard_port, "/api/v0/nodes?limit=10", launch.token)
    return status == 200 and b'"ALIVE"' in body


async def agent_answers(launch: Launch) -> bool:
    """Whether the agent, which starts the jobs, listens on its port and reaches its raylet."""
    status, _ = await get(launch.ports.dashboard_agent_listen_port, "/api/local_raylet_healthz", launch.token)
    return status == 200


async def serves_jobs(launch: Launch) -> bool:
    """Whether the jobs API answers."""
    status, _ = await get(launch.ports.dashboard_port, "/api/jobs/", launch.token)
    return status == 200


async def get(port: int, path: str, token: str = "") -> tuple[int, bytes]:
    """One GET on the loopback: status and body, or (0, b"") where no HTTP answer came in time."""
    try:
        async with asyncio.timeout(ANSWER_S):
            answer = await _exchange(port, request(path, token))
    except OSError:  # refused, reset, or (TimeoutError) too late: not ready
        return 0, b""
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(maxsplit=2)
    valid = len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit()
    return (int(words[1]), body) if valid else (0, b"")


def request(path: str, token: str) -> bytes:
    """The request as HTTP/1.0, which is answered in one piece and then closed."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}\r\n{authorization}\r\n".encode()


def decoded(body: bytes) -> dict[str, object]:
    """A JSON object; an empty one where the body is anything else."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def _exchange(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(data)
        return await reader.read()
    finally:
        writer.close()
