"""Whom the commands trust: on first use, after a change, and what was made here."""

import asyncio
import contextlib
import os
import pty
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cockpit import settings
from cockpit.clients.address import parse_address
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.tls import Tls
from cockpit.errors import UntrustedError, UsageError
from cockpit.operations.clusters.connect import Question, Selection, choose, connect
from cockpit.operations.clusters.trust import settle
from cockpit.secrets.certificates import MadeCertificate, note_certificate
from tests.wire.certificates import Issued, issue
from tests.wire.clients import client_of, replying
from tests.wire.commands import here, home, write_contexts
from tests.wire.fake_ray import FakeRay
from tests.wire.server import WireServer, until

__all__ = ["home"]

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def ours(tmp_path: Path) -> Issued:
    """A certificate that nobody vouches for."""
    return issue(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> Issued:
    """Another one."""
    return issue(tmp_path, "theirs")


@contextlib.asynccontextmanager
async def serving(certificate: Issued) -> AsyncIterator[tuple[WireServer, ssl.SSLContext]]:
    """A dashboard behind that certificate, and the settings in which it can be exchanged."""
    ray = FakeRay()
    ray.token = TOKEN
    context = certificate.server()
    async with WireServer(ray.handle, tls=context) as server:
        yield server, context


def made(scope: str, certificate: Issued) -> None:
    """Let it be known as one that was made here."""
    now = datetime.now(UTC)
    note_certificate(
        MadeCertificate(scope=scope, fingerprint=certificate.fingerprint, names=("gateway",), made=now, expires=now)
    )


# On the command line


async def test_first_use_without_a_terminal_names_the_flag(home: Path, ours: Issued, theirs: Issued) -> None:
    (home / "token").write_text(TOKEN)
    async with serving(ours) as (server, context):
        write_contexts(home, f'[contexts.lab]\naddress = "{server.url}"\ntoken_file = "{home}/token"\n')
        refused = await here("jobs", "-c", "lab")
        assert (refused.code, refused.out) == (4, b"")
        assert f"--accept-certificate {ours.fingerprint}" in refused.err
        wrong = await here("jobs", "-c", "lab", "--accept-certificate", theirs.fingerprint)
        assert wrong.code == 4
        assert ours.fingerprint in wrong.err
        assert theirs.fingerprint in wrong.err
        assert server.requests == []
        colons = ours.fingerprint.removeprefix("sha256:").upper()
        shown = ":".join(colons[at : at + 2] for at in range(0, 64, 2))
        assert (await here("--accept-certificate", shown, "jobs", "-c", "lab")).code == 0
        assert (await here("jobs", "-c", "lab")).code == 0
        seen = len(server.requests)
        context.load_cert_chain(theirs.both)
        changed = await here("jobs", "-c", "lab")
        assert changed.code == 4
        assert "HAS CHANGED" in changed.err
        assert ours.fingerprint in changed.err
        assert f"--accept-certificate {theirs.fingerprint}" in changed.err
        assert len(server.requests) == seen
        assert (await here("jobs", "-c", "lab", "--accept-certificate", theirs.fingerprint)).code == 0
        assert (await here("jobs", "-c", "lab")).code == 0
    assert settings.load_consents().certificates == {server.url: theirs.fingerprint}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 4)])
