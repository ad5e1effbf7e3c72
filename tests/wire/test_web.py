"""The cockpit in a browser: only for whoever has the token, and in a real one."""

import asyncio
import base64
import json
import shutil
import sys
from codecs import getincrementaldecoder
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cockpit.local.browser import served
from cockpit.settings import config_file
from tests.sim import Plan, SimCluster, SimServer
from tests.ui.terminal import Screen
from tests.wire.commands import finish, home, says, start

aiohttp = pytest.importorskip("aiohttp", reason="needs the extra: pip install 'rayakash-tui[web]'")

__all__ = ["home"]

pytestmark = [pytest.mark.usefixtures("home"), pytest.mark.lengthy]


@pytest.fixture(autouse=True)
def _jobs_first(request: pytest.FixtureRequest) -> None:
    """The jobs are what these tests look for, and filter."""
    request.getfixturevalue("home")
    path = config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('[ui]\nstart = "jobs"\n')


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@asynccontextmanager
async def web() -> AsyncIterator[str]:
    """The URL of a cockpit on a simulated cluster."""
    async with SimServer(SimCluster(Plan(nodes=2, gpus=2, jobs=5))) as ray:
        process = await start("web", "--port", "0", "--address", ray.url)
        try:
            yield (await says(process.stdout, "\n")).strip()
        finally:
            process.terminate()
            await finish(process)


async def status(session: Any, url: str, **headers: str) -> int:
    async with session.get(url, headers=headers, allow_redirects=False) as answer:
        return int(answer.status)


async def test_nothing_is_to_be_had_without_the_token_and_the_token_works_once() -> None:
    async with web() as url:
        root = url.partition("?")[0]
        assert urlsplit(url).hostname == "127.0.0.1"
        async with (
            aiohttp.ClientSession() as stranger,
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as ours,
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as late,
        ):
            for path in ("", "?token=", "?token=wrong", "static/js/textual.js", "download/x", "nowhere"):
                assert await status(stranger, root + path) == 403
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await stranger.ws_connect(root + "ws")
            assert refused.value.status == 403
            assert await status(ours, url, Host="evil.example") == 403
            async with ours.head(url, allow_redirects=False) as looked_ahead:
                assert looked_ahead.status == 403
            assert await status(ours, url) == 303
            assert await status(ours, root) == 200
            assert await status(late, url) == 403
            assert await status(ours, root, Origin="http://evil.example") == 403
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await ours.ws_connect(root + "ws", origin="http://evil.example")


async def test_a_malformed_message_ends_nothing() -> None:
    async with web() as url:
        root = url.partition("?")[0]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as ours:
            assert await status(ours, url) == 303
            async with ours.ws_connect(root + "ws?width=100&height=30") as socket:
                for text in ("[]", "{", '["stdin"]', '["resize", {}]', '["ping"]'):
                    await socket.send_str(text)
                await socket.send_json(["ping", "still there"])
                while (message := await socket.receive(timeout=30)).type != aiohttp.WSMsgType.TEXT:
                    assert message.type == aiohttp.WSMsgType.BINARY
                assert message.json() == ["pong", "still there"]


async def test_other_addresses_need_to_be_asked_for_and_are_warned_of() -> None:
    process = await start("web", "--port", "0", "--host", "0.0.0.0")
    await says(process.stderr, "is not encrypted")
    await says(process.stdout, "?token=")
    process.terminate()
    await finish(process)


class Page:
    """A page of Chromium's, by its debugging protocol."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._number = 0
        self._came = b""

    async def do(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while (answer := await self._do_next()).get("id") != self._number:
            continue
        return answer["result"]

    async def until(self, expression: str) -> None:
        async with asyncio.timeout(60):
            waiting = (
                f"new Promise(done => {{ const look = () => ({expression}) ? done(1) : setTimeout(look, 50); look() }})"
            )
            await self.do("Runtime.evaluate", expression=waiting, awaitPromise=True)

    def forget(self) -> None:
        """Only what comes from now on counts."""
        self._came = b""

    async def receives(self, text: str) -> None:
        """Wait until a text has come for its terminal."""
        async with asyncio.timeout(60):
            while text.encode() not in self._came:
                await self._do_next()

    async def _do_next(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads((await self._socket.receive()).data)
        if answer.get("method") == "Network.webSocketFrameReceived":
            frame = answer["params"]["response"]
            self._came += base64.b64decode(frame["payloadData"]) if frame["opcode"] == 2 else b""
        return answer

    async def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if kind == "keyDown" else {}
            await self.do("Input.dispatchKeyEvent", type=kind, key=key, code=f"Key{key.upper()}", **text)


@asynccontextmanager
async def chromium(url: str, directory: Path) -> AsyncIterator[Page]:
    assert CHROMIUM is not None
    nowhere = asyncio.subprocess.DEVNULL
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--remote-debugging-port=0",
    ]
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *options,
        f"--user-data-dir={directory}",
        "about:blank",
        stdout=nowhere,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said = await says(process.stderr, "/devtools/browser/")
        port = urlsplit(said[said.index("ws://") :].split()[0]).port
        async with aiohttp.ClientSession() as session:
            async with asyncio.timeout(60):
                while True:
                    async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                        pages = [page for page in await answer.json() if page["type"] == "page"]
                    if pages:
                        break
                    await asyncio.sleep(0.1)
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                await page.do("Network.enable")
                await page.do("Page.navigate", url=url)
                yield page
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: install chromium")
async def test_a_real_browser_shows_it_and_its_keys_arrive(tmp_path: Path) -> None:
    async with web() as url, chromium(url, tmp_path / "profile") as page:
        await page.until("document.body && document.body.classList.contains('-first-byte')")
        assert "token" not in (await page.do("Runtime.evaluate", expression="location.href"))["result"]["value"]
        await page.receives("RUNNING")
        await page.until("document.activeElement && document.activeElement.tagName === 'TEXTAREA'")  # without a click
        await page.press("q")
        await page.until("document.body.classList.contains('-closed')")


def cockpits_of(address: str) -> list[int]:
    """The processes that show a cluster: not the shell that started them."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdecimal() else []
        except OSError:
            continue
        if f"--address={address}".encode() in words:
            found.append(int(entry.name))
    return found


