"""From the simulated cluster to a recording and back: what was on the screen then is on it again."""

import gzip
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint
from cockpit.errors import UsageError
from cockpit.feeds.clock import ManualClock
from cockpit.feeds.follower import LogFollower
from cockpit.feeds.hub import Hub
from cockpit.feeds.log_source import JobLog, LogState
from cockpit.feeds.patience import Outage
from cockpit.feeds.recording import record, still
from cockpit.feeds.spool import Spool
from cockpit.feeds.topics import ACTORS, CATALOG, JOBS, NODES, USAGE, VERSION, Topic, job_topic
from cockpit.model.cluster import Rows
from cockpit.model.nodes import Node
from cockpit.model.secret import Secret
from cockpit.model.snapshot import Snapshot
from tests.sim import NOON, Plan, SimCluster, SimServer

TOKEN = "sim-secret-token-0123456789abcdef"
LENGTH = 60.0


class Quiet:
    """A listener to a log that does not listen."""

    def wrote(self, chunk: bytes) -> None: ...
    def waiting(self, state: LogState) -> None: ...
    def away(self, outage: Outage) -> None: ...
    def reconnected(self, *, proven: bool) -> None: ...
    def replaced(self) -> None: ...
    def noted(self, sentence: str) -> None: ...


def unheard(_: Snapshot[Any]) -> None:
    """A watcher that does not listen."""


def noting(samples: list[float | None]) -> Callable[[Snapshot[Rows[Node]]], None]:
    """A watcher that notes the times of the head's samples."""

    def note(snapshot: Snapshot[Rows[Node]]) -> None:
        if snapshot.value is not None:
            samples.append(snapshot.value.rows[0].now)

    return note


def surfaced(error: BaseException) -> None:
    raise AssertionError("a bug surfaced") from error


class Recorded:
    """What was recorded of a minute: the file, and what the hub knew at its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, Snapshot[Any]] = {}
        self.samples: list[float | None] = []
        self.log = b""
        self.job_id = ""

    async def make(self) -> None:
        """Record a minute of a cluster that shows env values and wants a token."""
        cluster = SimCluster(Plan(nodes=3, gpus=4, jobs=40))
        async with SimServer(cluster, token=TOKEN) as server:
            server.dashboard.redacts = False
            endpoint = Endpoint(address=parse_address(server.url), token=Secret(TOKEN))
            async with RayClient.at(endpoint) as client:
                await self._minute(cluster, client)

    async def _minute(self, cluster: SimCluster, plain: RayClient) -> None:
        clock = ManualClock(NOON, steady=77.0)
        client, recorder = record(plain, self.path, failed=surfaced, clock=clock)
        hub = Hub(client, on_crash=surfaced, clock=clock)
        with recorder:
            self.job_id = next(job.submission_id or "" for job in cluster.running() if not job.is_driver)
            topics: list[Topic[Any]] = [*CATALOG, job_topic(self.job_id)]
            for topic in topics:
                hub.watch(topic, unheard)
            hub.watch(NODES, noting(self.samples))
            for _ in range(int(LENGTH)):
                await clock.run(1.0, hub.settled)
                cluster.clock.advance(1.0)
            self.known = {topic.name: hub.snapshot(topic) for topic in topics}
            self.log = await followed(client, self.job_id)
            await hub.close()


async def followed(client: RayClient, job_id: str) -> bytes:
    with Spool() as spool:
        await LogFollower(JobLog(client, job_id), spool, Quiet(), follow=False).run()
        return spool.read(0, spool.size)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def recorded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Recorded]:
    recorded = Recorded(tmp_path_factory.mktemp("recording") / "minute.rec")
    await recorded.make()
    yield recorded


@pytest.mark.parametrize("topic", [VERSION, JOBS, NODES, USAGE, ACTORS], ids=lambda topic: topic.name)
async def test_every_topic_shows_what_it_showed(recorded: Recorded, topic: Topic[Any]) -> None:
    played, clock = still(recorded.path)
    hub = Hub(played.client, on_crash=surfaced, clock=clock)
    hub.watch(topic, unheard)
    await clock.run(0.0, hub.settled)
    known = recorded.known[topic.name]
    assert known.taken is not None
    assert known.value is not None
    assert hub.snapshot(topic).value == known.value
    await hub.close()


async def test_the_log_is_what_it_was(recorded: Recorded) -> None:
    played, _ = still(recorded.path)
    assert recorded.log
    assert await followed(played.client, recorded.job_id) == recorded.log


async def test_nodes_move_as_they_did(recorded: Recorded) -> None:
    played, clock = still(recorded.path, at=0.0)
    hub = Hub(played.client, on_crash=surfaced, clock=clock)
    samples: list[float | None] = []
    hub.watch(NODES, noting(samples))
    await clock.run(LENGTH + NODES.interval, hub.settled)
    await hub.close()
    # Not each of them: a slow answer has shifted the polls of then against those of now.
    assert len(samples) > 2
    assert samples == [now for now in recorded.samples if now in samples]
    assert (samples[0], samples[-1]) == (recorded.samples[0], recorded.samples[-1])


async def test_no_secret_is_in_the_file_though_the_cluster_showed_them(recorded: Recorded) -> None:
    text = gzip.decompress(recorded.path.read_bytes())
    assert b"WANDB_API_KEY" in text
    assert b"sim-secret-" not in text


async def test_a_recording_is_not_written_twice(recorded: Recorded) -> None:
    with pytest.raises(UsageError, match="exists already"):
        record(RayClient.at(Endpoint(address=parse_address("h:1"))), recorded.path, failed=surfaced)
