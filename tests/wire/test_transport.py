"""What the client makes of everything that may stand at an address."""

import asyncio
import gzip

import pytest

from cockpit.clients.transport import LIST_LIMIT, MIB, REPLY_LIMIT, Timeouts
from cockpit.errors import (
    AuthenticationError,
    CockpitError,
    NotRayError,
    RejectedError,
    ServerError,
    UnreachableError,
    UsageError,
)
from tests.wire.clients import client_of, handled_by, replying
from tests.wire.server import Exchange, Handler, WireServer, raw_server

TOKEN = "s3cret-token-that-nobody-may-see"
# A server that says nothing is given up after this long; no test depends on how long it really takes.
BRIEF = Timeouts(connect=5, quiet=0.3, reply=0.5, listing=20, upload=5)
# Beyond the limit lie what was in flight: socket buffers of both sides.
IN_FLIGHT = 12 * MIB


async def failure_of(handler: Handler, *, token: str | None = None, timeouts: Timeouts | None = None) -> CockpitError:
    """How asking for the version fails."""
    async with handled_by(handler, token=token, timeouts=timeouts) as (client, _):
        with pytest.raises(CockpitError) as caught:
            await client.version()
    return caught.value


async def test_refused_connection() -> None:
    async with WireServer(replying(b"")) as server:
        url = server.url
    async with client_of(url) as client:
        with pytest.raises(UnreachableError, match=r"No cluster answers at http://127\.0\.0\.1:\d+\.") as caught:
            await client.version()
    assert caught.value.hint
    assert not isinstance(caught.value, NotRayError)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "a" * 70 + ".invalid"])
async def test_name_that_does_not_resolve(host: str) -> None:
    async with client_of(f"http://{host}:8265") as client:
        with pytest.raises(UnreachableError, match="No cluster answers at"):
            await client.version()


async def test_name_that_idna_refuses_is_a_bad_address() -> None:
    async with client_of("http://xn--a.invalid:8265") as client:
        with pytest.raises(UsageError, match="not a usable address"):
            await client.version()


async def test_bad_gateway_page() -> None:
    error = await failure_of(replying("<html><h1>502 Bad Gateway</h1></html>", status=502, content_type="text/html"))
    assert type(error) is UnreachableError
    assert "502 Bad Gateway" in error.title
    assert "<" not in error.detail


async def test_html_page_with_200() -> None:
    error = await failure_of(replying("<!doctype html><title>Hello</title>", content_type="text/html"))
    assert isinstance(error, NotRayError)
    assert "Hello" in error.detail


@pytest.mark.parametrize("status", [200, 204])
async def test_empty_body(status: int) -> None:
    error = await failure_of(replying(b"", status=status))
    assert isinstance(error, NotRayError)
    assert "empty page" in error.title


@pytest.mark.parametrize(
    "body",
    [
        b'{"ray_version": "2.60.0", "sess',
        b"[]",
        b"null",
        b'"text"',
        b"7",
        b"{}",
        b'{"ray_version": "\xff\xfe',
        b"[" * 9999,
    ],
    ids=["half", "list", "null", "text", "number", "empty", "no-utf8", "deep"],
)
async def test_json_that_is_no_version(body: bytes) -> None:
    assert isinstance(await failure_of(replying(body)), NotRayError)


@pytest.mark.parametrize("body", [b'[{"status": "RUNN', b"{}", b"null", b"\xff\xfe", b"[" * 100_000])
async def test_json_that_is_no_list_of_jobs(body: bytes) -> None:
    async with handled_by(replying(body)) as (client, _):
        with pytest.raises(NotRayError):
            await client.jobs.list()


async def test_body_shorter_than_announced() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, {"Content-Length": "1000"})
        await exchange.raw(b'{"ray_version"')
        exchange.cut()

    error = await failure_of(handler)
    assert type(error) is UnreachableError
    assert "broke" in error.title


async def test_connection_cut_before_an_answer() -> None:
    async def handler(exchange: Exchange) -> None:
        exchange.cut()

    error = await failure_of(handler)
    assert type(error) is UnreachableError


@pytest.mark.parametrize("announced", [True, False], ids=["content-length", "chunked"])
@pytest.mark.parametrize("status", [200, 500])
async def test_200_mb_of_junk_is_cut_at_the_bound(announced: bool, status: int) -> None:
    async def handler(exchange: Exchange) -> None:
        await _junk(exchange, status, announced=announced)

    async with handled_by(handler) as (client, server):
        with pytest.raises(CockpitError) as caught:
            await client.version()
        await server.refuse()
        assert server.sent < REPLY_LIMIT + IN_FLIGHT
    assert caught.value.exit_code == 3
    assert len(caught.value.title) < 1000


@pytest.mark.parametrize("announced", [True, False], ids=["content-length", "chunked"])
async def test_200_mb_instead_of_a_list_are_cut_at_48(announced: bool) -> None:
    async def handler(exchange: Exchange) -> None:
        await _junk(exchange, 200, announced=announced)

    async with handled_by(handler) as (client, server):
        with pytest.raises(NotRayError, match="48 MiB"):
            await client.jobs.list()
        await server.refuse()
        assert server.sent < LIST_LIMIT + IN_FLIGHT
        # What announces its size is not even begun.
        assert not announced or server.sent < IN_FLIGHT


async def _junk(exchange: Exchange, status: int, *, announced: bool) -> None:
    block = b"x" * MIB
    if announced:
        await exchange.start(status, {"Content-Length": str(200 * len(block))})
    else:
        await exchange.start_chunked(status)
    for _ in range(200):
        await (exchange.raw(block) if announced else exchange.chunk(block))


