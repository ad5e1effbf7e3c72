"""One kept-alive HTTP connection to a dashboard, with every reply bounded in time and in size.

The only module that knows httpx, which is imported when it is first needed: failures leave it as errors of
`cockpit.errors`.
"""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec

from cockpit import __version__
from cockpit.clients.endpoint import Endpoint as Endpoint
from cockpit.clients.inflate import ENCODINGS, unpacked
from cockpit.clients.meter import asking, note_bytes
from cockpit.clients.replies import error_for_status
from cockpit.clients.resolving import lookup
from cockpit.clients.tls import PinError, asking_context, context_of
from cockpit.clients.tls_failures import tls_error_in, tls_failure
from cockpit.clients.turns import take_turn
from cockpit.errors import CockpitError, NotRayError, UnreachableError, UsageError

if TYPE_CHECKING:
    import httpx

MIB = 1024 * 1024
LIST_LIMIT = 48 * MIB  # 50,000 jobs are about 30 MiB
REPLY_LIMIT = 1 * MIB

_TLS_ALERT = r"\x15\x03"  # how a TLS server complains about plain HTTP, as h11 quotes it

Params = Mapping[str, str] | Sequence[tuple[str, str]]


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds in seconds: for connecting, for silence within a reply, and for whole exchanges."""

    connect: float = 5.0
    quiet: float = 15.0
    reply: float = 30.0
    listing: float = 90.0
    upload: float = 900.0


class Reply(msgspec.Struct, frozen=True):
    """A whole reply in memory; `date` is the server's own, as HTTP writes it, if it was sent.

    `retry_after` is the wait that it asks for, in seconds or as a date, as it came; `location` and `challenge` (of
    WWW-Authenticate) are where it leads to, and what it wants to be shown.
    """

    status: int
    content_type: str
    body: bytes
    date: str = ""
    retry_after: str = ""
    location: str = ""
    challenge: str = ""


class Transport:
    """Sends requests to one dashboard; use as an async context manager, or call `close`."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeouts: Timeouts | None = None,
        backend: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.timeouts = timeouts or Timeouts()
        self._backend = backend
        self._client: httpx.AsyncClient | None = None
        self.closing: Callable[[], Awaitable[None]] | None = None
        """What ends with the connection."""
        self.resolve_again: Callable[[], Awaitable[Endpoint | None]] | None = None
        """Looks up the endpoint by its name; called before the request that follows a failed one. None: unchanged."""
        self.on_renewed: Callable[[], None] | None = None
        """Called once another endpoint is in use: its tunnel may be another one."""
        self.certificate: bytes | None = None
        """What the other side showed last, in DER; None without TLS."""
        self._may_have_moved = False

    async def close(self) -> None:
        """Close the connection; a later request would open a new one."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        if self.closing is not None:
            await self.closing()

    async def renew(self, endpoint: Endpoint) -> None:
        """Use other credentials or another trusted certificate from the next request on; open requests are aborted."""
        self._may_have_moved = False
        self.endpoint = endpoint
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        if self.on_renewed is not None:
            self.on_renewed()

    def look_again(self) -> None:
        """Look the cluster up by its name before the next request."""
        self._may_have_moved = True

    async def _follow_move(self) -> None:
        """After a failure: use the address and token that the cluster's name has by now."""
        if not self._may_have_moved or self.resolve_again is None:
            return
        self._may_have_moved = False
        endpoint = await self.resolve_again()
        if endpoint is not None and endpoint != self.endpoint:
            await self.renew(endpoint)

    async def whereabouts(self) -> tuple[str, ...]:
        """The IP addresses of the dashboard's name here; empty where another host resolves it."""
        if self.endpoint.passage is not None:
            return ()
        return await lookup(self.endpoint.address.host)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = self._open()
        return self._client

    def _open(self, looking: ssl.SSLContext | None = None) -> httpx.AsyncClient:
        from cockpit.clients.lean_httpx import httpx

        endpoint = self.endpoint
        headers = {"User-Agent": f"rayakash-tui/{__version__}", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
        headers |= {} if looking else endpoint.credentials()
        # Without TLS there is nothing to verify, and to load the authorities for it takes 20 ms of every start.
        needs_tls = endpoint.address.is_encrypted or endpoint.use_proxy
        verify = looking or (context_of(endpoint.tls) if needs_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        backend = self._backend
        if backend is None and endpoint.passage is not None:
            backend = httpx.AsyncHTTPTransport(verify=verify, uds=endpoint.passage.socket)
        try:
            return httpx.AsyncClient(
                base_url=str(endpoint.address),
                headers=headers,
                timeout=httpx.Timeout(self.timeouts.quiet, connect=self.timeouts.connect),
                follow_redirects=False,
                trust_env=endpoint.use_proxy and endpoint.passage is None,
                verify=verify,
                transport=backend,
            )
        except UnicodeError:  # about the address; it is a ValueError too
            raise
        except (ImportError, ValueError) as error:  # SOCKS needs a package, and a scheme may be nonsense
            raise UsageError("The proxy named by the environment cannot be used.", detail=str(error)) from error

    async def meet(self, *, verify: bool) -> str:
        """Look at the certificate that the other side shows; no request is sent. Returns its fingerprint.

        With `verify` raises UntrustedError where it would not be trusted, a pin apart. Raises UnreachableError.
        """
        from cockpit.clients.lean_httpx import httpx

        if not self.endpoint.address.is_encrypted:
            raise UsageError(f"{self.endpoint.address} does not use TLS, so it has no certificate.")
        tls = self.endpoint.tls if verify else msgspec.structs.replace(self.endpoint.tls, ca=None, verify=False)
        async with self._open(asking_context(tls)) as client:
            passed = await self._passed()
            try:
                async with asyncio.timeout(self.timeouts.connect):
                    await client.get("/")
            except TimeoutError as error:
                raise self._late(f"did not answer within {self.timeouts.connect:g} s") from error
            except (httpx.InvalidURL, UnicodeError) as error:
                raise self._unusable(error) from error
            except (httpx.HTTPError, ssl.SSLError) as error:
                if isinstance(met := tls_error_in(error), PinError):
                    return met.found
                raise await self._explained(error, passed) from error
        raise NotRayError(f"{self.endpoint.address} does not use TLS, or a proxy on the way terminates it.")

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        content: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = REPLY_LIMIT,
        seconds: float | None = None,
    ) -> Reply:
        """Send one request and read the whole reply.

        `limit` bounds the body in bytes after decompression, `seconds` the whole exchange
        (default: `timeouts.reply`). Raises UnreachableError,
        NotRayError, or what `error_for_status` makes of a status of 300 and more.
        """
        await self._follow_move()
        body: dict[str, Any] = {"content": content}
        extra = dict(headers or {})
        if json is not None:
            body = {"content": msgspec.json.encode(json)}
            extra["Content-Type"] = "application/json"
        request = self._build(method, path, params=params, headers=extra, **body)
        seconds = self.timeouts.reply if seconds is None else seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(request, limit)
        except TimeoutError as error:
            self._may_have_moved = True
            raise self._late(f"did not finish its answer within {seconds:g} s") from error

    async def _exchange(self, request: httpx.Request, limit: int) -> Reply:
        async with self._sent(request) as response:
            if response.status_code >= 300:
                raise await self._refused(request, response)
            return await self._read_reply(response, limit)

    async def answer(
        self,
        method: str,
        path: str,
        *,
        params: Params = (),
        json: object = None,
        headers: Mapping[str, str] | None = None,
        limit: int = REPLY_LIMIT,
        seconds: float,
    ) -> Reply:
        """Send one request to a server that is not Ray, and read the whole reply, whatever its status.

        The server may be silent for all of `seconds`. Raises UnreachableError, or NotRayError for what is not HTTP.
        """
        from cockpit.clients.lean_httpx import httpx

        timeout = httpx.Timeout(self.timeouts.quiet, connect=self.timeouts.connect, read=seconds)
        body: dict[str, Any] = {"content": msgspec.json.encode(json)} if json is not None else {}
        extra = dict(headers or {}) | ({"Content-Type": "application/json"} if json is not None else {})
        request = self._request(method, path, params=params, headers=extra, timeout=timeout, **body)
        try:
            async with asyncio.timeout(seconds), self._sent(request) as response:
                return await self._read_reply(response, limit)
        except TimeoutError as error:
            raise self._late(f"did not finish its answer within {seconds:g} s") from error

    async def _read_reply(self, response: httpx.Response, limit: int) -> Reply:
        headers = response.headers
        return Reply(
            response.status_code,
            headers.get("content-type", ""),
            await self._body(response, limit),
            headers.get("date", ""),
            headers.get("retry-after", ""),
            headers.get("location", ""),
            headers.get("www-authenticate", ""),
        )

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        params: Params,
        endless: bool = False,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a reply of unknown length; yields its bytes as they come.

        An `endless` one may be silent for any time, even before its headers: the caller decides when to stop waiting.
        """
        from cockpit.clients.lean_httpx import httpx

        await self._follow_move()
        read = None if endless else self.timeouts.quiet
        timeout = httpx.Timeout(self.timeouts.quiet, connect=self.timeouts.connect, read=read)
        # What is compressed on its way comes in lumps.
        request = self._build("GET", path, params=params, headers={"Accept-Encoding": "identity"}, timeout=timeout)
        async with self._sent(request) as response:
            if response.status_code >= 300:
                raise await self._refused(request, response)
            yield self._unpacked(response)

    def _build(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **rest: Any) -> httpx.Request:
        extra = dict(headers or {})
        if method == "GET":
            # Looks like a browser to Ray, which then withholds env values of jobs by itself (2.60); on other
            # methods it would be refused with 405.
            extra["Sec-Fetch-Mode"] = "cors"
        return self._request(method, path, headers=extra, **rest)

    def _request(self, method: str, path: str, **rest: Any) -> httpx.Request:
        from cockpit.clients.lean_httpx import httpx

        try:
            return self._opened().build_request(method, path, **rest)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise self._unusable(error) from error

    @asynccontextmanager
    async def _sent(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        from cockpit.clients.lean_httpx import httpx

        passed = await self._passed()
        try:
            with asking():
                response = await self._send(request)
            if self.endpoint.address.is_encrypted:
                self.certificate = _certificate_of(response)
            is_page = response.headers.get("content-type", "").startswith("text/html")
            self._may_have_moved = is_page or response.status_code in (401, 403, 502, 503, 504)
            try:
                if response.headers.get("content-encoding", "").strip().lower() not in ENCODINGS:
                    raise NotRayError(f"The reply of {self.endpoint.address} has an unexpected encoding.")
                yield response
            finally:
                await response.aclose()
        except (httpx.HTTPError, ssl.SSLError) as error:  # httpcore lets errors of TLS while reading through
            failure = await self._explained(error, passed)
            self._may_have_moved = True
            before_sending = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
            if isinstance(error, before_sending) and isinstance(failure, UnreachableError):
                failure.was_sent = False
            raise failure from error

    async def _passed(self) -> int:
        """Wait for the way to be open, where there is one. Raises UnreachableError."""
        passage = self.endpoint.passage
        return await passage.ready() if passage is not None else 0

    async def _explained(self, error: httpx.HTTPError | ssl.SSLError, passed: int) -> CockpitError:
        """What went wrong: on the way, or else at its end."""
        passage = self.endpoint.passage
        if passage is not None and tls_error_in(error) is None and (on_the_way := await passage.explained(passed)):
            return on_the_way
        return self._failure(error)

    async def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._opened().send(request, stream=True)
        except UnicodeError as error:  # a host name that IDNA does not know, found out late
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> UsageError:
        return UsageError(f"{self.endpoint.address} is not a usable address.", detail=str(error))

    def _unpacked(self, response: httpx.Response) -> AsyncIterator[bytes]:
        encoding = response.headers.get("content-encoding", "").strip().lower()
        return unpacked(response.aiter_raw(), encoding, address=self.endpoint.address)

    async def _body(self, response: httpx.Response, limit: int) -> bytes:
        announced = response.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > limit:
            raise self._too_big(limit)
        body = io.BytesIO()  # its bytes are not copied in the end
        async for chunk in self._unpacked(response):
            body.write(chunk)
            if body.tell() > limit:
                raise self._too_big(limit)
            await take_turn(body.tell())
        note_bytes(body.tell())
        return body.getvalue()

    async def _refused(self, request: httpx.Request, response: httpx.Response) -> Exception:
        """What a reply with an error status means; at most 1 MB of its text is read."""
        from cockpit.clients.lean_httpx import httpx

        text = bytearray()
        with suppress(
            TimeoutError, httpx.HTTPError, ssl.SSLError, NotRayError
        ):  # the status has already said what matters
            async with asyncio.timeout(self.timeouts.connect):
                async for chunk in self._unpacked(response):
                    text += chunk
                    if len(text) > REPLY_LIMIT:
                        break
        # Another server may listen at the address by now; Ray reports which.
        self._may_have_moved |= response.status_code == 404 and b"does not exist" not in text
        return error_for_status(
            path=request.url.path,
            status=response.status_code,
            text=text[:REPLY_LIMIT].decode("utf-8", "replace"),
            location=response.headers.get("location", ""),
            endpoint=self.endpoint,
        )

    def _too_big(self, limit: int) -> NotRayError:
        return NotRayError(
            f"The reply of {self.endpoint.address} passed {limit // MIB} MiB and was dropped.",
            hint="Is this the address of a Ray dashboard?",
        )

    def _late(self, what: str) -> UnreachableError:
        return UnreachableError(
            f"{self.endpoint.address} {what}.", hint="The head may be busy, or the way to it slow; try again."
        )

    def _failure(self, error: httpx.HTTPError | ssl.SSLError) -> CockpitError:
        from cockpit.clients.lean_httpx import httpx

        if (tls_error := tls_error_in(error)) is not None:
            return tls_failure(self.endpoint, tls_error)
        address = self.endpoint.address
        words = str(error) or type(error).__name__
        match error:
            case httpx.ConnectTimeout():
                return self._late(f"did not answer within {self.timeouts.connect:g} s")
            case httpx.TimeoutException():
                return self._late(f"said nothing for {self.timeouts.quiet:g} s")
            case httpx.ConnectError() if address.is_encrypted and not str(error):
                return UnreachableError(
                    f"{address} hung up in the TLS handshake.",
                    detail=words,
                    hint="It may require a client certificate (`client_cert` in the context), or speak no TLS at all.",
                )
            case httpx.ConnectError():
                return UnreachableError(
                    f"No cluster answers at {address}.",
                    detail=words,
                    hint="Check host and port, and that the cluster is up.",
                )
            case httpx.RemoteProtocolError() if "without sending a response" in words:
                return UnreachableError(
                    f"{address} hung up without an answer.",
                    detail=words,
                    hint="Is it a Ray dashboard, and is http:// or https:// right?",
                )
            case httpx.RemoteProtocolError() if "without sending" not in words and "peer closed" not in words:
                return NotRayError(
                    f"What answers at {address} does not speak HTTP.",
                    detail=words,
                    hint="Is it an https:// address?" if _TLS_ALERT in words else "",
                )
            case httpx.ProxyError() if words.startswith("407"):
                return UnreachableError(
                    f"The proxy on the way to {address} asks for a login (407).",
                    detail=words,
                    hint="Write user and password into HTTPS_PROXY, or leave `proxy` out of the context.",
                    fault="proxy-login",
                )
            case httpx.ProxyError():
                return UnreachableError(
                    f"The proxy on the way to {address} does not let us through.", detail=words, fault="proxy"
                )
            case httpx.DecodingError():
                return NotRayError(f"The reply of {address} could not be decompressed.", detail=words)
            case _:
                return UnreachableError(f"The connection to {address} broke.", detail=words)


def _certificate_of(response: httpx.Response) -> bytes | None:
    """The certificate of the server that sent a response, in DER."""
    stream = response.extensions.get("network_stream")
    peer = stream.get_extra_info("ssl_object") if stream is not None else None
    shown: bytes | None = peer.getpeercert(binary_form=True) if isinstance(peer, ssl.SSLObject) else None
    return shown
