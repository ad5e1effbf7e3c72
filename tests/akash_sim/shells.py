"""Commands that the simulated gateways really run: on pipes, or on a terminal of their own with its size and signals.

Frames are those of akash-network/provider, gateway/rest/router.go: 100 and 101 output, 102 result, 104 input, 105 size.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

from websockets.asyncio.server import ServerConnection

STDOUT, STDERR, RESULT, STDIN, RESIZE = 100, 101, 102, 104, 105


_TAKE = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


def on_its_terminal(command: Sequence[str]) -> list[str]:
    """The command with standard input as its controlling terminal; to be started in a session of its own.

    A program in between does it: Python code between fork and exec may hang where the parent has threads.
    """
    return [sys.executable, "-I", "-S", "-c", _TAKE, *command]


async def run_on_pipes(
    connection: ServerConnection, command: Sequence[str], folder: Path | None, environment: dict[str, str],
    cut_after: int | None = None,
) -> None:  # fmt: skip
    """Run a command; the connection breaks after `cut_after` bytes of output."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, start_new_session=True, env=environment,
    )  # fmt: skip
    try:
        await _attend(connection, process, cut_after)
    finally:
        _kill(process)
        with contextlib.suppress(ConnectionError):
            await process.communicate()  # closes its pipes


async def _attend(connection: ServerConnection, process: asyncio.subprocess.Process, cut_after: int | None) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    feeding = asyncio.create_task(_feed(connection, process.stdin))
    budget = [cut_after if cut_after is not None else 2**62]
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_pass_on(connection, process.stdout, STDOUT, budget))
            group.create_task(_pass_on(connection, process.stderr, STDERR, budget))
        await _tell_end(connection, process)
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def _pass_on(connection: ServerConnection, stream: asyncio.StreamReader, kind: int, budget: list[int]) -> None:
    while data := await stream.read(32 * 1024):
        budget[0] -= len(data)
        if budget[0] < 0:
            connection.transport.abort()
            raise ConnectionAbortedError  # the command would wait for ever for somebody to read on
        await connection.send(bytes([kind]) + data)


async def _feed(connection: ServerConnection, stdin: asyncio.StreamWriter) -> None:
    async for frame in connection:
        if isinstance(frame, bytes) and frame[:1] == bytes([STDIN]):
            stdin.write(frame[1:])
            with contextlib.suppress(ConnectionError):  # the command has read enough
                await stdin.drain()


async def run_on_terminal(
    connection: ServerConnection, command: Sequence[str], folder: Path | None, environment: dict[str, str]
) -> None:
    """Run a command on a terminal of its own, which is its controlling one: keys become signals there."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *on_its_terminal(command), cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env=environment,
    )  # fmt: skip
    os.close(theirs)
    os.set_blocking(ours, False)
    typing, showing = asyncio.create_task(_type(connection, ours)), asyncio.create_task(_show(connection, ours))
    try:
        await asyncio.wait((typing, showing), return_when=asyncio.FIRST_COMPLETED)
        if showing.done():
            await _tell_end(connection, process)
    finally:
        typing.cancel()
        showing.cancel()
        await asyncio.gather(typing, showing, return_exceptions=True)
        _kill(process)
        await process.wait()
        os.close(ours)


async def _show(connection: ServerConnection, terminal: int) -> None:
    """Send on what the terminal shows, until nobody has it open any more (EIO, on Linux)."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(terminal, readable.set)
    try:
        while True:
            await readable.wait()
            readable.clear()
            try:
                data = os.read(terminal, 32 * 1024)
            except BlockingIOError:
                continue
            except OSError:
                return
            if not data:
                return
            await connection.send(bytes([STDOUT]) + data)
    finally:
        loop.remove_reader(terminal)


async def _type(connection: ServerConnection, terminal: int) -> None:
    async for frame in connection:
        if not isinstance(frame, bytes):
            continue
        if frame[:1] == bytes([STDIN]):
            os.write(terminal, frame[1:])
        elif frame[:1] == bytes([RESIZE]):
            width, height = struct.unpack(">HH", frame[1:])
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


async def _tell_end(connection: ServerConnection, process: asyncio.subprocess.Process) -> None:
    code = await process.wait()
    await connection.send(bytes([RESULT]) + json.dumps({"exit_code": code}).encode())


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
