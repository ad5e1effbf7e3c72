"""What wants a look in a cluster, the gravest first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cockpit.model.gpu_use import IdleGpu, foreign_processes
from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, Node
from cockpit.model.overview import Trouble
from cockpit.model.why.verdicts import NEVER, Cause
from cockpit.render.jobs import reason

HOT_CELSIUS = 85
FULL_PERCENT = 90.0
FAILED_SECONDS = 3600.0
WAITS_SECONDS = 600.0

_ORDER = (
    "lease", "certificate", "dead-node", "never-starts", "idle", "failed", "hot", "disk", "memory", "foreign", "waits",
)  # fmt: skip


def troubles_of(
    nodes: Sequence[Node],
    jobs: Sequence[Job],
    idle: Sequence[IdleGpu],
    causes: Mapping[str, Cause],
    *,
    names: Mapping[str, str],
    now: float,
) -> list[Trouble]:
    """All of them; `causes` say why pending jobs wait, `names` are those of nodes by their ID."""
    living = [node for node in nodes if node.is_alive]
    found = [
        *_dead(nodes, names, now),
        *_waiting(jobs, causes, now),
        *_idle(idle),
        *_failed(jobs, now),
        *(one for node in living for one in _of_node(node, names.get(node.node_id or "", ""))),
    ]
    return sorted(found, key=lambda one: _ORDER.index(one.kind))


def _dead(nodes: Iterable[Node], names: Mapping[str, str], now: float) -> Iterator[Trouble]:
    """The last to die first; the time of a dead node's last sample is about that of its death."""
    dead = sorted((node for node in nodes if not node.is_alive), key=lambda node: -(node.now or 0.0))
    for node in dead:
        name = node.hostname or names.get(node.node_id or "") or node.ip or ""
        since = None if node.now is None else max(0.0, now - node.now)
        reason = node.state_message or ""
        yield Trouble(kind="dead-node", name=name, pane="nodes", key=node.node_id or "", reason=reason, seconds=since)


def _waiting(jobs: Iterable[Job], causes: Mapping[str, Cause], now: float) -> Iterator[Trouble]:
    """Pending jobs that can never start on this cluster, and those that have waited long."""
    for job in jobs:
        if job.status != "PENDING" or job.id is None:
            continue
        cause = causes.get(job.submission_id or "")
        since = None if job.start_time is None else max(0.0, now - job.start_time / 1000)
        is_never = cause is not None and cause.verdict in NEVER
        if is_never or (since is not None and since >= WAITS_SECONDS):
            yield Trouble(
                kind="never-starts" if is_never else "waits", name=job.id, pane="jobs", key=job.id,
                reason=cause.short if cause else "", seconds=since,
            )  # fmt: skip


def _idle(idle: Iterable[IdleGpu]) -> Iterator[Trouble]:
    """The idle GPUs of each job, the greatest waste first."""
    by_job: dict[str, list[IdleGpu]] = {}
    for gpu in idle:
        if gpu.counts:
            by_job.setdefault(gpu.submission_id or gpu.job_id or "", []).append(gpu)
    for job, gpus in by_job.items():
        costs = [gpu.cost_per_hour for gpu in gpus if gpu.cost_per_hour is not None]
        first = gpus[0]
        yield Trouble(
            kind="idle", name=job or f"{first.node} GPU {first.index}", pane="idle",
            key=f"{first.node}:{first.index}", amount=float(len(gpus)), seconds=min(gpu.seconds for gpu in gpus),
            usd=sum(costs) if costs else None,
        )  # fmt: skip


def _failed(jobs: Iterable[Job], now: float) -> Iterator[Trouble]:
    """Jobs that failed within the last hour, the newest first."""
    ended = [
        (job.end_time / 1000, job)
        for job in jobs
        if job.status == "FAILED" and job.end_time and now - job.end_time / 1000 <= FAILED_SECONDS
    ]
    for at, job in sorted(ended, key=lambda pair: -pair[0]):
        since = max(0.0, now - at)
        why = reason(job)
        yield Trouble(kind="failed", name=job.id or "", pane="jobs", key=job.id or "", reason=why, seconds=since)


def _of_node(node: Node, name: str) -> Iterator[Trouble]:
    row: dict[str, Any] = {"name": name, "pane": "nodes", "key": node.node_id or ""}
    for path, disk in node.disk.items():
        if disk.percent is not None and disk.percent >= FULL_PERCENT:
            yield Trouble(kind="disk", reason=path, amount=disk.percent, **row)
    if node.mem_percent is not None and node.mem_percent >= FULL_PERCENT:
        yield Trouble(kind="memory", amount=node.mem_percent, **row)
    for gpu in node.gpus:
        is_hot = gpu.temperature_c is not None and gpu.temperature_c > HOT_CELSIUS
        if is_hot or not _is_plain(gpu):
            yield from _of_gpu(node, gpu, name)


def _is_plain(gpu: Gpu) -> bool:
    """Whether the GPU has at most one holder, as most of thousands do."""
    processes, holders = gpu.processes_pids, gpu.holders
    return not processes or (len(processes) == len(holders) == 1 and processes[0].pid == holders[0].pid)


def _of_gpu(node: Node, gpu: Gpu, name: str) -> Iterator[Trouble]:
    row: dict[str, Any] = {"name": f"{name} GPU {gpu.index}", "pane": "gpus", "key": f"{node.node_id}/{gpu.index}"}
    if gpu.temperature_c is not None and gpu.temperature_c > HOT_CELSIUS:
        yield Trouble(kind="hot", amount=float(gpu.temperature_c), **row)
    foreign = foreign_processes(gpu) if not gpu.holders or _knows_holder(gpu) else []
    if foreign:
        pids = ", ".join(f"pid {pid}" for pid in foreign[:3])
        used = sum(one.gpu_memory_usage or 0 for one in gpu.processes_pids if one.pid in foreign)
        yield Trouble(kind="foreign", reason=pids, amount=float(used) if used else None, **row)


def _knows_holder(gpu: Gpu) -> bool:
    """Whether a holder is among the processes: else their IDs may be those of a host, seen from inside a container."""
    return bool({held.pid for held in gpu.holders} & {process.pid for process in gpu.processes_pids})
