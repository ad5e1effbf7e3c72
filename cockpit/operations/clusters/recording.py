"""Writing the history of the cluster on the screen, beside everything else."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from cockpit.errors import UsageError
from cockpit.feeds.history_recorder import Recorder
from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, Node, NodeGpu
from cockpit.operations.clusters.gpus import named
from cockpit.operations.clusters.past import open_recorder


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


class Recording:
    """Hands what panes have asked for to the history, in a thread of its own and one report at a time.

    `problem` is a sentence while the history cannot be written.
    """

    def __init__(self, cluster: str) -> None:
        self.problem = ""
        self._cluster = cluster
        self._recorder: Recorder | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history")
        self._last: Future[None] | None = None

    def note(self, nodes: Sequence[Node], jobs: Sequence[Job], supervised: Mapping[str, str], at: float) -> None:
        """Note a report (`at` in seconds since the epoch), unless the one before is still being noted."""
        if self._last is None or self._last.done():
            self._last = self._thread.submit(self._note, nodes, jobs, dict(supervised), at)

    def _note(self, nodes: Sequence[Node], jobs: Sequence[Job], supervised: dict[str, str], at: float) -> None:
        try:
            if self._recorder is None:
                self._recorder = open_recorder(self._cluster)
        except UsageError as error:
            self.problem = f"{error.title} {error.detail}".strip()
            return
        pairs = [(node, named(gpu, supervised)) for node in nodes for gpu in node.gpus] if supervised else []
        self._recorder.observe(with_names(nodes, pairs), jobs, now=at)
        self.problem = self._recorder.problem

    async def close(self, at: float) -> None:
        """Write what was noted last. Raises what was a bug in an earlier report."""
        try:
            await asyncio.wrap_future(self._thread.submit(self._close, at))
            if self._last is not None:
                self._last.result()
        finally:
            self._thread.shutdown(wait=False)

    def _close(self, at: float) -> None:
        if self._recorder is not None:
            self._recorder.close(now=at)
