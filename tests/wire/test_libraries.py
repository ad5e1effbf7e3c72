"""Events, Serve, Train and Data: what their endpoints answer, well and badly."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from cockpit.clients.ray import RayClient
from cockpit.errors import NotRayError, RejectedError, ServerError
from cockpit.model.events import ClusterEvent, folded
from cockpit.model.query import Query
from cockpit.model.serve import rows_of
from tests.sim.workloads import listed
from tests.wire.clients import answered_with, handled_by, replayed, replying
from tests.wire.server import Exchange, Handler

JOB = "05000000"
NODE = "n" * 56


def cluster(**lists: list[dict[str, Any]]) -> Handler:
    """A dashboard with these lists of the state API; the head's clock is two hours ahead of UTC."""

    async def handle(exchange: Exchange) -> None:
        path = exchange.request.path
        kind = path.removeprefix("/api/v0/")
        if path == "/timezone":
            await exchange.reply({"offset": "+02:00", "value": "Europe/Athens"})
        elif path == "/api/version":
            await exchange.reply({"ray_version": "2.40.0"})
        elif kind in lists:
            query = parse_qsl(urlsplit(exchange.request.target).query)
            await exchange.reply({"result": True, "msg": "", "data": {"result": listed(kind, lists[kind], query)}})
        else:
            await exchange.reply("404: Not Found", status=404)

    return handle


def event(message: str, time: str = "2026-11-20 21:40:29", **more: Any) -> dict[str, Any]:
    fields = {"severity": "INFO", "time": time, "source_type": "JOBS", "event_id": message, "custom_fields": {}}
    return {**fields, "message": message, **more}


def dead_actor(reason: str, **more: Any) -> dict[str, Any]:
    context = {"actor_died_error_context": {"reason": reason, "error_message": f"because of {reason}"}}
    return {"actor_id": reason, "class_name": "A", "state": "DEAD", "job_id": JOB, "node_id": NODE, "pid": 0,
            "death_cause": context, **more}  # fmt: skip


def everything() -> dict[str, list[dict[str, Any]]]:
    return {
        "cluster_events": [
            event("Started.", custom_fields={"submission_id": "train"}),
            *(event("Error: No available node types", f"2026-11-20 21:41:{second:02}") for second in range(0, 60, 5)),
        ],
        "nodes": [
            {"node_id": NODE, "node_ip": "10.0.0.9", "state": "DEAD", "state_message": "lost", "end_time_ms": 9000},
            {"node_id": "alive", "state": "ALIVE"},
        ],
        "actors": [
            dead_actor("WORKER_DIED", pid=71),
            dead_actor("OUT_OF_SCOPE"),
            {"actor_id": "mystery", "class_name": "B", "state": "DEAD", "job_id": "06000000", "death_cause": None},
        ],
        "workers": [
            {"worker_id": "w1", "is_alive": False, "exit_type": "SYSTEM_ERROR", "node_id": NODE, "pid": 71,
             "end_time_ms": 7000, "worker_type": "WORKER"},
            {"worker_id": "w2", "is_alive": False, "exit_type": "NODE_OUT_OF_MEMORY", "node_id": "x", "pid": 72,
             "end_time_ms": 8000, "exit_detail": "Task was killed due to the node running low on memory."},
            {"worker_id": "w3", "is_alive": False, "exit_type": "INTENDED_USER_EXIT", "node_id": "x", "pid": 73},
        ],
        "tasks": [],
    }  # fmt: skip


async def test_events_are_folded_and_deaths_are_among_them() -> None:
    async with handled_by(cluster(**everything())) as (client, _):
        found = (await client.events.list(Query())).rows
    by_source = [(one.source_type, one.count, one.actor_id or one.worker_id or one.node_id) for one in found]
    assert by_source == [
        ("JOBS", 12, None),
        ("JOBS", 1, None),
        ("NODE", 1, NODE),
        ("WORKER", 1, "w2"),
        ("ACTOR", 1, "WORKER_DIED"),
        ("ACTOR", 1, "mystery"),
    ]
    repeated, died = found[0], found[4]
    assert repeated.time is not None
    assert repeated.first_time is not None
    assert repeated.time - repeated.first_time == 55
    assert repeated.is_trouble, "Ray calls it INFO"
    assert (died.time, died.worker_id) == (7.0, "w1"), "the worker that it took along is not told once more"
    assert died.message == "Actor A died (WORKER_DIED): because of WORKER_DIED"


async def test_time_is_that_of_the_head() -> None:
    async with handled_by(cluster(**{**everything(), "cluster_events": [event("x", "1970-01-01 02:00:09")]})) as (
        client,
        _,
    ):
        found = (await client.events.list(Query())).rows
    assert [one.time for one in found if one.message == "x"] == [9.0]


