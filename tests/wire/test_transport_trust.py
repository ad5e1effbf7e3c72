"""Whom the client speaks to: real handshakes with certificates of every kind."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.clients.tls import Tls
from cockpit.errors import AuthenticationError, CockpitError, NotRayError, UnreachableError, UntrustedError, UsageError
from cockpit.model.certificates import end_of
from cockpit.model.jobs import JobRequest
from tests.wire.certificates import DAY, Issued, issue
from tests.wire.clients import client_of, replying
from tests.wire.server import Exchange, WireServer, raw_server, telling_server

TOKEN = "s3cret-token-that-nobody-may-see"


@pytest.fixture
def authority(tmp_path: Path) -> Issued:
    """An authority of one's own."""
    return issue(tmp_path, "authority", hosts=("authority",), is_authority=True)


async def log_of(client: RayClient) -> AsyncIterator[bytes]:
    """The bytes of a log, as it is followed."""
    async with client.logs.open(LogFile(node_id="f" * 56, filename="job.log"), lines=10, endless=True) as chunks:
        async for chunk in chunks:
            yield chunk


@contextlib.asynccontextmanager
async def serving(
    certificate: Issued,
    tls: Tls | None = None,
    *,
    client_ca: Issued | None = None,
    newest: ssl.TLSVersion | None = None,
) -> AsyncIterator[tuple[RayClient, WireServer]]:
    """A client with these settings of a server with that certificate."""
    context = certificate.server(client_ca=client_ca, newest=newest)
    async with (
        WireServer(replying({"ray_version": "2.60.0"}), tls=context) as server,
        client_of(server.url, token=TOKEN, tls=tls) as client,
    ):
        yield client, server


async def refusal(certificate: Issued, tls: Tls | None = None) -> UntrustedError:
    """How the client refuses that server, which saw no request."""
    async with serving(certificate, tls) as (client, server):
        with pytest.raises(UntrustedError) as caught:
            await client.version()
        assert server.requests == []
    assert caught.value.exit_code == 4
    return caught.value


# Authorities


async def test_own_authority_is_enough(tmp_path: Path, authority: Issued) -> None:
    async with serving(issue(tmp_path, by=authority), Tls(ca=authority.file)) as (client, server):
        assert (await client.version()).ray_version == "2.60.0"
        assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


async def test_self_signed_is_refused_unless_named_as_authority(tmp_path: Path) -> None:
    certificate = issue(tmp_path)
    error = await refusal(certificate)
    assert "is not trusted: no authority known to this machine vouches for it." in error.title
    assert "`ca`" in error.hint
    assert "--accept-certificate" in error.hint
    async with serving(certificate, Tls(ca=certificate.file)) as (client, _):
        await client.version()


async def test_another_authority_is_named(tmp_path: Path, authority: Issued) -> None:
    other = issue(tmp_path, "other", is_authority=True)
    error = await refusal(issue(tmp_path, by=authority), Tls(ca=other.file))
    assert f"no authority in {other.file}" in error.title


@pytest.mark.parametrize(
    ("hosts", "starts", "ends", "words"),
    [
        (("ray.example", "192.0.2.1"), -DAY, DAY, "made for another name"),
        (("127.0.0.1",), -2 * DAY, -DAY, "has expired"),
        (("127.0.0.1",), DAY, 2 * DAY, "not valid yet"),
    ],
)
async def test_each_fault_has_its_sentence(
    tmp_path: Path, authority: Issued, hosts: tuple[str, ...], starts: timedelta, ends: timedelta, words: str
) -> None:
    certificate = issue(tmp_path, by=authority, hosts=hosts, starts=starts, ends=ends)
    error = await refusal(certificate, Tls(ca=authority.file))
    assert words in error.title
    assert error.hint
    async with serving(certificate, Tls(pin=certificate.fingerprint)) as (client, _):
        await client.version()  # the pin alone is stricter than all of that


async def test_verification_off_is_only_explicit(tmp_path: Path) -> None:
    async with serving(issue(tmp_path), Tls(verify=False)) as (client, _):
        await client.version()


