"""The proxy of the environment on the way to a Console: used for https, told nothing, left out where it should be."""

import pytest

from cockpit.clients.akash.console import ConsoleClient, console_endpoint
from cockpit.errors import UnreachableError
from cockpit.model.secret import Secret
from tests.akash_sim.console import SimConsole
from tests.akash_sim.server import SimServer
from tests.wire.server import Exchange, WireServer

KEY = "ac.sk.canary." + "k" * 40


async def _wants_login(exchange: Exchange) -> None:
    await exchange.reply(status=407)


def _console(url: str, key: str = KEY) -> ConsoleClient:
    return ConsoleClient.at(console_endpoint(url, Secret(key)))


async def test_it_sees_the_host_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it refuses is said to be its doing."""
    async with WireServer(_wants_login) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with _console("https://console.invalid") as console:
            with pytest.raises(UnreachableError) as caught:
                await console.http.send("GET", "/v1/providers", what="list providers")
        (request,) = proxy.requests
    assert (request.method, request.target) == ("CONNECT", "console.invalid:443")
    assert KEY not in str(request.headers)
    assert "407" in caught.value.detail
    assert "NO_PROXY" in caught.value.hint
    assert not caught.value.was_sent


async def test_no_proxy_and_loopback_go_past_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Console on this machine speaks plain http: the key would be readable on the way."""
    sim = SimConsole()
    async with WireServer(_wants_login) as proxy, SimServer(sim) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        async with _console(server.url, sim.world.keys[0].value) as console:
            assert await console.providers()
        monkeypatch.setenv("NO_PROXY", "console.invalid")
        async with _console("https://console.invalid") as console:
            with pytest.raises(UnreachableError):
                await console.http.send("GET", "/v1/providers", what="list providers")
        assert proxy.requests == []
