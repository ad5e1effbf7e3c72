"""The cluster as a whole: who answers, and how much of it is in use."""

from typing import Generic, TypeVar

import msgspec

from cockpit.model.nodes import Usage

Row = TypeVar("Row")


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What `/api/version` says; `session_name` changes when the head is restarted."""

    version: str | None = None
    ray_version: str | None = None
    ray_commit: str | None = None
    session_name: str | None = None


class ClusterUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Logical resources of the whole cluster and of each node, by Ray's (camel-cased) resource names."""

    total: dict[str, Usage] = {}
    by_node: dict[str, dict[str, Usage]] = {}


class Rows(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    """The rows of one reply.

    `unreadable` counts rows that were not even objects; fields that could not be read are None.
    """

    rows: tuple[Row, ...]
    unreadable: int = 0
