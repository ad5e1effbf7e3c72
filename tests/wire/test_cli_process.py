"""The command line as a process: terminals, pipes, signals, and what it imports."""

import asyncio
import os
import pty
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.wire.commands import alone, finish, home, says, start
from tests.wire.fake_ray import FakeRay, serve
from tests.wire.server import Exchange, until

__all__ = ["home"]

pytestmark = [pytest.mark.usefixtures("home"), pytest.mark.lengthy]

LOG = b"one\n\x1b[31mred\x1b[0m \x1b]0;owned\x07\x1b[2J\r\xff\xc2\x9b2J\x00\nend"
# Colors, line ends and carriage returns pass, everything else that a terminal would obey is written out.
SHOWN = b"one\n\x1b[31mred\x1b[0m " + rb"\x1b]0;owned\x07\x1b[2J" + b"\r" + rb"\xff\x9b2J\x00" + b"\nend"


@asynccontextmanager
async def terminal() -> AsyncIterator[tuple[int, int]]:
    """Both ends of a terminal: ours, and the one that a command takes for its screen."""
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        for end in (ours, theirs):
            with suppress(OSError):
                os.close(end)


async def screen(ours: int) -> bytes:
    """All that is written to a terminal until nobody holds its other end any more."""

    def read() -> bytes:
        seen = b""
        with suppress(OSError):  # EIO at the end, on Linux
            while part := os.read(ours, 65536):
                seen += part
        return seen

    return (await asyncio.to_thread(read)).replace(b"\r\n", b"\n")


async def test_logs_into_a_pipe_are_raw_and_on_a_terminal_made_safe() -> None:
    ray = FakeRay()
    ray.add("x", "SUCCEEDED", log=LOG)
    async with serve(ray) as server, terminal() as (ours, theirs):
        assert (await alone("logs", "x", "--address", server.url)).out == LOG
        process = await start("logs", "x", "--address", server.url, stdout=theirs)
        os.close(theirs)
        seen = await screen(ours)
        assert (await finish(process)).code == 0
    assert seen == SHOWN


async def test_color_that_a_log_leaves_on_is_taken_back() -> None:
    ray = FakeRay()
    ray.add("x", "SUCCEEDED", log=b"\x1b[31mred for ever\x1b[")
    async with serve(ray) as server, terminal() as (ours, theirs):
        process = await start("logs", "x", "--address", server.url, stdout=theirs)
        os.close(theirs)
        assert await screen(ours) == b"\x1b[31mred for ever\\x1b[\x1b[0m"
        await finish(process)


async def test_table_is_as_wide_as_the_terminal() -> None:
    ray = FakeRay()
    ray.add("x", entrypoint="python train.py " + "--option " * 50)
    async with serve(ray) as server, terminal() as (ours, theirs):
        # A pty of no size counts as 80 columns unless the environment says otherwise.
        os.environ["COLUMNS"] = "60"
        try:
            process = await start("jobs", "--address", server.url, stdout=theirs)
        finally:
            del os.environ["COLUMNS"]
        os.close(theirs)
        lines = (await screen(ours)).decode().splitlines()
        await finish(process)
    assert max(map(len, lines)) == 60
    assert "…" in lines[1]


async def test_ctrl_c_leaves_the_job_alone_and_says_how_to_stop_it() -> None:
    ray = FakeRay()
    async with serve(ray) as server:
        process = await start("submit", "--id", "train", "--address", server.url, "--", "python", "train.py")
        await until(lambda: ray.jobs)
        ray.log("train").write(b"begun\n")
        await says(process.stdout, "begun")
        process.send_signal(signal.SIGINT)
        done = await finish(process)
        assert not ray.stops
    assert done.code == 130
    assert "Detached: job train goes on. Stop it with: rayakash-tui stop train" in done.err
    assert "Traceback" not in done.err
    assert r"\x0a" not in done.err


@pytest.mark.parametrize("command", [["jobs", "--watch"], ["logs", "-f", "x"], ["wait", "x"]])
async def test_ctrl_c_ends_with_130_and_no_word(command: list[str]) -> None:
    ray = FakeRay()
    ray.add("x", log=b"begun\n")
    async with serve(ray) as server:
        process = await start(*command, "--address", server.url)
        await until(lambda: server.requests)
        if command != ["wait", "x"]:
            await says(process.stdout, "\n")
        process.send_signal(signal.SIGINT)
        done = await finish(process)
    assert (done.code, done.err) == (130, "")


FAR_AWAY = """
import sys
from cockpit.clients.address import Address
from cockpit.cli.main import run
Address.is_loopback = property(lambda _: False)
sys.exit(run(sys.argv[1:]))
"""


async def test_ctrl_c_at_a_question_needs_no_second_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0123456789abcdef0123456789abcdef")
    ray = FakeRay()
    ray.token = "another"
    async with serve(ray) as server, terminal() as (_, theirs):
        process = await start("jobs", "--address", server.url, script=FAR_AWAY, stdin=theirs)
        await says(process.stderr, "[y/N]")
        process.send_signal(signal.SIGINT)
        done = await finish(process)
    assert done.code == 130
    assert "Traceback" not in done.err


