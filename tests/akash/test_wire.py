"""The Console's client over real sockets: where the key goes, what is bounded, and what a broken line means."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from cockpit.clients.akash.console import ConsoleClient, CreateRequest, console_endpoint
from cockpit.clients.akash.outcomes import Done, Refused, Unknown
from cockpit.clients.akash.sealing import seal
from cockpit.errors import CockpitError, NotRayError, ServerError, UnreachableError, UsageError
from cockpit.model.secret import Secret
from tests.akash.lives import texts
from tests.akash_sim.console import SimConsole
from tests.akash_sim.faults import Fault
from tests.akash_sim.samples import LAB, PLAIN
from tests.akash_sim.server import SimServer
from tests.wire.server import Exchange, WireServer

KEY = Secret("ac.sk.production." + "c4nary" * 10)


def client(url: str, sim: SimConsole, key: Secret | None = None) -> ConsoleClient:
    return ConsoleClient.at(console_endpoint(url, key or Secret(sim.world.keys[0].value)), clock=sim.world.clock)


async def test_a_whole_exchange_over_a_socket() -> None:
    sim = SimConsole()
    async with SimServer(sim) as server, client(server.url, sim) as console:
        created = await console.create(CreateRequest(sdl=PLAIN, name="lab"))
        assert isinstance(created, Done)
        await console.clock.sleep(30)
        listed = await console.deployments()
        assert [row.dseq for row in listed.deployments] == [created.value.dseq]
        assert listed.server_time == pytest.approx(sim.world.clock.time(), abs=2)
        assert {request.headers["x-api-key"] for request in sim.requests} == {sim.world.keys[0].value}


@pytest.mark.parametrize("url", ["http://console-api.akash.network", "http://10.0.0.7", "http://console.localhost"])
def test_a_key_goes_over_tls_or_stays_on_this_machine(url: str) -> None:
    with pytest.raises(UsageError, match="not encrypted"):
        console_endpoint(url, KEY)


async def test_the_key_follows_no_redirect() -> None:
    elsewhere = SimConsole()
    async with SimServer(elsewhere) as other:

        async def redirect(exchange: Exchange) -> None:
            await exchange.reply(status=307, headers={"Location": f"{other.url}{exchange.request.target}"})

        async with WireServer(redirect) as server, client(server.url, SimConsole()) as console:
            with pytest.raises(NotRayError, match="the API key was not sent on"):
                await console.deployments()
            assert len(server.requests) == 1
            with pytest.raises(NotRayError):
                await console.http.send("POST", "/v1/deployments", what="create", json={})
    assert elsewhere.requests == []


async def test_public_paths_need_no_key() -> None:
    sim = SimConsole()
    async with (
        SimServer(sim) as server,
        ConsoleClient.at(console_endpoint(server.url), clock=sim.world.clock) as console,
    ):
        offers = await console.gpu_offers()
        assert offers[0].free > 0
        assert offers[0].largest_free_node == 8
        assert await console.providers()
    assert all("x-api-key" not in request.headers for request in sim.requests)


async def test_a_line_that_is_cut_leaves_a_create_unknown_and_one_that_nobody_answers_refused() -> None:
    sim = SimConsole()
    server = SimServer(sim)
    async with client_between(server, sim) as console:
        sim.faults.add(Fault(match="POST /v1/deployments", do="cut-before"))
        assert isinstance(await console.create(CreateRequest(sdl=PLAIN, name="x")), Unknown)
        await server.__aexit__(None, None, None)
        assert isinstance(await console.create(CreateRequest(sdl=PLAIN, name="x")), Refused)


@asynccontextmanager
async def client_between(server: SimServer, sim: SimConsole) -> AsyncIterator[ConsoleClient]:
    """A client that knows the dialect already."""
    await server.__aenter__()
    async with client(server.url, sim) as console:
        await console.dialect()
        yield console


async def test_a_reply_without_end_is_dropped() -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.start_chunked()
        while True:
            await exchange.chunk(b"x" * 65536)

    async with WireServer(endless) as server, client(server.url, SimConsole()) as console:
        with pytest.raises(ServerError, match="does not answer as Akash Console does"):
            await console.http.send("GET", "/v1/providers", what="list providers")
        assert server.sent < 40 * 1024 * 1024


async def test_a_reply_that_trickles_is_given_up_and_may_have_been_carried_out() -> None:
    """Each byte comes in time, and the whole never does: a create would be looked for."""

    async def trickle(exchange: Exchange) -> None:
        await exchange.start(201, {"Content-Length": "1000000", "Content-Type": "application/json"})
        while True:
            await exchange.raw(b" ")
            await asyncio.sleep(0.02)

    async with WireServer(trickle) as server, client(server.url, SimConsole()) as console:
        with pytest.raises(UnreachableError, match="did not answer") as caught:
            await console.http.send("POST", "/v1/deployments", what="create", json={}, seconds=0.3)
    assert caught.value.was_sent


async def test_a_reply_that_is_a_bomb_once_decoded_is_an_error() -> None:
    async def bomb(exchange: Exchange) -> None:
        await exchange.reply(b"[" * 3_000_000, content_type="application/json")

    async with WireServer(bomb) as server, client(server.url, SimConsole()) as console:
        with pytest.raises(ServerError, match="does not answer as Akash Console does"):
            await console.providers()


Call = Callable[[ConsoleClient], Awaitable[object]]


async def _sealed(console: ConsoleClient) -> object:
    sealed = seal(await console.seal_context(), {"GATEWAY_TOKEN": KEY}, sdl=LAB, now=console.clock.now().wall)
    return await console.create(CreateRequest(sdl=LAB, name="x", sealed_secrets=sealed))


async def _rendered(console: ConsoleClient) -> object:
    return await console.create(CreateRequest(sdl=LAB.replace("ac-secret://GATEWAY_TOKEN", KEY.reveal()), name="x"))


CALLS: tuple[Call, ...] = (
    lambda console: console.deployments(), lambda console: console.account(), lambda console: console.balance(),
    lambda console: console.put_sdl("1", LAB.replace("ac-secret://GATEWAY_TOKEN", KEY.reveal())),
    lambda console: console.patch("1", {"gateway": {"env": {"TOKEN": KEY.reveal()}}}), _sealed, _rendered,
)  # fmt: skip


@pytest.mark.parametrize("status", [200, 307, 400, 401, 402, 403, 404, 422, 503])
async def test_key_and_secrets_are_in_no_error_and_no_log(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """A Console that repeats whatever it is sent, as proxies and validators do."""
    caplog.set_level(logging.DEBUG)

    async def echo(exchange: Exchange) -> None:
        said = exchange.request.body.decode() + exchange.request.headers.get("x-api-key", "")
        body = {"error": "E", "message": said, "code": "x", "data": [{"path": ["sdl"], "message": said}]}
        await exchange.reply(body, status=status, headers={"Location": "https://elsewhere.example"})

    async with WireServer(echo) as server, client(server.url, SimConsole(), KEY) as console:
        found: list[object] = [console, console.http.wire.endpoint]
        for call in CALLS:
            try:
                found.append(await call(console))
            except CockpitError as error:
                found.append(error)
    errors = [each.error for each in found if isinstance(each, Refused | Unknown)]
    errors += [each for each in found if isinstance(each, CockpitError)]
    assert errors
    shown = texts(errors) + repr(found) + caplog.text
    assert KEY.reveal() not in shown


async def test_a_console_that_is_down_is_told_in_its_own_words() -> None:
    async with client("http://127.0.0.1:9", SimConsole()) as console:
        with pytest.raises(UnreachableError, match=r"Akash Console at http://127\.0\.0\.1:9 did not answer"):
            await console.deployments()
