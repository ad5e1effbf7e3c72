"""The recent curve of a node or a GPU: what the cluster's history has, then what this cockpit has seen since."""

from collections.abc import Hashable, Sequence

from cockpit.errors import CockpitError
from cockpit.model.gpu_use import stable_names
from cockpit.model.history import SAMPLES, History
from cockpit.model.nodes import Node
from cockpit.model.past import Curve
from cockpit.model.snapshot import Moment
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.past import Past

Samples = list[tuple[float, float | None]]

# The history is written once a minute.
HOLDS_SECONDS = 60.0


def seen(history: History, key: Hashable, now: Moment) -> Samples:
    """The samples of a key in memory, at times in seconds since the epoch."""
    return [(now.wall - (now.steady - one.at), one.value) for one in history.samples(key, SAMPLES)]


def joined(past: Samples, recent: Samples) -> Samples:
    """Both, where the recent ones take over from their beginning."""
    begin = recent[0][0] if recent else float("inf")
    return [*(sample for sample in past if sample[0] < begin), *recent]


class KeptPast:
    """The curves of the rows that were looked at last, read beside the screen and again once a minute."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._known: dict[str, tuple[float, dict[str, Samples]]] = {}

    def of(self, key: str, curve: str) -> Samples:
        """A curve as it was read last; empty where it was not."""
        return self._known.get(key, (0.0, {}))[1].get(curve, [])

    def is_due(self, key: str, now: float) -> bool:
        """Whether it should be read (again)."""
        return key not in self._known or now - self._known[key][0] >= HOLDS_SECONDS

    async def read(self, cluster: LiveCluster, nodes: Sequence[Node], key: str, *, seconds: float, now: float) -> None:
        """Read the curves of a node by its ID, or of a GPU as `NODE_ID/INDEX`; without a history there are none."""
        self._known[key] = (now, self._known.get(key, (0.0, {}))[1])
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        node_id, _, index = key.partition("/")
        name = stable_names(nodes).get(node_id)
        if name is None:
            return
        try:
            found = await cluster.recording.ask(
                lambda kept: _curves(kept.past, name, index, now - seconds, now), now=now
            )
        except CockpitError:
            return  # what was seen since is shown all the same; `history` tells what is wrong with the file
        self._known[key] = (now, {one.name: [(point.at, point.value) for point in one.points] for one in found})


def _curves(past: Past, name: str, index: str, since: float, until: float) -> list[Curve]:
    if index:
        return past.gpu(f"{name}:{index}", since=since, until=until)
    return past.node(name, since=since, until=until)
