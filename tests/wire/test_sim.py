"""The simulated dashboard: shaped like the real one, the same every time, and obedient."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from cockpit.clients.address import parse_address
from cockpit.clients.meter import metered
from cockpit.clients.ray import RayClient
from cockpit.clients.ray.log_files import LogFile
from cockpit.clients.transport import Endpoint, Timeouts, Transport
from cockpit.errors import (
    AuthenticationError,
    CockpitError,
    NotFoundError,
    NotRayError,
    RejectedError,
    ServerError,
    UnreachableError,
)
from cockpit.model.history import ClusterHistory
from cockpit.model.jobs import MASK, JobRequest
from cockpit.model.secret import Secret
from tests.sim import Fault, Plan, SimCluster, SimServer
from tests.wire.samples import sample
from tests.wire.shapes import differences, shape_of

SMALL = Plan(nodes=3, gpus=4, jobs=60)


def client_of(server: SimServer, *, token: str | None = None, quiet: float = 15.0) -> RayClient:
    endpoint = Endpoint(address=parse_address(server.url), token=Secret(token) if token else None)
    return RayClient(Transport(endpoint, timeouts=Timeouts(quiet=quiet)))


@pytest_asyncio.fixture
async def server() -> AsyncIterator[SimServer]:
    async with SimServer(SimCluster(SMALL)) as server:
        yield server


@pytest_asyncio.fixture
async def client(server: SimServer) -> AsyncIterator[RayClient]:
    async with client_of(server) as client:
        yield client


async def body_of(client: RayClient, path: str, **params: str) -> Any:
    reply = await client.transport.request("GET", path, params=params, limit=2**27)
    return json.loads(reply.body)


# Shaped like the real one


@pytest.mark.parametrize(
    ("path", "params", "samples"),
    [
        ("/api/version", {}, ["version"]),
        ("/api/authentication_mode", {}, ["auth_mode"]),
        ("/api/jobs/", {}, ["jobs_list", "jobs_list_mixed", "v0_jobs:data.result.result"]),
        ("/nodes", {"view": "summary"}, ["nodes_summary", "nodes_summary_2nodes", "nodes_summary_dead"]),
        ("/api/cluster_status", {}, ["cluster_status"]),
        ("/api/v0/actors", {"limit": "1000"}, ["v0_actors"]),
        ("/api/v0/actors", {"limit": "1000", "detail": "true"}, ["v0_actors_detail"]),
        ("/api/v0/tasks", {"limit": "1000"}, ["v0_tasks"]),
        ("/api/v0/placement_groups", {"limit": "1000", "detail": "true"}, ["v0_placement_groups"]),
        ("/api/v0/workers", {"limit": "1000", "detail": "true"}, ["v0_workers"]),
        ("/api/v0/cluster_events", {"limit": "1000", "detail": "true"}, ["v0_cluster_events"]),
    ],
)
async def test_replies_have_the_fields_and_types_of_recorded_ones(
    client: RayClient, path: str, params: dict[str, str], samples: list[str]
) -> None:
    recorded = [_part(name) for name in samples]
    assert differences(shape_of(*recorded), shape_of(await body_of(client, path, **params))) == []


def _part(name: str) -> Any:
    name, _, path = name.partition(":")
    body = sample(name).body
    for key in filter(None, path.split(".")):
        body = body[key]
    return body


@pytest.mark.parametrize(
    ("name", "kind"), [("job_get", "SUBMISSION"), ("job_get_by_jobid", "SUBMISSION"), ("job_get_driver", "DRIVER")]
)
async def test_a_single_job_has_the_fields_of_a_recorded_one(client: RayClient, name: str, kind: str) -> None:
    jobs = [job for job in (await client.jobs.list()).rows if job.type == kind and job.status == "RUNNING"]
    bodies = [await body_of(client, f"/api/jobs/{job.id}") for job in jobs]
    assert bodies
    assert differences(shape_of(sample(name).body), shape_of(*bodies)) == []


@pytest.mark.parametrize(
    ("name", "method", "job"),
    [
        ("job_get_unknown", "GET", "nope"),
        ("job_stop_unknown", "POST", "nope/stop"),
        ("job_delete_unknown", "DELETE", "nope"),
        ("job_stop_driver", "POST", "{driver}/stop"),
        ("job_delete_driver", "DELETE", "{driver}"),
        ("job_delete_running", "DELETE", "{running}"),
        ("job_delete_pending", "DELETE", "{pending}"),
    ],
)
async def test_refusals_have_the_words_of_recorded_ones(server: SimServer, name: str, method: str, job: str) -> None:
    recorded, now = sample(name), server.cluster.clock.now()
    named = {
        "driver": next(job.id for job in server.cluster.jobs if job.is_driver),
        "running": next(job.id for job in server.cluster.running() if not job.is_driver),
        "pending": next(job.id for job in server.cluster.jobs if job.status(now) == "PENDING"),
    }
    status, text = await plain(server, method, f"/api/jobs/{job.format(**named)}")
    assert status == recorded.status
    assert last_reason(text).partition("'")[0] == last_reason(recorded.body).partition("'")[0]


@pytest.mark.parametrize(
    "name", ["job_submit_badjson", "job_submit_list", "job_submit_missing", "job_submit_unknownfield"]
)
async def test_bad_submissions_are_refused_in_the_same_words(server: SimServer, name: str) -> None:
    bodies = {
        "job_submit_badjson": b'{"entrypoint":',
        "job_submit_list": b"[1]",
        "job_submit_missing": b'{"submission_id":"x"}',
        "job_submit_unknownfield": b'{"entrypoint":"true","bogus":1}',
    }
    recorded = sample(name)
    status, text = await plain(server, "POST", "/api/jobs/", bodies[name])
    assert (status, last_reason(text)) == (recorded.status, last_reason(recorded.body))


def last_reason(text: str) -> str:
    return [line for line in text.splitlines() if line.strip(" .")][-1]


async def plain(server: SimServer, method: str, path: str, body: bytes = b"", *headers: str) -> tuple[int, str]:
    """Status and text of a request that nothing of ours interprets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [f"{method} {path} HTTP/1.1", f"Content-Length: {len(body)}", *headers]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
    text = (await reader.readexactly(length)).decode()
    writer.close()
    await writer.wait_closed()
    return int(head.split(" ")[1]), text


