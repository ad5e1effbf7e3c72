"""Stored secrets over plain http: asked about once for each address and secret, refused in scripts."""

import os
import pty
import stat
from pathlib import Path

import pytest

from cockpit import settings
from cockpit.clients.address import Address, parse_address
from cockpit.clients.endpoint import Endpoint
from cockpit.errors import UsageError
from cockpit.operations.sending import Consent, agree_to_secrets, open_secrets
from cockpit.settings import Consents
from tests.wire.commands import Done, here, home
from tests.wire.fake_ray import FakeRay, serve
from tests.wire.server import WireServer, until

__all__ = ["home"]

VALUE = "aws-canary-0123456789"


def at(address: str) -> Endpoint:
    return Endpoint(address=parse_address(address))


async def submitted(server: WireServer, *options: str, name: str = "AWSKEY") -> Done:
    words = ["--no-wait", "--address", server.url, *options, "--env", f"KEY=ac-secret://{name}"]
    return await here("submit", *words, "--", "true")


def carrying(server: WireServer) -> int:
    return sum(VALUE.encode() in request.body for request in server.requests)


@pytest.fixture
def _far_away(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """The test's server counts as one on the other side of the world."""
    assert home.is_dir()
    monkeypatch.setattr(Address, "is_loopback", property(lambda _: False))
    monkeypatch.setenv("RAYAKASH_SECRET_AWSKEY", VALUE)
    monkeypatch.setenv("RAYAKASH_SECRET_OTHER", VALUE)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://localhost:1", "https://h", "https://h:8265"])
def test_loopback_and_https_are_not_asked_about(address: str) -> None:
    assert open_secrets(at(address), ["A"], Consents()) == []


def test_consent_is_bound_to_the_address_and_to_the_secret() -> None:
    agreed = Consents(plain_secrets={"http://h:80": frozenset({"A"})})
    assert open_secrets(at("http://h"), ["A", "B", "B"], agreed) == ["B"]
    assert open_secrets(at("http://h:81"), ["A"], agreed) == ["A"]
    assert open_secrets(at("http://i"), ["A"], agreed) == ["A"]
    assert open_secrets(at("http://i"), [], agreed) == []


@pytest.mark.usefixtures("home")
async def test_a_refusal_names_the_secrets_and_keeps_nothing() -> None:
    with pytest.raises(UsageError, match="the secrets A, B were not sent") as caught:
        await agree_to_secrets(at("http://h"), ["A", "B"], Consent())
    assert "--send-secrets" in caught.value.hint
    assert settings.load_consents() == Consents()


@pytest.mark.usefixtures("_far_away")
async def test_a_script_is_refused_without_the_option_and_remembered_with_it() -> None:
    async with serve(FakeRay()) as server, serve(FakeRay()) as another:
        refused = await submitted(server)
        assert (refused.code, refused.out) == (2, b"")
        assert "the secret AWSKEY was not sent" in refused.err
        assert "--send-secrets" in refused.err
        assert carrying(server) == 0
        assert (await submitted(server, "--send-secrets")).code == 0
        assert (await submitted(server)).code == 0
        assert carrying(server) == 2
        assert (await submitted(server, name="OTHER")).code == 2
        assert (await submitted(another)).code == 2
        assert (carrying(server), carrying(another)) == (2, 0)
    assert stat.S_IMODE((settings.state_directory() / "consents.json").stat().st_mode) == 0o600


@pytest.mark.usefixtures("_far_away")
async def test_references_in_a_runtime_environment_file_are_asked_about_too(tmp_path: Path) -> None:
    file = tmp_path / "env.yaml"
    file.write_text("env_vars:\n  KEY: ac-secret://AWSKEY\n")
    async with serve(FakeRay()) as server:
        words = ["--no-wait", "--address", server.url, "--runtime-env", str(file), "--", "true"]
        assert (await here("submit", *words)).code == 2
        assert carrying(server) == 0


@pytest.mark.usefixtures("_far_away")
@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 2)])
async def test_a_terminal_asks_once(typed: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    try:
        with os.fdopen(theirs, encoding="utf-8", closefd=False) as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            async with serve(FakeRay()) as server:
                os.write(ours, typed.encode())
                done = await submitted(server)
                if code == 0:
                    await until(lambda: carrying(server) == 1)
                    assert "[y/N]" not in (await submitted(server)).err
                else:
                    assert carrying(server) == 0
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.code == code
    assert f"Send the secret AWSKEY to {server.url} unencrypted" in done.err


@pytest.mark.usefixtures("home")
async def test_a_reference_inside_a_value_is_refused_before_anything_is_sent() -> None:
    async with serve(FakeRay()) as server:
        words = ["--no-wait", "--address", server.url, "--env", "DB=postgres://u:ac-secret://PW@h", "--", "true"]
        done = await here("submit", *words)
        assert (done.code, server.requests) == (2, [])
    assert "DB contains a secret reference inside a longer value" in done.err
    assert "rayakash-tui secrets set DB" in done.err
