"""From the job and node that a user names to requests to Ray; and the warning for a truncated answer."""

from collections.abc import Awaitable, Collection
from typing import Any, Protocol

import msgspec

from cockpit.clients.ray import RayClient
from cockpit.errors import UsageError
from cockpit.feeds.topics import JOB_REQUEST_SECONDS, Topic
from cockpit.model.actors import Actor
from cockpit.model.datasets import DataRow, data_rows
from cockpit.model.events import ClusterEvent
from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, Node
from cockpit.model.placement_groups import PlacementGroup
from cockpit.model.query import Query
from cockpit.model.serve import ServeRow, rows_of
from cockpit.model.state import First, StateRows
from cockpit.model.tasks import Task
from cockpit.model.train import TrainRow, train_rows
from cockpit.model.tune import TuneRow, tune_rows
from cockpit.model.workers import Worker
from cockpit.operations.jobs.ids import find_job
from cockpit.operations.logs.node_logs import find_node
from cockpit.operations.training_reports import reports_of
from cockpit.operations.tune import running_sweeps, sweep_of

MOST_JOBS = 50  # of which Ray Data is asked, one by one
RESOURCE_SECONDS = 5.0
REQUEST_SECONDS = {"actors": 5.0, "events": 3.0, "tune": 2.0, "data": 2.0}


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What rows are wanted: the query, and the job or the GPU that was named."""

    query: Query
    job: Job | None = None
    gpu: int | None = None

    @property
    def text(self) -> str:
        """What it narrows to, for the title of a table; empty for everything."""
        parts = [f"job {self.job.id}"] if self.job else []
        parts += [f"GPU {self.gpu}"] if self.gpu is not None else []
        parts += [f"node {self.query.node_id[:12]}"] if self.query.node_id else []
        return "only of " + " on ".join(parts) if parts else ""

    @property
    def is_unconnected(self) -> bool:
        """Whether the job lacks a driver connected to Ray, so that it owns nothing in Ray."""
        return self.query.job_id == ""


async def scope_of(
    client: RayClient,
    *,
    job: str | None = None,
    node: str | None = None,
    states: tuple[str, ...] = (),
    name: str | None = None,
    everything: bool = False,
) -> Scope:
    """Look up the job, by an ID or the start of one, and the node. Raises NotFoundError."""
    found = await find_job(client, job) if job is not None else None
    node_id = (await find_node(client, node)).node_id if node is not None else None
    job_id = None if found is None else found.job_id or ""
    query = Query(job_id=job_id, states=states, name=name, node_id=node_id, everything=everything)
    return Scope(query=query, job=found)


def job_scope(job: Job) -> Scope:
    """What belongs to a job."""
    return Scope(query=Query(job_id=job.job_id or ""), job=job)


def node_scope(node: Node) -> Scope:
    """What is on a node."""
    return Scope(query=Query(node_id=node.node_id))


def gpu_scope(node: Node, gpu: Gpu) -> Scope:
    """The processes of Ray that hold a GPU."""
    pids = tuple(sorted({holder.pid for holder in gpu.holders if holder.pid}))
    return Scope(query=Query(node_id=node.node_id, pids=pids), gpu=gpu.index)


def states_of(given: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """States as Ray writes them, given with commas or one by one. Raises UsageError for one that Ray does not have."""
    states = tuple(dict.fromkeys(word.strip().upper() for text in given for word in text.split(",") if word.strip()))
    if unknown := [state for state in states if state not in known]:
        raise UsageError(f"Unknown state: {', '.join(unknown)}.", hint=f"Ray has {', '.join(known)}.")
    return states


async def _actors(client: RayClient, scope: Scope, first: First | None = None) -> StateRows[Actor]:
    return await client.workloads.actors(scope.query, first)


async def _tasks(client: RayClient, scope: Scope, first: First | None = None) -> StateRows[Task]:
    return await client.workloads.tasks(scope.query, first)


async def _groups(client: RayClient, scope: Scope, first: First | None = None) -> StateRows[PlacementGroup]:
    return await client.workloads.placement_groups(scope.query, first)


async def _workers(client: RayClient, scope: Scope, first: First | None = None) -> StateRows[Worker]:
    return await client.workloads.workers(scope.query, first)


async def _events(client: RayClient, scope: Scope, _first: First | None = None) -> StateRows[ClusterEvent]:
    return await client.events.list(scope.query, submission_id=scope.job.submission_id if scope.job else None)


async def _serve(client: RayClient, _scope: Scope, _first: First | None = None) -> StateRows[ServeRow]:
    found = await client.serve.list()
    return StateRows(rows=tuple(rows_of(found.rows)), unreadable=found.unreadable)


async def _train(client: RayClient, scope: Scope, _first: First | None = None) -> StateRows[TrainRow]:
    found = await client.train.list()
    runs = [run for run in found.rows if scope.query.job_id in (None, run.job_id)]
    reports = await reports_of(client, runs)
    return StateRows(rows=tuple(train_rows(runs, reports)), unreadable=found.unreadable)


async def _data(client: RayClient, scope: Scope, _first: First | None = None) -> StateRows[DataRow]:
    """Datasets of the job that was named, or of those that run."""
    if scope.job is not None:
        job_ids = [scope.job.job_id] if scope.job.job_id else []
    else:
        running = [job.job_id for job in (await client.jobs.list()).rows if job.job_id and not job.is_terminal]
        job_ids = running[:MOST_JOBS]
    found = await client.data.list(job_ids)
    return StateRows(rows=tuple(data_rows(found.rows)), unreadable=found.unreadable)


async def _tune(client: RayClient, scope: Scope, _first: First | None = None) -> StateRows[TuneRow]:
    """The sweep of the job that was named, ended or not, or those that run."""
    if scope.job is not None:
        one = await sweep_of(client, scope.job)
        return StateRows(rows=tuple(tune_rows([one] if one else [])))
    running = [job for job in (await client.jobs.list()).rows if job.job_id and not job.is_terminal]
    return StateRows(rows=tuple(tune_rows(await running_sweeps(client, running[:MOST_JOBS]))))


class Fetch(Protocol):
    """Asks for the rows of a scope; of a long list `first` is called with the first rows."""

    def __call__(self, client: RayClient, scope: Scope, first: First | None = None, /) -> Awaitable[StateRows[Any]]:
        """Raises CockpitError."""


FETCHES: dict[str, Fetch] = {
    "actors": _actors,
    "tasks": _tasks,
    "placement_groups": _groups,
    "workers": _workers,
    "events": _events,
    "serve": _serve,
    "train": _train,
    "tune": _tune,
    "data": _data,
}


def topic_of(name: str, scope: Scope) -> Topic[StateRows[Any]]:
    """The topic of a resource by the name of its table, in a scope; costly, so that it is asked for with long rests."""
    fetch = FETCHES[name]
    return Topic(
        name=f"{name}:{scope.query.key}:{scope.job.id if scope.job else ''}",
        fetch=lambda visit: fetch(visit.client, scope, visit.early),
        interval=RESOURCE_SECONDS,
        passing=True,
        is_costly=True,
        request_seconds=REQUEST_SECONDS.get(name, JOB_REQUEST_SECONDS),
    )


def truncation(found: StateRows[object], what: str) -> str:
    """What is missing from a list that Ray cut off, in its own numbers; empty for a whole one."""
    if not found.is_truncated:
        return ""
    return (
        f"Ray looked at {found.num_after_truncation:,} of {found.total:,} {what}: rows may be missing. "
        "Narrow the list by job or state."
    )