async def test_ctrl_c_while_a_job_is_submitted_names_it() -> None:
    ray, asked = FakeRay(), asyncio.Event()

    async def silent(exchange: Exchange) -> None:
        asked.set()
        await exchange.never()

    ray.overrides["POST", "/api/jobs/"] = silent
    async with serve(ray) as server:
        process = await start("submit", "--id", "named", "--address", server.url, "--", "true")
        await asked.wait()
        process.send_signal(signal.SIGINT)
        done = await finish(process)
    assert (done.code, done.out) == (130, b"")
    assert "the job may have been accepted. Look for it with: rayakash-tui jobs | grep named" in done.err


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_broken_pipe_ends_quietly(stream: str) -> None:
    ray = FakeRay()
    ray.add("x", "FAILED", log=b"line\n" * 100_000)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        async with serve(ray) as server:
            streams: dict[str, Any] = {stream: writing}
            done = await alone("logs", "-f", "x", "--address", server.url, **streams)
    finally:
        os.close(writing)
    assert (done.code, done.err) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", [["logs", "x"], ["jobs"], ["jobs", "--json"]])
async def test_full_disk_behind_stdout_is_a_sentence(command: list[str]) -> None:
    ray = FakeRay()
    ray.add("x", "SUCCEEDED", log=b"line\n")
    with open("/dev/full", "wb") as full:  # noqa: ASYNC230 - opens at once
        async with serve(ray) as server:
            done = await alone(*command, "--address", server.url, stdout=full)
    assert done.code == 2
    assert "error: " in done.err
    assert "No space left on device" in done.err
    assert "Traceback" not in done.err
    assert "Exception ignored" not in done.err


@pytest.mark.parametrize(
    ("descriptor", "command"),
    [(0, ["jobs"]), (1, ["jobs", "--json"]), (1, ["logs", "x"]), (2, ["logs", "nope"])],
)
async def test_closed_stream_is_no_reason_to_stumble(descriptor: int, command: list[str]) -> None:
    ray = FakeRay()
    ray.add("x", "SUCCEEDED", log=b"line\n")
    async with serve(ray) as server:
        done = await alone(*command, "--address", server.url, preexec_fn=partial(os.close, descriptor))
    assert done.code == (1 if "nope" in command else 0)
    assert "Traceback" not in done.err
    assert b"error" not in done.out


async def test_version_help_and_wrong_words() -> None:
    version = await alone("--version")
    assert (version.code, version.err) == (0, "")
    assert re.fullmatch(r"rayakash-tui \d+\.\d+\.\d+\n", version.text)
    wrong = await alone("jobs", "--nonsense")
    assert (wrong.code, wrong.out) == (2, b"")
    assert "Unknown option: '--nonsense'" in wrong.err


# What it imports

HEAVY = ("textual", "rich", "ray", "click", "pygments", "httpx._main")

SCRIPT = """
import contextlib, io, os, sys
from cockpit.cli.main import run

address, directory = sys.argv[1:]
commands = [
    ["jobs"], ["jobs", "--json"], ["nodes"], ["gpus"], ["gpus", "--json"], ["logs", "done"], ["logs", "-f", "done"],
    ["wait", "done"], ["stop", "done"], ["delete", "old"], ["logs", "nope"], ["jobs", "--status", "NONSENSE"],
    ["submit", "--no-wait", "--working-dir", directory, "--runtime-env", directory + "/env.yaml", "--env",
     "KEY=ac-secret://NAME", "--", "true"],
    ["submit", "--id", "done", "--", "true"],
    ["local", "status"],
]
for words in commands:
    at = words.index("--") if "--" in words else len(words)
    where = [] if words[0] == "local" else ["--address", address]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        run([*words[:at], *where, *words[at:]])
    loaded = {name.partition(".")[0] for name in sys.modules} | ({"httpx._main"} & set(sys.modules))
    print(" ".join(words[:2]), "|", *sorted(loaded & set(HEAVY)))
"""


async def test_no_command_imports_textual_rich_ray_click_or_pygments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(find_spec(name) for name in ("click", "rich", "pygments"))  # or the test would prove nothing
    monkeypatch.setenv("RAYAKASH_SECRET_NAME", "x")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("")
    (tmp_path / "code" / ".gitignore").write_text("*.bin\n")
    (tmp_path / "code" / "env.yaml").write_text("pip: [torch]\n")
    ray = FakeRay()
    ray.add("done", "SUCCEEDED", log=b"line\n")
    ray.add("old", "FAILED")
    async with serve(ray) as server:
        script = SCRIPT.replace("HEAVY", repr(HEAVY))
        done = await finish(await start(server.url, str(tmp_path / "code"), script=script))
        assert {request.method for request in server.requests} == {"GET", "POST", "PUT", "DELETE"}
    assert done.code == 0, done.err
    lines = done.text.splitlines()
    assert len(lines) == 15
    assert [line for line in lines if not line.endswith("|")] == []
