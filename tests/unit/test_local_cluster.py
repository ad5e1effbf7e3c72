"""`owned_ray`, `bring_up` and `bring_down` from the caller's side, over a program that answers as Ray does."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cockpit import settings
from cockpit.errors import LocalRayError
from cockpit.local import cluster, processes, state
from cockpit.local.cluster import bring_down, bring_up, owned_ray
from cockpit.local.launch import Launch, LocalOptions, marker_of
from cockpit.local.launch import prepare as really_prepare

# Arguments: how to behave, the dashboard's port, the agent's port.
pytestmark = pytest.mark.lengthy
ANSWERING = r"""
import http.server, sys, threading, time
behavior, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
print("the last words of Ray", flush=True)
if behavior == "dying":
    sys.exit(5)
if behavior == "silent":
    time.sleep(600)
mode = "disabled" if behavior == "open" else "token"
answers = {
    "/api/authentication_mode": '{"authentication_mode": "%s"}' % mode,
    "/api/version": '{"ray_version": "2.60.0"}',
    "/api/v0/nodes": '{"state": "ALIVE"}',
}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = answers.get(self.path.split("?")[0], "[]").encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
for port in ports:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever).start()
"""


class Script:
    """What the program in Ray's place does, and what was prepared for it."""

    def __init__(self) -> None:
        self.behavior = "good"
        self.prepared: list[Launch] = []

    def prepare(self, options: LocalOptions, **paths: str) -> Launch:
        launch = really_prepare(options, **paths)
        ports = (launch.ports.dashboard_port, launch.ports.dashboard_agent_listen_port)
        code = [sys.executable, "-I", "-S", "-c", ANSWERING, self.behavior, *map(str, ports)]
        self.prepared.append(launch._replace(plan=launch.plan._replace(command=code)))
        return self.prepared[-1]

    def processes(self) -> list[processes.Process]:
        table = processes.table()
        return [process for launch in self.prepared for process in processes.marked(launch.plan.marker, table)]

    def assert_nothing_left(self) -> None:
        assert self.processes() == []
        assert [path for launch in self.prepared for path in launch.plan.directories if os.path.lexists(path)] == []
        assert not state.state_path().exists()


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    made = Script()
    monkeypatch.setattr(settings, "state_directory", lambda: tmp_path / "state")
    monkeypatch.setattr(cluster, "installed_ray", lambda: "2.60.0")
    monkeypatch.setattr(cluster, "prepare", made.prepare)
    return made


async def eventually(holds: Callable[[], object], what: str) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - a process table sends no events
            await asyncio.sleep(0.01)
    assert holds(), what


async def test_an_owned_ray_lives_as_long_as_its_block(script: Script) -> None:
    told: list[str] = []
    async with owned_ray(report=told.append) as local:
        assert local.token == script.prepared[0].token
        assert processes.identity(local.supervisor_pid) == local.supervisor_identity
        assert script.processes()
        assert state.local_status() is None  # it is nobody else's
    script.assert_nothing_left()
    assert told[0].startswith("Starting Ray 2.60.0")
    assert told[-1] == "Jobs can be submitted."


async def test_an_error_in_the_block_ends_it_too(script: Script) -> None:
    with pytest.raises(RuntimeError, match="mine"):
        async with owned_ray():
            raise RuntimeError("mine")
    script.assert_nothing_left()


@pytest.mark.parametrize("moment", ["Starting Ray", "Ray is starting", "The dashboard answers", "Jobs can be"])
@pytest.mark.parametrize("lifetime", ["owned", "detached"])
async def test_cancelled_at_any_step_nothing_is_left(moment: str, lifetime: str, script: Script) -> None:
    async def start() -> None:
        def report(text: str) -> None:
            if text.startswith(moment):
                starting.cancel()

        if lifetime == "detached":
            await bring_up(report=report)
        async with owned_ray(report=report):
            await asyncio.sleep(600)

    starting = asyncio.create_task(start())
    with pytest.raises(asyncio.CancelledError):
        await starting
    script.assert_nothing_left()


async def test_cancelled_again_the_supervisor_goes_on_alone(script: Script) -> None:
    up = asyncio.Event()

    async def hold() -> None:
        async with owned_ray():
            up.set()
            await asyncio.sleep(600)

    holding = asyncio.create_task(hold())
    await up.wait()
    holding.cancel()
    await asyncio.sleep(0)
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    await eventually(lambda: not script.processes(), "the end of the tree")