# What is there


async def test_the_cluster_of_the_screenshots_is_what_was_ordered() -> None:
    async with SimServer() as server, client_of(server) as client:
        nodes, jobs = (await client.nodes.list()).rows, (await client.jobs.list()).rows
        usage, actors = await client.nodes.usage(), await client.state.actor_count()
    living = [node for node in nodes if node.is_alive]
    assert len(living) == 12
    assert sum(len(node.gpus) for node in living) == usage.total["GPU"].total == 96
    assert [node.state_message for node in nodes if not node.is_alive] == [
        "Unexpected termination: health check failed due to missing too many heartbeats"
    ]
    assert len(jobs) == 212
    assert {job.status for job in jobs} == {"RUNNING", "PENDING", "SUCCEEDED", "FAILED", "STOPPED"}
    assert {"mia", "jo", "ci"} <= {(job.metadata or {}).get("owner") for job in jobs}
    assert any("CUDA out of memory" in (job.message or "") for job in jobs)
    assert any(job.is_driver and job.status == "RUNNING" for job in jobs)
    assert actors is not None
    assert actors > 50


async def test_gpus_are_held_in_all_the_ways_that_there_are() -> None:
    async with SimServer() as server, client_of(server) as client:
        nodes, jobs = (await client.nodes.list()).rows, (await client.jobs.list()).rows
    gpus = [gpu for node in nodes if node.is_alive for gpu in node.gpus]
    holders = [held for gpu in gpus for held in gpu.holders]
    assert {held.allocation for held in holders} == {1.0, 0.5, 0.25}
    assert {bool(held.actor_id) for held in holders} == {True, False}, "actors and tasks"
    assert {held.job_id for held in holders} <= {job.job_id for job in jobs if job.status == "RUNNING"}
    assert any(gpu.utilization_gpu is None for gpu in gpus), "one that NVML says nothing of"
    outsiders = [gpu for gpu in gpus if gpu.processes_pids and not gpu.holders]
    assert len(outsiders) == 1
    used = sum(held.allocation or 0 for held in holders)
    logical = sum(node.logical["GPU"].used for node in nodes if node.is_alive)
    assert used == logical


async def test_two_gpus_are_held_for_nothing_and_found() -> None:
    history = ClusterHistory()
    async with SimServer() as server, client_of(server) as client:
        for at in range(0, 90, 15):
            history.observe((await client.nodes.list()).rows, float(at))
            server.cluster.clock.advance(15)
    idle = {key for key in history.gpu if history.idle.since(key) is not None}
    assert len(idle) == 2


