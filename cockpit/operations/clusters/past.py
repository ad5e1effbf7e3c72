"""What the history of a cluster says: curves, and GPU-hours with their cost."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from cockpit.errors import NotFoundError, UsageError
from cockpit.feeds.history_recorder import Recorder, cluster_series, gpu_series, node_series
from cockpit.feeds.history_store import RESUME_SECONDS, TIERS, HistoryStore, WriteLock, history_path
from cockpit.model.jobs import Job
from cockpit.model.nodes import Node
from cockpit.model.past import PERCENT, Curve, Holding, Point, Use

CLUSTER_CURVES = ("gpu", "gpu_memory", "cpu", "memory", "network", "gpus", "held", "idle", "nodes")
NODE_CURVES = ("cpu", "memory", "network")
GPU_CURVES = ("use", "memory", "power")
UNITS = {"network": "MB/s", "power": "W", "gpus": "GPUs", "held": "GPUs", "idle": "GPUs", "nodes": "nodes"}

SPAN_SECONDS = TIERS[-1].span


class Past:
    """The history of one cluster, for reading; there may be none yet."""

    def __init__(self, store: HistoryStore | None) -> None:
        self._store = store

    @property
    def notice(self) -> str:
        """A sentence where a file that could not be used was set aside."""
        return self._store.notice if self._store else ""

    @property
    def begin(self) -> float | None:
        """When it begins, in seconds since the epoch; None while it is empty."""
        return self._store.begin() if self._store else None

    def covered_since(self, *, since: float, now: float) -> float | None:
        """Since when the history is without a gap, at most back to `since`; None if it has nothing recent."""
        points = self._series([cluster_series("nodes")], since, now + TIERS[0].step)[cluster_series("nodes")]
        begin: float | None = None
        for point in reversed(points):
            if (now if begin is None else begin) - point.at > RESUME_SECONDS:
                break
            begin = point.at
        return begin

    def cluster(self, *, since: float, until: float) -> list[Curve]:
        """The curves of the whole cluster."""
        return self._curves([(name, cluster_series(name)) for name in CLUSTER_CURVES], since, until)

    def node(self, name: str, *, since: float, until: float) -> list[Curve]:
        """The curves of a node, by its name or the start of it. Raises NotFoundError, UsageError for several."""
        node = self._one(name, {parts[1] for parts in self._names("node", since)}, "node")
        return self._curves([(curve, node_series(node, curve)) for curve in NODE_CURVES], since, until)

    def gpu(self, key: str, *, since: float, until: float) -> list[Curve]:
        """The curves of a GPU, written `NODE:INDEX`. Raises NotFoundError, UsageError."""
        node, colon, index = key.rpartition(":")
        if not colon or not index.isdecimal():
            raise UsageError(f"Invalid GPU: {key!r}.", hint="Write NODE:INDEX, such as worker-1:0.")
        keys = {parts[1] for parts in self._names("gpu", since)}
        names = {known.rpartition(":")[0] for known in keys if known.endswith(f":{index}")}
        gpu = f"{self._one(node, names, f'node with GPU {index}')}:{index}"
        return self._curves([(curve, gpu_series(gpu, curve)) for curve in GPU_CURVES], since, until)

    def job(self, prefix: str, *, since: float, until: float) -> list[Curve]:
        """The mean use of the GPUs that a job held, while it held them. Raises NotFoundError, UsageError."""
        holdings = self.holdings(since=since)
        job = self._one(prefix, {one.job for one in holdings}, "job")
        held = [one for one in holdings if one.job == job]
        series = self._series([gpu_series(one.gpu, "use") for one in held], since, until)
        sums: dict[int, list[float]] = {}
        for one in held:
            for point in series[gpu_series(one.gpu, "use")]:
                if point.value is not None and one.begin - TIERS[0].step < point.at <= one.end:
                    sums.setdefault(point.at, []).append(point.value)
        points = tuple(Point(at, sum(values) / len(values)) for at, values in sorted(sums.items()))
        return [Curve("use", PERCENT, points)]

    def holdings(self, *, since: float, jobs: Sequence[str] | None = None) -> list[Holding]:
        """Who held which GPU; of some jobs where these are named."""
        return self._store.holdings(since=since, jobs=jobs) if self._store else []

    def use(self, *, by: Literal["job", "owner"], since: float, until: float, cost_per_hour: float | None) -> list[Use]:
        """GPU-hours, the most first. The cost of a GPU-hour is the cluster's divided by its GPUs at that time."""
        counts = self._curves([("gpus", cluster_series("gpus"))], since, until)[0].points
        found: dict[str, Use] = {}
        jobs: dict[str, set[str]] = {}
        for one in self.holdings(since=since):
            name = one.job if by == "job" else one.owner or "(no owner)"
            jobs.setdefault(name, set()).add(one.job)
            before = found.get(name) or Use(name=name, owner=one.owner if by == "job" else None)
            found[name] = _added(before, one, since, until, counts, cost_per_hour)
        with_jobs = [msgspec.structs.replace(use, jobs=len(jobs[name])) for name, use in found.items()]
        return sorted(with_jobs, key=lambda use: (-use.gpu_hours, use.name))

    def _names(self, kind: str, since: float) -> list[list[str]]:
        found = self._store.names(since=since) if self._store else set()
        return [[kind, *name[len(kind) + 1 :].rsplit("/", 1)] for name in found if name.startswith(f"{kind}/")]

    def _one(self, text: str, known: set[str], what: str) -> str:
        """The name that is meant: itself, or the only one that begins so; any name while the history is empty."""
        if text in known or not known:
            return text
        found = sorted(name for name in known if name.startswith(text))
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(f"Several {what}s begin with {text!r}.", hint=f"Such as {', '.join(found[:3])}.")
        raise NotFoundError(f"The history has no {what} {text!r}.", hint=f"It has {', '.join(sorted(known)[:5])}.")

    def _series(self, names: Sequence[str], since: float, until: float) -> dict[str, list[Point]]:
        return self._store.series(names, since=since, until=until) if self._store else {name: [] for name in names}

    def _curves(self, wanted: Sequence[tuple[str, str]], since: float, until: float) -> list[Curve]:
        found = self._series([series for _, series in wanted], since, until)
        return [Curve(name, UNITS.get(name, PERCENT), tuple(found[series])) for name, series in wanted]


