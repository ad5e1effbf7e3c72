"""Serves the cockpit to one browser: the one that has the one-time token of its URL.

Needs the `web` extra. The token is good for one request, which gets a cookie instead; every other request, that of the
websocket too, must bring the cookie and name a host that is ours (a page elsewhere could have its own name lead here).
"""

import asyncio
import hmac
import json
import os
import secrets
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from cockpit.errors import UsageError
from cockpit.local.browser_pages import KEPT_S, Pages

if TYPE_CHECKING:
    from aiohttp.web import Application, Request, StreamResponse

TITLE = "rayakash"
MOST_CELLS = 5000
REFUSED = "This needs the address with the token that `rayakash-tui web` printed; it is good for one browser.\n"
ANY_HOST = ("0.0.0.0", "::")
LOOPBACK = ("127.0.0.1", "localhost", "::1")

# The page asks for a font elsewhere; no other host may learn of it.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self' {socket}; frame-ancestors 'none'; base-uri 'none'"
)

# The page of textual-serve leaves the focus on itself: no key reaches the terminal before a click.
_FOCUS = (
    "<script>(function look() { const field = document.querySelector('.xterm-helper-textarea'); "
    "if (field) field.focus(); else setTimeout(look, 50); })();</script>"
)

Handler = Callable[["Request"], Awaitable["StreamResponse"]]


class Gate:
    """Who may come in. The names are random, since browsers send cookies to every port of a host."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._token: str | None = secrets.token_urlsafe(32)
        self._cookie = f"rayakash-{secrets.token_hex(8)}"
        self._session = secrets.token_urlsafe(32)

    @property
    def token(self) -> str:
        """The ID in the URL."""
        assert self._token is not None
        return self._token

    async def guard(self, request: "Request", handler: Handler) -> "StreamResponse":
        """Let a request through, exchange its token for a cookie, or answer 403."""
        from aiohttp import web

        if not self._is_named_rightly(request):
            return web.Response(status=403, text=REFUSED)
        given = request.query.get("token")
        # A look ahead, such as that of a chat's preview, asks with HEAD and must not use the token up.
        if request.path == "/" and request.method == "GET" and given is not None and self._takes(given):
            answer: StreamResponse = web.Response(status=303, headers={"Location": "/"})
            answer.set_cookie(self._cookie, self._session, httponly=True, samesite="Strict", path="/")
        elif not hmac.compare_digest(request.cookies.get(self._cookie, "").encode(), self._session.encode()):
            answer = web.Response(status=403, text=REFUSED)
        else:
            answer = await handler(request)
        if not answer.prepared:
            answer.headers["Referrer-Policy"] = "no-referrer"
            answer.headers["Cache-Control"] = "no-store"
            answer.headers["Content-Security-Policy"] = _POLICY.format(socket=f"ws://{request.host}")
        return answer

    def _takes(self, given: str) -> bool:
        """Whether it is the token, which is used up then."""
        if self._token is None or not hmac.compare_digest(given.encode(), self._token.encode()):
            return False
        self._token = None
        return True

    def _is_named_rightly(self, request: "Request") -> bool:
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.host}":
            return False
        names = LOOPBACK if self._host in LOOPBACK else (self._host,)
        return self._host in ANY_HOST or _host_of(request.host) in names


def _host_of(text: str) -> str:
    """The host of `host:port`."""
    return text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0]


def is_well_formed(text: str) -> bool:
    """Whether textual-serve can read a message of the websocket; any other would end its cockpit with a traceback."""
    try:
        match json.loads(text):
            case ["stdin", str(typed), *_]:
                typed.encode()
                return True
            case ["resize", {"width": int(width), "height": int(height)}, *_]:
                return 0 < width <= MOST_CELLS and 0 < height <= MOST_CELLS
            case ["ping", _, *_] | ["blur", *_] | ["focus", *_]:
                return True
    except (ValueError, RecursionError):  # half of a surrogate pair is a ValueError too
        pass
    return False


class _WellFormed:
    """A websocket whose malformed messages are passed over."""

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket
        self.send_json = websocket.send_json

    async def __aiter__(self) -> AsyncIterator[Any]:
        async for message in self._websocket:
            if not isinstance(message.data, str) or is_well_formed(message.data):
                yield message


def _only_well_formed(process: Callable[[Any, Any], Awaitable[None]]) -> Callable[[Any, Any], Awaitable[None]]:
    async def processed(websocket: Any, service: Any) -> None:
        await process(_WellFormed(websocket), service)

    return processed


@asynccontextmanager
async def served(command: Sequence[str], *, host: str, port: int, kept_s: float = KEPT_S) -> AsyncIterator[str]:
    """Serve the command, a Textual app, and yield the URL; each open page runs its own process.

    The app of a page that went away is kept for `kept_s` seconds, and the next page shows it again. Raises UsageError
    where the extra is missing or the port is taken.
    """
    try:
        from aiohttp import web
        from textual_serve.app_service import AppService
        from textual_serve.server import Server
    except ImportError as error:
        raise UsageError(
            "The browser mode is not installed.",
            detail=str(error),
            hint="Install it: uv tool install 'rayakash-tui[web]'.",
        ) from None
    gate = Gate(host)
    server: Any = Server(shlex.join(command), host=host, port=port, title=TITLE)
    make = partial(AppService, server.command, download_manager=server.download_manager)
    pages = Pages(make, _only_well_formed(server._process_messages), kept_s=kept_s)
    server.handle_websocket = pages.handle
    runner = web.AppRunner(
        await _application(server, gate), access_log=None, handle_signals=False, shutdown_timeout=2.0
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise UsageError(f"Port {port} of {host} cannot be served.", detail=error.strerror or str(error)) from None
        actual = runner.addresses[0][1]
        yield f"http://{_shown(host)}:{actual}/?token={gate.token}"
    finally:
        await runner.cleanup()
        await pages.close()


async def _application(server: Any, gate: Gate) -> "Application":
    from aiohttp import web

    @web.middleware
    async def guard(request: "Request", handler: Handler) -> "StreamResponse":
        server.public_url = f"http://{request.host}"  # what the page calls back, whatever way it came
        answer = await gate.guard(request, handler)
        if request.path == "/" and answer.status == 200 and isinstance(answer, web.Response) and answer.text:
            answer.text = answer.text.replace("</body>", f"{_FOCUS}</body>")
        return answer

    application: Application = await server._make_app()
    application.middlewares.append(guard)
    application.on_startup.clear()  # it would print its own greeting
    return application


def _shown(host: str) -> str:
    if host in ANY_HOST:
        return os.uname().nodename
    return f"[{host}]" if ":" in host else host


async def until_cancelled() -> None:
    """Serve on."""
    await asyncio.Event().wait()
