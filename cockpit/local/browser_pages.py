"""A cockpit for each page of the browser, kept for a while after the page went away: a reload finds it again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiohttp.web import Request, WebSocketResponse

KEPT_S = 60.0
"""How long the cockpit of a page that went away goes on: a reload, a laptop that sleeps, a line that drops."""

HEARTBEAT_S = 15.0
MOST_WAITING = 4
"""Cockpits that wait for a page; of more, the one that has waited longest ends."""

# What an app tells its terminal when it starts (textual/drivers/web_driver.py), for a page that begins again:
# another screen, the mouse, no cursor, pastes in brackets.
_MODES = b"\x1b[?1049h\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h\x1b[?25l\x1b[?2004h"

Service = Any  # textual-serve's AppService: a process, and where what it writes goes
MakeService = Callable[..., Service]
Process = Callable[[Any, Service], Awaitable[None]]


class _Cockpit:
    """The process of one cockpit, and the websocket of the page that shows it, if one does."""

    def __init__(self, make: MakeService) -> None:
        self._socket: WebSocketResponse | None = None
        self.service = make(write_bytes=self._write_bytes, write_str=self._write_str, close=self._close)
        self.has_ended = False
        self.ending: asyncio.TimerHandle | None = None

    async def show_on(self, socket: "WebSocketResponse", width: int, height: int) -> None:
        """Go on in a page that has nothing on it yet; the size makes the cockpit draw everything."""
        self._socket = socket
        await self._write_bytes(_MODES)
        await self.service.set_terminal_size(width, height)

    async def begin_on(self, socket: "WebSocketResponse", width: int, height: int) -> None:
        """Start in a page."""
        self._socket = socket
        await self.service.start(width, height)

    def leave(self) -> None:
        """Its page went away: what is written meanwhile goes nowhere."""
        self._socket = None

    async def _write_bytes(self, data: bytes) -> None:
        # A page that has just gone does not end the cockpit, which would stop being read.
        with suppress(ConnectionError):
            if self._socket is not None:
                await self._socket.send_bytes(data)

    async def _write_str(self, text: str) -> None:
        with suppress(ConnectionError):
            if self._socket is not None:
                await self._socket.send_str(text)

    async def _close(self) -> None:
        """The user has quit."""
        self.has_ended = True
        if self._socket is not None:
            await self._socket.close()


class Pages:
    """Handles the websockets of the pages; `process` feeds what comes from one to a service until it closes."""

    def __init__(self, make: MakeService, process: Process, *, kept_s: float = KEPT_S) -> None:
        self._make, self._process, self._kept_s = make, process, kept_s
        self._waiting: list[_Cockpit] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def handle(self, request: "Request") -> "WebSocketResponse":
        """Show the cockpit that was left last on a page, or a new one."""
        from aiohttp import web

        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S)
        await socket.prepare(request)
        width, height = (_cells(request.query.get(name), usual) for name, usual in (("width", 80), ("height", 24)))
        cockpit = self._taken()
        if cockpit is None:
            cockpit = _Cockpit(self._make)
            await cockpit.begin_on(socket, width, height)
        else:
            await cockpit.show_on(socket, width, height)
        try:
            await self._process(socket, cockpit.service)
        finally:
            cockpit.leave()
            if cockpit.has_ended:
                await cockpit.service.stop()
            else:
                self._keep(cockpit)
        return socket

    def _taken(self) -> _Cockpit | None:
        """The cockpit that was left last, where one still runs."""
        while self._waiting:
            cockpit = self._waiting.pop()
            if cockpit.ending is not None:
                cockpit.ending.cancel()
            if not cockpit.has_ended:
                return cockpit
            self._end(cockpit)
        return None

    def _keep(self, cockpit: _Cockpit) -> None:
        self._waiting.append(cockpit)
        cockpit.ending = asyncio.get_running_loop().call_later(self._kept_s, self._give_up, cockpit)
        if len(self._waiting) > MOST_WAITING:
            self._give_up(self._waiting[0])

    def _give_up(self, cockpit: _Cockpit) -> None:
        """Nobody came back for it."""
        if cockpit in self._waiting:
            self._waiting.remove(cockpit)
            self._end(cockpit)

    def _end(self, cockpit: _Cockpit) -> None:
        if cockpit.ending is not None:
            cockpit.ending.cancel()
        task = asyncio.get_running_loop().create_task(cockpit.service.stop())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End all that wait for a page."""
        for cockpit in list(self._waiting):
            self._give_up(cockpit)
        await asyncio.gather(*self._tasks)


def _cells(text: str | None, usual: int) -> int:
    """A size of the terminal that a page says."""
    return int(text) if text is not None and text.isdecimal() and text.isascii() and int(text[:5]) > 0 else usual