async def test_question_on_a_terminal(ours: Issued, typed: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    terminal, stdin_end = pty.openpty()
    try:
        with os.fdopen(stdin_end, encoding="utf-8", closefd=False) as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            async with serving(ours) as (server, _):
                os.write(terminal, typed.encode())
                done = await here("jobs", "--address", server.url)
                assert bool(server.requests) == (code == 0)
    finally:
        os.close(terminal)
        os.close(stdin_end)
    assert done.code == code
    assert ours.fingerprint in done.err
    assert "Trust this certificate from now on? [y/N]" in done.err
    assert TOKEN not in done.err


@pytest.mark.usefixtures("home")
async def test_fingerprint_that_is_none() -> None:
    done = await here("jobs", "--address", "https://127.0.0.1:1", "--accept-certificate", "sha256:abc")
    assert done.code == 2
    assert "is not the fingerprint" in done.err
    done = await here("jobs", "--address", "http://127.0.0.1:1", "--accept-certificate", "0" * 64)
    assert done.code == 2
    assert "not use TLS" in done.err


@pytest.mark.lengthy
async def test_watching_ends_where_the_certificate_changes(home: Path, ours: Issued, theirs: Issued) -> None:
    (home / "token").write_text(TOKEN)
    async with serving(ours) as (server, context):
        write_contexts(
            home,
            f'[contexts.lab]\naddress = "{server.url}"\ntoken_file = "{home}/token"\npin = "{ours.fingerprint}"\n',
        )
        running = asyncio.create_task(here("jobs", "-c", "lab", "--watch"))
        await until(lambda: server.requests)
        context.load_cert_chain(theirs.both)
        server.drop_connections()
        done = await running
    assert done.code == 4
    assert "HAS CHANGED" in done.err


# From a context


def endpoint(url: str, tls: Tls | None = None) -> Endpoint:
    """What is at this address."""
    return Endpoint(address=parse_address(url), tls=tls or Tls())


async def never(_: Question) -> bool:
    """Nobody should be asked."""
    raise AssertionError("asked")


@pytest.mark.usefixtures("home")
async def test_what_was_made_for_the_scope_is_known_before_the_first_connection(ours: Issued, theirs: Issued) -> None:
    made("lab", ours)
    made("other", theirs)
    async with serving(ours) as (server, context):
        tls = await settle(endpoint(server.url), scopes=("lab", "default"), ask=never)
        assert tls.pin == ours.fingerprint
        assert server.requests == []
        context.load_cert_chain(theirs.both)  # pinned by now
        assert (await settle(endpoint(server.url), scopes=("other",), ask=never)).pin == ours.fingerprint
    async with serving(theirs) as (server, _):
        with pytest.raises(UntrustedError):  # made here, but for another cluster
            await settle(endpoint(server.url), scopes=("lab", "default"))


@pytest.mark.usefixtures("home")
async def test_context_that_says_whom_to_trust_is_not_asked_about(ours: Issued) -> None:
    async with serving(ours) as (server, _):
        for tls in (Tls(pin=ours.fingerprint), Tls(ca=ours.file), Tls(verify=False)):
            assert await settle(endpoint(server.url, tls), scopes=(), ask=never) == tls
        assert server.connections == 0
    assert settings.load_consents().certificates == {}


@pytest.mark.usefixtures("home")
async def test_what_authorities_vouched_for_once_is_never_offered_for_less(
    ours: Issued, theirs: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ours.file))
    async with serving(ours) as (server, context):
        assert await settle(endpoint(server.url), scopes=(), ask=never) == Tls()
        async with client_of(server.url) as client:
            await client.authentication_mode()
        context.load_cert_chain(theirs.both)
        server.drop_connections()
        seen = len(server.requests)
        assert await settle(endpoint(server.url), scopes=(), ask=never) == Tls()
        async with client_of(server.url) as client:
            with pytest.raises(UntrustedError, match="vouches"):
                await client.authentication_mode()
        assert len(server.requests) == seen
        accepted = await settle(endpoint(server.url), scopes=(), ask=never, accept=theirs.fingerprint)
        assert await settle(endpoint(server.url), scopes=(), ask=never) == accepted == Tls(pin=theirs.fingerprint)


@pytest.mark.usefixtures("home")
async def test_what_the_context_says_is_changed_there_alone(ours: Issued, theirs: Issued) -> None:
    async with serving(theirs) as (server, _):
        for tls, words in (
            (Tls(pin=ours.fingerprint), "pins another certificate"),
            (Tls(ca=ours.file), "another trust setting: ca"),
            (Tls(verify=False), "another trust setting: verify = false"),
        ):
            with pytest.raises(UsageError, match=words):
                await settle(endpoint(server.url, tls), scopes=(), ask=never, accept=theirs.fingerprint)
        same = Tls(pin=theirs.fingerprint)
        assert await settle(endpoint(server.url, same), scopes=(), ask=never, accept=theirs.fingerprint) == same


