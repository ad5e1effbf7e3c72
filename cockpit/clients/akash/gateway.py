"""A provider's gateway: status over HTTPS; logs, events and shells over WebSocket, one socket per service.

Paths and frames are those of akash-network/provider (gateway/rest/router.go). A log comes without times and history
beyond what Kubernetes keeps, its pods are fixed when it opens, and it ends with the token: reconnect, and mark the gap.
"""

import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from cockpit.clients.address import Address, parse_address
from cockpit.clients.akash.reading import fields, loads, text, whole
from cockpit.clients.akash.sockets import Socket, open_socket, status_error
from cockpit.clients.akash.waiting import Clock, MachineClock
from cockpit.clients.akash.wire import status_of
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.masking import Masker
from cockpit.clients.tls import Tls
from cockpit.clients.transport import Transport
from cockpit.errors import AuthenticationError, NotFoundError, ServerError, UnreachableError, UsageError
from cockpit.model.akash.deployments import LeaseId, LeaseStatus
from cockpit.model.secret import Secret

STATUS_S = 20.0
TOKEN_S = 25 * 60.0  # Console's lives 30 minutes
BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 15.0)
STDOUT, STDERR, RESULT, FAILURE, STDIN, RESIZE = 100, 101, 102, 103, 104, 105

Mint = Callable[[], Awaitable[Secret]]


class LogLine(msgspec.Struct, frozen=True):
    """A line of a pod's log; `at` is its arrival in seconds since the epoch: the log lacks times."""

    pod: str
    text: str
    at: float


class LogGap(msgspec.Struct, frozen=True):
    """Where lines may be missing: the stream broke, and was opened again; `reason` says why it broke."""

    reason: str
    at: float


class KubeEvent(msgspec.Struct, frozen=True):
    """An event of Kubernetes about a pod or something else of the lease; `at` is when it came."""

    type: str
    reason: str
    note: str
    kind: str
    name: str
    at: float


def gateway_address(host_uri: str) -> Address:
    """The address of a provider's gateway as the chain records it. Raises UsageError for one without TLS."""
    address = parse_address(host_uri)
    if not address.is_encrypted:
        raise UsageError(f"The provider's gateway {address} is not encrypted; the token was not sent.")
    return address


class ProviderGateway:
    """Calls about leases at one provider; `mint` makes a token, whose scope must cover what is called.

    Calls raise UntrustedError, AuthenticationError, NotFoundError (the lease is gone), ServerError, UnreachableError.
    """

    def __init__(self, address: Address, tls: Tls, mint: Mint, *, clock: Clock | None = None) -> None:
        self.address = address
        self.tls = tls
        self._mint = mint
        self.clock = clock or MachineClock()
        self._endpoint: Endpoint | None = None
        self._minted_at = 0.0
        self._transport: Transport | None = None

    async def close(self) -> None:
        """Close the connection."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    async def endpoint(self) -> Endpoint:
        """The gateway with a token that is still valid."""
        now = self.clock.now().wall
        if self._endpoint is None or now - self._minted_at > TOKEN_S:
            self._endpoint = Endpoint(address=self.address, token=await self._mint(), tls=self.tls)
            self._minted_at = now
            if self._transport is not None:
                await self._transport.renew(self._endpoint)
        return self._endpoint

    def forget_token(self) -> None:
        """Make a new token for the next call."""
        self._endpoint = None

    async def status(self, lease: LeaseId) -> LeaseStatus:
        """The services of a lease, and where they are reached."""
        try:
            return await self._status(lease)
        except AuthenticationError:
            self.forget_token()
            return await self._status(lease)

    async def _status(self, lease: LeaseId) -> LeaseStatus:
        endpoint = await self.endpoint()
        if self._transport is None:
            self._transport = Transport(endpoint)
        try:
            reply = await self._transport.answer("GET", f"{_path(lease)}/status", seconds=STATUS_S)
        except UnreachableError as error:
            raise UnreachableError(
                f"The provider's gateway at {self.address} does not answer.",
                detail=error.detail or error.title,
                hint="The provider may be down; the lease keeps costing money until it is closed.",
                fault="provider-down",
            ) from error
        words = Masker(endpoint.secrets()).text(reply.body[:2000].decode("utf-8", "replace"))[:200]
        if reply.status >= 300:
            raise status_error(reply.status, str(self.address), words)
        try:
            return status_of(fields(loads(reply.body)))
        except ValueError as error:
            raise ServerError(f"{self.address} does not answer like a provider.", detail=words) from error

    @asynccontextmanager
    async def _socket(self, path: str, params: list[tuple[str, str]]) -> AsyncIterator[Socket]:
        async with open_socket(await self.endpoint(), path, params) as socket:
            yield socket

    async def logs(
        self, lease: LeaseId, service: str, *, tail: int = 200, follow: bool = False
    ) -> AsyncIterator[LogLine]:
        """The log of one service until it ends or breaks; without `follow` what Kubernetes keeps now.

        Never of all services: one pod that has not started would fail them all.
        """
        params = [("follow", str(follow).lower()), ("tail", str(tail)), ("service", service)]
        async with self._socket(f"{_path(lease)}/logs", params) as socket:
            async for frame in socket.frames():
                row = _object(frame)
                yield LogLine(text(row.get("name")), text(row.get("message")), self.clock.now().wall)

    async def follow_logs(self, lease: LeaseId, service: str, *, tail: int = 200) -> AsyncIterator[LogLine | LogGap]:
        """The log of one service for as long as the lease lives; opened again with a mark wherever it breaks.

        Lines that come a second time are left out. Ends where the provider says that the lease is gone.
        """
        failures, overlap = 0, LogOverlap(tail)
        while True:
            reason = "the stream ended"
            overlap.reopen()
            try:
                async for line in self.logs(lease, service, tail=tail, follow=True):
                    failures = 0
                    for new in overlap.feed(line):
                        yield new
            except NotFoundError:
                return
            except AuthenticationError as error:
                self.forget_token()
                if failures >= len(BACK_OFF_S):
                    raise
                reason = error.title
            except UnreachableError as error:
                reason = error.title
            yield LogGap(reason, self.clock.now().wall)
            await self.clock.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
            failures += 1

    async def events(self, lease: LeaseId, *, follow: bool = True) -> AsyncIterator[KubeEvent]:
        """Events of the lease's pods as they come, those of about the last hour first."""
        params = [("follow", str(follow).lower())]
        async with self._socket(f"{_path(lease)}/kubeevents", params) as socket:
            async for frame in socket.frames():
                row = _object(frame)
                thing = fields(row.get("object"))
                yield KubeEvent(
                    type=text(row.get("type")),
                    reason=text(row.get("reason")),
                    note=text(row.get("note")),
                    kind=text(thing.get("kind")),
                    name=text(thing.get("name")),
                    at=self.clock.now().wall,
                )

    @asynccontextmanager
    async def shell(
        self,
        lease: LeaseId,
        service: str,
        command: Sequence[str],
        *,
        pod: int = 0,
        stdin: bool = False,
        tty: bool = False,
    ) -> AsyncIterator["Shell"]:
        """Run a command in a container of a service; the token's scope must hold `shell`."""
        params = [("service", service), ("podIndex", str(pod)), ("tty", str(int(tty))), ("stdin", str(int(stdin)))]
        params += [(f"cmd{number}", part) for number, part in enumerate(command)]
        async with self._socket(f"{_path(lease)}/shell", params) as socket:
            yield Shell(socket)


