"""Which token goes where: one that was given for a cluster, and one that merely lies around."""

import asyncio
import os
import pty
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cockpit import settings
from cockpit.clients.address import Address, parse_address
from cockpit.clients.tokens import FoundToken, find_ray_token
from cockpit.errors import AuthenticationError, CockpitError, NotRayError, UnreachableError, UsageError
from cockpit.model.secret import Secret
from cockpit.operations.clusters.connect import Question, Selection, Target, choose, connect, open_questions
from cockpit.operations.clusters.credentials import Access
from cockpit.settings import Consents
from tests.wire.clients import replying
from tests.wire.commands import here, home, write_contexts
from tests.wire.fake_ray import FakeRay, serve
from tests.wire.server import WireServer, until

__all__ = ["home"]

TOKEN = "0123456789abcdef0123456789abcdef"
FOUND = FoundToken(Secret(TOKEN), "RAY_AUTH_TOKEN")


def target(address: str, *, ambient: bool = True, token: FoundToken | None = FOUND) -> Target:
    """A cluster that was named by its address."""
    return Target(name=address, address=parse_address(address), token=token, token_is_ambient=ambient)


def asked(
    address: str,
    *,
    ambient: bool = True,
    consents: Consents | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[str]:
    """What would be asked before the token goes there."""
    questions = open_questions(target(address, ambient=ambient), consents or Consents(), environment or {})
    return [question.about for question in questions]


# Where a token may go without a question


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://localhost:1", "https://[::1]:1", "http://127.9.9.9"])
def test_loopback_is_never_asked_about(address: str) -> None:
    assert asked(address) == []


@pytest.mark.parametrize(
    "address",
    ["http://192.0.2.1", "http://localhost.evil.example", "http://evil.localhost", "http://127.0.0.1.nip.example"],
)
def test_other_addresses_are_asked_about(address: str) -> None:
    assert asked(address) == ["ray_token", "plain_http"]


def test_tls_leaves_one_question_and_a_given_token_the_other() -> None:
    assert asked("https://h") == ["ray_token"]
    assert asked("http://h", ambient=False) == ["plain_http"]
    assert asked("https://h", ambient=False) == []


@pytest.mark.parametrize("variable", ["RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"])
def test_address_that_rays_own_variables_name_is_as_good_as_a_yes(variable: str) -> None:
    assert asked("https://h:8265", environment={variable: "https://h:8265/"}) == []
    assert asked("https://h:8265", environment={variable: "https://h:8266"}) == ["ray_token"]
    assert asked("https://h:8265", environment={variable: "http://h:8265"}) == ["ray_token"]
    assert asked("https://h:8265", environment={variable: "ray://h:8265"}) == ["ray_token"]
    assert asked("https://h:8265", environment={"RAYAKASH_ADDRESS": "https://h:8265"}) == ["ray_token"]


def test_what_rays_own_variables_hold_is_nobodys_business_where_another_address_is_named() -> None:
    environment = {"RAY_AUTH_TOKEN": TOKEN, "RAY_ADDRESS": "http://[bad", "RAY_API_SERVER_ADDRESS": "https://h:8265"}
    assert asked("https://i", environment=environment) == ["ray_token"]
    assert asked("https://h:8265", environment=environment) == []
    assert str(choose(Selection(), environment).address) == "https://h:8265"
    del environment["RAY_API_SERVER_ADDRESS"]
    assert str(choose(Selection(address="https://i"), environment).address) == "https://i:443"
    with pytest.raises(UsageError) as caught:
        choose(Selection(), environment)
    assert "the environment variable RAY_ADDRESS" in caught.value.hint
    with pytest.raises(UsageError) as caught:
        choose(Selection(), environment | {"RAYAKASH_ADDRESS": " "})
    assert "the environment variable RAYAKASH_ADDRESS" in caught.value.hint


def test_yes_holds_for_its_own_scheme_host_and_port() -> None:
    consents = Consents(ray_token=frozenset({"https://h:443"}), plain_http=frozenset({"http://h:80"}))
    assert asked("https://h", consents=consents) == []
    assert asked("https://h:444", consents=consents) == ["ray_token"]
    assert asked("https://i", consents=consents) == ["ray_token"]
    assert asked("http://h:80", consents=consents) == ["ray_token"]
    assert asked("http://h:80", ambient=False, consents=consents) == []


def test_credentials_of_a_proxy_are_asked_about_as_a_token_is() -> None:
    access = Access(cookies={"session": Secret("cookie")})
    for address, questions in (("http://h", ["plain_http"]), ("https://h", []), ("http://127.0.0.1", [])):
        bearing = Target(name="lab", address=parse_address(address), access=access)
        assert [question.about for question in open_questions(bearing, Consents(), {})] == questions


@pytest.mark.usefixtures("_far_away")
async def test_credentials_are_not_shown_before_the_yes() -> None:
    access = Access(headers={"X-Api-Key": Secret("k" * 20)})
    async with WireServer(replying({"ray_version": "2.60.0"})) as server:
        bearing = Target(name="lab", address=parse_address(server.url), access=access)
        with pytest.raises(AuthenticationError, match="was not sent"):
            await connect(bearing, ask=None)
        assert server.requests == []
        async with await connect(bearing, agreed=True) as client:
            await client.version()
        assert server.requests[0].headers["x-api-key"] == "k" * 20


def test_without_a_token_there_is_nothing_to_ask() -> None:
    assert open_questions(target("http://h", token=None), Consents(), {}) == []


# Where Ray keeps its token


def test_order_of_rays_own_places(tmp_path: Path) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("of-the-home\n")
    (tmp_path / "file").write_text("  of-the-file\n")
    environment = {"RAY_AUTH_TOKEN": "of-the-variable", "RAY_AUTH_TOKEN_PATH": str(tmp_path / "file")}

    def found() -> tuple[str, str]:
        token = find_ray_token(environment, home=tmp_path)
        assert token is not None
        assert token.value.reveal() not in repr(token)
        return token.value.reveal(), token.source

    assert found() == ("of-the-variable", "RAY_AUTH_TOKEN")
    environment["RAY_AUTH_TOKEN"] = ""
    assert found() == ("of-the-file", f"RAY_AUTH_TOKEN_PATH ({tmp_path / 'file'})")
    del environment["RAY_AUTH_TOKEN_PATH"]
    assert found() == ("of-the-home", str(tmp_path / ".ray" / "auth_token"))
    (tmp_path / ".ray" / "auth_token").unlink()
    assert find_ray_token(environment, home=tmp_path) is None


@pytest.mark.parametrize("text", ["  ", "two words", "new\nline", "grüße", "nul\x00", "esc\x1b[m"])
def test_what_is_no_token(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_ray_token({"RAY_AUTH_TOKEN": text}, home=tmp_path)
    assert text not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff", b""])
def test_named_token_file_that_will_not_do(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    with pytest.raises(UsageError):
        find_ray_token({"RAY_AUTH_TOKEN_PATH": str(tmp_path / "file")}, home=tmp_path)


def test_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as it does for a user id that no passwd knows
    assert find_ray_token({}) is None


# Addresses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h:1", "http://h:1"),
        ("h", "http://h:8265"),
        (" http://H/ ", "http://h:80"),
        ("https://h/ray/", "https://h:443/ray"),
        ("http://[::1]:1", "http://[::1]:1"),
        ("192.0.2.1:8265", "http://192.0.2.1:8265"),
    ],
)
def test_addresses(text: str, expected: str) -> None:
    assert str(parse_address(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "ray://h:10001",
        "ftp://h",
        "h:port",
        "h:0",
        "h:99999",
        "http://h?q",
        "http://h#f",
        "a b",
        "http://[::",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError):
        parse_address(text)


@pytest.mark.parametrize("text", ["http://u:hunter2@h", "u:hunter2@h", "http://u:hunter2@h:port", "ray://u:hunter2@h"])
def test_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "hunter2" not in caught.value.title + caught.value.detail + caught.value.hint


# Which cluster


def test_flag_then_environment_then_context(home: Path) -> None:
    write_contexts(home, '[contexts.lab]\naddress = "http://lab"\n[contexts.prod]\naddress = "http://prod"\n')
    environment = {
        "RAYAKASH_ADDRESS": "http://ours",
        "RAY_API_SERVER_ADDRESS": "http://rays",
        "RAY_ADDRESS": "http://old",
    }

    def chosen(**named: Any) -> str:
        return str(choose(Selection(**named), environment).address)

    assert chosen(address="http://flag") == "http://flag:80"
    assert chosen(context="prod") == "http://prod:80"
    assert chosen() == "http://ours:80"
    del environment["RAYAKASH_ADDRESS"]
    assert chosen() == "http://rays:80"
    environment["RAY_API_SERVER_ADDRESS"] = "auto"
    assert chosen() == "http://old:80"
    environment.clear()
    with pytest.raises(UsageError, match="Several clusters are known: lab, prod"):
        chosen()
    settings.use_context("lab")
    assert chosen() == "http://lab:80"


def test_token_of_a_context_is_its_own(home: Path) -> None:
    (home / "token").write_text(TOKEN)
    with_token = f'[contexts.a]\naddress = "http://h"\ntoken_file = "{home}/token"\n'
    write_contexts(home, with_token + '[contexts.b]\naddress = "h"\n')
    own = choose(Selection(context="a"), {"RAY_AUTH_TOKEN": "another"})
    assert (own.token and own.token.value.reveal(), own.token_is_ambient) == (TOKEN, False)
    other = choose(Selection(context="b"), {"RAY_AUTH_TOKEN": "another"})
    assert (other.token and other.token.value.reveal(), other.token_is_ambient) == ("another", True)


# Connecting


@pytest.fixture
def _far_away(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """The test's server counts as one on the other side of the world."""
    assert home.is_dir()
    monkeypatch.setattr(Address, "is_loopback", property(lambda _: False))


@pytest.mark.usefixtures("_far_away")
async def test_one_yes_is_remembered() -> None:
    ray = FakeRay()
    ray.token = TOKEN
    heard: list[Question] = []

    async def yes(question: Question) -> bool:
        heard.append(question)
        return True

    async with serve(ray) as server:
        async with await connect(target(server.url), ask=yes) as client:
            await client.version()
        assert [question.about for question in heard] == ["ray_token", "plain_http"]
        assert "RAY_AUTH_TOKEN" in heard[0].text
        assert server.url in heard[0].text
        assert TOKEN not in heard[0].text
        bare, *rest = server.requests
        assert (bare.path, "authorization" in bare.headers) == ("/api/authentication_mode", False)
        assert [request.headers["authorization"] for request in rest] == [f"Bearer {TOKEN}"]
        async with await connect(target(server.url), ask=None) as client:
            await client.version()
    assert len(heard) == 2
    file = settings.state_directory() / "consents.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert TOKEN not in file.read_text()


@pytest.mark.usefixtures("_far_away")
@pytest.mark.parametrize("answers", [[False], [True, False], None])
async def test_without_a_yes_nothing_is_sent_and_nothing_remembered(answers: list[bool] | None) -> None:
    ray = FakeRay()
    ray.token = TOKEN
    given = iter(answers or [])

    async def answer(_: Question) -> bool:
        return next(given)

    async with serve(ray) as server:
        with pytest.raises(AuthenticationError, match="was not sent") as caught:
            await connect(target(server.url), ask=answer if answers else None)
        assert "--send-token" in caught.value.hint
        assert not [request for request in server.requests if "authorization" in request.headers]
    assert settings.load_consents() == Consents()


@pytest.mark.usefixtures("_far_away")
async def test_cluster_that_wants_no_token_gets_none_and_nobody_is_asked() -> None:
    for knows in (True, False):
        ray = FakeRay()
        ray.knows_authentication = knows
        async with serve(ray) as server:
            async with await connect(target(server.url), ask=None) as client:
                await client.version()
            assert not [request for request in server.requests if "authorization" in request.headers]


@pytest.mark.usefixtures("_far_away")
async def test_gate_that_lets_nobody_in_is_asked_about_too() -> None:
    async with WireServer(replying("Unauthorized", 401)) as server:
        with pytest.raises(AuthenticationError, match="was not sent"):
            await connect(target(server.url), ask=None)


@pytest.mark.usefixtures("_far_away")
@pytest.mark.parametrize(("reply", "kind"), [(("<html>", 200), NotRayError), ((b"", 502), UnreachableError)])
async def test_what_is_no_ray_gets_no_token(reply: tuple[str, int], kind: type[CockpitError]) -> None:
    async with WireServer(replying(*reply)) as server:
        with pytest.raises(kind):
            await connect(target(server.url), ask=None)
        await until(lambda: server.requests)
        assert not [request for request in server.requests if "authorization" in request.headers]


@pytest.mark.usefixtures("_far_away")
async def test_send_token_agrees_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    ray = FakeRay()
    ray.token = TOKEN
    async with serve(ray) as server:
        refused = await here("jobs", "--address", server.url)
        assert (refused.code, refused.out) == (4, b"")
        assert "--send-token" in refused.err
        assert (await here("jobs", "--send-token", "--address", server.url)).code == 0
        done = await here("jobs", "--address", server.url)
    assert done.code == 0
    assert TOKEN not in refused.err + done.err


@pytest.mark.usefixtures("_far_away")
@pytest.mark.parametrize(("typed", "code"), [("yes\nY\n", 0), ("y\nn\n", 4), ("\n", 4), ("\x04", 4)])
async def test_question_on_a_terminal(typed: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    ray = FakeRay()
    ray.token = TOKEN
    ours, theirs = pty.openpty()
    try:
        with os.fdopen(theirs, encoding="utf-8", closefd=False) as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            async with serve(ray) as server:
                running = asyncio.create_task(here("jobs", "--address", server.url))
                await until(lambda: server.requests)
                os.write(ours, typed.encode())
                done = await running
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.code == code
    assert "Send the Ray token found in RAY_AUTH_TOKEN" in done.err
    assert "[y/N]" in done.err


async def test_loopback_gets_the_ambient_token_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".ray").mkdir()
    (home / ".ray" / "auth_token").write_text(TOKEN + "\n")
    ray = FakeRay()
    ray.token = TOKEN
    async with serve(ray) as server:
        assert (await here("jobs", "--address", server.url)).code == 0
        monkeypatch.setenv("RAY_AUTH_TOKEN", "f" * 32)
        wrong = await here("jobs", "--address", server.url)
    assert wrong.code == 4
    assert "does not accept the token" in wrong.err
    assert "f" * 32 not in wrong.err
