"""`why` over HTTP: what is asked of Ray, and what IDs mean."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError
from cockpit.model.why.placement import holders
from cockpit.operations.why.explain import explain
from cockpit.operations.why.reasons import pending_reasons
from tests.sim import Plan, SimCluster, SimServer
from tests.wire.clients import client_of

ACTOR = "5" * 24 + "01000000"
NAME = "SERVE_REPLICA::chat#LLM#abcdefgh"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[SimServer]:
    async with SimServer(SimCluster(Plan(nodes=3, gpus=4, jobs=30))) as server:
        yield server


@pytest_asyncio.fixture
async def client(server: SimServer) -> AsyncIterator[RayClient]:
    async with client_of(server.url) as client:
        yield client


def put(server: SimServer, **fields: Any) -> None:
    """An actor that waits."""
    workloads = server.cluster.workloads
    made = workloads.actor(actor_id=ACTOR, **{"state": "PENDING_CREATION", **fields})
    workloads.more.setdefault("actors", []).append(made)


def replica(server: SimServer, **fields: Any) -> None:
    """A replica that has not started, as Serve lists it: with a few keys alone."""
    serve: Callable[[], dict[str, Any]] = server.cluster.libraries.serve

    def with_replica() -> dict[str, Any]:
        body = serve()
        row = {"actor_name": NAME, "replica_id": "abcdefgh", "state": "STARTING", "start_time_s": 1.0, **fields}
        body["applications"]["chat"]["deployments"]["LLM"]["replicas"].append(row)
        return body

    server.cluster.libraries.serve = with_replica  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("fields", "verdict", "words"),
    [
        ({"required_resources": {"GPU": 64.0}}, "infeasible", "Needs 64 GPUs on one node; the largest node has 4."),
        ({"state": "ALIVE", "pid": 7}, "unknown", "has not made its actor"),
        ({"pid": 7}, "initializing", "runs __init__"),
        ({"label_selector": {"tier": "gold"}}, "label-mismatch", "tier=gold"),
    ],
)
async def test_a_serve_replica(
    server: SimServer, client: RayClient, fields: dict[str, Any], verdict: str, words: str
) -> None:
    put(server, name=NAME, **fields)
    replica(server)

    found = await explain(client, "chat/LLM#abcdefgh")

    assert (found.kind, found.state, found.cause.verdict) == ("replica", "STARTING", verdict)
    assert words in found.cause.reason


async def test_a_replica_that_runs_and_one_that_is_not_there(server: SimServer, client: RayClient) -> None:
    replica(server, state="RUNNING")

    assert (await explain(client, "chat/LLM#abcdefgh")).cause.verdict == "not-pending"
    with pytest.raises(NotFoundError, match="Replica chat/LLM#nope not found"):
        await explain(client, "chat/LLM#nope")


@pytest.mark.parametrize("text", ["", "nothing-like-it", "0" * 32, "0" * 36, "0" * 48, "00000000", "cafe"])
async def test_what_is_not_there_is_not_found(client: RayClient, text: str) -> None:
    with pytest.raises(NotFoundError):
        await explain(client, text)


async def test_the_start_of_an_id_is_enough_and_two_matches_are_told(server: SimServer, client: RayClient) -> None:
    put(server, required_resources={"GPU": 64.0})

    assert (await explain(client, ACTOR[:12])).id == ACTOR
    with pytest.raises(NotFoundError, match=r"IDs start with ray: job raysubmit_.* and \d+ more"):
        await explain(client, "ray")


async def test_a_missing_job_may_be_from_before_the_head_started(client: RayClient) -> None:
    with pytest.raises(NotFoundError) as failure:
        await explain(client, "train-2")

    assert "The head" in failure.value.hint or "A head" in failure.value.hint


async def test_who_is_in_the_way_is_named(server: SimServer, client: RayClient) -> None:
    put(server, required_resources={"GPU": 4.0})

    found = await explain(client, ACTOR)

    assert found.cause.verdict == "busy"
    held = [holder for one in found.cause.nodes for holder in holders(one)]
    jobs = {job.submission_id for job in server.cluster.running()}
    named = [holder for holder in held if holder.submission_id]
    assert named
    assert {holder.submission_id for holder in named} <= jobs
    assert all((holder.submission_id or "?") in (holder.name or "") for holder in named)


async def test_the_list_asks_once_for_all_pending_jobs(server: SimServer, client: RayClient) -> None:
    for number in range(3):
        put(
            server, class_name="JobSupervisor", name=f"_ray_internal_job_actor_j{number}", required_resources={"GPU": 9}
        )
    before = server.dashboard.requests

    assert await pending_reasons(client) == dict.fromkeys(("j0", "j1", "j2"), "needs 9 GPUs, largest node has 4")
    assert server.dashboard.requests - before == 4
