"""Requests to one dashboard, and what all of its replies have in common."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import msgspec

from cockpit.clients import decoding
from cockpit.clients.transport import LIST_LIMIT, Params, Transport
from cockpit.errors import NotRayError, RejectedError, ServerError
from cockpit.model.cluster import Version

T = TypeVar("T")
R = TypeVar("R", bound=msgspec.Struct)

NULL = msgspec.Raw(b"null")


class DashboardHttp:
    """What the groups of calls share: one transport, and replies read so that one odd row hides nothing but itself."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.rest = 0.0
        """Seconds left to others between two slices of the decoding of a long list; keys need some."""

    @property
    def address(self) -> str:
        """The dashboard's address as text."""
        return str(self.transport.endpoint.address)

    async def get(self, path: str, **params: str) -> bytes:
        """The body of a short reply."""
        return (await self.transport.request("GET", path, params=params)).body

    async def get_list(self, path: str, params: Params = (), *, seconds: float | None = None) -> bytes:
        """The body of a reply that may be long; `seconds` bounds the exchange (default: `timeouts.listing`)."""
        seconds = self.transport.timeouts.listing if seconds is None else seconds
        reply = await self.transport.request("GET", path, params=params, limit=LIST_LIMIT, seconds=seconds)
        return reply.body

    async def version(self) -> Version:
        """Ray's version and the name of the head's session."""
        body = await self.get("/api/version")
        version = self.decode(body, Version)
        if version.ray_version is None:
            raise decoding.not_ray(body, self.address)
        return version

    @asynccontextmanager
    async def supported(self, what: str) -> AsyncIterator[None]:
        """Around a request: raises RejectedError where Ray answers but does not have the path, `what` in words."""
        try:
            yield
        except NotRayError as error:
            if error.fault != "no-such-path":
                raise
            version = await self.version()
            raise RejectedError(
                f"Ray {version.ray_version} has no {what}.",
                detail=error.detail,
                hint="Start the cluster with a newer Ray to see it.",
                fault="unsupported",
            ) from error

    def decode(self, body: bytes, type_: type[T]) -> T:
        """Decode a body field by field; see `decoding.decode`."""
        return decoding.decode(body, type_, address=self.address)

    def envelope(self, body: bytes, type_: type[R]) -> R:
        """The `data` of a reply of the form `{"result": bool, "msg": str, "data": …}`."""
        return self.parts(self._unwrapped(body), type_)

    async def envelope_in_turns(self, body: bytes, type_: type[R]) -> R:
        """The same for megabytes, with a rest after each of the two passes over them."""
        data = self._unwrapped(body)
        await asyncio.sleep(self.rest)
        parts = self.parts(data, type_)
        await asyncio.sleep(self.rest)
        return parts

    def _unwrapped(self, body: bytes) -> msgspec.Raw:
        envelope = self.parts(body, _Envelope)
        if envelope.result is False:
            raise ServerError(f"Ray failed to answer: {envelope.msg or 'no reason given'}", detail=envelope.msg or "")
        if envelope.result is None or bytes(memoryview(envelope.data)[:1]) != b"{":
            raise decoding.not_ray(body, self.address)
        return envelope.data

    def parts(self, body: bytes | msgspec.Raw, type_: type[R]) -> R:
        """The members of an object, those declared as Raw undecoded."""
        if not any(field.type is msgspec.Raw for field in msgspec.structs.fields(type_)):
            return self.decode(bytes(body), type_)
        with suppress(*decoding.MALFORMED):
            return msgspec.json.decode(body, type=type_, strict=False)  # a Raw is not copied
        return decoding.parts(bytes(body), type_, address=self.address)

    def listed(self, rows: msgspec.Raw) -> Sequence[msgspec.Raw]:
        """The rows of a part of a reply; none where it is missing or null."""
        return decoding.listed(bytes(rows), address=self.address) if not is_null(rows) else ()

    async def listed_in_turns(self, rows: msgspec.Raw) -> Sequence[msgspec.Raw]:
        """The same for megabytes of rows, with a rest between two passes over them."""
        if is_null(rows):
            return ()
        return await decoding.listed_in_turns(bytes(rows), address=self.address, rest=self.rest)

    def read_row(self, type_: type[R], row: msgspec.Raw) -> R | None:
        """One row field by field; None for what is not an object. Raises NotRayError for what is not JSON."""
        decoding.check(bytes(row), address=self.address)
        with suppress(*decoding.MALFORMED):
            return msgspec.json.decode(row, type=type_, strict=False)
        return next(iter(decoding.readable_rows([decoding.parse(bytes(row), address=self.address)], type_).rows), None)


def is_null(raw: msgspec.Raw) -> bool:
    """Whether a part of a reply is null or missing, without copying it."""
    return bytes(memoryview(raw)[:5]) == b"null"


class _Envelope(msgspec.Struct):
    result: bool | None = None
    msg: str | None = None
    data: msgspec.Raw = NULL
