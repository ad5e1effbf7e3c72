"""The simulated Console on a real socket, and orders to it as `POST /_sim`, for hand tests and other processes."""

import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from tests.akash_sim.console import CutError, SimConsole, SimRequest
from tests.akash_sim.faults import Fault
from tests.wire.server import Exchange, WireServer

PATIENCE_S = 300.0


class SimServer:
    """Serves a simulated Console on plain HTTP of 127.0.0.1; use as an async context manager."""

    def __init__(self, console: SimConsole, *, port: int = 0) -> None:
        self.console = console
        self._server = WireServer(self._handle)
        self._server.port = port

    @property
    def url(self) -> str:
        """The address to give to a client."""
        return self._server.url

    async def __aenter__(self) -> Self:
        await self._server.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.refuse()

    async def _handle(self, exchange: Exchange) -> None:
        asked = exchange.request
        url = urlsplit(asked.target)
        if url.path == "/_sim":
            await exchange.reply(self.obey(json.loads(asked.body)))
            return
        request = SimRequest(
            method=asked.method, path=unquote(url.path), query=dict(parse_qsl(url.query)), headers=asked.headers,
            body=asked.body,
        )  # fmt: skip
        try:
            reply = self.console.exchange(request, PATIENCE_S)
        except CutError:
            exchange.cut()
            return
        await exchange.reply(reply.body, status=reply.status, content_type=reply.content_type, headers=reply.headers)

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry out an order: `{"do": "skip", "seconds": 60}`, `{"do": "fault", …}`, `revoke`, `clear`, `state`."""
        world = self.console.world
        what = order.pop("do")
        if what == "skip":
            world.clock.advance(float(order["seconds"]))
        elif what == "fault":
            self.console.faults.add(msgspec.convert({**order, "do": order.pop("kind")}, Fault))
        elif what == "revoke":
            world.keys[0].is_revoked = True
        elif what == "clear":
            self.console.faults.clear()
        elif what != "state":
            return {"error": f"unknown order {what}"}
        world.catch_up()
        return {
            "time": world.clock.time(),
            "available": str(world.available),
            "deployments": {each.dseq: each.state for each in world.deployments.values()},
            "requests": len(self.console.requests),
        }
