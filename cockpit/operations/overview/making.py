"""Makes the facts of the Overview of what was reported last and of the history."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from cockpit.model.gpu_use import is_idle, stable_names
from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, Node, Usage
from cockpit.model.overview import FREE, IDLE, UNREPORTED, ClusterOverview, HeatNode, Trouble
from cockpit.model.why.verdicts import Cause
from cockpit.operations.clusters.gpus import named
from cockpit.operations.clusters.idle import DEFAULT_MIN_SECONDS, idle_gpus, waste_per_hour
from cockpit.operations.clusters.recording import Known, with_names
from cockpit.operations.overview.running import RunningJobs
from cockpit.operations.overview.troubles import troubles_of
from cockpit.render.order import natural

CURVES = ("gpu", "gpu_memory", "cpu", "memory", "network")
HELD_IDLE_SECONDS = 60.0
"""A GPU that is idle between two steps of a training is not called idle at once."""

_RESERVED = ("CPU", "GPU", "memory")


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What the cluster said last. `jobs` is None while they are not known, `at` and `seconds` (of the curves) in s."""

    nodes: Sequence[Node]
    jobs: Sequence[Job] | None
    supervised: Mapping[str, str]
    causes: Mapping[str, Cause]
    at: float
    seconds: float
    usd_per_hour: float | None = None
    min_idle_seconds: float = DEFAULT_MIN_SECONDS
    more_troubles: tuple[Trouble, ...] = ()


class OverviewMaker:
    """Makes one overview after the other, in the thread of the history."""

    def __init__(self) -> None:
        self._running = RunningJobs()

    def of(self, reported: Reported) -> Callable[[Known], ClusterOverview]:
        """What to ask the history."""
        return lambda known: self._made(reported, known)

    def _made(self, said: Reported, known: Known) -> ClusterOverview:
        recorder, jobs, now = known.recorder, said.jobs or (), said.at
        nodes = _named_nodes(said)
        living = [node for node in nodes if node.is_alive]
        names = stable_names(nodes)
        gpus = [gpu for node in living for gpu in node.gpus]
        idle = idle_gpus(
            nodes, jobs, recorder.holdings, covered_since=recorder.covered_since, now=now,
            min_seconds=said.min_idle_seconds, cost_per_hour=said.usd_per_hour,
        )  # fmt: skip
        running = self._running.at(jobs, recorder, known.past, usd_per_hour=said.usd_per_hour, gpus=len(gpus), now=now)
        idle_since = {one.gpu: one.idle_since for one in recorder.holdings if one.idle_since is not None}
        return ClusterOverview(
            at=now,
            curves={name: recorder.curves.samples(name, since=now - said.seconds) for name in CURVES},
            nodes=len(living),
            dead_nodes=len(nodes) - len(living),
            gpus=len(gpus),
            held=sum(min(1.0, sum(held.allocation or 0.0 for held in gpu.holders)) for gpu in gpus),
            idle=tuple(idle),
            wasted=waste_per_hour(idle),
            memory=_sum((node.mem_used, node.mem_total) for node in living),
            gpu_memory=_sum((gpu.memory_used, gpu.memory_total) for gpu in gpus),
            reserved=_reserved(living),
            jobs=None if said.jobs is None else dict(Counter(job.status for job in said.jobs if job.status)),
            failed_today=_failed_today(jobs, now),
            heat=_heat(living, names, idle_since, now),
            troubles=(*said.more_troubles, *troubles_of(nodes, jobs, idle, said.causes, names=names, now=now)),
            running=tuple(running),
            usd_per_hour=said.usd_per_hour,
        )


def _named_nodes(said: Reported) -> Sequence[Node]:
    """The nodes; what was asked for an entrypoint is held by an actor whose job has to be looked up."""
    if not said.supervised:
        return said.nodes
    names = dict(said.supervised)
    return with_names(said.nodes, [(node, named(gpu, names)) for node in said.nodes for gpu in node.gpus])


def _heat(
    living: Iterable[Node], names: Mapping[str, str], idle_since: Mapping[str, float | None], now: float
) -> tuple[HeatNode, ...]:
    """The nodes with GPUs, the head first, then by name; all of them by their CPU where none has a GPU."""
    ordered = sorted(living, key=lambda node: (not node.is_head_node, natural(names.get(node.node_id or "", ""))))
    with_gpus = [node for node in ordered if node.gpus]
    return tuple(
        HeatNode(
            node_id=node.node_id or "",
            name=names.get(node.node_id or "", ""),
            cells=_cells(node, names.get(node.node_id or "", ""), idle_since, now) if with_gpus else (_cpu(node),),
            indexes=tuple(-1 if gpu.index is None else gpu.index for gpu in node.gpus),
        )
        for node in with_gpus or ordered
    )


def _cells(node: Node, name: str, idle_since: Mapping[str, float | None], now: float) -> tuple[int, ...]:
    return tuple(_cell(gpu, idle_since.get(f"{name}:{gpu.index}"), now) for gpu in node.gpus)


def _cell(gpu: Gpu, idle_since: float | None, now: float) -> int:
    use = gpu.utilization_gpu
    if use is None:
        return UNREPORTED
    if not gpu.holders:
        return FREE if is_idle(gpu) else use  # used by a process that Ray did not give it to
    return IDLE if idle_since is not None and now - idle_since >= HELD_IDLE_SECONDS else use


def _cpu(node: Node) -> int:
    return UNREPORTED if node.cpu is None else round(node.cpu)


def _sum(pairs: Iterable[tuple[int | None, int | None]]) -> Usage | None:
    """Used and total of those that report both; None where none does."""
    known = [(used, total) for used, total in pairs if used is not None and total is not None]
    return Usage(used=sum(used for used, _ in known), total=sum(total for _, total in known)) if known else None


def _reserved(living: Iterable[Node]) -> dict[str, Usage]:
    """What Ray has given away of each resource, and of how much."""
    found: dict[str, Usage] = {}
    for node in living:
        for name in _RESERVED:
            if (use := node.logical.get(name)) is not None:
                known = found.get(name, Usage(used=0.0, total=0.0))
                found[name] = Usage(used=known.used + use.used, total=known.total + use.total)
    return found


def _failed_today(jobs: Iterable[Job], now: float) -> int:
    """Jobs that failed since local midnight."""
    midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    return sum(1 for job in jobs if job.status == "FAILED" and (job.end_time or 0) / 1000 >= midnight)
