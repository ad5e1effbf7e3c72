"""`jobs`, `nodes` and `gpus`, exit codes, and what a command says when there is nothing to list."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli import watch
from cockpit.model.jobs import Job
from tests.wire.commands import Done, here, home, write_contexts
from tests.wire.fake_ray import NODE, FakeRay, serve
from tests.wire.server import Exchange, WireServer, until

__all__ = ["home"]

pytestmark = pytest.mark.usefixtures("home")

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
HOSTILE = "[red]\x1b[31m\x1b]0;owned\x07\u202e\x9b2J\n[/red]"
SHOWN = r"[red]\x1b[31m\x1b]0;owned\x07\u202e\x9b2J\x0a[/red]"


async def asked(ray: FakeRay, *argv: str) -> Done:
    """Run a command against a scripted dashboard."""
    async with serve(ray) as server:
        return await here(*argv, "--address", server.url)


def replying(*args: Any, **named: Any) -> Any:
    """A server that gives one answer to everything."""

    async def handler(exchange: Exchange) -> None:
        await exchange.reply(*args, **named)

    return WireServer(handler)


# Exit codes


@pytest.mark.parametrize("command", [["jobs"], ["nodes"], ["gpus"], ["logs", "x"], ["stop", "x"], ["submit", "true"]])
async def test_3_nothing_answers(command: list[str]) -> None:
    done = await here(*command, "--address", "http://127.0.0.1:1")
    assert (done.code, done.out) == (3, b"")
    assert "error: No cluster answers at http://127.0.0.1:1." in done.err
    assert "hint: " in done.err


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        ({"status": 502, "content_type": "text/html", "body": "<h1>Bad \x1b[31m</h1>"}, 3, "502 Bad Gateway"),
        ({"body": "<!doctype html><html>"}, 3, "does not answer as a Ray dashboard"),
        ({"body": b""}, 3, "empty page"),
        ({"body": b'[{"sub'}, 3, "does not answer as a Ray dashboard"),
        ({"status": 302, "headers": {"Location": "/login"}}, 3, "redirects to /login"),
        ({"status": 404, "body": "404 page not found"}, 3, "not a Ray dashboard"),
        ({"status": 500, "body": "Server got itself in trouble"}, 3, "Server got itself in trouble"),
        ({"status": 401, "body": "Unauthorized: Missing authentication token"}, 4, "requires a token"),
        ({"status": 403, "body": "no"}, 4, "refuses access"),
    ],
)
async def test_answers_that_are_no_list(reply: dict[str, Any], code: int, words: str) -> None:
    async with replying(**reply) as server:
        done = await here("jobs", "--address", server.url)
    assert (done.code, done.out) == (code, b"")
    assert words in done.err
    assert "\x1b" not in done.err


@pytest.mark.parametrize("command", [["logs"], ["logs", "-f"], ["stop"], ["delete"], ["wait"]])
async def test_1_unknown_id(command: list[str]) -> None:
    done = await asked(FakeRay(), *command, "nope")
    assert (done.code, done.out) == (1, b"")
    assert "error: Job nope not found." in done.err


@pytest.mark.parametrize(
    "argv",
    [
        ["jobs"],
        ["jobs", "--address", "ray://h:10001"],
        ["jobs", "--address", "http://user:pw@h"],
        ["jobs", "--address", "http://h", "-c", "lab"],
        ["jobs", "-c", "nowhere"],
        ["jobs", "--address", "http://127.0.0.1:1", "--status", "LOST"],
        ["jobs", "--nonsense"],
        ["jobs", "--", "x"],
        ["no-such-command"],
        ["stop"],
        ["logs", "x", "--tail", "0"],
        ["submit", "--address", "http://127.0.0.1:1"],
        ["submit", "--address", "http://127.0.0.1:1", "--", "   "],
        ["submit", "--address", "http://127.0.0.1:1", "--id", "a/b", "--", "true"],
        ["submit", "--address", "http://127.0.0.1:1", "--env", "NOVALUE", "--", "true"],
        ["submit", "--address", "http://127.0.0.1:1", "--metadata-json", "[]", "--", "true"],
        ["submit", "--address", "http://127.0.0.1:1", "--metadata-json", '{"a": 1}', "--", "true"],
        ["submit", "--address", "http://127.0.0.1:1", "--entrypoint-resources", '{"a": "b"}', "--", "true"],
        ["submit", "--address", "http://127.0.0.1:1", "--runtime-env", "/nowhere.yaml", "--", "true"],
        ["submit", "--address", "http://127.0.0.1:1", "--working-dir", "/nowhere", "--", "true"],
        ["submit", "--address", "http://127.0.0.1:1", "--working-dir", "", "--", "true"],
        ["wait", "x", "--timeout", "soon"],
        ["--replay", "recorded", "jobs", "--address", "http://127.0.0.1:1"],
        ["--record", "recorded", "jobs", "--address", "http://127.0.0.1:1"],
    ],
)
async def test_2_usage(argv: list[str]) -> None:
    done = await here(*argv)
    assert (done.code, done.out) == (2, b"")
    assert "error: " in done.err
    assert "Traceback" not in done.err
    assert "pw" not in done.err


async def test_context_that_is_not_understood_says_why(home: Path) -> None:
    write_contexts(home, '[contexts.lab]\nadress = "http://h"\n')
    done = await here("jobs", "-c", "lab")
    assert done.code == 2
    assert "adress" in done.err


async def test_only_context_is_the_one(home: Path) -> None:
    ray = FakeRay()
    async with serve(ray) as server:
        write_contexts(home, f'[contexts.lab]\naddress = "{server.url}"\n')
        assert (await here("jobs", "--json")).data["jobs"] == []
        assert (await here("-c", "lab", "jobs", "--json")).data["jobs"] == []


@pytest.mark.parametrize("variable", ["RAYAKASH_ADDRESS", "RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"])
async def test_environment_names_the_cluster(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve(FakeRay()) as server:
        monkeypatch.setenv(variable, server.url)
        assert (await here("jobs", "--json")).code == 0
    monkeypatch.setenv("RAYAKASH_ADDRESS", "http://127.0.0.1:1")
    assert (await here("jobs")).code == 3


# jobs


async def test_json_of_jobs() -> None:
    ray = FakeRay()
    ray.add(
        "one", driver_info={"id": "02000000", "node_ip_address": "192.0.2.2", "pid": "7"}, metadata={"owner": "ann"}
    )
    ray.add("two", runtime_env={"env_vars": {"KEY": "hunter2"}, "pip": ["x"]})
    ray.end("two", "FAILED", 3)
    ray.add("three", type="DRIVER", submission_id=None, job_id="03000000", end_time=0)
    done = await asked(ray, "jobs", "--json")
    assert (done.code, done.err) == (0, "")
    data = done.data
    assert list(data) == ["jobs", "as_of", "total", "unreadable"]
    assert data["total"] == 3
    assert MOMENT.fullmatch(data["as_of"])
    assert [job["submission_id"] for job in data["jobs"]] == [None, "one", "two"]  # running first
    driver, running, failed = data["jobs"]
    assert list(running) == list(Job.__struct_fields__)
    assert running["driver_info"] == {"id": "02000000", "node_ip_address": "192.0.2.2", "pid": 7}
    assert (running["start_time"], running["end_time"]) == ("2026-11-20T21:40:29.782Z", None)
    assert (failed["status"], failed["driver_exit_code"]) == ("FAILED", 3)
    assert MOMENT.fullmatch(failed["end_time"])
    assert failed["runtime_env"] == {"env_vars": {"KEY": "***"}, "pip": ["x"]}
    assert (driver["job_id"], driver["end_time"]) == ("03000000", None)


async def test_table_of_jobs_interprets_nothing() -> None:
    ray = FakeRay()
    ray.add("one", entrypoint=HOSTILE, metadata={HOSTILE: HOSTILE})
    ray.add("two", "PENDING", message=HOSTILE.replace("\n", " "))
    done = await asked(ray, "jobs")
    assert done.code == 0
    header, second, first = done.text.splitlines()
    assert header.split() == ["STATUS", "SUBMISSION", "ID", "ENTRYPOINT", "REASON", "STARTED", "DURATION", "METADATA"]
    assert SHOWN in first
    assert SHOWN.replace(r"\x0a", " ") in second
    assert not set("\x1b\x07\u202e\x9b") & set(done.text + done.err)


async def test_json_holds_what_is_hostile_as_escapes() -> None:
    ray = FakeRay()
    ray.add("one", entrypoint=HOSTILE + "\x7f", metadata={"a": HOSTILE})
    done = await asked(ray, "jobs", "--json")
    assert done.data["jobs"][0]["metadata"] == {"a": HOSTILE}
    assert done.data["jobs"][0]["entrypoint"] == HOSTILE + "\x7f"
    assert not set("\x1b\x07\u202e\x9b\x7f") & set(done.text)


async def test_json_is_utf8_whatever_the_locale_says() -> None:
    ray = FakeRay()
    ray.add("one", entrypoint="grüße 😀")
    async with serve(ray) as server:
        done = await here("jobs", "--json", "--address", server.url, encoding="ascii")
        table = await here("jobs", "--address", server.url, encoding="ascii")
    assert done.data["jobs"][0]["entrypoint"] == "grüße 😀"
    assert r"gr\xfc\xdfe \U0001f600" in table.text


async def test_lone_surrogates_break_neither_form() -> None:
    async with replying(b'[{"submission_id": "a", "entrypoint": "echo \\udcff"}]') as server:
        done = await here("jobs", "--json", "--address", server.url)
        table = await here("jobs", "--address", server.url)
    assert done.data["jobs"][0]["entrypoint"] == "echo \udcff"
    assert r"echo \udcff" in table.text


async def test_rows_that_cannot_be_read_are_counted_on_stderr() -> None:
    async with replying([{"submission_id": "good", "start_time": "?"}, 7, "x"]) as server:
        done = await here("jobs", "--address", server.url)
        data = (await here("jobs", "--json", "--address", server.url)).data
    assert done.code == 0
    assert "good" in done.text
    assert "warning: 2 of 3 rows unreadable" in done.err
    assert [job["submission_id"] for job in data["jobs"]] == ["good"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--status", "RUNNING"], ["a"]),
        (["--status", "running"], ["a"]),
        (["--status", "FAILED", "--status", "STOPPED"], ["b", "c"]),
        (["--status", "FAILED,STOPPED"], ["b", "c"]),
        (["--status", "PENDING"], []),
    ],
)
async def test_jobs_of_a_status(options: list[str], expected: list[str]) -> None:
    ray = FakeRay()
    for name, status in (("a", "RUNNING"), ("b", "FAILED"), ("c", "STOPPED"), ("d", "WEIRD")):
        ray.add(name, status)
    data = (await asked(ray, "jobs", "--json", *options)).data
    assert sorted(job["submission_id"] for job in data["jobs"]) == expected
    assert data["total"] == len(expected)


async def test_status_that_ray_does_not_know_of() -> None:
    done = await here("jobs", "--status", "LOST", "--address", "http://127.0.0.1:1")
    assert done.code == 2
    assert "Unknown job status: LOST." in done.err
    assert "SUCCEEDED" in done.err


async def test_crashed_driver_is_not_called_succeeded() -> None:
    ray = FakeRay()
    ray.add("x", "SUCCEEDED", type="DRIVER", submission_id=None, job_id="04000000")
    done = await asked(ray, "jobs")
    assert "ENDED  04000000" in done.text
    assert "SUCCEEDED" not in done.text


async def watched(*options: str) -> Done:
    """What `jobs --watch` prints while one job fails and another is deleted, and then the head goes away."""
    ray = FakeRay()
    ray.add("one")
    ray.add("two")
    async with serve(ray) as server:

        async def seen() -> None:
            """Wait until the list was asked for and the answer printed: the second question comes after that."""
            polls = len(server.seen("GET", "/api/jobs/"))
            await until(lambda: len(server.seen("GET", "/api/jobs/")) >= polls + 2)

        running = asyncio.create_task(here("jobs", "--watch", "--retry-for", "0s", *options, "--address", server.url))
        await seen()
        ray.end("two", "FAILED", 3)
        await seen()
        del ray.jobs["one"]
        await seen()
        await server.refuse()
        return await running


@pytest.fixture
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(watch, "COST_FACTOR", 0)


@pytest.mark.usefixtures("_brisk")
async def test_watch_prints_a_line_per_change() -> None:
    done = await watched()
    assert done.code == 3
    assert [line.split()[:3] for line in done.text.splitlines()] == [
        ["STATUS", "SUBMISSION", "ID"],
        ["●", "RUNNING", "one"],
        ["●", "RUNNING", "two"],
        ["✖", "FAILED", "two"],
    ]
    assert "one is no longer listed." in done.err


@pytest.mark.usefixtures("_brisk")
async def test_watch_prints_an_object_per_change() -> None:
    done = await watched("--json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [(line["job"]["submission_id"], line["job"]["status"], line["change"]) for line in lines] == [
        ("one", "RUNNING", "added"),
        ("two", "RUNNING", "added"),
        ("two", "FAILED", "changed"),
        ("one", "RUNNING", "removed"),
    ]
    assert all(MOMENT.fullmatch(line["as_of"]) for line in lines)


# nodes and gpus


def cluster() -> FakeRay:
    """A head with two GPUs, one of which is held, and a dead worker."""
    ray = FakeRay()
    ray.add("train", job_id="02000000")
    slots = {"GPU": {"resourceSlots": [{"slot": "1", "allocation": 0.5}]}}
    worker = {"pid": 10, "jobId": "02000000", "actorId": "ab" * 16, "usedResources": slots}
    raylet = {"nodeId": NODE, "state": "ALIVE", "isHeadNode": True, "coreWorkersStats": [worker]}
    gpus = [
        {"index": 0, "name": "A100", "utilizationGpu": -1, "memoryUsed": 1, "memoryTotal": 2},
        {"index": 1, "name": "A100", "utilizationGpu": 7, "memoryUsed": 1, "memoryTotal": 2, "powerMw": 64000},
    ]
    dead = {"raylet": {"nodeId": "dead", "state": "DEAD", "stateMessage": HOSTILE}, "gpus": gpus, "cpu": 99.0}
    head = {"now": 1795212194.763, "hostname": "vm", "ip": "192.0.2.2", "cpu": 10.6, "raylet": raylet, "gpus": gpus}
    ray.nodes = {"summary": [dead, head], "nodeLogicalResources": {NODE: "1.5/4.0 CPU\n0.5/2.0 GPU"}}
    return ray


async def test_json_of_nodes() -> None:
    data = (await asked(cluster(), "nodes", "--json")).data
    assert list(data) == ["nodes", "as_of", "total", "unreadable"]
    assert data["total"] == 2
    dead, head = data["nodes"]  # trouble first, as in the cockpit
    assert (head["node_id"], head["state"], head["is_head_node"]) == (NODE, "ALIVE", True)
    assert (head["now"], head["cpu"], head["mem_total"]) == ("2026-11-20T22:03:14.763Z", 10.6, None)
    assert not {"mem", "cpus"} & set(head)
    assert set(head["load_avg"]) == {"1m", "5m", "15m"}
    assert head["logical"] == {"CPU": {"used": 1.5, "total": 4.0}, "GPU": {"used": 0.5, "total": 2.0}}
    assert (dead["state"], dead["state_message"]) == ("DEAD", HOSTILE)


async def test_table_of_nodes() -> None:
    done = await asked(cluster(), "nodes")
    header, dead, head = done.text.splitlines()
    assert header.split()[:3] == ["STATE", "NODE", "ROLE"]
    assert head.split()[:4] == ["●", "ALIVE", "vm", "head"]
    assert "1.5/4" in head
    assert dead.startswith("✖ DEAD")
    assert "99.0" not in dead
    assert not set("\x1b\x07\u202e\x9b") & set(done.text)


async def test_json_of_gpus_is_flat() -> None:
    data = (await asked(cluster(), "gpus", "--json")).data
    assert list(data) == ["gpus", "as_of", "total", "unreadable"]
    first, second = data["gpus"]
    assert (first["node_id"], first["index"], first["utilization_gpu"], first["holders"]) == (NODE, 0, None, [])
    assert (second["memory_used"], second["memory_total"], second["power_mw"]) == (2**20, 2**21, 64000)
    assert second["holders"] == [
        {"pid": 10, "job_id": "02000000", "submission_id": "train", "actor_id": "ab" * 16, "allocation": 0.5}
    ]


async def test_table_of_gpus() -> None:
    done = await asked(cluster(), "gpus")
    header, first, second = done.text.splitlines()
    assert header.split()[:3] == ["NODE", "GPU", "MODEL"]
    assert first.split()[3] == "–"  # unknown, and not 0
    assert first.endswith("free")
    assert "train actor abababab ×0.5 pid 10" in second


async def test_cluster_without_gpus() -> None:
    done = await asked(FakeRay(), "gpus")
    assert (done.code, done.out) == (0, b"")
    assert "No GPUs in this cluster." in done.err
    assert (await asked(FakeRay(), "gpus", "--json")).data["gpus"] == []


async def test_a_cluster_that_is_named_without_a_terminal_is_an_error() -> None:
    done = await here("--address", "http://127.0.0.1:1")
    assert done.code == 2
    assert done.out == b""
    assert "needs a terminal" in done.err