@pytest.mark.usefixtures("home")
async def test_cluster_that_is_away_is_asked_about_later(ours: Issued) -> None:
    async with serving(ours) as (server, _):
        url = server.url
    assert await settle(endpoint(url), scopes=(), ask=never) == Tls()


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('pin = "sha256:12"', "is not usable"),
        ('pin = "{pin}"\nverify = false', "both pin and verify = false"),
        ('ca = "x"\nverify = false', "both ca and verify = false"),
        ('client_key = "x"', "client_key without a client_cert"),
        ('headers = {{ Authorization = "Bearer abc" }}', "secret in plain text: headers.Authorization"),
        ('headers = {{ X-Api-Key = "abc" }}', "secret in plain text: headers.X-Api-Key"),
        ('headers = {{ Origin = "abc" }}', "must not set the header Origin"),
        ('headers = {{ "a b" = "abc" }}', "cannot be sent"),
        ('cookies = {{ session = "abc" }}', "secret in plain text: cookies.session"),
        ('basic = {{ user = "me", password = "abc" }}', "secret in plain text: basic.password"),
        (
            'authorization = "bearer"\nbasic = {{ user = "me", password = "ac-secret://P" }}',
            "fills Authorization twice",
        ),
        ('headers = {{ X-Key = "ac-secret://BROKEN" }}', "characters that cannot be sent"),
        ('headers = {{ X-Key = "ac-secret://MISSING" }}', "MISSING has no value"),
    ],
)
async def test_context_that_cannot_be_right(
    home: Path, lines: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAYAKASH_SECRET_P", "hunter2-hunter2")
    monkeypatch.setenv("RAYAKASH_SECRET_BROKEN", "hunter2\nhunter2")
    write_contexts(home, f'[contexts.lab]\naddress = "https://127.0.0.1:1"\n{lines.format(pin="0" * 64)}\n')
    done = await here("jobs", "-c", "lab")
    assert done.code == 2
    assert words in done.err
    assert "hunter2" not in done.err
    assert "abc" not in done.err.replace("Bearer abc", "")


async def test_what_stands_in_front_of_the_cluster_gets_its_own(
    home: Path, ours: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TOKEN": TOKEN, "KEY": "kkk-kkk", "COOKIE": "ccc-ccc", "PASSWORD": "pass:wörd"}.items():
        monkeypatch.setenv(f"RAYAKASH_SECRET_{name}", value)
    # A proxy that takes its own header away, as it must: Ray would look at that one first.
    async with WireServer(replying({"ray_version": "2.60.0"}), tls=ours.server()) as server:
        write_contexts(
            home,
            f"""
[contexts.lab]
address = "{server.url}"
pin = "{ours.fingerprint}"
token = "ac-secret://TOKEN"
headers = {{ X-Api-Key = "ac-secret://KEY", X-Scope-OrgID = "team 1", X-Other = "Key ac-secret://KEY" }}
cookies = {{ session = "ac-secret://COOKIE" }}
basic = {{ user = "me", password = "ac-secret://PASSWORD" }}
""",
        )
        target = choose(Selection(context="lab"), {})
        assert all(value not in repr(target) for value in (TOKEN, "kkk", "ccc", "wörd"))
        async with await connect(target, ask=never) as client:
            await client.version()
            assert all(value not in repr(client.transport.endpoint) for value in (TOKEN, "kkk", "ccc", "wörd"))
        sent = server.requests[0].headers
    assert sent["x-ray-authorization"] == f"Bearer {TOKEN}"
    assert sent["authorization"] == "Basic bWU6cGFzczp3w7ZyZA=="
    assert (sent["x-api-key"], sent["x-scope-orgid"], sent["x-other"]) == ("kkk-kkk", "team 1", "Key kkk-kkk")
    assert sent["cookie"] == "session=ccc-ccc"


async def test_token_beside_authorization_on_request(home: Path, ours: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYAKASH_SECRET_TOKEN", TOKEN)
    async with serving(ours) as (server, _):
        for line, header in (('authorization = "x-ray"', "x-ray-authorization"), ("", "authorization")):
            write_contexts(
                home,
                f'[contexts.lab]\naddress = "{server.url}"\npin = "{ours.fingerprint}"\n'
                f'token = "ac-secret://TOKEN"\n{line}\n',
            )
            assert (await here("jobs", "-c", "lab")).code == 0
            sent = server.requests[-1].headers
            assert {name for name in sent if name.endswith("authorization")} == {header}
