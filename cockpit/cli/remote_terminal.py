"""This terminal as that of a program elsewhere, as ssh has it: raw keys there, its bytes here, and the size.

What the other side writes reaches the terminal as it is: that is what an interactive shell is for, and it is opened
only where the user asked for one.
"""

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from cockpit.cli.terminal import restored_at_an_end

PIECE_BYTES = 32 * 1024
# A program that did not get to leave the terminal as it was: other screen, cursor, mouse, paste, colors.
RESET = b"\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[0m"


class Keyboard(Protocol):
    """What takes keys and sizes; `clients.akash.gateway.Shell` is one."""

    async def write(self, data: bytes) -> None:
        """Give it keys."""

    async def resize(self, width: int, height: int) -> None:
        """Tell it the size in cells."""


class DisconnectedError(Exception):
    """The user typed the way out."""


class WayOut:
    """Finds `~.` at the beginning of a line in what is typed, and a doubled `~` there is one, as in ssh."""

    def __init__(self) -> None:
        self._at_start = True
        self._holds_tilde = False

    def feed(self, data: bytes) -> bytes:
        """What goes to the other side. Raises DisconnectedError at the way out."""
        sent = bytearray()
        for byte in data:
            key = bytes((byte,))
            if self._holds_tilde:
                self._holds_tilde = False
                if key == b".":
                    raise DisconnectedError
                sent += b"" if key == b"~" else b"~"
            elif self._at_start and key == b"~":
                self._holds_tilde, self._at_start = True, False
                continue
            sent += key
            self._at_start = key in (b"\r", b"\n")
        return bytes(sent)


@contextmanager
def raw() -> Iterator[None]:
    """Every key as it is typed, Ctrl-C and Ctrl-Z too; the terminal is restored whatever ends this process."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor, termios.TCSADRAIN)
    try:
        with restored_at_an_end(descriptor, before, termios.tcgetattr(descriptor)):
            yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


async def pass_on(keyboard: Keyboard) -> None:
    """Give the other side the size now and whenever it changes, and every key until none can come.

    Raises DisconnectedError at the way out.
    """
    sizing = asyncio.create_task(_pass_on_sizes(keyboard))
    try:
        await _pass_on_keys(keyboard)
        await sizing
    finally:
        sizing.cancel()
        await asyncio.gather(sizing, return_exceptions=True)


async def _pass_on_sizes(keyboard: Keyboard) -> None:
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGWINCH, changed.set)
    try:
        while True:
            changed.clear()
            width, height = os.get_terminal_size(sys.stdin.fileno())
            await keyboard.resize(width, height)
            await changed.wait()
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)


async def _pass_on_keys(keyboard: Keyboard) -> None:
    loop, readable, way_out = asyncio.get_running_loop(), asyncio.Event(), WayOut()
    descriptor = sys.stdin.fileno()
    while True:
        loop.add_reader(descriptor, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(descriptor)
        readable.clear()
        if not (data := os.read(descriptor, PIECE_BYTES)):
            return
        if sent := way_out.feed(data):
            await keyboard.write(sent)


def show(data: bytes) -> None:
    """Write to the terminal, all of it; waits while the terminal does not take it."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(sys.stdout.fileno(), rest) :]
