"""`deployments shell` on a real terminal: keys and signals go there, size and output come here, the end is restored."""

import asyncio
import contextlib
import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli.remote_terminal import RESET, DisconnectedError, WayOut
from tests.akash_sim.console import SimConsole
from tests.akash_sim.gateway import SimGateway
from tests.akash_sim.market import SimProvider
from tests.akash_sim.server import SimServer
from tests.akash_sim.shells import on_its_terminal
from tests.akash_sim.world import SimWorld
from tests.deployments.stage import CPU
from tests.wire.commands import REPOSITORY
from tests.wire.server import DEADLINE_SECONDS


class Terminal:
    """A terminal with a command on it."""

    def __init__(self, *arguments: str, environment: dict[str, str]) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(100, 30)
        self.before = termios.tcgetattr(self.slave)
        self.shown = b""
        self._arguments = arguments
        self._environment = environment
        self._news = asyncio.Event()
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the command, with the terminal as its own."""

        asyncio.get_running_loop().add_reader(self.master, self._read)
        self.process = await asyncio.create_subprocess_exec(
            *on_its_terminal([sys.executable, "-m", "cockpit", *self._arguments]), cwd=REPOSITORY,
            env=self._environment, stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
        )  # fmt: skip

    def _read(self) -> None:
        self.shown += os.read(self.master, 65536)
        self._news.set()

    def resize(self, width: int, height: int) -> None:
        """Give the terminal another size; the kernel tells its programs."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def type(self, keys: bytes) -> None:
        """Type."""
        os.write(self.master, keys)

    async def shows(self, words: bytes) -> None:
        """Wait until the words are there, and forget what was before them."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                while words not in self.shown:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(f"{words!r} never came; the terminal shows {self.shown!r}")
        self.shown = self.shown.partition(words)[2]

    async def ends(self) -> int:
        """The exit code; the terminal is then as it was before."""
        assert self.process is not None
        async with asyncio.timeout(DEADLINE_SECONDS):
            code = await self.process.wait()
        assert termios.tcgetattr(self.slave) == self.before
        return code

    def close(self) -> None:
        """End what still runs."""
        asyncio.get_running_loop().remove_reader(self.master)
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
        for descriptor in (self.master, self.slave):
            os.close(descriptor)


class Leased:
    """A deployment whose head has a real shell behind its provider's gateway."""

    def __init__(self, dseq: str, gateway: SimGateway, environment: dict[str, str]) -> None:
        self.dseq, self.gateway, self.environment = dseq, gateway, environment

    @contextlib.asynccontextmanager
    async def shell(self, *options: str) -> AsyncIterator[Terminal]:
        """The command on a terminal."""
        terminal = Terminal("deployments", "shell", *options, environment=self.environment)
        await terminal.start()
        try:
            yield terminal
        finally:
            terminal.close()


@pytest.fixture
async def leased(tmp_path: Path, home: Path) -> AsyncIterator[Leased]:
    provider = SimProvider(address="akash1" + "q" * 38, host="p.sim.example", nodes=[8])
    world = SimWorld(market=[provider])
    made = world.create(CPU, name="lab")
    world.clock.advance(60)
    world.lease(made, [(1, provider.address)])
    made.leases[0].manifest_at = world.clock.time()
    world.clock.advance(60)
    async with SimGateway(world, provider, folder=tmp_path) as gateway, SimServer(SimConsole(world)) as server:
        environment = {name: value for name, value in os.environ.items() if name not in ("TERM", "ENV", "PS1")}
        environment |= {"AKASH_CONSOLE_URL": server.url, "AKASH_API_KEY": world.keys[0].value, "TERM": "xterm-256color"}
        yield Leased(made.dseq, gateway, environment | {"HOME": str(home)})


async def test_a_shell_with_size_signals_and_exit_code(leased: Leased) -> None:
    """Ctrl-C ends what runs there, and not us."""
    async with leased.shell(leased.dseq, "ray-head") as terminal:
        terminal.type(b"stty -echo; stty size; echo $TERM\r")
        await terminal.shows(b"30 100\r\nxterm-256color")
        terminal.resize(120, 40)
        terminal.type(b"until [ \"$(stty size)\" = '40 120' ]; do :; done; echo re''sized\r")
        await terminal.shows(b"resized")
        terminal.type(b"echo wait''ing; sleep 1000\r")
        await terminal.shows(b"waiting")
        terminal.type(b"\x03")
        terminal.type(b"echo still he''re\r")
        await terminal.shows(b"still here")
        terminal.type(b"exit 7\r")
        assert await terminal.ends() == 7
        assert RESET not in terminal.shown
    query = next(path for path, _ in leased.gateway.requests if "/shell?" in path)
    assert "tty=1" in query
    assert "stdin=1" in query


async def test_the_way_out_and_a_broken_connection(leased: Leased) -> None:
    """The terminal is usable after both."""
    async with leased.shell(
        "-t", leased.dseq, "ray-head", "--", "sh", "-c", "printf '\\033[?1049h'; echo in; cat"
    ) as one:
        await one.shows(b"in")
        one.type(b"\r~.")
        assert await one.ends() == 130
        assert RESET in one.shown
        assert b"\nDisconnected" in one.shown
    async with leased.shell("-t", leased.dseq, "ray-head", "--", "sh", "-c", "echo in; cat") as other:
        await other.shows(b"in")
        await leased.gateway.refuse()
        assert await other.ends() in (1, 3)
        assert RESET in other.shown


async def test_without_a_terminal_there_is_no_shell(leased: Leased) -> None:
    """A command still runs there, and gets no terminal."""
    results: list[Any] = []
    for words in (["ray-head"], ["ray-head", "--", "sh", "-c", "test -t 0 || echo piped; exit 4"]):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cockpit", "deployments", "shell", leased.dseq, *words, cwd=REPOSITORY,
            env=leased.environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        results.append((process.returncode, out, err))
    assert results[0][0] == 2
    assert b"not a terminal for a shell" in results[0][2]
    assert results[1][:2] == (4, b"piped\n")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        (b"ls ~.x\r", b"ls ~.x\r"),
        (b"~~.", b"~."),
        (b"~x", b"~x"),
        (b"a\r~b", b"a\r~b"),
        (b"\x03~.", b"\x03~."),
    ],
)
def test_a_tilde_is_a_key_where_it_is_not_the_way_out(typed: bytes, sent: bytes) -> None:
    """However the keys arrive."""
    assert WayOut().feed(typed) == sent
    way_out = WayOut()
    assert b"".join(way_out.feed(bytes((byte,))) for byte in typed) == sent


@pytest.mark.parametrize("typed", [b"~.", b"a\r~.", b"a\n~."])
def test_the_way_out_is_found(typed: bytes) -> None:
    """At the beginning of a line."""
    with pytest.raises(DisconnectedError):
        WayOut().feed(typed)
