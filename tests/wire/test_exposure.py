"""The exposure check on dashboards that answer: who is let in, and from where they can be reached."""

import socket
from collections.abc import Callable

import pytest

from cockpit.clients import transport as transport_module
from cockpit.clients.endpoint import Basic, Endpoint
from cockpit.clients.ray import RayClient
from cockpit.errors import AuthenticationError
from cockpit.model.secret import Secret
from cockpit.operations.clusters.exposure import Exposure, Reach, look
from cockpit.operations.clusters.protection import protection_of
from tests.wire.clients import client_of
from tests.wire.fake_ray import FakeRay
from tests.wire.server import Exchange, WireServer

PUBLIC_IP = "8.8.8.8"  # never spoken to: only the resolver of the test names it


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let every name stand for these addresses; what was looked up is noted."""

    known = socket.getaddrinfo

    def named(*addresses: str) -> list[str]:
        asked: list[str] = []

        async def lookup(host: str) -> tuple[str, ...]:
            asked.append(host)
            return addresses

        monkeypatch.setattr(transport_module, "lookup", lookup)
        monkeypatch.setattr(socket, "getaddrinfo", lambda _, *rest, **named: known("127.0.0.1", *rest, **named))
        return asked

    return named


def at_a_name(server: WireServer, **values: object) -> RayClient:
    """A client that reaches the server by a name."""
    address = client_of(f"http://lab.example:{server.port}").transport.endpoint.address
    return RayClient.at(Endpoint(address=address, **values))  # type: ignore[arg-type]


async def seen(client: RayClient) -> tuple[Exposure, str]:
    async with client:
        found = await look(client)
        return found, protection_of(client.transport.endpoint, found).fault


@pytest.mark.parametrize(
    ("addresses", "token", "knows", "reach", "fault"),
    [
        ((PUBLIC_IP,), None, True, Reach.PUBLIC, "open-to-all"),
        ((PUBLIC_IP, "10.0.0.1"), None, True, Reach.PUBLIC, "open-to-all"),
        ((PUBLIC_IP,), None, False, Reach.PUBLIC, "too-old-for-tokens"),
        ((PUBLIC_IP,), "t" * 32, True, Reach.PUBLIC, "token-in-clear"),
        (("10.0.0.1",), None, True, Reach.PRIVATE, ""),
        (("10.0.0.1",), "t" * 32, True, Reach.PRIVATE, "token-in-clear"),
        (("127.0.0.1",), None, True, Reach.LOOPBACK, ""),
        (("127.0.0.1",), "t" * 32, True, Reach.LOOPBACK, ""),
        (("127.0.0.1",), None, False, Reach.LOOPBACK, ""),
    ],
)
async def test_a_row(
    named: Callable[..., list[str]],
    addresses: tuple[str, ...],
    token: str | None,
    knows: bool,
    reach: Reach,
    fault: str,
) -> None:
    asked = named(*addresses)
    ray = FakeRay()
    ray.token, ray.knows_authentication = token, knows
    async with WireServer(ray.handle) as server:
        found, said = await seen(at_a_name(server, token=Secret(token) if token else None))
    assert (found.reach, said) == (reach, fault)
    assert set(asked) == {"lab.example"}


async def test_a_login_in_front_of_an_open_ray(named: Callable[..., list[str]]) -> None:
    named(PUBLIC_IP)
    ray = FakeRay()

    async def handle(exchange: Exchange) -> None:
        if "authorization" not in exchange.request.headers:
            await exchange.reply("who are you?", status=401)
            return
        await ray.handle(exchange)

    async with WireServer(handle) as server:
        guarded, fault = await seen(at_a_name(server, basic=Basic("me", Secret("password"))))
        with pytest.raises(AuthenticationError):
            await seen(at_a_name(server))
    assert guarded.is_guarded
    assert fault == "token-in-clear"  # the password is
    async with WireServer(ray.handle) as server:
        open_one, fault = await seen(at_a_name(server, basic=Basic("me", Secret("password"))))
    assert not open_one.is_guarded
    assert fault == "open-to-all"