async def test_wanted_deaths_come_with_everything() -> None:
    async with handled_by(cluster(**everything())) as (client, _):
        found = (await client.events.list(Query(everything=True))).rows
    assert {"OUT_OF_SCOPE", "w3"} <= {one.actor_id or one.worker_id for one in found}


async def test_events_of_a_job() -> None:
    lists = everything()
    lists["tasks"] = [{"task_id": "t", "job_id": JOB, "worker_id": "w2"}]
    async with handled_by(cluster(**lists)) as (client, _):
        found = (await client.events.list(Query(job_id=JOB), submission_id="train")).rows
        unconnected = (await client.events.list(Query(job_id=""), submission_id="train")).rows
    assert [(one.source_type, one.actor_id or one.worker_id) for one in found] == [
        ("JOBS", None), ("WORKER", "w2"), ("ACTOR", "WORKER_DIED"),
    ]  # fmt: skip
    assert [one.message for one in unconnected] == ["Started."]


async def test_an_older_ray_has_deaths_and_no_events() -> None:
    lists = everything()
    del lists["cluster_events"]
    async with handled_by(cluster(**lists)) as (client, _):
        found = await client.events.list(Query())
    assert found.warnings == ("Ray 2.40.0 has no list of cluster events.",)
    assert {one.source_type for one in found.rows} == {"NODE", "ACTOR", "WORKER"}


async def test_mangled_events_hide_no_other() -> None:
    odd: list[Any] = [
        event("good"),
        {"message": None, "time": 7, "custom_fields": "x"},
        "text",
        event("late", "yesterday"),
    ]
    handler = cluster(**{**everything(), "cluster_events": []})

    async def handle(exchange: Exchange) -> None:
        if exchange.request.path == "/api/v0/cluster_events":
            await exchange.reply({"result": True, "msg": "", "data": {"result": {"result": odd, "total": 4}}})
        else:
            await handler(exchange)

    async with handled_by(handle) as (client, _):
        found = await client.events.list(Query())
    assert {one.message for one in found.rows if one.source_type in ("JOBS", None)} == {"good", None, "late"}
    assert found.unreadable == 1


def test_equal_events_are_one_with_count_and_span() -> None:
    events = [ClusterEvent(message="a", time=float(at)) for at in (5, 1, 9)] + [ClusterEvent(message="b")]
    first, second = folded(events)
    assert (first.message, first.count, first.first_time, first.time) == ("a", 3, 1.0, 9.0)
    assert (second.message, second.count, second.time) == ("b", 1, None)
    assert folded([first, *events])[0].count == 6


# Serve


async def test_serve_as_recorded() -> None:
    async with replayed("serve_get") as (client, _):
        (application,) = (await client.serve.list()).rows
    assert (application.name, application.status, application.source) == ("hello", "RUNNING", "declarative")
    rows = rows_of((application,))
    assert [(row.kind, row.key, row.status) for row in rows] == [
        ("application", "hello", "RUNNING"),
        ("deployment", "hello/Hello", "HEALTHY"),
        ("replica", "hello/Hello#icupi9sv", "RUNNING"),
    ]
    assert (rows[1].running, rows[1].target) == (1, 1)
    assert "s3cr3t" not in repr(rows) + repr(application)


async def test_no_application() -> None:
    async with replayed("serve_empty") as (client, _):
        assert (await client.serve.list()).rows == ()


async def test_a_replica_that_is_not_placed_and_a_mangled_application() -> None:
    replica = {"actor_name": "SERVE_REPLICA::a#D#x", "replica_id": "x", "state": "STARTING", "start_time_s": 1.5}
    apps = {
        "a": {"name": "a", "status": "DEPLOYING", "message": "", "deployments": {
            "D": {"name": "D", "status": "UPDATING", "target_num_replicas": None, "replicas": [replica, 7, None],
                  "message": "Traceback\n" * 9000}, "E": None}},
        "b": "odd", "c": {"status": None, "deployments": None},
    }  # fmt: skip
    async with answered_with({"applications": apps}) as (client, _):
        found = await client.serve.list()
    assert [one.name for one in found.rows] == ["a", "c"]
    assert found.unreadable == 1
    starting = rows_of(found.rows)[2]
    assert (starting.key, starting.status, starting.node_id, starting.since) == ("a/D#x", "STARTING", None, 1.5)


async def test_half_of_a_surrogate_pair_hides_no_application() -> None:
    body = b'{"applications": {"a": {"name": "a"}, "b": {"name": "b", "message": "\\ud800"}}}'
    async with answered_with(body) as (client, _):
        found = await client.serve.list()
    assert [one.name for one in found.rows] == ["a", "b"]
    assert found.unreadable == 0


