"""The dashboard of the benchmarks: what any simulated one answers, counted, and with faults to order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.bench.big_dashboard import STEP_SECONDS, BigDashboard
from tests.sim import Fault, Plan, SimCluster, SimServer

PLAN = Plan(nodes=3, gpus=2, jobs=20)
PATHS = ("/nodes?view=summary", "/api/jobs/", "/api/cluster_status")


@asynccontextmanager
async def served() -> AsyncIterator[tuple[BigDashboard, httpx.AsyncClient]]:
    cluster = SimCluster(PLAN)
    async with SimServer(cluster) as server, httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        dashboard = BigDashboard(cluster)
        await dashboard.prepare()
        server.dashboard = dashboard
        yield dashboard, client


@pytest.mark.parametrize("path", PATHS)
async def test_it_answers_what_another_answers_at_that_moment(path: str) -> None:
    cluster = SimCluster(PLAN)
    async with SimServer(cluster) as server, httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        cluster.clock.advance(STEP_SECONDS)
        there = (await client.get(path, headers={"sec-fetch-mode": "cors"})).json()
    async with served() as (dashboard, client):
        frames = dashboard.frames[path.partition("?")[0]]
        dashboard.began -= STEP_SECONDS
        here = await client.get(path)
        assert here.content == frames[1]
        assert _shape(here.json()) == _shape(there)


def _shape(value: object) -> object:
    """What is in it, without what goes by the clock."""
    if isinstance(value, dict):
        return {key: _shape(part) for key, part in value.items()}
    return [_shape(part) for part in value[:1]] if isinstance(value, list) else type(value is None)


async def test_what_was_asked_is_counted_until_it_is_told() -> None:
    async with served() as (dashboard, client):
        for path in PATHS:
            await client.get(path)
        told = dashboard.since()
        assert told["requests"] == dict.fromkeys((path.partition("?")[0] for path in PATHS), 1)
        assert told["bytes"]["/nodes"] == len(dashboard.frames["/nodes"][0])
        assert dashboard.since() == {"requests": {}, "bytes": {}}


async def test_faults_befall_what_is_ready_too() -> None:
    async with served() as (dashboard, client):
        dashboard.faults.add(Fault(path="/nodes", kind="error", status=503, times=1))
        assert (await client.get("/nodes?view=summary")).status_code == 503
        assert (await client.get("/nodes?view=summary")).status_code == 200
        dashboard.faults.add(Fault(path="/api/jobs/", kind="null", times=1))
        (first, *_) = (await client.get("/api/jobs/")).json()
        assert first["status"] is None
        assert first["submission_id"] is None
        dashboard.faults.add(Fault(path="/nodes", kind="cut", times=1))
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/nodes?view=summary")
