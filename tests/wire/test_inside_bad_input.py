"""What is inside a cluster, told badly: fields that are null, missing or of another kind, and texts without end."""

import pytest

from cockpit.errors import NotFoundError, UsageError
from cockpit.model.serve import ServeRow, rows_of
from cockpit.operations.profiling.rows import log_of, target_of
from cockpit.operations.replica_logs import access_log, find_replica, output_log
from cockpit.render.actors import ACTORS, reason
from cockpit.render.serve import SERVE, summary
from cockpit.render.table import RowContext
from tests.wire.clients import answered_with

CONTEXT = RowContext(now=1_795_500_000.0)
TRACEBACK = (
    "\x1b[36mray::Bad.__init__()\x1b[39m\nTraceback (most recent call last):\n"
    + '  File "serving.py", line 12, in deeper\n    deeper()\n' * 2_500
    + "ValueError: no weights at /models"
)


def envelope(data: object) -> dict[str, object]:
    return {"result": True, "msg": "", "data": data}


async def test_processes_of_a_node_whose_fields_are_odd() -> None:
    workers = [
        {"pid": 1, "cmdline": ["ray::IDLE", "", None], "memoryInfo": {"rss": 5.0}, "cpuPercent": 1.5},
        {"pid": None, "cmdline": None, "memoryInfo": None, "cpuPercent": None},
        {"pid": "7", "memoryInfo": {"rss": None}, "coreWorkerStats": "odd"},
        "not a process",
        {"pid": 3, "cmdline": ["ray::Big"], "memoryInfo": {"rss": 9e9, "vms": None}},
    ]
    async with answered_with(envelope({"detail": {"workers": workers}})) as (client, _):
        found = await client.nodes.processes("ab/../c d")
    assert [one.title for one in found][:2] == ["ray::Big", "ray::IDLE"], "the largest first"
    assert len(found) == 4


@pytest.mark.parametrize("detail", [{}, {"detail": None}, {"detail": {"workers": None}}, {"detail": {}}])
async def test_a_node_that_is_gone_has_no_processes(detail: object) -> None:
    async with answered_with(envelope(detail)) as (client, _):
        assert list(await client.nodes.processes("gone")) == []


async def test_a_traceback_of_100_kb_is_one_line_in_a_table_and_whole_in_a_record() -> None:
    assert len(TRACEBACK) > 100_000
    deployment = {"name": "D", "status": "DEPLOY_FAILED", "message": TRACEBACK}
    async with answered_with({"applications": {"a": {"name": "a", "deployments": {"D": deployment}}}}) as (client, _):
        rows = rows_of((await client.serve.list()).rows)
    assert summary(rows[1].message) == "ValueError: no weights at /models"
    assert len(str(SERVE.record(rows[1])["message"])) > 100_000
    dead = {"actor_id": "a", "state": "DEAD", "death_cause": {"creation_task_failure_context": {
        "formatted_exception_string": TRACEBACK.partition("\n")[2]}}}  # fmt: skip
    async with answered_with(envelope({"result": {"result": [dead], "total": 1}})) as (client, _):
        actor = await client.state.actor("a")
    assert reason(actor).endswith("ValueError: no weights at /models")
    assert all("\n" not in str(cell) for cell in ACTORS.row(actor, CONTEXT).cells)


REPLICAS = {
    "applications": {"chat": {"name": "chat", "deployments": {"LLM": {"name": "LLM", "replicas": [
        {"replica_id": "one", "state": "RUNNING", "node_id": "n", "log_file_path": "/serve/replica_one.log",
         "actor_id": "a" * 32},
        {"replica_id": "two", "state": "STARTING"},
    ], "recent_dead_replicas": [{"replica_id": "old", "node_id": "n", "log_file_path": "/serve/replica_old.log"}]},
        "Solo": {"replicas": [{"replica_id": "only", "state": None}]}}}},
}  # fmt: skip


async def test_logs_of_replicas_by_their_names_the_dead_too() -> None:
    async with answered_with(REPLICAS) as (client, _):
        one = await find_replica(client, "chat/LLM#one")
        dead = await find_replica(client, "chat/LLM#old")
        solo = await find_replica(client, "chat/Solo")
        with pytest.raises(UsageError, match="chat/LLM has 2 replicas: chat/LLM#one, chat/LLM#two"):
            await find_replica(client, "chat/LLM")
        for gone in ("", "chat/LLM#gone", "nowhere"):
            with pytest.raises((NotFoundError, UsageError)):
                await find_replica(client, gone)
    assert access_log(one).filename == "serve/replica_one.log"
    assert output_log(one, suffix="err").params == {"actor_id": "a" * 32, "suffix": "err"}
    assert access_log(dead).filename == "serve/replica_old.log"
    with pytest.raises(NotFoundError, match="has not been placed"):
        access_log(solo)
    with pytest.raises(NotFoundError, match="no process yet"):
        output_log(solo)
    with pytest.raises(NotFoundError):
        log_of(solo)


async def test_the_process_of_an_actor_that_is_gone_is_a_sentence() -> None:
    async with answered_with(envelope({"result": {"result": [], "total": 0}})) as (client, _):
        replica = ServeRow(kind="replica", application="chat", replica="one", actor_id="a" * 24 + "01000000")
        with pytest.raises(NotFoundError, match="not found"):
            await target_of(client, replica)