async def test_five_thousand_replicas() -> None:
    replicas = [{"replica_id": f"r{number}", "state": "RUNNING"} for number in range(5000)]
    deployments = {"D": {"name": "D", "status": "HEALTHY", "target_num_replicas": 5000, "replicas": replicas}}
    async with answered_with({"applications": {"a": {"name": "a", "deployments": deployments}}}) as (client, _):
        rows = rows_of((await client.serve.list()).rows)
    assert (len(rows), rows[0].running, rows[0].target) == (5002, 5000, 5000)


async def test_a_config_is_put_whole_and_never_with_withheld_values() -> None:
    async with answered_with(b"") as (client, server):
        await client.serve.apply({"applications": [{"name": "a", "import_path": "m:app"}]})
        with pytest.raises(RejectedError, match="withholds"):
            await client.serve.apply({"applications": [{"runtime_env": {"env_vars": {"A": "<redacted>"}}}]})
    (request,) = server.requests
    assert (request.method, request.path) == ("PUT", "/api/serve/applications/")
    assert b'"import_path":"m:app"' in request.body


async def test_a_config_that_serve_does_not_take() -> None:
    async with replayed("serve_put_bad") as (client, _):
        with pytest.raises(RejectedError) as caught:
            await client.serve.apply({"applications": [{"name": "x"}]})
    assert "import_path" in caught.value.detail


# Train and Data


TRAIN = {
    "train_runs": [
        {"id": "r1", "name": "fit", "job_id": JOB, "status": "RUNNING", "start_time_ns": 1_795_211_762_419_000_000,
         "attempts": [{"attempt_id": "a", "workers": []}, {"attempt_id": "b", "status": "RUNNING", "workers": [
             {"world_rank": 1, "node_id": NODE, "pid": 8, "gpu_ids": [1], "status": "ALIVE"},
             {"world_rank": 0, "node_id": NODE, "pid": 7, "gpu_ids": [0], "status": "ALIVE"}]}]},
        5,
        {"id": None, "attempts": None, "start_time_ns": "soon"},
    ],
}  # fmt: skip


async def test_train_runs_with_the_workers_of_the_last_attempt() -> None:
    async with answered_with(TRAIN) as (client, _):
        found = await client.train.list()
    assert found.unreadable == 1
    assert [worker.world_rank for worker in found.rows[0].workers] == [0, 1]
    assert found.rows[1].workers == ()


DATA = {
    "datasets": [
        {"dataset": "dataset_2_0", "state": "RUNNING", "progress": 3, "total": None, "start_time": 1795211762.4,
         "operators": [{"operator": "Map1", "name": "Map", "progress": 3, "total": 20, "queued_blocks": 19}]},
        "odd",
    ]
}  # fmt: skip


async def test_datasets_of_jobs() -> None:
    async with answered_with(DATA) as (client, server):
        found = await client.data.list([JOB, "06000000"])
    assert [(one.job_id, one.dataset, one.total) for one in found.rows] == [
        (JOB, "dataset_2_0", None), ("06000000", "dataset_2_0", None),
    ]  # fmt: skip
    assert found.unreadable == 2
    assert [request.path for request in server.requests] == [
        f"/api/data/datasets/{JOB}", "/api/data/datasets/06000000",
    ]  # fmt: skip


Call = Callable[[RayClient], Any]
CALLS: Mapping[str, Call] = {
    "serve": lambda client: client.serve.list(),
    "train": lambda client: client.train.list(),
    "data": lambda client: client.data.list([JOB]),
}


@pytest.mark.parametrize(
    ("name", "status", "words", "fault"),
    [
        ("serve", 500, "Serve is not installed. Please run `pip install ray[serve]`", "not-installed"),
        ("train", 500, "Train is not installed. Please run `pip install ray[train]`", "not-installed"),
        ("train", 500, "Train state data is not available. Please make sure …", "not-tracked"),
        ("data", 503, "No module named 'pandas'", "not-installed"),
    ],
)
async def test_a_head_without_the_library_is_a_sentence(name: str, status: int, words: str, fault: str) -> None:
    async with answered_with(words, status) as (client, _):
        with pytest.raises(RejectedError) as caught:
            await CALLS[name](client)
    assert caught.value.fault == fault
    assert caught.value.hint


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("handler", "error"),
    [(replying("boom", 500), ServerError), (replying([1, 2]), NotRayError), (replying(b""), NotRayError)],
)
async def test_failures_of_another_kind_stay_what_they_are(name: str, handler: Handler, error: type[Exception]) -> None:
    async with handled_by(handler) as (client, _):
        with pytest.raises(error):
            await CALLS[name](client)


@pytest.mark.parametrize("name", CALLS)
async def test_an_older_ray_without_the_endpoint(name: str) -> None:
    async with handled_by(cluster()) as (client, _):
        with pytest.raises(RejectedError, match=r"^Ray 2\.40\.0 has no "):
            await CALLS[name](client)