@pytest.mark.lengthy
@pytest.mark.parametrize(
    ("behavior", "title", "detail"),
    [
        ("dying", "Ray ended before it was ready.", "the last words of Ray\n(exit code 5)"),
        ("open", "Ray started without asking for a token, so it was ended.", "mode: disabled"),
        ("silent", "Ray was not ready within 1 seconds.", "the last words of Ray"),
    ],
)
async def test_a_failed_start_says_why_and_leaves_nothing(
    behavior: str, title: str, detail: str, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    if behavior == "silent":
        monkeypatch.setattr(cluster, "START_S", 1.0)
    script.behavior = behavior
    with pytest.raises(LocalRayError) as caught:
        await bring_up()
    assert (caught.value.title, caught.value.detail) == (title, detail)
    assert len(script.prepared) == 1
    script.assert_nothing_left()


async def test_a_port_taken_meanwhile_costs_a_second_try(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    thief = socket.socket()

    def stolen(options: LocalOptions, **paths: str) -> Launch:
        launch = script.prepare(options, **paths)
        if len(script.prepared) == 1:
            thief.bind(("127.0.0.1", launch.ports.dashboard_port))
            thief.listen()
        return launch

    monkeypatch.setattr(cluster, "prepare", stolen)
    with thief:
        async with owned_ray() as local:
            assert local.address == script.prepared[1].address
    script.assert_nothing_left()


async def test_a_ray_that_ends_by_itself_is_told(script: Script) -> None:
    told: list[LocalRayError] = []
    async with owned_ray(on_end=told.append):
        ray = next(process for process in script.processes() if is_ray(process))
        processes.send(ray, signal.SIGKILL)
        await eventually(lambda: told, "a word of its end")
    assert "the last words of Ray\n(exit code -9)" in told[0].detail
    script.assert_nothing_left()


async def test_the_end_of_the_block_is_no_end_by_itself(script: Script) -> None:
    told: list[LocalRayError] = []
    async with owned_ray(on_end=told.append):
        pass
    assert told == []
    script.assert_nothing_left()


async def test_up_status_down(script: Script) -> None:
    local = await bring_up()
    assert state.local_status() == local
    assert state.state_path().stat().st_mode & 0o777 == 0o600
    told: list[str] = []
    assert await bring_up(report=told.append) == local
    assert told == [f"A local Ray is up already: {local.address}"]
    assert len(script.prepared) == 1
    assert await bring_down()
    script.assert_nothing_left()
    assert not await bring_down()


async def test_two_at_once_bring_up_one(script: Script) -> None:
    told: list[str] = []
    first, second = await asyncio.gather(bring_up(report=told.append), bring_up(report=told.append))
    assert first == second
    assert len(script.prepared) == 1
    assert "Another `local up` or `local down` is at work; waiting for it." in told
    assert await bring_down()


@pytest.mark.parametrize("act", [bring_up, bring_down])
async def test_what_a_killed_ray_left_is_said_and_cleared_up(
    act: Callable[..., object], script: Script, tmp_path: Path
) -> None:
    local = await bring_up()
    await bring_down()
    left = tmp_path / "rayakash-0123abcd"
    left.mkdir()
    state.save(msgspec.structs.replace(local, temp_dir=str(left)))
    assert state.local_status() is None
    told: list[str] = []
    await act(report=told.append)  # type: ignore[misc]
    assert "ended unexpectedly" in told[0]
    assert not left.exists()
    await bring_down()
    script.assert_nothing_left()


async def test_the_last_ray_says_why_it_ended(script: Script) -> None:
    await bring_up()
    processes.send(next(process for process in script.processes() if is_ray(process)), signal.SIGKILL)
    await eventually(lambda: not script.processes(), "the end of the tree")
    script.assert_nothing_left()
    assert "the last words of Ray" in state.farewell_path().read_text()
    assert state.local_status() is state.stale_state() is None


async def test_a_lock_that_cannot_be_had_is_said(script: Script, tmp_path: Path) -> None:
    (tmp_path / "state" / "local.lock").mkdir(parents=True)
    with pytest.raises(LocalRayError, match=r"local\.lock cannot be opened"):
        await bring_up()
    assert script.prepared == []


def is_ray(process: processes.Process) -> bool:
    """Whether it runs ANSWERING, told by its parent: a supervisor's child that is no supervisor."""
    table = processes.table()
    parents = [table[process.parent], table[table[process.parent].parent]]
    return all(marker_of_process(parent) == marker_of_process(process) for parent in parents)


def marker_of_process(process: processes.Process) -> str:
    """The marker that a process carries."""
    environment = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    return next((word.decode() for word in environment if word.startswith(b"RAYAKASH_LOCAL=")), "")


def test_the_marker_is_the_name_of_the_directory() -> None:
    launch = really_prepare(LocalOptions())
    assert launch.environment[processes.MARKER] == launch.plan.marker == marker_of(launch.plan.directories[0])
