"""The recent past: rings of samples for sparklines, and since when a GPU is held by somebody who does not use it."""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator

import msgspec

from cockpit.model.nodes import Gpu, Node

SAMPLES = 240  # 20 minutes at one sample in 5 s
KEYS = 4096
FORGET_SECONDS = 900.0

IDLE_PERCENT = 5
IDLE_SECONDS = 60.0
# Two samples further apart say nothing about what was between them.
LONGEST_GAP_SECONDS = 120.0


class Sample(msgspec.Struct, frozen=True):
    """A value at a time in seconds; None is unknown, not zero."""

    at: float
    value: float | None


class History:
    """A ring of samples per key, bounded in length, in number of keys, and in how long an unseen key is kept.

    Times are seconds of any clock; one that runs backwards is taken to stand still.
    """

    def __init__(self, *, samples: int = SAMPLES, keys: int = KEYS, forget_after: float = FORGET_SECONDS) -> None:
        self._samples = samples
        self._keys = keys
        self._forget_after = forget_after
        # In the order in which the keys were last seen.
        self._rings: OrderedDict[Hashable, deque[Sample]] = OrderedDict()

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
            ring = self._rings[key] = deque(maxlen=self._samples)
        self._rings.move_to_end(key)
        at = max(at, ring[-1].at) if ring else at
        ring.append(Sample(at, value))
        self._prune(at)

    def samples(self, key: Hashable, count: int) -> list[Sample]:
        """The last `count` samples, oldest first."""
        ring = self._rings.get(key)
        return list(ring)[-count:] if ring and count > 0 else []

    def values(self, key: Hashable, count: int) -> list[float | None]:
        """The last `count` values, oldest first; fewer where there are fewer."""
        return [sample.value for sample in self.samples(key, count)]

    def _prune(self, now: float) -> None:
        while True:
            key, ring = next(iter(self._rings.items()))
            if len(self._rings) <= self._keys and now - ring[-1].at <= self._forget_after:
                return
            del self._rings[key]


class _Holding(msgspec.Struct):
    """Whoever holds a GPU, since when they have not used it, and when that was last seen to be so."""

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
        self.gpu = History()
        self.gpu_memory = History()
        self.idle = IdleWatch()
        self._sampled: dict[str, float | None] = {}

    def observe(self, nodes: tuple[Node, ...], at: float) -> None:
        """Note the figures of the living nodes, each sample once; `at` is in seconds of a steady clock.

        A dead node keeps the figures of its last sample for ten minutes; they are no news.
        """
        living = {node.node_id: node for node in nodes if node.is_alive and node.node_id}
        for node_id, node in living.items():
            if node.now is None or self._sampled.get(node_id) != node.now:
                self._observe(node_id, node, at)
        self._sampled = {node_id: node.now for node_id, node in living.items()}
        self.idle.keep({(node_id, gpu.index) for node_id, node in living.items() for gpu in node.gpus})

    def _observe(self, node_id: str, node: Node, at: float) -> None:
        self.cpu.append(node_id, at, node.cpu)
        self.memory.append(node_id, at, node.mem_percent)
        for gpu in node.gpus:
            if gpu.index is not None:
                self._observe_gpu((node_id, gpu.index), gpu, at)

    def _observe_gpu(self, key: GpuKey, gpu: Gpu, at: float) -> None:
        self.gpu.append(key, at, gpu.utilization_gpu)
        self.gpu_memory.append(key, at, _percent(gpu.memory_used, gpu.memory_total))
        holder = tuple((held.job_id, held.actor_id, held.pid) for held in gpu.holders) or None
        self.idle.observe(key, at, holder=holder, utilization=gpu.utilization_gpu)


def _percent(used: int | None, total: int | None) -> float | None:
    return 100 * used / total if used is not None and total else None
