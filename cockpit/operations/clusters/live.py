"""A cluster that is being looked at: its client, its hub, its past."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Self

from cockpit.clients.endpoint import Passage
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint
from cockpit.errors import CockpitError
from cockpit.feeds.hub import Hub
from cockpit.feeds.topics import BACKGROUND_NODES_SECONDS, JOBS, NODES, Topic
from cockpit.feeds.watch import Watch
from cockpit.model.akash.lease_money import LeaseMoney
from cockpit.model.cluster import Rows
from cockpit.model.gpu_use import IdleGpu
from cockpit.model.history import ClusterHistory
from cockpit.model.jobs import Job
from cockpit.model.nodes import Node
from cockpit.model.slices import REST_SECONDS, some_of
from cockpit.model.snapshot import Snapshot
from cockpit.operations.clusters.connect import Target
from cockpit.operations.clusters.exposure import Exposure, look
from cockpit.operations.clusters.gpus import named
from cockpit.operations.clusters.idle import DEFAULT_MIN_SECONDS, idle_gpus
from cockpit.operations.clusters.protection import Protection, protection_of
from cockpit.operations.clusters.recording import Known, Recording, managers_of, with_names
from cockpit.secrets.names import DEFAULT_SCOPE

EXPOSURE: Topic[Exposure] = Topic(name="exposure", fetch=lambda visit: look(visit.client), interval=300.0)

NODES_AT_ONCE = 100

Crash = Callable[[BaseException], None]
Close = Callable[[], Awaitable[None]]


class LiveCluster:
    """One cluster on the screen. `close` it when another takes its place.

    `name` is the context's, `scopes` are where its secrets are looked for, `is_read_only` forbids changes, and
    `closing` is what else ends with it; `target` is how it was found, if the user named it. `recording` is its
    history where that is not on disk under the target's name, `replay_seconds` the length of a recorded cluster.
    `stopping` holds the ids of jobs that Ray was asked to stop and that have not ended yet, `stopped_here` of all that
    it was asked to.
    """

    def __init__(
        self,
        client: RayClient,
        *,
        name: str,
        on_crash: Crash,
        is_read_only: bool = False,
        scopes: tuple[str, ...] = (DEFAULT_SCOPE,),
        hub: Hub | None = None,
        closing: Close | None = None,
        target: Target | None = None,
        recording: Recording | None = None,
        replay_seconds: float | None = None,
    ) -> None:
        self.client = client
        self._replay_seconds = replay_seconds
        self.target = target
        self.name = name
        self.is_read_only = is_read_only
        self.scopes = scopes
        self.hub = hub or Hub(client, on_crash=on_crash)
        self.history = ClusterHistory()
        self.supervised: dict[str, str] = {}
        """Submission IDs by the ID of the actor that holds what was asked for the entrypoint."""
        self.stopping: set[str | None] = set()
        self.stopped_here: set[str | None] = set()
        client.http.rest = REST_SECONDS
        self._observing: Iterator[None] = iter(())
        self._closing = closing
        self._let_in: list[Callable[[], None]] = []
        self.lease_money: Callable[[], LeaseMoney | None] = lambda: None
        """What the lease behind it costs now; None where no lease of ours is."""
        self.idle_seconds = DEFAULT_MIN_SECONDS
        """How long a held GPU has to do nothing to be called idle."""
        self.recording = recording or Recording(target.history_name if target is not None else None)
        self._keeper = self._keep_history()
        self._watched: Passage | None = None
        client.transport.on_renewed = self._watch_tunnel
        self._watch_tunnel()

    @property
    def endpoint(self) -> Endpoint:
        """Its address and credentials."""
        return self.client.transport.endpoint

    @property
    def protection(self) -> Protection:
        """How the connection is protected, as far as it is known by now."""
        return protection_of(self.endpoint, self.hub.snapshot(EXPOSURE).value)

    @property
    def address(self) -> str:
        """The dashboard's address."""
        return self.client.address

    @property
    def is_replay(self) -> bool:
        """Whether it is a recording, of which nothing can be changed."""
        return self._replay_seconds is not None

    @property
    def replay_has_ended(self) -> bool:
        """Whether a recording stands at its end."""
        return self._replay_seconds is not None and self.hub.clock.now().steady > self._replay_seconds

    @property
    def usd_per_hour(self) -> float | None:
        """What its lease costs, else what its context says; None where that is not known."""
        if (lease := self.lease_money()) is not None:
            return None if lease.ended else float(lease.usd_per_hour)
        context = self.target.context if self.target is not None else None
        return context.cost if context is not None else None

    async def idle_gpus(self) -> list[IdleGpu]:
        """The GPUs that are held and not used, as of the last report, the greatest waste first. Raises UsageError."""
        nodes, jobs = self.hub.snapshot(NODES), self.hub.snapshot(JOBS).value
        if nodes.value is None or nodes.taken is None:
            return []
        rows, now, supervised = nodes.value.rows, nodes.taken.wall, dict(self.supervised)
        min_seconds, cost = self.idle_seconds, self.usd_per_hour

        def judge(known: Known) -> list[IdleGpu]:
            pairs = [(node, named(gpu, supervised)) for node in rows for gpu in node.gpus]
            return idle_gpus(
                with_names(rows, pairs), jobs.rows if jobs else (), known.recorder.holdings,
                covered_since=known.recorder.covered_since, now=now, min_seconds=min_seconds, cost_per_hour=cost,
            )  # fmt: skip

        return await self.recording.ask(judge, now=now)

    def _keep_history(self) -> Watch[Rows[Node]]:
        """Samples for sparklines come with what panes ask for; while none does, one a minute keeps the past whole."""

        def observe(snapshot: Snapshot[Rows[Node]]) -> None:
            if snapshot.value is not None and snapshot.taken is not None:
                self._observe(snapshot.value.rows, snapshot.taken.steady)
                self._record(snapshot.value.rows, snapshot.taken.wall)

        return self.hub.watch(NODES, observe, interval=BACKGROUND_NODES_SECONDS)

    def _record(self, nodes: tuple[Node, ...], at: float) -> None:
        """Write the figures down, so that the next cockpit has them; where that fails the screen goes on without."""
        jobs = self.hub.snapshot(JOBS).value
        rows = jobs.rows if jobs else ()
        self.recording.note(nodes, rows, self.supervised, at)
        self.hub.spawn(self._learn_supervisors(nodes, rows, at))

    async def _learn_supervisors(self, nodes: tuple[Node, ...], jobs: Sequence[Job], at: float) -> None:
        """What was asked for an entrypoint is held by an actor of the job manager: ask once whose it is."""
        known = dict(self.supervised)
        # Thousands of GPUs are looked through in the thread of the history: no key waits for that.
        for job_id in await self.recording.ask(lambda _: managers_of(nodes, jobs, known), now=at):
            try:
                self.supervised |= (await self.client.state.supervisors(job_id)).jobs
            except CockpitError:
                return  # asked again with the next report

    def _observe(self, nodes: tuple[Node, ...], at: float) -> None:
        """Note a few nodes at once, and the rest of many between keys."""
        work = self._observing = self.history.observing(nodes, at)
        _, is_done = some_of(work, NODES_AT_ONCE)
        if not is_done:
            self.hub.spawn(self._observe_rest(work))

    async def _observe_rest(self, work: Iterator[None]) -> None:
        is_done = False
        while work is self._observing and not is_done:  # a newer answer covers these nodes too
            await asyncio.sleep(REST_SECONDS)
            _, is_done = some_of(work)

    def _watch_tunnel(self) -> None:
        passage = self.endpoint.passage
        if passage is not None and passage is not self._watched:
            passage.on_change(self._way_changed)
        self._watched = passage

    def _way_changed(self) -> None:
        """Retry what was blocked as soon as the tunnel opens, and pause what needs it as soon as it closes."""
        self.hub.kick()

    def on_let_in(self, callback: Callable[[], None]) -> None:
        """Call `callback` when refused requests may go on: with another token, or another certificate."""
        self._let_in.append(callback)

    def let_in(self) -> None:
        """Ask again for what was refused, now, and for the way there."""
        if (passage := self.endpoint.passage) is not None:
            passage.hurry()
        self.hub.kick()
        for callback in self._let_in:
            callback()

    async def close(self) -> None:
        """Ask for nothing more and let go of the connection."""
        await self.hub.close()
        await self.recording.close(self.hub.clock.now().wall)
        await self.client.close()
        if self._closing is not None:
            await self._closing()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