async def test_bound_counts_what_is_unpacked() -> None:
    packed = gzip.compress(b" " * (2 * REPLY_LIMIT))
    error = await failure_of(replying(packed, headers={"Content-Encoding": "gzip"}))
    assert isinstance(error, NotRayError)
    assert "1 MiB" in error.title


async def test_packed_junk_is_no_ray() -> None:
    assert isinstance(await failure_of(replying(b"junk", headers={"Content-Encoding": "gzip"})), NotRayError)


async def test_trickle_is_given_up_at_the_deadline() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, {"Content-Length": "100000"})
        while True:  # never silent for as long as `quiet`
            await exchange.raw(b"x")
            await asyncio.sleep(0.05)

    error = await failure_of(handler, timeouts=BRIEF)
    assert type(error) is UnreachableError
    assert "did not finish" in error.title


async def test_trickling_headers_are_given_up_too() -> None:
    async def handler(exchange: Exchange) -> None:
        while True:
            await exchange.raw(b"H")
            await asyncio.sleep(0.05)

    assert isinstance(await failure_of(handler, timeouts=BRIEF), UnreachableError)


async def test_silence_is_given_up() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.never()

    error = await failure_of(handler, timeouts=BRIEF)
    assert "said nothing" in error.title


async def test_error_body_that_never_ends_does_not_hide_the_status() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start_chunked(403)
        await exchange.chunk(b"Forbidden")
        await exchange.never()

    error = await failure_of(handler, timeouts=Timeouts(connect=0.3, quiet=0.2, reply=5))
    assert isinstance(error, AuthenticationError)
    assert error.detail == "Forbidden"


async def test_error_body_that_is_cut_does_not_hide_the_status() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(401, {"Content-Length": "1000"})
        await exchange.raw(b"Unauthorized")
        exchange.cut()

    assert isinstance(await failure_of(handler), AuthenticationError)


async def test_ssh_banner() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        await reader.readline()
        writer.write(b"Invalid SSH identification string.\r\n")
        await writer.drain()
        writer.close()

    async with raw_server(talk) as port, client_of(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(UnreachableError, match="hung up without an answer") as caught:
            await client.version()
    assert "dashboard" in caught.value.hint


@pytest.mark.parametrize("banner", [b"\x00\x01\x02" * 1000 + b"\r\n\r\n", b"x" * 300_000, b"220 mail ESMTP\r\n\r\n"])
async def test_something_that_speaks_no_http(banner: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(banner)
        await writer.drain()
        await reader.read()

    async with raw_server(talk) as port, client_of(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(NotRayError, match="does not speak HTTP"):
            await client.version()


async def test_redirect_is_told_and_not_followed() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.reply(b"", status=302, headers={"Location": f"{exchange.request.target}/login"})

    async with handled_by(handler, token=TOKEN) as (client, server):
        with pytest.raises(NotRayError, match="redirects to /api/version/login"):
            await client.version()
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "text", "token", "words", "step"),
    [
        (401, "Unauthorized: Missing authentication token", None, "requires a token", "RAY_AUTH_TOKEN"),
        (401, "Unauthorized: Missing authentication token", TOKEN, "did not reach", 'authorization = "x-ray"'),
        (401, "Who are you?", TOKEN, "requires credentials other", "`basic`"),
        (403, "Forbidden: Invalid authentication token", TOKEN, "does not accept the token", "another cluster's"),
        (403, "Forbidden", None, "refuses access", "requires credentials"),
    ],
)
async def test_token_missing_or_wrong(status: int, text: str, token: str | None, words: str, step: str) -> None:
    error = await failure_of(replying(text, status=status), token=token)
    assert isinstance(error, AuthenticationError)
    assert (error.status, error.exit_code) == (status, 4)
    assert words in error.title
    assert step in error.hint
    assert text in error.detail


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (407, UnreachableError, "proxy"),
        (429, ServerError, "busy"),
        (503, UnreachableError, "503 Service Unavailable"),
        (504, UnreachableError, "504 Gateway Timeout"),
        (404, NotRayError, "is not a Ray dashboard"),
        (408, UnreachableError, "408 Request Timeout"),
        (421, UnreachableError, "421 Misdirected Request"),
        (425, UnreachableError, "425 Too Early"),
        (499, UnreachableError, "499 Client Closed Request"),
        (413, RejectedError, "A proxy on the way"),
        (500, ServerError, "failed to answer"),
    ],
)
async def test_status(status: int, kind: type[CockpitError], words: str) -> None:
    error = await failure_of(replying("some words", status=status))
    assert type(error) is kind
    assert words in error.title
    assert "some words" in error.detail + error.title


async def test_too_large_for_ray_itself() -> None:
    error = await failure_of(replying("Maximum request body size 104857600 exceeded.", status=413))
    assert isinstance(error, RejectedError)
    assert "proxy" not in error.title


async def test_page_of_angle_brackets_costs_no_time() -> None:
    # Took minutes with a pattern that begins anew at each of them.
    assert isinstance(await failure_of(replying(b"<" * REPLY_LIMIT, status=502)), UnreachableError)


@pytest.mark.parametrize(
    "text",
    ["404 page not found", '{"error": "the route does not exist"}', "x" * 5000, "The Job board does not exist here"],
)
async def test_foreign_404_is_no_answer_about_a_job(text: str) -> None:
    async with handled_by(replying(text, status=404)) as (client, _):
        with pytest.raises(NotRayError):
            await client.jobs.get("x")


async def test_reason_of_one_endless_line_is_cut() -> None:
    error = await failure_of(replying("y" * 100_000, status=400))
    assert len(error.title) < 1000
