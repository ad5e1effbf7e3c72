"""Actors, tasks, placement groups and workers of the simulated cluster: what is asked of Ray, and what comes of it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.state import FIRST_ROWS
from cockpit.errors import RejectedError, UnreachableError
from cockpit.model.query import Query
from cockpit.model.state import StateRows
from tests.sim import Fault, Plan, SimCluster, SimServer
from tests.sim.workloads import Workloads
from tests.wire.clients import client_of

MANY = 10_000
KINDS = ("actors", "tasks", "placement_groups", "workers")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[SimServer]:
    async with SimServer(SimCluster(Plan(nodes=3, gpus=4, jobs=30))) as server:
        yield server


@pytest_asyncio.fixture
async def client(server: SimServer) -> AsyncIterator[RayClient]:
    async with client_of(server.url) as client:
        yield client


@pytest.fixture
def bare(server: SimServer) -> Workloads:
    """A cluster on which nothing runs but what the test puts there."""
    workloads: Workloads = server.cluster.workloads
    workloads.is_bare = True
    return workloads


def made(workloads: Workloads, kind: str, count: int, **fields: Any) -> None:
    """Put so many rows of a kind there."""
    makers: dict[str, Callable[[int], dict[str, Any]]] = {
        "actors": lambda number: workloads.actor(actor_id=f"{number:032x}", **fields),
        "tasks": lambda number: workloads.task(number, **fields),
        "placement_groups": lambda number: workloads.group(number, **fields),
        "workers": lambda number: workloads.worker(number, **fields),
    }
    rows = workloads.more.setdefault(kind, [])
    rows += [makers[kind](number) for number in range(len(rows), len(rows) + count)]


async def asked(client: RayClient, kind: str, query: Query | None = None) -> StateRows[Any]:
    found: StateRows[Any] = await getattr(client.workloads, kind)(query or Query())
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 1, MANY])
async def test_rows_from_none_to_ten_thousand(client: RayClient, bare: Workloads, kind: str, count: int) -> None:
    made(bare, kind, count)
    found = await asked(client, kind)
    assert (len(found.rows), found.unreadable, found.is_truncated) == (count, 0, False)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_ended_are_left_out_unless_asked_for(client: RayClient, bare: Workloads, kind: str) -> None:
    ended = {"actors": "DEAD", "tasks": "FINISHED", "placement_groups": "REMOVED", "workers": "DEAD"}[kind]
    made(bare, kind, 2)
    made(bare, kind, 3, **({"is_alive": False} if kind == "workers" else {"state": ended}))
    assert len((await asked(client, kind)).rows) == 2
    assert len((await asked(client, kind, Query(everything=True))).rows) == 5
    assert [row.state for row in (await asked(client, kind, Query(states=(ended,)))).rows] == [ended] * 3


@pytest.mark.parametrize("kind", ["actors", "tasks"])
async def test_ten_thousand_ended_rows_cost_the_head_nothing(client: RayClient, bare: Workloads, kind: str) -> None:
    """The filters are those that the head applies itself: otherwise the living would be cut off with the rest."""
    made(bare, kind, MANY + 500, state="DEAD" if kind == "actors" else "FINISHED")
    made(bare, kind, 3, job_id="05000000")
    for query in (Query(), Query(job_id="05000000")):
        found = await asked(client, kind, query)
        assert (len(found.rows), found.is_truncated, found.total) == (3, False, MANY + 503)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_cut_off_is_said_with_rays_totals(client: RayClient, bare: Workloads, kind: str) -> None:
    made(bare, kind, MANY + 2_575)
    found = await asked(client, kind)
    assert (len(found.rows), found.total, found.num_after_truncation) == (MANY, MANY + 2_575, MANY)
    assert found.is_truncated


async def test_actors_come_by_job_state_name_and_node(client: RayClient, bare: Workloads) -> None:
    made(bare, "actors", 2, job_id="05000000", class_name="Trainer", node_id="n1")
    made(bare, "actors", 1, job_id="05000000", name="head-of-it", node_id="n2", state="RESTARTING")
    made(bare, "actors", 1, job_id="06000000", class_name="Trainer", node_id="n2", state="DEAD")

    async def count(**wanted: Any) -> int:
        return len((await asked(client, "actors", Query(**wanted))).rows)

    assert await count() == 3
    assert await count(job_id="05000000") == 3
    assert await count(states=("RESTARTING",)) == 1
    assert await count(states=("DEAD", "ALIVE")) == 3
    assert await count(name="Trainer") == 2
    assert await count(name="head-of-it") == 1
    assert await count(node_id="n2") == 1
    assert await count(node_id="n2", everything=True) == 2


async def test_an_actor_that_changed_between_two_requests_is_one_row(client: RayClient, bare: Workloads) -> None:
    made(bare, "actors", 1, state="ALIVE")
    bare.more["actors"].append(bare.actor(actor_id=f"{0:032x}", state="RESTARTING"))
    bare.more["actors"] += [bare.actor(actor_id=None), bare.actor(actor_id=None)]
    found = (await asked(client, "actors")).rows
    assert sorted((row.actor_id or "", row.state) for row in found) == [
        ("", "ALIVE"), ("", "ALIVE"), (f"{0:032x}", "RESTARTING"),
    ]  # fmt: skip


async def test_job_supervisors_are_rays_own(client: RayClient) -> None:
    names = [row.class_name for row in (await asked(client, "actors")).rows]
    assert names
    assert "JobSupervisor" not in names
    assert "JobSupervisor" in [row.class_name for row in (await asked(client, "actors", Query(everything=True))).rows]


async def test_tasks_come_by_name_and_details_with_the_living(client: RayClient, bare: Workloads) -> None:
    made(bare, "tasks", 2, name="train")
    made(bare, "tasks", 1, name="load", state="FAILED", error_message="Traceback …")
    assert [row.name for row in (await asked(client, "tasks", Query(name="train"))).rows] == ["train", "train"]
    assert all(row.since_ms for row in (await asked(client, "tasks")).rows)
    (failed,) = (await asked(client, "tasks", Query(states=("FAILED",)))).rows
    assert failed.error_message == "Traceback …"
    assert all(row.since_ms is None for row in (await asked(client, "tasks", Query(everything=True))).rows)


async def test_workers_of_a_job_are_its_driver_and_those_of_its_actors_and_tasks(
    client: RayClient, bare: Workloads
) -> None:
    made(bare, "workers", 3)
    bare.more["workers"] += [
        bare.worker(100, worker_id="05000000" + "f" * 48, worker_type="DRIVER"),
        bare.worker(101, worker_id="aa", node_id="n1", pid=71),
        bare.worker(102, worker_id="bb", node_id="n2", pid=72),
        bare.worker(103, worker_id=None, node_id="n9", pid=0),
    ]
    made(bare, "actors", 1, job_id="05000000", node_id="n1", pid=71)
    made(bare, "actors", 1, job_id="05000000", node_id="n9", pid=0)
    made(bare, "tasks", 1, job_id="05000000", worker_id="bb")
    made(bare, "tasks", 1, job_id="05000000", worker_id=None)
    found = await asked(client, "workers", Query(job_id="05000000"))
    assert [row.pid for row in found.rows] == [9100, 71, 72]


async def test_times_that_ray_does_not_know_are_none(client: RayClient, bare: Workloads) -> None:
    made(bare, "workers", 1, worker_launch_time_ms=2**64 - 1, end_time_ms=0)
    (worker,) = (await asked(client, "workers")).rows
    assert (worker.worker_launch_time_ms, worker.end_time_ms) == (None, None)
    assert worker.start_time_ms


@pytest.mark.parametrize("kind", KINDS)
async def test_null_missing_and_mangled_fields_hide_no_row(client: RayClient, bare: Workloads, kind: str) -> None:
    ids = {"actors": "actor_id", "tasks": "task_id", "placement_groups": "placement_group_id", "workers": "worker_id"}
    living = {"state": "ALIVE", "is_alive": True} if kind in ("actors", "workers") else {"state": "PENDING"}
    mangled = {"pid": "many", "bundles": {"a": 1}, "events": "none", "numRestarts": "0", "node_id": 7, "stats": []}
    bare.more[kind] = [
        {ids[kind]: "a", **living},
        {ids[kind]: "b", **living, **mangled},
        {ids[kind]: None, "name": "evil\x1b[2J", **living},
    ]
    found = await asked(client, kind)
    assert [getattr(row, ids[kind]) for row in found.rows] == ["a", "b", None]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_older_ray_without_the_list(client: RayClient, bare: Workloads, kind: str) -> None:
    bare.absent.add(kind)
    with pytest.raises(RejectedError, match=f"^Ray 2.60.0 has no list of {kind.replace('_', ' ')}.$"):
        await asked(client, kind)


async def test_a_gateway_that_gave_up(server: SimServer, client: RayClient) -> None:
    server.dashboard.faults.add(Fault(path="/api/v0/tasks", kind="error", status=504))
    with pytest.raises(UnreachableError):
        await asked(client, "tasks")


@pytest.mark.parametrize("kind", KINDS)
async def test_the_first_of_many_rows_come_before_the_others_are_read(
    client: RayClient, bare: Workloads, kind: str
) -> None:
    made(bare, kind, FIRST_ROWS + 50)
    heard: list[StateRows[Any]] = []
    found = await getattr(client.workloads, kind)(Query(), heard.append)
    (early,) = heard
    assert (early.is_partial, found.is_partial) == (True, False)
    assert early.rows == found.rows[:FIRST_ROWS]
    assert early.num_filtered == len(found.rows) == FIRST_ROWS + 50
    await getattr(client.workloads, kind)(Query(job_id=""), heard.append)
    assert len(heard) == 1


async def test_first_rows_are_those_that_are_wanted_and_a_short_list_has_none(
    client: RayClient, bare: Workloads
) -> None:
    made(bare, "actors", 3, state="PENDING_CREATION", node_id="here")
    made(bare, "actors", FIRST_ROWS + 50, state="ALIVE", node_id="there")
    heard: list[StateRows[Any]] = []
    await client.workloads.actors(Query(), heard.append)
    assert [row.state for row in heard[0].rows[:4]] == ["PENDING_CREATION"] * 3 + ["ALIVE"]
    heard.clear()
    await client.workloads.actors(Query(node_id="nowhere"), heard.append)
    await client.workloads.actors(Query(states=("PENDING_CREATION",)), heard.append)
    assert heard == []
