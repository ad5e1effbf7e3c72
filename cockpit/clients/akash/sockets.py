"""WebSockets to a provider's gateway: the one module that knows `websockets`, imported when one is opened."""

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from cockpit.clients.endpoint import Endpoint
from cockpit.clients.tls import context_of
from cockpit.clients.tls_failures import tls_error_in, tls_failure
from cockpit.errors import AuthenticationError, CockpitError, NotFoundError, ServerError, UnreachableError

OPEN_S = 15.0
LARGEST_FRAME = 4 * 1024 * 1024
_LEASE_GONE = 4001
# A logger of its own, of no family: the library would write the token down where debugging is on.
_SILENT = logging.Logger("provider", level=logging.CRITICAL + 1)


class Socket:
    """An open socket; closed by the other side for good, its frames end, else they raise."""

    def __init__(self, connection: Any, host: str) -> None:
        self._connection = connection
        self._host = host

    async def frames(self) -> AsyncIterator[bytes]:
        """The messages, as bytes. Raises the error of `closed_error` after an abnormal close."""
        from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

        while True:
            try:
                frame = await self._connection.recv()
            except ConnectionClosedOK:
                return
            except ConnectionClosed as error:
                raise closed_error(error, self._host) from error
            yield frame.encode() if isinstance(frame, str) else frame

    async def send(self, frame: bytes) -> None:
        """Send a binary frame; waits while the other side does not take it."""
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connection.send(frame)
        except ConnectionClosed as error:
            raise closed_error(error, self._host) from error


@asynccontextmanager
async def open_socket(endpoint: Endpoint, path: str, params: list[tuple[str, str]]) -> AsyncIterator[Socket]:
    """A socket at a path of a gateway; the endpoint's token goes nowhere else, no redirect is followed.

    Raises UntrustedError before anything is sent, AuthenticationError, NotFoundError, ServerError or UnreachableError.
    """
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    address = endpoint.address
    uri = f"wss{str(address).removeprefix(address.scheme)}{path}?{urlencode(params)}"
    connecting = connect(
        uri,
        ssl=context_of(endpoint.tls),
        host=address.host,  # with host and port named, a redirect elsewhere is an error
        port=address.port,
        additional_headers=endpoint.credentials(),
        proxy=None,
        open_timeout=OPEN_S,
        max_size=LARGEST_FRAME,
        logger=_SILENT,
    )
    try:
        connection = await connecting
    except (WebSocketException, OSError, TimeoutError, ValueError) as error:
        raise _not_opened(endpoint, error) from None  # its words and causes hold the request
    try:
        yield Socket(connection, str(address))
    finally:
        await connection.close()


def closed_error(error: Any, host: str) -> CockpitError:
    """What the close of a socket means: 4001 the lease is gone, 4000 no pod runs, or something broke there."""
    received = error.rcvd
    if received is None:
        return UnreachableError(f"The connection to {host} broke.", detail="no close frame", fault="cut")
    words = f"{received.code} {received.reason}".strip()
    if received.code == _LEASE_GONE:
        return NotFoundError("The provider no longer has this lease.", detail=words, fault="lease-gone")
    return ServerError(
        f"The provider closed the stream ({received.code}).",
        detail=words,
        hint="A container may still be starting, or have restarted.",
        fault=f"closed-{received.code}",
    )


def _not_opened(endpoint: Endpoint, error: Exception) -> CockpitError:
    from websockets.exceptions import InvalidStatus

    if isinstance(error, ssl.SSLError) and (failure := tls_error_in(error)) is not None:
        return tls_failure(endpoint, failure)
    if isinstance(error, InvalidStatus):
        return status_error(error.response.status_code, str(endpoint.address))
    return UnreachableError(
        f"The provider's gateway at {endpoint.address} does not answer.",
        detail=type(error).__name__,
        hint="The provider may be down; if it stays so, close the deployment and take another bid.",
        fault="provider-down",
    )


def status_error(status: int, host: str, words: str = "") -> CockpitError:
    """What a status of a gateway means; 401 comes once a token has expired, or its scope lacks the action."""
    if status in (401, 403):
        return AuthenticationError(
            f"The provider does not accept the token ({status}).",
            status=status,
            detail=words,
            hint="It may have expired; try again.",
            fault="provider-token",
        )
    if status == 404:
        return NotFoundError(
            "The provider does not have this lease, or has not started it yet (404).", detail=words, fault="lease-gone"
        )
    return ServerError(f"The provider at {host} could not answer ({status}).", detail=words, fault=f"http-{status}")