def test_it_says_how_big_its_replies_are() -> None:
    cluster = SimCluster()
    nodes = len(json.dumps(cluster.nodes())) / len(cluster.machines)
    jobs = len(json.dumps([cluster.details(job, redact=True) for job in cluster.jobs])) / len(cluster.jobs)
    # What the package's docstring promises; Ray's own were 17 to 21 kB (ray-samples).
    assert (round(nodes / 1000), round(jobs / 1000, 1)) == (17, 0.8)


def test_the_same_plan_gives_the_same_bytes_and_another_seed_others() -> None:
    def bytes_of(plan: Plan) -> str:
        cluster = SimCluster(plan)
        return json.dumps([cluster.nodes(), [cluster.details(job, redact=False) for job in cluster.jobs]])

    assert bytes_of(SMALL) == bytes_of(SMALL)
    assert bytes_of(SMALL) != bytes_of(Plan(nodes=3, gpus=4, jobs=60, seed=8))


@pytest.mark.parametrize("plan", [Plan(nodes=1, gpus=0, jobs=0), Plan(nodes=1, gpus=1, jobs=1), Plan(nodes=2, gpus=64)])
async def test_odd_clusters_can_be_simulated_too(plan: Plan) -> None:
    async with SimServer(SimCluster(plan)) as server, client_of(server) as client:
        assert len((await client.nodes.list()).rows) == plan.nodes
        assert len((await client.jobs.list()).rows) == plan.jobs
        assert sum(len(node.gpus) for node in (await client.nodes.list()).rows) == plan.nodes * plan.gpus


async def test_a_frozen_clock_changes_nothing_and_time_changes_figures(server: SimServer, client: RayClient) -> None:
    before = await body_of(client, "/nodes", view="summary")
    assert await body_of(client, "/nodes", view="summary") == before
    server.cluster.clock.advance(5)
    after = await body_of(client, "/nodes", view="summary")
    assert after != before
    assert after["data"]["summary"][0]["now"] == before["data"]["summary"][0]["now"] + 5


# Jobs that live


async def test_a_submitted_job_waits_runs_prints_and_ends(server: SimServer, client: RayClient) -> None:
    job_id = await client.jobs.submit(JobRequest(entrypoint="sleep 30; python train.py", metadata={"owner": "mia"}))
    assert (await client.jobs.get(job_id)).status == "PENDING"
    server.cluster.clock.advance(5)
    running = await client.jobs.get(job_id)
    assert (running.status, running.metadata) == ("RUNNING", {"owner": "mia"})
    assert running.driver_node_id
    server.cluster.clock.advance(30)
    ended = await client.jobs.get(job_id)
    assert (ended.status, ended.driver_exit_code) == ("SUCCEEDED", 0)
    async with client.logs.open(LogFile(node_id=running.driver_node_id, filename=f"job-driver-{job_id}.log")) as chunks:
        text = b"".join([chunk async for chunk in chunks]).decode()
    assert "Running entrypoint for job" in text
    assert text.count("\n") > 20


async def test_a_job_can_fail(server: SimServer, client: RayClient) -> None:
    job_id = await client.jobs.submit(JobRequest(entrypoint="exit 3", submission_id="fails"))
    server.cluster.clock.advance(60)
    job = await client.jobs.get(job_id)
    assert (job.status, job.driver_exit_code, job.error_type) == ("FAILED", 3, "JOB_ENTRYPOINT_COMMAND_ERROR")
    assert "failed with exit code 3" in (job.message or "")


async def test_an_id_can_be_taken_once(client: RayClient) -> None:
    await client.jobs.submit(JobRequest(entrypoint="true", submission_id="twice"))
    with pytest.raises(RejectedError, match="already exists"):
        await client.jobs.submit(JobRequest(entrypoint="true", submission_id="twice"))


async def test_stopping_takes_a_moment(server: SimServer, client: RayClient) -> None:
    job_id = next(job.id for job in server.cluster.running() if not job.is_driver)
    assert await client.jobs.stop(job_id)
    assert (await client.jobs.get(job_id)).status == "RUNNING"
    server.cluster.clock.advance(3)
    assert (await client.jobs.get(job_id)).status == "STOPPED"
    assert not await client.jobs.stop(job_id)
    await client.jobs.delete(job_id)
    with pytest.raises(NotFoundError):
        await client.jobs.get(job_id)


