"""From what the cluster reports to its history: samples of nodes and GPUs, and who holds a GPU."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec

from cockpit.errors import UsageError
from cockpit.feeds.history_store import RESUME_SECONDS, TIERS, HistoryStore, Lock, Values, coarseness
from cockpit.model.cluster_curves import ClusterCurves
from cockpit.model.gpu_use import is_idle, stable_names, storable
from cockpit.model.history import History
from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, Node
from cockpit.model.past import Holding

FLUSH_SECONDS = 60.0
MAX_PENDING = 60
"""Samples kept while they cannot be written, as on a full disk; older ones are dropped."""

JOB_SAMPLES = 360
"""An hour of samples for the curve of a job."""

UNKNOWN_JOB = "(unknown job)"


def cluster_series(name: str) -> str:
    """The series of the cluster: gpu, gpu_memory, cpu, memory (percent), network (MB/s), gpus, held, idle, nodes."""
    return f"cluster/{name}"


def node_series(node: str, name: str) -> str:
    """A series of a node: cpu, memory (percent), network (MB/s)."""
    return f"node/{node}/{name}"


def gpu_key(node: str, index: int) -> str:
    """The name of a GPU in holdings."""
    return f"{node}:{index}"


@lru_cache(maxsize=65_536)  # thousands of names that come again every few seconds
def gpu_series(key: str, name: str) -> str:
    """A series of a GPU: use, memory (percent), power (W)."""
    return f"gpu/{key}/{name}"


class Recorder:
    """Notes samples of one cluster and writes them at most once a minute, while no other process does.

    Thread-safe only in so far as one thread at a time uses it. Nothing raises: `problem` is a sentence while the
    history cannot be written, and empty again once it can. `totals`, `curves`, `shares`, `job_use` (mean use by job),
    and `covered_since` (when the samples without a gap began) are of what was observed last.
    """

    def __init__(self, store: HistoryStore, lock: Lock, *, now: float) -> None:
        self.problem = store.notice
        self.totals: Values = {}
        self.curves = ClusterCurves()
        self.job_use = History(samples=JOB_SAMPLES)
        self.shares: Sequence[Share] = ()
        self.covered_since: float | None = None
        self._store = store
        self._lock = lock
        self._pending: list[tuple[float, Values]] = []
        self._flushed = now
        self._last: float | None = None
        self._series = 0
        self._open: dict[tuple[str, str], Holding] = {}
        self._changed: dict[tuple[str, str, float], Holding] = {}
        self._earlier: dict[tuple[str, str], Holding] | None = None
        self._is_writer = False

    @property
    def holdings(self) -> list[Holding]:
        """Who holds which GPU now, and since when."""
        return list(self._open.values())

    def observe(self, nodes: Sequence[Node], jobs: Sequence[Job], *, now: float) -> None:
        """Note what the cluster reports now (seconds since the epoch), and write what is due."""
        if self._last is not None and now < self._last:
            self._flushed = min(self._flushed, now)  # the clock was set back
        if self.covered_since is None or (self._last is not None and not 0 <= now - self._last <= RESUME_SECONDS):
            self.covered_since = now
        totals = cluster_values([node for node in nodes if node.is_alive and node.node_id])
        self.totals = {name.removeprefix("cluster/"): value for name, value in totals.items()}
        self.curves.append(now, self.totals)
        self._note(nodes, totals, now)
        self.shares = _shares(nodes, jobs)
        self._hold(self.shares, now)
        for job, use in job_uses(self.shares).items():
            self.job_use.append(job, now, use)
        self._last = now
        if now - self._flushed >= FLUSH_SECONDS:
            self.flush(now=now)

    def _note(self, nodes: Sequence[Node], totals: Values, now: float) -> None:
        """Keep a sample, unless the cluster is so large that its steps are longer than the time since the last one."""
        step = TIERS[0].step * coarseness(self._series)
        if self._series and self._pending and 0 <= now - self._pending[-1][0] < step / 2:
            return
        values = {**totals, **_node_values(nodes)}
        self._series = len(values)
        self._pending.append((now, values))
        del self._pending[:-MAX_PENDING]

    def flush(self, *, now: float) -> None:
        """Write what was noted, if this process is the one that writes."""
        self._flushed = now
        try:
            if not self._may_write(now):
                self._pending.clear()
                self._changed.clear()
                return
            self._store.append(self._pending, self._changed.values(), now=now)
        except UsageError as error:
            self.problem = f"{error.title} {error.detail}".strip()
            return
        self.problem = self._store.notice
        self._pending.clear()
        self._changed.clear()

    def close(self, *, now: float) -> None:
        """Write the rest, and let another process write."""
        self.flush(now=now)
        self._lock.release()
        self._store.close()

    def _may_write(self, now: float) -> bool:
        if not self._lock.acquire():
            return False
        if not self._is_writer:
            self._is_writer = True
            self._take_over(now)
        return True

    def _take_over(self, now: float) -> None:
        """Go on with the holdings that another process wrote meanwhile."""
        written = {(one.gpu, one.job): one for one in self._store.holdings(since=now - RESUME_SECONDS)}
        for key, current in list(self._open.items()):
            known = written.get(key)
            if known is not None and known.begin < current.begin <= known.end + RESUME_SECONDS:
                self._changed.pop((*key, current.begin), None)
                self._set(_extended(known, current.end, was_idle=current.idle_since is not None))

    def _resumed(self, key: tuple[str, str], now: float) -> Holding | None:
        """The holding as an earlier process wrote it last, be it over or not."""
        if self._earlier is None:
            try:
                self._earlier = {(one.gpu, one.job): one for one in self._store.holdings(since=now - RESUME_SECONDS)}
            except UsageError as error:
                self._earlier, self.problem = {}, f"{error.title} {error.detail}".strip()
        return self._earlier.pop(key, None)

    def _hold(self, shares: "Sequence[Share]", now: float) -> None:
        seen = set()
        for share in shares:
            key = (share.gpu, share.job)
            seen.add(key)
            known = self._open.get(key) or self._resumed(key, now)
            if known is None or not 0 <= now - known.end <= RESUME_SECONDS or known.share != share.share:
                fresh = Holding(
                    gpu=share.gpu, job=share.job, owner=share.owner, share=share.share, begin=now, end=now,
                    idle_since=now if share.is_idle else None,
                )  # fmt: skip
                self._set(fresh)
            else:
                known = msgspec.structs.replace(known, owner=share.owner or known.owner)
                self._set(_extended(known, now, was_idle=bool(share.is_idle)))
        for key in [key for key in self._open if key not in seen]:
            del self._open[key]

    def _set(self, holding: Holding) -> None:
        self._open[holding.gpu, holding.job] = holding
        self._changed[holding.gpu, holding.job, holding.begin] = holding


class Share(msgspec.Struct, frozen=True, gc=False):
    """What a job holds of a GPU now; `use` is that of the GPU in percent."""

    gpu: str
    job: str
    owner: str | None
    share: float
    is_idle: bool | None
    use: int | None = None


def job_uses(shares: Sequence[Share]) -> dict[str, float | None]:
    """The mean use of the GPUs that each job holds, by their shares; None where it is not known."""
    sums: dict[str, tuple[float, float]] = {}
    for share in shares:
        total, weight = sums.get(share.job, (0.0, 0.0))
        if share.use is not None:
            total, weight = total + share.use * share.share, weight + share.share
        sums[share.job] = (total, weight)
    return {job: total / weight if weight else None for job, (total, weight) in sums.items()}


def _extended(known: Holding, now: float, *, was_idle: bool) -> Holding:
    """The holding up to now; time between two idle samples was idle."""
    idle = known.idle + (now - known.end if was_idle and known.idle_since is not None else 0.0)
    since = None if not was_idle else known.idle_since if known.idle_since is not None else now
    return msgspec.structs.replace(known, end=now, idle=idle, idle_since=since)


def _shares(nodes: Sequence[Node], jobs: Sequence[Job]) -> list[Share]:
    """What each job holds of each GPU of the living nodes."""
    by_id = {name: job for job in jobs for name in (job.job_id, job.submission_id) if name}
    names = stable_names(nodes)
    found: dict[tuple[str, str], Share] = {}
    for node in nodes:
        for gpu in node.gpus if node.is_alive else ():
            if gpu.index is None or node.node_id is None:
                continue
            key = gpu_key(names[node.node_id], gpu.index)
            for held in gpu.holders:
                job = by_id.get(held.submission_id or "") or by_id.get(held.job_id or "")
                name = storable(held.submission_id or (job.id if job else None) or held.job_id or UNKNOWN_JOB)
                before = found.get((key, name))
                share = (held.allocation or 0.0) + (before.share if before else 0.0)
                owner = storable(job.owner) if job and job.owner else None
                found[key, name] = Share(key, name, owner, share, is_idle(gpu), gpu.utilization_gpu)
    return list(found.values())


def _node_values(nodes: Sequence[Node]) -> Values:
    """The values of every series of the living nodes and their GPUs now; what is unknown is left out."""
    names = stable_names(nodes)
    values: dict[str, float] = {}
    living = [node for node in nodes if node.is_alive and node.node_id]
    for node in living:
        name = names[node.node_id or ""]
        _put(values, node_series(name, "cpu"), node.cpu)
        _put(values, node_series(name, "memory"), node.mem_percent)
        _put(values, node_series(name, "network"), _network(node))
        for gpu in node.gpus:
            if gpu.index is not None:
                values |= _gpu_values(gpu_key(name, gpu.index), gpu)
    return values


def _gpu_values(key: str, gpu: Gpu) -> dict[str, float]:
    values: dict[str, float] = {}
    _put(values, gpu_series(key, "use"), gpu.utilization_gpu)
    _put(values, gpu_series(key, "memory"), _percent(gpu.memory_used, gpu.memory_total))
    _put(values, gpu_series(key, "power"), None if gpu.power_mw is None else gpu.power_mw / 1000)
    return values


def cluster_values(living: Sequence[Node]) -> dict[str, float]:
    """The series of the cluster: means over GPUs and cores, sums over nodes."""
    gpus = [gpu for node in living for gpu in node.gpus]
    uses = [gpu.utilization_gpu for gpu in gpus if gpu.utilization_gpu is not None]
    cores = [(node.cpu, node.cpus_logical or 1) for node in living if node.cpu is not None]
    speeds = [speed for node in living if (speed := _network(node)) is not None]
    values: dict[str, float] = {"cluster/nodes": len(living), "cluster/gpus": len(gpus)}
    _put(values, cluster_series("gpu"), sum(uses) / len(uses) if uses else None)
    _put(values, cluster_series("gpu_memory"), _percent(*_sums((gpu.memory_used, gpu.memory_total) for gpu in gpus)))
    _put(values, cluster_series("cpu"), sum(cpu * n for cpu, n in cores) / sum(n for _, n in cores) if cores else None)
    _put(values, cluster_series("memory"), _percent(*_sums((node.mem_used, node.mem_total) for node in living)))
    _put(values, cluster_series("network"), sum(speeds) if speeds else None)
    values[cluster_series("held")] = sum(min(1.0, sum(one.allocation or 0.0 for one in gpu.holders)) for gpu in gpus)
    values[cluster_series("idle")] = sum(bool(gpu.holders) and bool(is_idle(gpu)) for gpu in gpus)
    return values


def _put(values: dict[str, float], name: str, value: float | None) -> None:
    if value is not None:
        values[name] = float(value)


def _network(node: Node) -> float | None:
    """MB/s in and out together."""
    return sum(node.network_speed) / 1e6 if node.network_speed else None


def _percent(used: float | None, total: float | None) -> float | None:
    return None if used is None or not total else 100 * used / total


def _sums(pairs: Iterator[tuple[int | None, int | None]]) -> tuple[int | None, int | None]:
    """The sums of the pairs that are known whole; (None, None) where none is."""
    known = [(used, total) for used, total in pairs if used is not None and total is not None]
    return (sum(used for used, _ in known), sum(total for _, total in known)) if known else (None, None)