@pytest.mark.parametrize("content", [None, b"no certificate"])
async def test_unusable_files(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_bytes(content)
    for tls, words in ((Tls(ca=file), "CA file"), (Tls(client_cert=file), "client certificate")):
        async with client_of("https://127.0.0.1:1", tls=tls) as client:
            with pytest.raises(UsageError, match=words):
                await client.version()


# Pins


async def test_pinned_certificate_is_the_only_one(tmp_path: Path, authority: Issued) -> None:
    good, other = issue(tmp_path, "good"), issue(tmp_path, "other", by=authority)
    async with serving(good, Tls(pin=good.fingerprint)) as (client, _):
        await client.version()
    for tls in (Tls(pin=good.fingerprint), Tls(pin=good.fingerprint, ca=authority.file)):
        error = await refusal(other, tls)
        assert "HAS CHANGED" in error.title
        assert good.fingerprint in error.title
        assert other.fingerprint in error.title
        assert f"--accept-certificate {other.fingerprint}" in error.hint


async def test_the_end_of_the_certificate_is_known_whoever_issued_it(tmp_path: Path, authority: Issued) -> None:
    for name, signer, tls in (("own", None, None), ("signed", authority, Tls(ca=authority.file))):
        certificate = issue(tmp_path, name, by=signer, ends=3 * DAY)
        async with serving(certificate, tls or Tls(pin=certificate.fingerprint)) as (client, _):
            await client.version()
            shown = client.transport.certificate
            assert shown is not None
            assert end_of(shown) == certificate.certificate.not_valid_after_utc.timestamp()
            assert [end_of(shown[:count]) for count in (0, 1, 40, 200)] == [None] * 4


async def test_pin_and_authority_must_both_hold(tmp_path: Path, authority: Issued) -> None:
    signed, alone = issue(tmp_path, "signed", by=authority), issue(tmp_path, "alone")
    async with serving(signed, Tls(pin=signed.fingerprint, ca=authority.file)) as (client, _):
        await client.version()
    error = await refusal(alone, Tls(pin=alone.fingerprint, ca=authority.file))
    assert "vouches" in error.title


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_certificate_swapped_between_two_connections_sees_no_request(
    tmp_path: Path, newest: ssl.TLSVersion
) -> None:
    ours, theirs = issue(tmp_path, "ours"), issue(tmp_path, "theirs")
    context = ours.server(newest=newest)
    package = tmp_path / "package.zip"
    package.write_bytes(b"x" * 100_000)
    async with (
        WireServer(replying({"ray_version": "2.60.0"}, headers={"Connection": "close"}), tls=context) as server,
        client_of(server.url, token=TOKEN, tls=Tls(pin=ours.fingerprint)) as client,
    ):
        await client.version()
        assert len(server.requests) == 1
        context.load_cert_chain(theirs.both)  # what every handshake from now on shows
        asked = (
            client.version(),
            client.jobs.list(),
            client.jobs.submit(JobRequest(entrypoint="true")),
            client.packages.put("p.zip", package),
            client.jobs.stop("x"),
            anext(log_of(client)),
        )
        for asking in asked:
            with pytest.raises(UntrustedError, match="HAS CHANGED"):
                await asking
        assert len(server.requests) == 1
        context.load_cert_chain(ours.both)
        await client.version()
        assert len(server.requests) == 2


async def test_pin_holds_behind_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = issue(tmp_path, "ours", hosts=("cluster.invalid",)), issue(tmp_path, "theirs")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with WireServer(replying({"ray_version": "2.60.0"}), tls=theirs.server()) as server:

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server.port)
            try:
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
            finally:
                far_writer.transport.abort()

        async with raw_server(tunnel) as port:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
            for pin, is_good in ((ours, False), (theirs, True)):
                tls = Tls(pin=pin.fingerprint)
                async with client_of("https://cluster.invalid", token=TOKEN, tls=tls, use_proxy=True) as client:
                    if is_good:
                        await client.version()
                    else:
                        with pytest.raises(UntrustedError, match="HAS CHANGED"):
                            await client.version()
                assert len(server.requests) == int(is_good)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.write_eof()


