"""When a GPU is idle: hardly used, and drawing hardly more power than a GPU that only holds memory."""

from collections.abc import Sequence

import msgspec

from cockpit.model.board_power import board_power_w
from cockpit.model.nodes import Gpu, Node

IDLE_PERCENT = 5
IDLE_POWER_SHARE = 0.25


class IdleGpu(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU that is held and idle now.

    `seconds` is how long it is known to have been idle. `known_for` is set, in seconds, where the known past is shorter
    than what was asked for: it may have been idle longer. `cost_per_hour` is what its held share costs in USD.
    """

    node: str
    index: int
    model: str | None
    utilization: int | None
    power_w: float | None
    memory_used: int | None
    memory_total: int | None
    share: float
    submission_id: str | None
    job_id: str | None
    owner: str | None
    actor_id: str | None
    pid: int | None
    foreign_pids: tuple[int, ...]
    seconds: float
    known_for: float | None
    cost_per_hour: float | None

    @property
    def counts(self) -> bool:
        """Whether it is known to have been idle long enough."""
        return self.known_for is None


def is_idle(gpu: Gpu) -> bool | None:
    """Whether a GPU does nothing now; None where its use is unknown.

    Under 5 % use, and under a quarter of its model's board power: kernels that use few of its units show as little use
    and much power. A model that is not in the table, or a GPU that does not report power, is judged by use alone.
    """
    if gpu.utilization_gpu is None:
        return None
    if gpu.utilization_gpu >= IDLE_PERCENT:
        return False
    board = board_power_w(gpu.name)
    return board is None or gpu.power_mw is None or gpu.power_mw < IDLE_POWER_SHARE * board * 1000


def foreign_processes(gpu: Gpu) -> list[int]:
    """Processes on a GPU that Ray did not give it to."""
    held = {held.pid for held in gpu.holders}
    return [process.pid for process in gpu.processes_pids if process.pid is not None and process.pid not in held]


def stable_names(nodes: Sequence[Node]) -> dict[str, str]:
    """A name for each node ID that outlives a restart: the host name, with the IP address where two nodes share it."""
    count: dict[str, int] = {}
    for node in nodes:
        if node.is_alive and node.hostname:
            count[node.hostname] = count.get(node.hostname, 0) + 1
    return {node.node_id: _name(node, count) for node in nodes if node.node_id}


def _name(node: Node, count: dict[str, int]) -> str:
    if node.hostname is None:
        return storable(node.ip or (node.node_id or "")[:12])
    is_one = count.get(node.hostname, 0) < 2
    return storable(node.hostname if is_one else f"{node.hostname}@{node.ip or (node.node_id or '')[:12]}")


def storable(name: str) -> str:
    """The name as UTF-8 can hold it: half of a surrogate pair is written out."""
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode()
