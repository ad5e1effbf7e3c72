"""Requests to one Console, and what all of its replies have in common."""

from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from cockpit.clients.akash.reading import loads
from cockpit.clients.akash.refusals import refusal
from cockpit.clients.akash.waiting import Clock
from cockpit.clients.masking import Masker
from cockpit.clients.transport import MIB, Endpoint, Params, Reply
from cockpit.errors import NotRayError, ServerError, UnreachableError

READ_S = 20.0
REPLY_LIMIT = 16 * MIB  # all providers with their attributes are about 1 MiB
_PAUSES_S = (1.0, 3.0)
_PROXY_HINT = "Write user and password into HTTPS_PROXY, or the Console's host into NO_PROXY."


class Wire(Protocol):
    """Sends one request; `clients.transport.Transport` is one."""

    @property
    def endpoint(self) -> Endpoint:
        """Where the Console is."""

    async def answer(
        self, method: str, path: str, *, params: Params = (), json: object = None, limit: int, seconds: float
    ) -> Reply:
        """The whole reply, whatever its status. Raises UnreachableError."""

    async def close(self) -> None:
        """Close the connection."""


class ConsoleHttp:
    """Sends requests, and raises what a reply that is not a success means."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self.wire = wire
        self.clock = clock
        self.ahead_s = 0.0
        """How far the Console's clock was ahead of ours at its last answer."""

    @property
    def host(self) -> str:
        """The Console's address as text."""
        return str(self.wire.endpoint.address)

    async def send(
        self,
        method: str,
        path: str,
        *,
        what: str,
        params: Params = (),
        json: object = None,
        seconds: float = READ_S,
        is_secret: bool = False,
    ) -> Reply:
        """Send one request, once; `what` it is to do, in the infinitive, goes into the error.

        Raises UnreachableError for no answer, and what `refusal` makes of a status of 300 and more.
        """
        try:
            reply = await self.wire.answer(method, path, params=params, json=json, limit=REPLY_LIMIT, seconds=seconds)
        except UnreachableError as error:
            raise self._unanswered(what, error) from error
        if (reported := server_time(reply)) is not None:
            self.ahead_s = reported - self.clock.now().wall
        if reply.status >= 300:
            masker = Masker(self.wire.endpoint.secrets())
            raise refusal(reply, host=self.host, what=what, masker=masker, is_secret=is_secret)
        return reply

    async def read(
        self, path: str, *, what: str, params: Params = (), json: object = None, method: str = "GET"
    ) -> Reply:
        """A reply to a request that changes nothing, sent again where it did not come or the Console asks to wait."""
        for pause in _PAUSES_S:
            try:
                return await self.send(method, path, what=what, params=params, json=json)
            except NotRayError:
                raise
            except UnreachableError as error:
                await self.clock.sleep(max(pause, error.retry_after_s or 0.0))
        return await self.send(method, path, what=what, params=params, json=json)

    def json(self, reply: Reply) -> Any:
        """The body as JSON. Raises ServerError for what is none: a proxy's page, or a reply that was cut."""
        try:
            return loads(reply.body)
        except ValueError as error:
            raise self.malformed(reply) from error

    def data(self, reply: Reply) -> Any:
        """What is in the envelope `{"data": …}`; a reply without it is an error, not an empty result."""
        body = self.json(reply)
        if not isinstance(body, dict) or body.get("data") is None:
            raise self.malformed(reply)
        return body["data"]

    def malformed(self, reply: Reply) -> ServerError:
        """The error for a success that cannot be read."""
        return ServerError(
            f"{self.host} does not answer as Akash Console does ({reply.status}, {reply.content_type or 'no type'}).",
            hint="Try again; if it stays so, check the address with --console.",
            fault="malformed",
        )

    def _unanswered(self, what: str, error: UnreachableError) -> UnreachableError:
        if isinstance(error, NotRayError):  # something came that is too large, packed oddly, or not HTTP
            return ServerError(
                f"{self.host} does not answer as Akash Console does.",
                detail=error.title,
                hint="Check the address with --console; there may be a proxy in front of it.",
                fault="malformed",
            )
        unanswered = UnreachableError(
            f"Akash Console at {self.host} did not answer the request to {what}.",
            detail=error.detail or error.title,
            hint=_PROXY_HINT
            if error.fault in ("proxy", "proxy-login")
            else "Check the network, and https://status.akash.network.",
            fault=error.fault or "no-answer",
        )
        unanswered.was_sent = error.was_sent
        return unanswered


def server_time(reply: Reply) -> float | None:
    """The server's clock, in seconds since the epoch, where the reply gave it."""
    try:
        return parsedate_to_datetime(reply.date).timestamp()
    except (ValueError, TypeError):
        return None
