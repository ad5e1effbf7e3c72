"""Requests and answers of the simulated dashboard."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec


class Request(msgspec.Struct, frozen=True):
    """A request; `path` is unquoted, `quoted` as it came, header names are lower case."""

    method: str
    path: str
    quoted: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes

    def get(self, name: str, default: str = "") -> str:
        """The last value of a query field."""
        return dict(self.query).get(name, default)

    def all(self, name: str) -> list[str]:
        """Every value of a query field."""
        return [value for key, value in self.query if key == name]


class Reply(msgspec.Struct, frozen=True):
    """A whole reply; a body that is not bytes is sent as JSON. One with `cut_at` breaks off after so many bytes."""

    body: Any = b""
    status: int = 200
    content_type: str = ""
    cut_at: int | None = None


class Stream(msgspec.Struct, frozen=True):
    """A reply of unknown length."""

    chunks: AsyncIterator[bytes]


class Cut(Exception):  # noqa: N818 - an event on the wire, not an error of the program
    """The connection is to be broken off."""