# Client certificates


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_client_certificate(tmp_path: Path, authority: Issued, newest: ssl.TLSVersion) -> None:
    server, me = issue(tmp_path), issue(tmp_path, "me", by=authority)
    pin = server.fingerprint
    for good in (
        Tls(pin=pin, client_cert=me.both),
        Tls(pin=pin, client_cert=me.file, client_key=me.key_file),
        Tls(ca=server.file, client_cert=me.both),
    ):
        async with serving(server, good, client_ca=authority, newest=newest) as (client, _):
            await client.version()


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_client_certificate_missing_or_wrong(tmp_path: Path, authority: Issued, newest: ssl.TLSVersion) -> None:
    server, stranger = issue(tmp_path), issue(tmp_path, "stranger")
    with telling_server(server.server(client_ca=authority, newest=newest)) as port:
        for certificate in (None, stranger.both):
            tls = Tls(pin=server.fingerprint, client_cert=certificate)
            async with client_of(f"https://127.0.0.1:{port}", tls=tls) as client:
                with pytest.raises(CockpitError, match=r"client certificate|refuses the TLS handshake") as caught:
                    await client.version()
            assert isinstance(caught.value, AuthenticationError | UnreachableError)
            assert "client_cert" in caught.value.hint


async def test_encrypted_key_is_refused_instead_of_asked_about(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    me = issue(tmp_path, "me")
    locked = serialization.BestAvailableEncryption(b"passphrase")
    me.key_file.write_bytes(me.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    async with client_of("https://127.0.0.1:1", tls=Tls(client_cert=me.file, client_key=me.key_file)) as client:
        with pytest.raises(UsageError, match="is encrypted"):
            await client.version()


# Handshakes that come to nothing


async def test_server_that_hangs_up_in_the_handshake() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with raw_server(talk) as port, client_of(f"https://127.0.0.1:{port}") as client:
        with pytest.raises(UnreachableError) as caught:
            await client.version()
    assert caught.value.hint


async def test_server_that_refuses_the_handshake() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"\x15\x03\x03\x00\x02\x02\x28")  # alert: handshake failure
        await writer.drain()
        await reader.read()

    async with raw_server(talk) as port, client_of(f"https://127.0.0.1:{port}") as client:
        with pytest.raises(UnreachableError, match="refuses the TLS handshake") as caught:
            await client.version()
    assert "client_cert" in caught.value.hint


async def test_connection_that_breaks_inside_a_reply(tmp_path: Path) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start_chunked()
        await exchange.chunk(b"half")
        exchange.cut()

    certificate = issue(tmp_path)
    async with (
        WireServer(handler, tls=certificate.server()) as server,
        client_of(server.url, tls=Tls(pin=certificate.fingerprint)) as client,
    ):
        with pytest.raises(UnreachableError):
            await client.version()


# Looking without speaking


async def test_look_at_a_certificate_sends_nothing(tmp_path: Path) -> None:
    certificate = issue(tmp_path)
    async with serving(certificate) as (client, server):
        assert await client.transport.meet(verify=False) == certificate.fingerprint
        with pytest.raises(UntrustedError, match="vouches"):
            await client.transport.meet(verify=True)
        assert server.requests == []
    async with serving(certificate, Tls(ca=certificate.file)) as (client, server):
        assert await client.transport.meet(verify=True) == certificate.fingerprint
        assert server.requests == []


async def test_look_at_what_has_no_certificate() -> None:
    async with WireServer(replying(b"")) as server:
        async with client_of(server.url) as client:
            with pytest.raises(UsageError, match="not use TLS"):
                await client.transport.meet(verify=False)
        assert server.requests == []
        async with client_of(server.url.replace("http", "https")) as client:
            with pytest.raises(UnreachableError, match="does not speak TLS") as caught:
                await client.transport.meet(verify=False)
    assert not isinstance(caught.value, NotRayError)