async def test_a_job_that_asks_for_too_much_waits_for_ever_even_when_it_is_stopped(
    server: SimServer, client: RayClient
) -> None:
    job_id = await client.jobs.submit(JobRequest(entrypoint="true", entrypoint_num_gpus=64))
    assert await client.jobs.stop(job_id)
    server.cluster.clock.advance(3600)
    job = await client.jobs.get(job_id)
    assert job.status == "PENDING"
    assert "waiting for resources" in (job.message or "")
    with pytest.raises(RejectedError, match="has not ended"):
        await client.jobs.delete(job_id)


async def test_a_log_stream_goes_on_while_the_clock_does(server: SimServer, client: RayClient) -> None:
    job = next(job for job in (await client.jobs.list()).rows if job.status == "RUNNING" and job.driver_node_id)
    place = LogFile(node_id=job.driver_node_id or "", filename=f"job-driver-{job.submission_id}.log")
    async with client.logs.open(place, lines=2, endless=True) as chunks:
        first = await anext(chunks)
        assert first.count(b"\n") == 2
        server.cluster.clock.advance(60)
        second = await anext(chunks)
    async with client.logs.open(place) as chunks:
        whole = b"".join([chunk async for chunk in chunks])
    assert second
    assert whole.endswith(first + second)


@pytest.mark.parametrize("plan", [SMALL, Plan()])
def test_logs_only_ever_grow_and_end_in_what_messages_quote(plan: Plan) -> None:
    cluster = SimCluster(plan)
    failed = [job for job in cluster.jobs if job.mishap and job.mishap.exit_code is not None]
    assert failed
    for job in failed[:8]:
        assert job.ends is not None
        halfway, done = (job.created + job.ends) / 2, job.ends + 1
        whole = SimCluster(plan).log(job).until(done).decode()
        grown = cluster.log(job)
        assert whole.startswith(grown.until(halfway).decode())
        assert grown.until(done).decode() == whole
        message = cluster.details(job, redact=True)["message"]
        assert whole.endswith(message.partition("chars):\n")[2])


async def test_logs_that_are_not_there(client: RayClient, server: SimServer) -> None:
    with pytest.raises(NotFoundError, match="no log"):
        async with client.logs.open(LogFile(node_id=server.cluster.head.node_id, filename="job-driver-nope.log")):
            pass
    with pytest.raises(NotFoundError, match="is gone"):
        async with client.logs.open(LogFile(node_id="ff" * 28, filename="job-driver-nope.log")):
            pass
    with pytest.raises(NotFoundError, match="is gone"):
        await client.logs.files("ff" * 28)


async def test_the_logs_of_a_node_are_listed(client: RayClient) -> None:
    job = next(job for job in (await client.jobs.list()).rows if job.driver_node_id)
    assert f"job-driver-{job.submission_id}.log" in (await client.logs.files(job.driver_node_id or ""))["internal"]


async def test_packages_are_kept(client: RayClient, server: SimServer, tmp_path: Any) -> None:
    path = tmp_path / "package.zip"
    path.write_bytes(b"PK" * 50_000)
    assert not await client.packages.exists("_ray_pkg_0123456789abcdef.zip")
    await client.packages.put("_ray_pkg_0123456789abcdef.zip", path)
    assert await client.packages.exists("_ray_pkg_0123456789abcdef.zip")
    assert server.cluster.packages["_ray_pkg_0123456789abcdef.zip"] == path.read_bytes()


# Who may ask


async def test_env_values_are_withheld_from_what_looks_like_a_browser_only(
    server: SimServer, client: RayClient
) -> None:
    _, clear = await plain(server, "GET", "/api/jobs/")
    _, redacted = await plain(server, "GET", "/api/jobs/", b"", "Sec-Fetch-Mode: cors")
    assert "sim-secret-" in clear
    assert "sim-secret-" not in redacted
    values = {
        value
        for job in (await client.jobs.list()).rows
        for value in ((job.runtime_env or {}).get("env_vars") or {}).values()
    }
    assert values == {MASK}


async def test_what_looks_like_a_browser_may_change_nothing(server: SimServer) -> None:
    status, text = await plain(server, "POST", "/api/jobs/", b"{}", "Sec-Fetch-Mode: cors")
    assert (status, text) == (405, "'POST' method not allowed for browser traffic.")


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 403)])
async def test_a_token_is_wanted_where_one_was_set(token: str | None, status: int) -> None:
    async with SimServer(SimCluster(SMALL), token="right") as server:
        async with client_of(server, token=token) as client:
            assert await client.authentication_mode() == "token"
            with pytest.raises(AuthenticationError) as caught:
                await client.version()
        assert caught.value.status == status
        async with client_of(server, token="right") as client:
            assert (await client.version()).ray_version == "2.60.0"


