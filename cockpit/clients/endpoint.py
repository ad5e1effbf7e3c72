"""A cluster's address, the identity it must prove, and the credentials for it."""

import base64
from collections.abc import Callable, Iterator
from typing import Literal, Protocol, TypeAlias

import msgspec

from cockpit.clients.address import Address
from cockpit.clients.tls import Tls
from cockpit.errors import UnreachableError
from cockpit.model.secret import Secret

Authorization: TypeAlias = Literal["bearer", "x-ray"]

# Ray takes the token from either; behind a proxy that owns the first, only the second reaches it.
_TOKEN_HEADERS: dict[Authorization, str] = {"bearer": "Authorization", "x-ray": "X-Ray-Authorization"}


class Basic(msgspec.Struct, frozen=True):
    """A user and a password, for a proxy in front of the cluster."""

    user: str
    password: Secret


class Passage(Protocol):
    """A way through another host, that ends in a Unix socket here."""

    @property
    def socket(self) -> str:
        """The socket that leads to the cluster."""

    @property
    def through(self) -> str:
        """The other host, as the user names it."""

    def trouble(self) -> str:
        """A few words while it is not up; none while it is."""

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call `callback` whenever it comes up or goes down."""

    def hurry(self) -> None:
        """Try now what would be tried later."""

    async def ready(self) -> int:
        """Wait until it can be used; returns what `explained` wants to be given. Raises UnreachableError."""

    async def explained(self, before: int) -> UnreachableError | None:
        """Why a connection ended, where the tunnel caused it."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster's address and credentials.

    `authorization` tells which header the token goes in; `headers`, `cookies` and `basic` are for a proxy in front
    of the cluster; `use_proxy` lets the environment's proxies be used. With a `passage` the address is one that its
    far end knows.
    """

    address: Address
    token: Secret | None = None
    authorization: Authorization = "bearer"
    headers: dict[str, Secret] = {}
    cookies: dict[str, Secret] = {}
    basic: Basic | None = None
    tls: Tls = Tls()
    use_proxy: bool = False
    passage: Passage | None = None

    @property
    def place(self) -> str:
        """What consents and certificates are bound to: an address means another host where another looks it up."""
        return self.address.origin if self.passage is None else f"{self.address.origin} via {self.passage.through}"

    @property
    def is_verified(self) -> bool:
        """Whether the other side has to prove anything; only with TLS it can."""
        return self.tls.asks_authorities or self.tls.pin is not None

    def secrets(self) -> Iterator[Secret]:
        """Every value that must not be seen."""
        if self.token is not None:
            yield self.token
        yield from self.headers.values()
        yield from self.cookies.values()
        if self.basic is not None:
            yield self.basic.password

    def credentials(self) -> dict[str, str]:
        """The headers with credentials: only for the request itself."""
        found = {name: value.reveal() for name, value in self.headers.items()}
        if self.cookies:
            found["Cookie"] = "; ".join(f"{name}={value.reveal()}" for name, value in self.cookies.items())
        if self.basic is not None:
            pair = f"{self.basic.user}:{self.basic.password.reveal()}"
            found["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        if self.token is not None:
            found[_TOKEN_HEADERS[self.authorization]] = f"Bearer {self.token.reveal()}"
        return found