@asynccontextmanager
async def kept_for(seconds: float) -> AsyncIterator[tuple[str, str]]:
    """The URL of a cockpit whose process is kept so long without a page, and the address that it shows."""
    async with SimServer(SimCluster(Plan(nodes=2, gpus=2, jobs=5))) as ray:
        command = [sys.executable, "-m", "cockpit", f"--address={ray.url}"]
        async with served(command, host="127.0.0.1", port=0, kept_s=seconds) as url:
            yield url, ray.url
        assert cockpits_of(ray.url) == []


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - another process, which sets no event here
            await asyncio.sleep(0.05)


class Shown:
    """What a page shows of the bytes that came through its socket: a word may come in several pieces."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self._screen, self._rest = Screen(), ""
        self._decoder = getincrementaldecoder("utf-8")()

    async def shows(self, text: str) -> None:
        async with asyncio.timeout(60):
            while text not in "\n".join(self._screen.lines):
                message = await self.socket.receive()
                assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
                if message.type == aiohttp.WSMsgType.BINARY:
                    self._rest = self._screen.follow(self._rest + self._decoder.decode(message.data))


async def test_a_page_that_comes_back_finds_its_cockpit() -> None:
    async with kept_for(60) as (url, address):
        root = url.partition("?")[0]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as ours:
            assert await status(ours, url) == 303
            async with ours.ws_connect(root + "ws?width=100&height=30") as socket:
                page = Shown(socket)
                await page.shows("RUNNING")
                await socket.send_json(["stdin", "/zzmine"])
                await page.shows("zzmine")
                (first,) = cockpits_of(address)
            async with ours.ws_connect(root + "ws?width=100&height=30") as socket:
                await Shown(socket).shows("zzmine")  # the same size: nothing else would have it drawn again
                assert cockpits_of(address) == [first]
                async with ours.ws_connect(root + "ws?width=90&height=30") as second:
                    await Shown(second).shows("RUNNING")
                    assert len(cockpits_of(address)) == 2  # a page of its own
                await socket.send_json(["stdin", "\x1b\x1b"])
            await until(lambda: len(cockpits_of(address)) == 2)


async def test_the_cockpit_of_a_page_that_stays_away_ends(capfd: pytest.CaptureFixture[str]) -> None:
    async with kept_for(0.2) as (url, address):
        root = url.partition("?")[0]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as ours:
            assert await status(ours, url) == 303
            async with ours.ws_connect(root + "ws?width=100&height=30") as socket:
                await Shown(socket).shows("RUNNING")
            await until(lambda: not cockpits_of(address))
            async with ours.ws_connect(root + "ws?width=100&height=30") as socket:
                await Shown(socket).shows("RUNNING")
                await socket.send_json(["stdin", "q"])
                await until(lambda: not cockpits_of(address))
    assert capfd.readouterr().out == ""  # no complaint of a cockpit that ended early


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: install chromium")
async def test_a_reload_in_a_real_browser_goes_on_where_it_was(tmp_path: Path) -> None:
    async with web() as url, chromium(url, tmp_path / "profile") as page:
        await page.receives("RUNNING")
        await page.until("document.activeElement && document.activeElement.tagName === 'TEXTAREA'")
        await page.press("/")
        for letter in "zzmine":
            await page.press(letter)
        await page.receives("zzmine")
        page.forget()
        await page.do("Page.reload")
        await page.receives("zzmine")
        await page.until("document.activeElement && document.activeElement.tagName === 'TEXTAREA'")
        await page.press("x")
        await page.receives("zzminex")  # and its keys arrive
