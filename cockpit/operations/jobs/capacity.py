"""Gang start: a submission is held back until the cluster has what the job needs."""

import asyncio
import math
from collections.abc import Callable, Sequence

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.errors import UnreachableError, UsageError
from cockpit.feeds.patience import Patience
from cockpit.model.nodes import Node

DEFAULT_TIMEOUT_S = 30 * 60.0
POLL_S = 5.0
COST_FACTOR = 20
"""A poll rests at least this many times as long as its answer took: a big cluster is not asked without pause."""


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster must have before a job is sent; nodes without all `labels` do not count.

    `gpus` and `nodes` are of living nodes, held or not; with `free` only GPUs that Ray has not given away count.
    """

    gpus: float = 0
    nodes: int = 0
    labels: dict[str, str] = {}
    free: bool = False
    timeout_s: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether every cluster meets it."""
        return not (self.gpus or self.nodes or self.labels)


class Found(msgspec.Struct, frozen=True):
    """What the living nodes with the labels have."""

    nodes: int
    gpus: float
    free_gpus: float


class CapacityTimeoutError(UnreachableError):
    """The cluster did not grow in time; nothing was sent."""

    was_sent = False


def check(wanted: Capacity) -> None:
    """Raise UsageError for amounts that mean nothing."""
    if not 0 <= wanted.gpus < math.inf:
        raise UsageError(f"Invalid number of GPUs to wait for: {wanted.gpus:g}.")
    if wanted.nodes < 0:
        raise UsageError(f"Invalid number of nodes to wait for: {wanted.nodes}.")
    if wanted.free and not wanted.gpus:
        raise UsageError("Waiting for free GPUs needs their number.", hint="Add --wait-for-gpus N.")


def found_in(nodes: Sequence[Node], labels: dict[str, str]) -> Found:
    """What the living nodes that have all `labels` offer."""
    counted = [node for node in nodes if node.is_alive and labels.items() <= node.labels.items()]
    total = sum(node.resources_total.get("GPU", 0.0) for node in counted)
    used = sum(node.logical["GPU"].used for node in counted if "GPU" in node.logical)
    return Found(nodes=len(counted), gpus=total, free_gpus=max(0.0, total - used))


def missing(wanted: Capacity, found: Found) -> str:
    """What is not there yet, such as `6 of 8 GPUs`; empty once everything is."""
    gpus = found.free_gpus if wanted.free else found.gpus
    nodes = wanted.nodes or int(bool(wanted.labels and not wanted.gpus))
    parts = []
    if gpus < wanted.gpus:
        parts.append(f"{gpus:g} of {wanted.gpus:g} {'free ' if wanted.free else ''}GPUs")
    if found.nodes < nodes:
        parts.append(f"{found.nodes} of {nodes} nodes")
    if not parts:
        return ""
    where = ", ".join(f"{name}={value}" for name, value in wanted.labels.items())
    return " and ".join(parts) + (f" with {where}" if where else "")


async def wait_for_capacity(
    client: RayClient, wanted: Capacity, *, patience: Patience, on_missing: Callable[[str], None] = lambda _: None
) -> None:
    """Return when the cluster has what is required; `on_missing` is called when what is missing changes.

    Outages are sat out as `patience` allows. Raises CapacityTimeoutError after `timeout_s` (30 minutes by default):
    nothing has been sent then. With 0 the cluster is asked once.
    """
    check(wanted)
    if wanted.is_empty:
        return
    clock = asyncio.get_running_loop().time
    timeout = DEFAULT_TIMEOUT_S if wanted.timeout_s is None else wanted.timeout_s
    deadline, last = clock() + timeout, ""
    while True:
        begun = clock()
        rows = await patience.through(client.nodes.list)
        text = missing(wanted, found_in(rows.rows, wanted.labels))
        if not text:
            return
        if clock() >= deadline:
            raise CapacityTimeoutError(
                f"The cluster has {text} after {timeout:g} s. Nothing was submitted.",
                hint="Add nodes, lower the numbers, or wait longer with --wait-timeout.",
            )
        if text != last:
            on_missing(text)
            last = text
        rest = max(POLL_S, COST_FACTOR * (clock() - begun))
        await asyncio.sleep(max(0.0, min(rest, deadline - clock())))
