"""`doctor`: each thing that may be wrong is named, in words and for programs, and nothing secret is in it."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from cockpit import settings
from cockpit.settings import Consents
from tests.wire.certificates import issue
from tests.wire.commands import here, home, write_contexts
from tests.wire.fake_ray import FakeRay
from tests.wire.server import Exchange, WireServer, raw_server, until

__all__ = ["home"]
pytestmark = pytest.mark.usefixtures("home")

TOKEN = "0123456789abcdef0123456789abcdef"
DAY = timedelta(days=1)


async def faults(context: str, name: str = "lab") -> tuple[list[str], dict[str, Any]]:
    """The faults of one context, and its last check; neither form of the report holds the token."""
    write_contexts(Path(os.environ["HOME"]), f"[contexts.{name}]\n{context}")
    done = await here("doctor", "--json")
    words = await here("doctor")
    for text in (done.text, done.err, words.text, words.err):
        assert TOKEN not in text
    cluster = next(one for one in done.data["clusters"] if one["name"] == name)
    found = [check["fault"] for check in cluster["checks"] if check["fault"]]
    assert (done.code == 1) == (words.code == 1) == (not done.data["ok"])
    assert all(f"{name}:{fault}" in done.data["faults"] for fault in found)
    for check in cluster["checks"]:
        if check["fault"] and check["name"] != "latency":
            assert check["message"] in words.text
    return found, cluster["checks"][-1]


@asynccontextmanager
async def answering(status: int, body: str = "", **headers: str) -> AsyncIterator[str]:
    async def handle(exchange: Exchange) -> None:
        await exchange.reply(body, status=status, headers=headers)

    async with WireServer(handle) as server:
        yield server.url


async def test_a_good_cluster_has_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay()
    ray.token = TOKEN
    monkeypatch.setenv("RAYAKASH_SECRET_LAB", TOKEN)
    async with WireServer(ray.handle) as server:
        found, _ = await faults(f'address = "{server.url}"\ntoken = "ac-secret://LAB"\n')
    assert found == []


async def test_a_name_that_nobody_knows() -> None:
    found, check = await faults('address = "http://no-such-host.invalid:1"\n')
    assert (found, check["name"]) == (["name-unknown"], "name")


async def test_nobody_listens() -> None:
    found, check = await faults('address = "http://127.0.0.1:1"\n')
    assert (found, check["name"]) == (["refused"], "port")


@pytest.mark.parametrize(
    ("certificate", "fault"),
    [
        ({"hosts": ("other.example",)}, "certificate-name"),
        ({"starts": -2 * DAY, "ends": -DAY}, "certificate-expired"),
        ({"starts": DAY, "ends": 2 * DAY}, "certificate-not-yet"),
    ],
)
async def test_certificates_that_an_authority_signed(tmp_path: Path, certificate: dict[str, Any], fault: str) -> None:
    authority = issue(tmp_path, "authority", is_authority=True)
    bad = issue(tmp_path, "bad", by=authority, **certificate)
    async with WireServer(FakeRay().handle, tls=bad.server()) as server:
        found, check = await faults(f'address = "{server.url}"\nca = "{authority.file}"\n')
        assert server.requests == []
    assert (found, check["name"]) == ([fault], "certificate")


async def test_a_certificate_of_its_own(tmp_path: Path) -> None:
    async with WireServer(FakeRay().handle, tls=issue(tmp_path).server()) as server:
        found, check = await faults(f'address = "{server.url}"\n')
        assert server.requests == []
    assert (found, check["name"]) == (["certificate-unknown"], "certificate")


@pytest.mark.parametrize("pinned_in", ["context", "consents"])
async def test_a_changed_fingerprint(tmp_path: Path, pinned_in: str) -> None:
    other = "sha256:" + "0" * 64
    async with WireServer(FakeRay().handle, tls=issue(tmp_path).server()) as server:
        pin = f'pin = "{other}"\n' if pinned_in == "context" else ""
        settings.save_consents(Consents(certificates={} if pin else {server.url: other}))
        found, check = await faults(f'address = "{server.url}"\n{pin}')
        assert server.requests == []
    assert (found, check["name"]) == (["certificate-changed"], "certificate")
    assert "HAS CHANGED" in check["message"]


async def test_verification_off(tmp_path: Path) -> None:
    async with WireServer(FakeRay().handle, tls=issue(tmp_path).server()) as server:
        found, check = await faults(f'address = "{server.url}"\nverify = false\n')
    assert (found, check["state"]) == (["not-verified"], "fail")


async def test_https_to_a_port_that_speaks_http() -> None:
    async with WireServer(FakeRay().handle) as server:
        found, _ = await faults(f'address = "{server.url.replace("http:", "https:")}"\n')
    assert found == ["no-tls"]


@pytest.mark.parametrize(
    ("status", "body", "headers", "fault"),
    [
        (302, "", {"Location": "https://login.example/"}, "redirect"),
        (407, "", {}, "proxy-login"),
        (502, "<html>", {}, "gateway-502"),
        (503, "<html>", {}, "gateway-503"),
        (200, "<html>hello", {}, "not-ray"),
        (404, "<html>nope", {}, "not-ray"),
    ],
)
async def test_what_answers_is_not_ray(status: int, body: str, headers: dict[str, str], fault: str) -> None:
    async with answering(status, body, **headers) as url:
        found, check = await faults(f'address = "{url}"\n')
    assert (found, check["name"]) == ([fault], "ray")


async def test_a_port_that_speaks_something_else() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()

    async with raw_server(talk) as port:
        found, check = await faults(f'address = "http://127.0.0.1:{port}"\n')
    assert len(found) == 1
    assert check["name"] == "ray"


@pytest.mark.parametrize(
    ("lines", "value", "fault"),
    [
        ("", None, "token-wanted"),
        ('token = "ac-secret://LAB"\n', "wrong" * 8, "token-refused"),
        ('token = "ac-secret://LAB"\n', None, "secret-missing"),
        ('token = "plain"\n', None, "settings"),
    ],
)
async def test_tokens(lines: str, value: str | None, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay()
    ray.token = TOKEN
    if value is not None:
        monkeypatch.setenv("RAYAKASH_SECRET_LAB", value)
    async with WireServer(ray.handle) as server:
        found, _ = await faults(f'address = "{server.url}"\n{lines}')
        await until(lambda: server.connections >= 2)  # it only knocks where the token cannot be had
    assert found == [fault]


@pytest.mark.parametrize(("seconds", "words"), [(-3600, "behind"), (3600, "ahead of")])
async def test_a_clock_that_is_wrong(seconds: float, words: str) -> None:
    import time

    ray = FakeRay()

    def dated(answer: Callable[[Exchange], Awaitable[None]]) -> Callable[[Exchange], Awaitable[None]]:
        async def handle(exchange: Exchange) -> None:
            reply = exchange.reply

            async def with_date(body: Any = b"", **options: Any) -> None:
                date = formatdate(time.time() + seconds, usegmt=True)
                await reply(body, **{**options, "headers": {"Date": date}})

            exchange.reply = with_date  # type: ignore[method-assign]
            await answer(exchange)

        return handle

    async with WireServer(dated(ray.handle)) as server:
        write_contexts(Path(os.environ["HOME"]), f'[contexts.lab]\naddress = "{server.url}"\n')
        done = await here("doctor", "--json")
    check = next(one for one in done.data["clusters"][0]["checks"] if one["name"] == "clock")
    assert (check["state"], check["fault"]) == ("warn", "clock-skew")
    assert words in check["message"]


async def test_a_broken_setup_has_each_fault_by_name(home: Path) -> None:
    write_contexts(
        home,
        'color = 1\n[contexts.a]\naddress = "http://127.0.0.1:1"\n[contexts.a]\naddress = "http://h:2"\n'
        '[contexts.b]\nadress = "h"\n[contexts.c]\naddress = "ray://h:10001"\n'
        '[contexts.d]\naddress = "http://no-such-host.invalid"\ntoken = "ac-secret://NOWHERE"\n',
    )
    settings.use_context("gone")
    done = await here("doctor", "--json")
    assert done.code == 1
    assert done.data["faults"].count("config") == 3
    assert {"current-unknown", "a:refused", "c:settings", "d:secret-missing", "d:name-unknown"} <= set(
        done.data["faults"]
    )
    texts = " ".join(check["message"] for check in done.data["checks"])
    assert all(word in texts for word in ("'color'", "two contexts are called 'a'", "'b'", "gone"))


async def test_a_file_that_cannot_be_read(home: Path) -> None:
    write_contexts(home, "")
    settings.config_file().unlink()
    settings.config_file().mkdir()
    done = await here("doctor", "--json")
    assert done.code == 1
    assert "config-unreadable" in done.data["faults"]


async def test_directories_that_cannot_be_made() -> None:
    settings.state_directory().parent.mkdir(parents=True, exist_ok=True)
    settings.state_directory().write_text("")
    done = await here("doctor", "--json")
    assert "directory-unwritable" in done.data["faults"]


async def test_the_machine_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{TOKEN}@proxy.example:1")
    done = await here("doctor")
    assert done.code == 0
    assert all(word in done.text for word in ("python", "terminal", "colors", "config", "keyring", "HTTPS_PROXY"))
    assert TOKEN not in done.text


CANARIES = """\
[contexts.a]
address = "http://me:canary-a@127.0.0.1:1"
[contexts.b]
address = "http://127.0.0.1:1"
token = "canary-b"
[contexts.c]
address = "http://127.0.0.1:1"
headers = { X-Key = "canary-c" }
[contexts.d]
address = "http://127.0.0.1:1"
basic = { user = "me", password = "canary-d" }
[contexts.e]
address = "http://127.0.0.1:1"
cookies = { sid = "canary-e" }
[contexts.f]
address = "http://127.0.0.1:1"
token = canary-f
[contexts.g]
address = "http://127.0.0.1:1"
passwrd = "canary-g"
[contexts.h]
address = "http://127.0.0.1:1?token=canary-h"
[contexts.i]
address = "http://127.0.0.1:1"
basic = "me:canary-i"
[contexts.j]
address = "me:canary-j@127.0.0.1:1"
"""


@pytest.mark.parametrize("command", [("doctor", "--json"), ("doctor",), ("clusters", "list"), ("clusters", "check")])
async def test_a_secret_that_was_written_where_none_belongs_is_not_repeated(
    home: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "canary-of-the-environment")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:canary-of-the-proxy@proxy.example:1")
    write_contexts(home, CANARIES)
    done = await here(*command)
    assert "canary" not in done.text + done.err
    if "--json" in command:
        assert {f"{name}:settings" for name in "abcdehj"} <= set(done.data["faults"])


@pytest.mark.parametrize("variable", ["RAYAKASH_ADDRESS", "RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"])
async def test_the_cluster_that_the_environment_names_is_examined_too(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    async with WireServer(FakeRay().handle) as server:
        write_contexts(home, f'[contexts.lab]\naddress = "{server.url}"\n')
        monkeypatch.setenv(variable, server.url)
        done = await here("doctor", "--json")
    assert [one["name"] for one in done.data["clusters"]] == ["lab", variable]
    assert done.code == 0


@pytest.mark.parametrize("variable", ["RAYAKASH_ADDRESS"])
async def test_nonsense_in_the_environment_is_a_fault(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "ray://h:10001")
    done = await here("doctor", "--json")
    assert (done.code, done.data["faults"][-1]) == (1, f"{variable}:settings")


@pytest.mark.parametrize("option", ["-c", "--context"])
async def test_the_option_that_all_commands_share_names_one(home: Path, option: str) -> None:
    write_contexts(home, '[contexts.a]\naddress = "http://127.0.0.1:1"\n[contexts.b]\naddress = "http://127.0.0.1:1"\n')
    for words in ((option, "b", "doctor"), ("doctor", option, "b"), ("clusters", "check", option, "b")):
        done = await here(*words, "--json")
        assert [one["name"] for one in done.data["clusters"]] == ["b"]


async def test_own_commands_that_cannot_be_used_are_named() -> None:
    path = settings.config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('[[commands]]\nscope = "jobs"\nkey = "x"\nlabel = "mine"\ncommand = "echo {idd}"\n')
    path.chmod(0o600)
    done = await here("doctor", "--json")
    said = [check["message"] for check in done.data["checks"] if check["name"] == "keys"]
    assert done.code == 1
    assert any("unknown field {idd}" in text for text in said)
    assert any("x is the key of 'stop' already" in text for text in said)
