"""What the Overview shows of a cluster at one moment: plain facts, made of one report of its nodes and jobs."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from cockpit.model.cluster_curves import Samples
from cockpit.model.gpu_use import IdleGpu
from cockpit.model.nodes import Usage

FREE, IDLE, UNREPORTED = -1, -2, -3
"""Instead of a GPU's use in percent: free; held and idle; not reported."""

TroubleKind = Literal[
    "dead-node", "never-starts", "failed", "waits", "idle", "hot", "disk", "memory", "foreign", "lease", "certificate"
]


class HeatNode(msgspec.Struct, frozen=True, gc=False):
    """A node with a cell per GPU, or one cell with its CPU where the cluster has no GPUs; `indexes` name the GPUs."""

    node_id: str
    name: str
    cells: tuple[int, ...]
    indexes: tuple[int, ...] = ()


class Trouble(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing that wants a look: what it is about, and the row of the pane that shows it.

    `seconds` is its age or how long it lasts still, `amount` a percentage, a temperature or a number of GPUs or bytes,
    `usd` what it costs per hour; None where that is not known.
    """

    kind: TroubleKind
    name: str
    pane: str
    key: str
    reason: str = ""
    seconds: float | None = None
    amount: float | None = None
    usd: float | None = None


class RunningJob(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A job that runs: `use` and `past` are the mean use of its GPUs in percent, `hours` GPU-hours.

    `is_whole` is False where the history begins after the job; money in USD, None where the cost is not known.
    """

    id: str
    entrypoint: str
    owner: str | None
    gpus: float
    use: float | None
    past: tuple[float | None, ...]
    started: float | None
    hours: float
    is_whole: bool
    usd_per_hour: float | None
    usd: float | None


class ClusterOverview(msgspec.Struct, frozen=True, kw_only=True):
    """One moment (`at`, seconds since the epoch). Sizes in bytes, `network` in bytes per second, None is unknown.

    `reserved` is Ray's bookkeeping by resource; what is really used is in the curves. `held` counts GPUs and shares of
    them, `wasted` is what idle GPUs cost in USD per hour.
    """

    at: float
    curves: Mapping[str, Samples]
    nodes: int
    dead_nodes: int
    gpus: int
    held: float
    idle: tuple[IdleGpu, ...]
    wasted: float | None
    memory: Usage | None
    gpu_memory: Usage | None
    reserved: Mapping[str, Usage]
    jobs: Mapping[str, int] | None
    failed_today: int
    heat: tuple[HeatNode, ...]
    troubles: tuple[Trouble, ...]
    running: tuple[RunningJob, ...]
    usd_per_hour: float | None
