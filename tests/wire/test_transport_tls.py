"""TLS and proxies, and what the client sends."""

import asyncio
from pathlib import Path

import pytest

from cockpit.clients.transport import Timeouts
from cockpit.errors import AuthenticationError, NotRayError, UnreachableError, UsageError
from cockpit.model.jobs import JobRequest
from tests.wire.certificates import Issued, issue
from tests.wire.clients import client_of, handled_by, replying
from tests.wire.server import Exchange, WireServer, raw_server

TOKEN = "s3cret-token-that-nobody-may-see"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    """A certificate for 127.0.0.1 that signs itself."""
    return issue(tmp_path_factory.mktemp("tls"))


async def test_http_spoken_to_a_tls_port(tls: Issued) -> None:
    async with (
        WireServer(replying(b""), tls=tls.server()) as server,
        client_of(server.url.replace("https", "http")) as client,
    ):
        with pytest.raises(UnreachableError):
            await client.version()


async def test_tls_alert_in_answer_to_http_is_recognised() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n")  # alert: protocol version
        await writer.drain()
        await reader.read()

    async with raw_server(talk) as port, client_of(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(NotRayError) as caught:
            await client.version()
    assert "https://" in caught.value.hint


async def test_tls_spoken_to_a_http_port() -> None:
    async with WireServer(replying(b"")) as server, client_of(server.url.replace("http", "https")) as client:
        with pytest.raises(UnreachableError, match="does not speak TLS") as caught:
            await client.version()
    assert "http://" in caught.value.hint


async def test_tls_handshake_that_never_ends() -> None:
    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with (
        raw_server(talk) as port,
        client_of(f"https://127.0.0.1:{port}", timeouts=Timeouts(connect=0.3)) as client,
    ):
        with pytest.raises(UnreachableError, match="did not answer"):
            await client.version()


# What is sent


async def test_only_get_looks_like_a_browser() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.reply({"ray_version": "2", "submission_id": "x", "stopped": True, "status": "RUNNING"})

    async with handled_by(handler) as (client, server):
        await client.version()
        await client.jobs.get("x")
        await client.jobs.submit(JobRequest(entrypoint="true"))
        await client.jobs.stop("x")
        await client.jobs.delete("x")
        await client.packages.put("p.zip", Path(__file__))
        sent = {(request.method, request.headers.get("sec-fetch-mode")) for request in server.requests}
        assert sent == {("GET", "cors"), ("POST", None), ("DELETE", None), ("PUT", None)}
        for request in server.requests:
            assert not request.headers["user-agent"].startswith("Mozilla")
            assert not {"origin", "referer", "cookie"} & set(request.headers)
            others = {name for name in request.headers if name.startswith(("sec-", "access-control-"))}
            assert others <= {"sec-fetch-mode"}


async def test_package_is_sent_whole_with_its_length(tmp_path: Path) -> None:
    package = tmp_path / "p.zip"
    package.write_bytes(bytes(range(256)) * 1000)
    async with handled_by(replying(b"")) as (client, server):
        await client.packages.put("p.zip", package)
    assert server.requests[0].body == package.read_bytes()
    assert server.requests[0].headers["content-length"] == "256000"
    assert "transfer-encoding" not in server.requests[0].headers


async def test_token_is_in_its_header_and_nowhere_else() -> None:
    async with handled_by(replying("no", status=403), token=TOKEN) as (client, server):
        with pytest.raises(AuthenticationError) as caught:
            await client.jobs.list()
        request = server.requests[0]
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in request.target
        error = caught.value
        shown = [
            error.title,
            error.detail,
            error.hint,
            repr(error),
            repr(client.transport.endpoint),
            str(client.address),
        ]
        assert not [text for text in shown if TOKEN in text]
        chain: BaseException | None = error
        while chain is not None:
            assert TOKEN not in repr(chain)
            chain = chain.__cause__ or chain.__context__


async def test_one_connection_is_kept_alive() -> None:
    async with handled_by(replying({"ray_version": "2.60.0"})) as (client, server):
        for _ in range(5):
            await client.version()
        assert server.connections == 1


async def test_path_in_front_of_rays_own_is_kept() -> None:
    async with WireServer(replying({"ray_version": "2.60.0"})) as server:
        async with client_of(server.url + "/ray/") as client:
            await client.version()
        assert server.requests[0].path == "/ray/api/version"


# Proxies


async def test_proxy_of_the_environment_is_used_only_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    async with WireServer(replying({"ray_version": "proxied"})) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with client_of("http://cluster.invalid:8265", use_proxy=True) as client:
            assert (await client.version()).ray_version == "proxied"
        assert proxy.requests[0].target == "http://cluster.invalid:8265/api/version"
        async with client_of("http://cluster.invalid:8265") as client:
            with pytest.raises(UnreachableError):
                await client.version()
        assert len(proxy.requests) == 1


async def test_proxy_that_refuses_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    async with WireServer(replying(b"", status=407)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        async with client_of("https://cluster.invalid", use_proxy=True) as client:
            with pytest.raises(UnreachableError, match="proxy on the way") as caught:
                await client.version()
    assert "407" in caught.value.detail


@pytest.mark.parametrize("proxy", ["nonsense://127.0.0.1:1", "socks5://127.0.0.1:1"])
async def test_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    async with client_of("http://cluster.invalid", use_proxy=True) as client:
        with pytest.raises(UsageError, match="proxy"):
            await client.version()