class LogOverlap:
    """Tells new lines of a log from repeated ones after it is reopened: it has neither times nor numbers.

    Where lines repeat, some may come twice; none is lost.
    """

    def __init__(self, most: int) -> None:
        self._known: deque[tuple[str, str]] = deque(maxlen=max(1, most))
        self._places: list[int] | None = None
        self._held: list[LogLine] = []

    def reopen(self) -> None:
        """The stream restarts, with earlier lines."""
        self._places = list(range(len(self._known))) or None
        self._held = []

    def feed(self, line: LogLine) -> list[LogLine]:
        """The new lines that are certain with this one."""
        if self._places is None:
            return self._new([line])
        self._held.append(line)
        found = (line.pod, line.text)
        self._places = [place + 1 for place in self._places if place < len(self._known) and self._known[place] == found]
        if len(self._known) in self._places:
            self._places, self._held = None, []
            return []
        return [] if self._places else self._new(self._held)

    def _new(self, lines: list[LogLine]) -> list[LogLine]:
        self._places = None
        self._known.extend((line.pod, line.text) for line in lines)
        return lines


class Shell:
    """A running command: its output, what it is given, and how it ended."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.exit_code: int | None = None
        """None until the provider has sent the result."""
        self._errors = bytearray()

    @property
    def errors(self) -> str:
        """The end of what it wrote to standard error."""
        return self._errors[-4000:].decode("utf-8", "replace").strip()

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """Pieces of its output, each with STDOUT or STDERR, until it has ended. Raises ServerError for a failure."""
        async for frame in self._socket.frames():
            if not frame:
                continue
            kind, data = frame[0], frame[1:]
            if kind == STDOUT:
                yield STDOUT, data
            elif kind == STDERR:
                self._errors = (self._errors + data)[-8000:]
                yield STDERR, data
            elif kind == RESULT:
                self.exit_code = self._result(data)
                return
            elif kind == FAILURE:
                raise ServerError(
                    "The provider could not run the command.", detail=data[:200].decode("utf-8", "replace")
                )

    def _result(self, data: bytes) -> int:
        result = _object(data)
        code = whole(result.get("exit_code"))
        if code is None:
            raise ServerError("The provider could not run the command.", detail=text(result.get("message")))
        return code

    async def write(self, data: bytes) -> None:
        """Send standard input. It cannot be closed, so the command must know how much to read."""
        await self._socket.send(bytes([STDIN]) + data)

    async def resize(self, width: int, height: int) -> None:
        """Tell it the size of the terminal, in cells."""
        await self._socket.send(bytes([RESIZE]) + width.to_bytes(2, "big") + height.to_bytes(2, "big"))


def _path(lease: LeaseId) -> str:
    return f"/lease/{lease.dseq}/{lease.gseq}/{lease.oseq}"


def _object(frame: bytes) -> Any:
    """A frame as JSON; one that is none becomes a message by itself."""
    try:
        return fields(json.loads(frame))
    except (ValueError, RecursionError):
        return {"message": frame.decode("utf-8", "replace")}