def _added(
    use: Use, one: Holding, since: float, until: float, counts: Sequence[Point], cost_per_hour: float | None
) -> Use:
    """The use with the part of a holding that lies between the two times."""
    begin, end = max(one.begin, since), min(one.end, until)
    hours = max(0.0, end - begin) / 3600 * one.share
    length = one.end - one.begin
    idle_hours = hours * (one.idle / length) if length > 0 else 0.0
    price = gpu_price(counts, begin, end, cost_per_hour)
    return msgspec.structs.replace(
        use,
        gpu_hours=use.gpu_hours + hours,
        idle_gpu_hours=use.idle_gpu_hours + idle_hours,
        cost=None if price is None else (use.cost or 0.0) + hours * price,
        idle_cost=None if price is None else (use.idle_cost or 0.0) + idle_hours * price,
        first=begin if use.first is None else min(use.first, begin),
        last=end if use.last is None else max(use.last, end),
    )


def gpu_price(counts: Sequence[Point], begin: float, end: float, cost_per_hour: float | None) -> float | None:
    """USD per GPU-hour: the cluster's cost over the mean number of its GPUs in that time."""
    if cost_per_hour is None:
        return None
    inside = [point.value for point in counts if point.value and begin - TIERS[0].step < point.at <= end]
    known = inside or [point.value for point in counts if point.value]
    return cost_per_hour * len(known) / sum(known) if known else None


@contextmanager
def open_past(cluster: str, *, directory: Path | None = None) -> Iterator[Past]:
    """The saved history of a cluster, by its name. Raises UsageError for a file that cannot be used."""
    path = history_path(cluster, directory=directory)
    if not path.exists():
        yield Past(None)
        return
    with HistoryStore.open(path, now=time.time()) as store:
        yield Past(store)


def open_recorder(cluster: str, *, directory: Path | None = None) -> Recorder:
    """What writes the history of a cluster. Raises UsageError for a file that cannot be made or used."""
    store, lock = open_store(cluster, directory=directory)
    return Recorder(store, lock, now=time.time())


def open_store(cluster: str, *, directory: Path | None = None) -> tuple[HistoryStore, WriteLock]:
    """The file of a cluster and the lock of its writer. Raises UsageError."""
    path = history_path(cluster, directory=directory)
    return HistoryStore.open(path, now=time.time()), WriteLock(path)


def add_sample(cluster: str, nodes: Sequence[Node], jobs: Sequence[Job], *, directory: Path | None = None) -> str:
    """Add what a command has just read, unless a cockpit does so; returns what went wrong, if anything did."""
    try:
        recorder = open_recorder(cluster, directory=directory)
    except UsageError as error:
        return error.title
    now = time.time()
    recorder.observe(nodes, jobs, now=now)
    recorder.close(now=now)
    return recorder.problem
