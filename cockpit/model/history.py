"""The recent past: rings of samples for sparklines, and since when a GPU is held without being used."""

import math
from array import array
from collections import OrderedDict
from collections.abc import Hashable, Iterator

import msgspec

from cockpit.model.nodes import Gpu, Node

SAMPLES = 240  # 20 minutes at one sample in 5 s
GPU_SAMPLES = 60  # 5 minutes: thousands of GPUs have a ring each
KEYS = 16_384
FORGET_SECONDS = 900.0

IDLE_PERCENT = 5
IDLE_SECONDS = 60.0
# Two samples further apart say nothing about what was between them.
LONGEST_GAP_SECONDS = 120.0


class Sample(msgspec.Struct, frozen=True):
    """A value at a time in seconds; None is unknown, not zero."""

    at: float
    value: float | None


class _Ring:
    """Times and values beside each other, 12 bytes a sample; NaN is unknown."""

    __slots__ = ("times", "values")

    def __init__(self) -> None:
        self.times = array("d")
        self.values = array("f")

    @property
    def last(self) -> float:
        return self.times[-1]

    def append(self, at: float, value: float | None, most: int) -> None:
        times, values = self.times, self.values
        times.append(max(at, times[-1]) if times else at)
        values.append(math.nan if value is None else value)
        if len(times) > most:
            del times[0], values[0]


class History:
    """A ring of samples per key, bounded in length, in number of keys, and in how long an unseen key is kept.

    Times are seconds of any clock; one that runs backwards is taken to stand still. Values are as exact as 32 bits are.
    """

    def __init__(self, *, samples: int = SAMPLES, keys: int = KEYS, forget_after: float = FORGET_SECONDS) -> None:
        self._samples = samples
        self._keys = keys
        self._forget_after = forget_after
        # In the order in which the keys were last seen.
        self._rings: OrderedDict[Hashable, _Ring] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rings)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._rings

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._rings)

    def append(self, key: Hashable, at: float, value: float | None) -> None:
        """Add a sample; keys that were not seen for long make room."""
        ring = self._rings.get(key)
        if ring is None:
            ring = self._rings[key] = _Ring()
        self._rings.move_to_end(key)
        ring.append(at, value, self._samples)
        self._prune(ring.last)

    def samples(self, key: Hashable, count: int) -> list[Sample]:
        """The last `count` samples, oldest first."""
        ring = self._rings.get(key)
        times = ring.times[-count:] if ring and count > 0 else ()
        return [Sample(at, value) for at, value in zip(times, self.values(key, count), strict=True)]

    def values(self, key: Hashable, count: int) -> list[float | None]:
        """The last `count` values, oldest first; fewer where there are fewer."""
        ring = self._rings.get(key)
        if ring is None or count <= 0:
            return []
        return [None if math.isnan(value) else value for value in ring.values[-count:]]

    def _prune(self, now: float) -> None:
        while True:
            key, ring = next(iter(self._rings.items()))
            if len(self._rings) <= self._keys and now - ring.last <= self._forget_after:
                return
            del self._rings[key]


class _Holding(msgspec.Struct):
    """The holder of a GPU, since when it is unused, and when that was last observed."""

    holder: Hashable
    since: float
    seen: float


class IdleWatch:
    """Since when a GPU has been held by the same holder and used under 5 %; times are seconds of a steady clock."""

    def __init__(self) -> None:
        self._idle: dict[Hashable, _Holding] = {}

    def observe(self, key: Hashable, at: float, *, holder: Hashable, utilization: float | None) -> None:
        """Note a sample; `holder` is None for a free GPU, `utilization` is percent, None where it is unknown."""
        if holder is None or utilization is None or utilization >= IDLE_PERCENT:
            self._idle.pop(key, None)
            return
        known = self._idle.get(key)
        if known is None or known.holder != holder or not 0 <= at - known.seen <= LONGEST_GAP_SECONDS:
            self._idle[key] = _Holding(holder, at, at)
        else:
            known.seen = at

    def since(self, key: Hashable) -> float | None:
        """When the GPU fell idle, once it has been so for 60 s; None while it is used, free or not known to be idle."""
        known = self._idle.get(key)
        return known.since if known is not None and known.seen - known.since >= IDLE_SECONDS else None

    def keep(self, keys: set[Hashable]) -> None:
        """Forget every GPU that is not among `keys`."""
        self._idle = {key: known for key, known in self._idle.items() if key in keys}


GpuKey = tuple[str, int]


class ClusterHistory:
    """The past of the nodes and GPUs of one cluster: CPU, memory and utilisation in percent."""

    def __init__(self) -> None:
        self.cpu = History()
        self.memory = History()
        self.gpu = History(samples=GPU_SAMPLES)
        self.idle = IdleWatch()
        # The time of a node's last sample by its own clock, and when it was seen here.
        self._sampled: dict[str, tuple[float | None, float]] = {}

    def observe(self, nodes: tuple[Node, ...], at: float) -> None:
        """Note the figures of the living nodes, each sample once; `at` is in seconds of a steady clock.

        A dead node keeps the figures of its last sample for ten minutes; they do not count as a sample.
        """
        for _ in self.observing(nodes, at):
            pass

    def observing(self, nodes: tuple[Node, ...], at: float) -> Iterator[None]:
        """The same in steps, one for each node; at its end what is not there any more is forgotten."""
        for node in nodes:
            self.observe_node(node, at)
            yield
        living = {node.node_id: node for node in nodes if node.is_alive and node.node_id}
        self._sampled = {node_id: self._sampled[node_id] for node_id in living if node_id in self._sampled}
        self.idle.keep({(node_id, gpu.index) for node_id, node in living.items() for gpu in node.gpus})

    def observe_node(self, node: Node, at: float) -> None:
        """Note the figures of one node, unless they are those that were noted last."""
        if not node.is_alive or not node.node_id:
            return
        now, seen = self._sampled.get(node.node_id, (None, -math.inf))
        if at <= seen if node.now is None else node.now == now:
            return
        self._sampled[node.node_id] = (node.now, at)
        self._observe(node.node_id, node, at)

    def _observe(self, node_id: str, node: Node, at: float) -> None:
        self.cpu.append(node_id, at, node.cpu)
        self.memory.append(node_id, at, node.mem_percent)
        for gpu in node.gpus:
            if gpu.index is not None:
                self._observe_gpu((node_id, gpu.index), gpu, at)

    def _observe_gpu(self, key: GpuKey, gpu: Gpu, at: float) -> None:
        self.gpu.append(key, at, gpu.utilization_gpu)
        used = gpu.utilization_gpu
        is_idle = used is not None and used < IDLE_PERCENT
        # Who holds it matters only while it is idle.
        holder = tuple((held.job_id, held.actor_id, held.pid) for held in gpu.holders) if is_idle else None
        self.idle.observe(key, at, holder=holder or None, utilization=used)
