"""What the pages of a node and an actor show beside their rows; each part is asked for only while it is looked at."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.errors import CockpitError, NotFoundError
from cockpit.feeds.topics import JOB_REQUEST_SECONDS, Topic, Visit
from cockpit.model.actor_facts import ActorFacts
from cockpit.model.events import ClusterEvent
from cockpit.model.nodes import Node, NodeProcess
from cockpit.model.past import Curve
from cockpit.model.query import Query
from cockpit.operations.clusters.live import LiveCluster
from cockpit.operations.clusters.past import Past
from cockpit.operations.logs.node_logs import NodeFile, list_files

T = TypeVar("T")

PAGE_SECONDS = 5.0
PAST_SECONDS = 10.0
HOURS = 3600.0
LOG_LINES = 200
MOST_LOG_BYTES = 256 * 1024
MARKERS = (":job_id:", ":actor_name:", ":task_name:")  # which Ray writes for its log monitor


def processes_topic(node_id: str) -> Topic[Sequence[NodeProcess]]:
    """Ray's processes on a node, the largest first."""

    async def fetch(visit: Visit[Sequence[NodeProcess]]) -> Sequence[NodeProcess]:
        return await visit.client.nodes.processes(node_id)

    return _topic(f"node-processes:{node_id}", fetch)


def files_topic(node_id: str) -> Topic[Sequence[NodeFile]]:
    """Its log files."""

    async def fetch(visit: Visit[Sequence[NodeFile]]) -> Sequence[NodeFile]:
        return tuple(await list_files(visit.client, node_id))

    return _topic(f"node-files:{node_id}", fetch)


def node_events_topic(node_id: str) -> Topic[Sequence[ClusterEvent]]:
    """What happened on it."""

    async def fetch(visit: Visit[Sequence[ClusterEvent]]) -> Sequence[ClusterEvent]:
        return (await visit.client.events.list(Query(node_id=node_id))).rows

    return _topic(f"node-events:{node_id}", fetch)


def curves_topic(cluster: LiveCluster, node: Node) -> Topic[Sequence[Curve]]:
    """Its last hour, from the history that the cockpit keeps: it costs the head nothing."""

    async def fetch(_visit: Visit[Sequence[Curve]]) -> Sequence[Curve]:
        now = cluster.hub.clock.now().wall
        return await cluster.recording.ask(lambda known: _curves(known.past, node, now), now=now)

    return Topic(name=f"node-past:{node.node_id}", fetch=fetch, interval=PAST_SECONDS, passing=True)


def _curves(past: Past, node: Node, now: float) -> Sequence[Curve]:
    for name in (node.hostname, node.ip, node.node_id):
        if name:
            try:
                found = past.node(name, since=now - HOURS, until=now)
            except CockpitError:
                continue
            if any(curve.points for curve in found):
                return tuple(found)
    return ()


def actor_topic(actor_id: str) -> Topic[ActorFacts]:
    """An actor and how it came to its state; two requests that the head narrows by the actor's ID."""

    async def fetch(visit: Visit[ActorFacts]) -> ActorFacts:
        client = visit.client
        actor = await client.state.actor(actor_id)
        found = await client.state.creation_of(actor_id)
        return ActorFacts(actor=actor, creation=found)

    return _topic(f"actor-facts:{actor_id}", fetch)


def actor_log_topic(actor_id: str) -> Topic[Sequence[str]]:
    """The last lines that it printed; none where it printed nothing yet."""

    async def fetch(visit: Visit[Sequence[str]]) -> Sequence[str]:
        return await _actor_lines(visit.client, actor_id)

    return _topic(f"actor-log:{actor_id}", fetch)


async def _actor_lines(client: RayClient, actor_id: str) -> Sequence[str]:
    held = bytearray()
    try:
        async with client.logs.open(LogFile(actor_id=actor_id), lines=LOG_LINES) as chunks:
            async for chunk in chunks:
                held += chunk
                del held[:-MOST_LOG_BYTES]
    except NotFoundError:
        return ()
    lines = held.decode("utf-8", "replace").splitlines()
    return tuple(line for line in lines if not line.startswith(MARKERS))


def _topic(name: str, fetch: Callable[[Visit[T]], Awaitable[T]]) -> Topic[T]:
    return Topic(
        name=name,
        fetch=fetch,
        interval=PAGE_SECONDS,
        passing=True,
        is_costly=True,
        request_seconds=JOB_REQUEST_SECONDS,
    )
