"""Writes the recorded cluster that ships with the program: `python -m screenshots.demo_cluster [FILE]`.

A simulated cluster of 12 nodes and 96 GPUs, its past day as figures, then a quarter of an hour as it answers. Every run
writes the same bytes.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from cockpit.clients import recording_file as file
from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint, Transport
from cockpit.errors import CockpitError, UsageError
from cockpit.feeds.recording import record
from cockpit.model.jobs import Job
from cockpit.model.query import Query
from cockpit.model.secret import Secret
from cockpit.operations.clusters.exposure import look
from cockpit.operations.clusters.replay import DEMO_FILE
from cockpit.operations.jobs.page import job_facts
from cockpit.operations.logs.node_logs import list_files
from cockpit.operations.resources import FETCHES, Scope, job_scope, node_scope
from cockpit.operations.why.reasons import pending_causes, pending_reasons
from screenshots.cluster import ADDRESS, PLAN, TOKEN, Backend
from tests.sim import SimClock, SimCluster
from tests.sim.dashboard import Dashboard
from tests.sim.gpus import held_on
from tests.sim.jobs import Share, SimJob
from tests.sim.logs import log_name
from tests.ui.driver import SharedClock

STEP = 10.0
STEPS = 90
DAY = 86_400.0
FINE = 3600.0  # of the past in minutes; before that in ten minutes
WHOLE_LINES = 2600
TAIL_LINES = 400
ENDED_LINES = 14


def simulated() -> SimCluster:
    """The cluster a day before the recording, whose ended jobs held GPUs as well."""
    cluster = SimCluster(PLAN, clock=SimClock(PLAN.origin - DAY))
    busy: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for job in cluster.jobs:
        for share in job.shares:
            busy.setdefault((share.node, share.gpu), []).append((job.started or 0.0, job.ends or float("inf")))
    for job in sorted(cluster.jobs, key=lambda job: (job.created, job.id)):
        if job.ends is not None and job.kind.share and not job.shares and job.ends > PLAN.origin - DAY:
            _give(job, busy)
    _explain_waiting(cluster)
    return cluster


def _explain_waiting(cluster: SimCluster) -> None:
    """What the waiting jobs ask for, so that one can see why they wait."""
    waiting = sorted((job for job in cluster.jobs if job.started is None), key=lambda job: job.id)
    asked = ({"GPU": 16.0}, {"GPU": 8.0, "h200": 8.0}, {"GPU": 32.0})
    for number, (job, resources) in enumerate(zip(waiting, asked, strict=True)):
        supervisor = cluster.workloads.actor(
            actor_id=f"{number + 1:024x}01000000",
            class_name="JobSupervisor",
            name=f"_ray_internal_job_actor_{job.submission_id}",
            state="PENDING_CREATION",
            required_resources=resources,
        )
        cluster.workloads.more.setdefault("actors", []).append(supervisor)


def _give(job: SimJob, busy: dict[tuple[int, int], list[tuple[float, float]]]) -> None:
    """Give an ended job GPUs that were free for all of its life."""
    begin, end = job.started or job.created, job.ends or job.created
    wanted = PLAN.chance("past-gpus", job.id).choice((1, 2, 4, 8, 16))
    free = [
        (node, gpu)
        for node in range(PLAN.nodes)
        for gpu in range(PLAN.gpus)
        if all(end <= other or begin >= until for other, until in busy.get((node, gpu), []))
    ]
    if len(free) < wanted:
        return
    job.shares = tuple(Share(node, gpu, 1.0) for node, gpu in free[:wanted])
    for place in free[:wanted]:
        busy.setdefault(place, []).append((begin, end))


# The past


def past_of(cluster: SimCluster) -> Iterator[file.Past]:
    """The figures of the past day, up to the recording."""
    at = -DAY
    while at < 0:
        cluster.clock.advance(PLAN.origin + at - cluster.clock.now())
        nodes = cluster.nodes()["summary"]
        running = cluster.running()
        yield file.Past(
            at=at,
            cpu=tuple(round(node["cpu"]) for node in nodes),
            memory=tuple(round(node["mem"][2]) for node in nodes),
            network=tuple(round(sum(node["networkSpeed"]) / 1e6) for node in nodes),
            use=tuple(tuple(gpu["utilizationGpu"] for gpu in node["gpus"]) for node in nodes),
            filled=tuple(
                tuple(100 * gpu["memoryUsed"] // gpu["memoryTotal"] for gpu in node["gpus"]) for node in nodes
            ),
            held=tuple(tuple(_holders(number, running, cluster)) for number in range(len(nodes))),
        )
        at += 60.0 if at >= -FINE else 600.0
    cluster.clock.advance(PLAN.origin - cluster.clock.now())


def _holders(number: int, running: Sequence[SimJob], cluster: SimCluster) -> list[str]:
    held = {one.share.gpu: one.job.id for one in held_on(number, running)}
    is_dead = cluster.machines[number].is_dead
    return [] if is_dead else [held.get(gpu, "") for gpu in range(PLAN.gpus)]


# What it answers


async def ask_once(client: RayClient) -> None:
    """Everything that panes and pages ask once they are opened."""
    await client.version()
    with suppress(CockpitError):
        await look(client)
    await client.state.actor_count()
    await pending_causes(client)
    await pending_reasons(client)
    jobs = (await client.jobs.list()).rows
    nodes = (await client.nodes.list()).rows
    scopes = [Scope(query=Query()), Scope(query=Query(everything=True))]
    scopes += [job_scope(job) for job in jobs] + [node_scope(node) for node in nodes]
    for scope in scopes:
        for name, fetch in FETCHES.items():
            if name not in ("serve", "train", "tune") or not scope.text:
                with suppress(CockpitError):
                    await fetch(client, scope)
    for node in nodes:
        with suppress(CockpitError):
            await list_files(client, node.node_id or "")
            await client.nodes.processes(node.node_id or "")
    for actor in (await client.workloads.actors(Query())).rows:
        with suppress(CockpitError):
            await client.state.actor(actor.actor_id or "")
            await client.state.creation_of(actor.actor_id or "")
    for job in jobs:
        with suppress(CockpitError):
            await _page(client, job)


async def _page(client: RayClient, job: Job) -> None:
    await client.jobs.get(job.id or "")
    await job_facts(client, job)
    await client.events.list(Query(job_id=job.job_id), submission_id=job.submission_id)


async def live(client: RayClient, clock: SharedClock) -> None:
    """The figures and the jobs, again and again."""
    for _ in range(STEPS):
        await client.nodes.list()
        await client.nodes.usage()
        await client.jobs.list()
        await clock.run(STEP, _at_once)


async def _at_once() -> None:
    pass


# What is written


def smaller(entries: Sequence[file.Entry]) -> Iterator[file.Entry]:
    """Without answers that say what the one before said; of the nodes every other one has a new sample each time."""
    last: dict[tuple[str, str, file.Pairs], tuple[str | None, bytes | None]] = {}
    nodes: list[dict[str, Any]] = []
    for entry in entries:
        if not isinstance(entry, file.Reply):
            if isinstance(entry, file.Failure):
                yield entry
            continue
        if entry.path == "/nodes" and entry.text is not None:
            body = json.loads(entry.text)
            now = body["data"]["summary"]
            turn = round(entry.at / STEP)
            if nodes:
                now = [new if (turn + at) % 2 else old for at, (new, old) in enumerate(zip(now, nodes, strict=True))]
            body["data"]["summary"] = nodes = now
            entry = msgspec.structs.replace(entry, text=json.dumps(body, separators=(",", ":")))
        key = (entry.method, entry.path, entry.params)
        if last.get(key) != (entry.text, entry.data):
            last[key] = (entry.text, entry.data)
            yield entry


def logs_of(cluster: SimCluster) -> Iterator[file.Entry]:
    """The logs of all jobs: the whole of short ones, the end of the others, and how they grow."""
    begin = PLAN.origin
    for number, job in enumerate(cluster.jobs, 1_000):
        if job.is_driver or job.started is None:
            continue
        log, machine = cluster.log(job), cluster.machines[job.node]
        text = log.until(begin)
        lines = text.decode().splitlines(keepends=True)
        most = WHOLE_LINES if job.kind.share and len(lines) <= WHOLE_LINES else TAIL_LINES
        kept = "".join(lines[-(ENDED_LINES if job.is_terminal(begin) else most) :])
        params = (("node_id", machine.node_id), ("filename", log_name(job)), ("lines", "-1"))
        yield file.Open(at=0.0, stream=number, path="/api/v0/logs/stream", params=params)
        yield file.Chunk(at=0.0, stream=number, text=kept)
        size = len(text)
        for step in range(1, STEPS + 1):
            grown = log.until(begin + step * STEP)
            if len(grown) > size:
                yield file.Chunk(at=step * STEP, stream=number, text=grown[size:].decode())
                size = len(grown)


async def recorded(directory: Path) -> list[file.Entry]:
    """All entries, in the order of time."""
    cluster = simulated()
    past = list(past_of(cluster))
    dashboard = Dashboard(cluster, token=TOKEN)
    endpoint = Endpoint(address=parse_address(ADDRESS), token=Secret(TOKEN))
    clock = SharedClock(cluster.clock)

    def failed(error: UsageError) -> None:
        raise error

    path = directory / "demo.jsonl"
    client, recorder = record(
        RayClient(Transport(endpoint, backend=Backend(dashboard))), path, failed=failed, clock=clock
    )
    with recorder:
        await ask_once(client)
        await live(client, clock)
    await client.close()
    logs = logs_of(cluster)
    answers = smaller(file.read_recording(path).entries)
    return [*past, *sorted([*answers, *logs], key=lambda entry: entry.at)]


async def write(path: Path) -> None:
    """Write the recording to a file."""
    with tempfile.TemporaryDirectory() as directory:
        entries = await recorded(Path(directory))
    header = file.Header(
        format=file.FORMAT, version=file.VERSION, recorded_at=PLAN.origin, address=ADDRESS, program="rayakash-tui demo"
    )
    size = await asyncio.to_thread(file.write_packed, path, [header, *entries])
    print(f"{path}: {size:,} bytes")


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO_FILE))
