"""Writing the history of the cluster on the screen, beside everything else."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from cockpit.errors import UsageError
from cockpit.feeds.history_recorder import Recorder
from cockpit.model.jobs import Job
from cockpit.model.nodes import Node
from cockpit.operations.clusters.past import open_recorder


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

    def note(self, nodes: Sequence[Node], jobs: Sequence[Job], at: float) -> None:
        """Note a report (`at` in seconds since the epoch), unless the one before is still being noted."""
        if self._last is None or self._last.done():
            self._last = self._thread.submit(self._note, nodes, jobs, at)

    def _note(self, nodes: Sequence[Node], jobs: Sequence[Job], at: float) -> None:
        try:
            if self._recorder is None:
                self._recorder = open_recorder(self._cluster)
        except UsageError as error:
            self.problem = f"{error.title} {error.detail}".strip()
            return
        self._recorder.observe(nodes, jobs, now=at)
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