# What goes wrong to order


def ordered(**fields: Any) -> Fault:
    return Fault(path="/api/jobs/", **fields)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (lambda: ordered(kind="error"), ServerError),
        (lambda: ordered(kind="error", status=404), NotRayError),
        (lambda: ordered(kind="cut"), UnreachableError),
        (lambda: ordered(kind="empty"), NotRayError),
    ],
)
async def test_a_fault_befalls_its_path_until_it_is_cleared(
    server: SimServer, client: RayClient, fault: Callable[[], Fault], error: type[CockpitError]
) -> None:
    server.dashboard.faults.add(fault())
    with pytest.raises(error):
        await client.jobs.list()
    assert (await client.version()).ray_version
    server.dashboard.faults.clear()
    assert (await client.jobs.list()).rows


async def test_a_fault_can_befall_so_many_requests(server: SimServer, client: RayClient) -> None:
    server.dashboard.faults.add(ordered(kind="error", times=1))
    with pytest.raises(ServerError):
        await client.jobs.list()
    assert (await client.jobs.list()).rows


async def test_a_hung_answer_comes_when_the_fault_is_cleared(server: SimServer, client: RayClient) -> None:
    server.dashboard.faults.add(ordered(kind="hang"))
    hung = asyncio.create_task(client.jobs.list())
    assert (await client.version()).ray_version, "the rest answers"
    await server.dashboard.faults.befell.wait()
    assert not hung.done()
    server.dashboard.faults.clear()
    assert (await hung).rows


async def test_a_hung_answer_is_given_up_in_the_end(server: SimServer) -> None:
    server.dashboard.faults.add(ordered(kind="hang"))
    async with client_of(server, quiet=0.05) as client:
        with pytest.raises(UnreachableError, match="said nothing"):
            await client.jobs.list()


async def test_a_slow_answer_comes_and_what_it_cost_is_measured(server: SimServer, client: RayClient) -> None:
    server.dashboard.faults.add(ordered(kind="slow", seconds=0.01))
    with metered() as meter:
        assert (await client.jobs.list()).rows
    assert meter.first_byte_seconds > 0
    assert meter.requests == 1
    assert meter.bytes > 10_000


async def test_nulls_everywhere(server: SimServer, client: RayClient) -> None:
    for path in ("/api/jobs/", "/nodes", "/api/cluster_status", "/api/v0/actors"):
        server.dashboard.faults.add(Fault(path=path, kind="null"))
    jobs, nodes = await client.jobs.list(), await client.nodes.list()
    assert (len(jobs.rows), len(nodes.rows)) == (60, 4)
    assert {job.status for job in jobs.rows} == {None}
    assert {node.state for node in nodes.rows} == {None}
    assert await client.state.actor_count() is None
    await client.nodes.usage()


def test_a_fault_that_does_not_exist_is_refused(server: SimServer) -> None:
    with pytest.raises(ValueError, match="hang, error"):
        server.dashboard.faults.add(ordered(kind="typo"))


async def test_a_restarted_head_is_another_session_and_knows_nothing(server: SimServer, client: RayClient) -> None:
    before, nodes = await client.version(), (await client.nodes.list()).rows
    server.cluster.restart()
    after = await client.version()
    assert before.session_name != after.session_name
    assert (await client.jobs.list()).rows == ()
    assert {node.node_id for node in nodes}.isdisjoint(node.node_id for node in (await client.nodes.list()).rows)


async def test_a_head_that_is_gone_comes_back_at_the_same_address(server: SimServer, client: RayClient) -> None:
    await client.version()
    await server.refuse()
    with pytest.raises(UnreachableError):
        await client.version()
    await server.listen()
    assert (await client.version()).ray_version


# As a process of its own


async def test_it_runs_as_a_process_and_takes_orders() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.sim", "--nodes", "2", "--gpus", "1", "--jobs", "5", "--frozen", "--port", "0"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            address = (await process.stdout.readline()).decode().strip()
            async with RayClient.at(Endpoint(address=parse_address(address))) as client:
                assert len((await client.jobs.list()).rows) == 5
                for order in ({"do": "advance", "seconds": 60}, {"do": "restart"}):
                    process.stdin.write(json.dumps(order).encode() + b"\n")
                    assert await process.stdout.readline() == b"ok\n"
                assert (await client.jobs.list()).rows == ()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
