"""Records the history of the open cluster in the background."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import msgspec

from cockpit.errors import UsageError
from cockpit.feeds.history_recorder import Recorder
from cockpit.feeds.history_store import HistoryStore, NoLock
from cockpit.model.cluster_curves import ClusterCurves
from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, Node, NodeGpu
from cockpit.operations.clusters.gpus import named
from cockpit.operations.clusters.past import Past, open_store
from cockpit.operations.known_names import note_all

T = TypeVar("T")

DAY_SECONDS = 86_400.0


def with_names(nodes: Sequence[Node], pairs: Iterable[NodeGpu]) -> list[Node]:
    """The nodes with the GPUs of these pairs, whose holders carry the submission ID of their job."""
    gpus: dict[str | None, list[Gpu]] = {}
    for node, gpu in pairs:
        gpus.setdefault(node.node_id, []).append(gpu)
    return [
        msgspec.structs.replace(node, gpus=tuple(gpus[node.node_id])) if node.node_id in gpus else node
        for node in nodes
    ]


def managers_of(nodes: Iterable[Node], jobs: Iterable[Job], supervised: Mapping[str, str]) -> set[str]:
    """Job IDs under which actors hold GPUs that belong to no job of the list: those of Ray's job manager."""
    known = {job.job_id for job in jobs}
    holders = (held for node in nodes for gpu in node.gpus for held in gpu.holders)
    return {
        held.job_id
        for held in holders
        if held.job_id and held.job_id not in known and held.actor_id and held.actor_id not in supervised
    }


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the history knows, for use in its own thread only."""

    past: Past
    recorder: Recorder


class Recording:
    """Hands what panes have asked for to the history, in a thread of its own and one report at a time.

    `problem` is a sentence while the history cannot be written; a cluster without a name has one in memory only.
    """

    def __init__(self, cluster: str | None) -> None:
        self.problem = ""
        self.totals: Mapping[str, float] = {}
        """What the whole cluster uses, by the report that was noted last: the series of the cluster by their names."""
        self._unusable = ""
        self._cluster = cluster
        self._known: Known | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history")
        self._last: Future[None] | None = None

    def note(self, nodes: Sequence[Node], jobs: Sequence[Job], supervised: Mapping[str, str], at: float) -> None:
        """Note a report (`at` in seconds since the epoch), unless the one before is still being noted."""
        if self._last is None or self._last.done():
            self._last = self._thread.submit(self._note, nodes, jobs, dict(supervised), at)

    def fill(self, past: Iterable[tuple[float, Sequence[Node]]], jobs: Sequence[Job]) -> None:
        """Begin with reports from before, oldest first, each with its time in seconds since the epoch."""
        self._last = self._thread.submit(self._fill, past, jobs)

    def _fill(self, past: Iterable[tuple[float, Sequence[Node]]], jobs: Sequence[Job]) -> None:
        for at, nodes in past:
            known = self._opened(at)
            known.recorder.observe(nodes, jobs, now=at)
            last = at
        if self._known is not None:
            self._known.recorder.flush(now=last)
            # Its steps are longer than those of a cockpit that is open, and are not gaps.
            self._known.recorder.curves = ClusterCurves()
            self._known.recorder.curves.seed(self._known.past.cluster(since=last - DAY_SECONDS, until=last))

    async def ask(self, question: Callable[[Known], T], *, now: float) -> T:
        """What a question finds once everything noted before is part of the history.

        Raises UsageError where the history on disk cannot be read any more.
        """
        return await asyncio.wrap_future(self._thread.submit(lambda: question(self._opened(now))))

    def _opened(self, now: float) -> Known:
        """The history; one in memory where that on disk cannot be used."""
        if self._known is None:
            self._known = self._on_disk(now) or _in_memory(now)
        return self._known

    def _on_disk(self, now: float) -> Known | None:
        if self._cluster is None:
            return None
        try:
            store, lock = open_store(self._cluster)
            recorder = Recorder(store, lock, now=now)
            past = Past(store)
            recorder.covered_since = past.covered_since(since=now - DAY_SECONDS, now=now)
            recorder.curves.seed(past.cluster(since=now - DAY_SECONDS, until=now))
        except UsageError as error:
            self.problem = self._unusable = f"{error.title} {error.detail}".strip()
            return None
        return Known(past=past, recorder=recorder)

    def _note(self, nodes: Sequence[Node], jobs: Sequence[Job], supervised: dict[str, str], at: float) -> None:
        known = self._opened(at)
        pairs = [(node, named(gpu, supervised)) for node in nodes for gpu in node.gpus] if supervised else []
        known.recorder.observe(with_names(nodes, pairs), jobs, now=at)
        self.totals = known.recorder.totals
        self.problem = known.recorder.problem or self._unusable
        if self._cluster is not None:
            with suppress(UsageError):  # the names are for completion alone
                note_all(self._cluster, jobs, nodes)

    async def close(self, at: float) -> None:
        """Write what was noted last. Raises what was a bug in an earlier report."""
        try:
            await asyncio.wrap_future(self._thread.submit(self._close, at))
            if self._last is not None:
                self._last.result()
        finally:
            self._thread.shutdown(wait=False)

    def _close(self, at: float) -> None:
        if self._known is not None:
            self._known.recorder.close(now=at)


def _in_memory(now: float) -> Known:
    store = HistoryStore.in_memory()
    return Known(past=Past(store), recorder=Recorder(store, NoLock(), now=now))
