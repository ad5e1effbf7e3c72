"""Clients of servers that tests script."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.tls import Tls
from cockpit.clients.transport import Endpoint, Timeouts, Transport
from cockpit.model.secret import Secret
from tests.wire.fake_ray import FakeRay
from tests.wire.samples import sample
from tests.wire.server import Exchange, Handler, WireServer

Pair = tuple[RayClient, WireServer]


def client_of(
    url: str,
    *,
    token: str | None = None,
    timeouts: Timeouts | None = None,
    ca: Path | None = None,
    tls: Tls | None = None,
    use_proxy: bool = False,
) -> RayClient:
    """A client of what is at this address."""
    endpoint = Endpoint(
        address=parse_address(url),
        token=Secret(token) if token else None,
        tls=tls or Tls(ca=ca),
        use_proxy=use_proxy,
    )
    return RayClient(Transport(endpoint, timeouts=timeouts))


@asynccontextmanager
async def handled_by(
    handler: Handler, *, token: str | None = None, timeouts: Timeouts | None = None
) -> AsyncIterator[Pair]:
    """A client of a server with this handler, and the server."""
    async with WireServer(handler) as server, client_of(server.url, token=token, timeouts=timeouts) as client:
        yield client, server


def replying(body: Any = b"", status: int = 200, **more: Any) -> Handler:
    """A handler that gives one answer to everything."""

    async def handler(exchange: Exchange) -> None:
        await exchange.reply(body, status=status, **more)

    return handler


@asynccontextmanager
async def answered_with(body: Any, status: int = 200) -> AsyncIterator[Pair]:
    """A client of a server that gives one answer to everything."""
    async with handled_by(replying(body, status)) as pair:
        yield pair


@asynccontextmanager
async def replayed(name: str) -> AsyncIterator[Pair]:
    """A client of a server that gives a recorded answer to everything."""
    recorded = sample(name)
    async with answered_with(recorded.data, recorded.status) as pair:
        yield pair


@asynccontextmanager
async def talking_to(ray: FakeRay, *, token: str | None = None) -> AsyncIterator[Pair]:
    """A client of a scripted dashboard."""
    async with handled_by(ray.handle, token=token) as pair:
        yield pair
