"""Addresses as people write them, and what kind of place they name."""

import ipaddress
import re
from urllib.parse import urlsplit

import msgspec

from cockpit.errors import UsageError

DEFAULT_PORT = 8265


class Address(msgspec.Struct, frozen=True):
    """Where a dashboard is reached: scheme, host, port, and the path in front of Ray's own (no slash at its end)."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a consent is bound to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can be meant; `NAME.localhost` may go to a name server, so it is not."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.scheme == "https"

    def __str__(self) -> str:
        return self.origin + self.path


def parse_address(text: str) -> Address:
    """Read `http(s)://host[:port][/path]`, or `host:port`, which means plain http.

    Raises UsageError that says what to write instead.
    """
    text = text.strip()
    if "@" in text:  # first of all: no other error may repeat a password
        raise UsageError(
            "An address must not contain a user name or a password.",
            hint="They would end up in shell history and logs; use a token or a context.",
        )
    if text.startswith("ray://"):
        raise UsageError(
            f"{text} is the port of Ray Client, which does not speak HTTP.",
            hint=f"Give the dashboard's address, for example http://HOST:{DEFAULT_PORT}.",
        )
    return _parse_url(text, text if "://" in text else f"http://{text}")


def _parse_url(text: str, url: str) -> Address:
    said = re.split("[?#]", text)[0]  # what follows may be a token
    bad = UsageError(
        f"{said!r} is not an address of a dashboard.",
        hint=f"Write http://HOST:PORT or https://HOST:PORT; Ray's dashboard listens on {DEFAULT_PORT}.",
    )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise bad from error
    if parts.scheme not in ("http", "https") or not host or port == 0 or any(c.isspace() for c in url):
        raise bad
    if parts.query or parts.fragment:
        raise UsageError(f"The address {said} must end before its ? or #.", hint="Give scheme, host, port and path.")
    fallback = 443 if parts.scheme == "https" else (80 if "://" in text else DEFAULT_PORT)
    return Address(parts.scheme, host, port or fallback, parts.path.rstrip("/"))
