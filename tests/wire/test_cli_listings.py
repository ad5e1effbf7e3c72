"""Listing commands: order, filters, columns and fields, as they are asked for; nothing cut in a pipe."""

import asyncio
from typing import Any

import pytest

from cockpit.cli import main, watch
from tests.wire.commands import here
from tests.wire.fake_ray import NODE, FakeRay, serve
from tests.wire.server import until
from tests.wire.test_cli import asked

TITLES = ["STATUS", "SUBMISSION", "ID", "ENTRYPOINT", "REASON", "STARTED", "DURATION", "METADATA"]
LONG = "python train.py " + "--option=value " * 60


def cluster() -> FakeRay:
    """Four jobs, the newest last."""
    ray = FakeRay()
    ray.add("old", "SUCCEEDED", metadata={"owner": "ada"}, start_time=1_000, end_time=100_000)
    ray.add("long", "RUNNING", entrypoint=LONG, metadata={"user": "grace"}, start_time=2_000)
    ray.add("broken", "FAILED", message=f"it failed: {'x' * 400}", start_time=3_000, end_time=4_000)
    ray.add("new", "STOPPED", start_time=5_000, end_time=65_000)
    return ray


async def ids(*options: str) -> list[str]:
    """The IDs that `jobs -o name` prints."""
    done = await asked(cluster(), "jobs", "-o", "name", *options)
    assert (done.code, done.err) == (0, "")
    return done.text.split()


async def test_running_jobs_come_first_then_the_newest() -> None:
    assert await ids() == ["long", "new", "broken", "old"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--sort", "started"], ["old", "long", "broken", "new"]),
        (["--sort", "STARTED", "-r"], ["new", "broken", "long", "old"]),
        (["--sort=submission id"], ["broken", "long", "new", "old"]),
        (["--sort", "status", "--limit", "1"], ["broken"]),
        (["-n", "2"], ["long", "new"]),
        (["-r"], ["old", "broken", "new", "long"]),
        (["--owner", "ada"], ["old"]),
        (["--owner", "grace"], ["long"]),
        (["-s", "failed,stopped"], ["new", "broken"]),
    ],
)
async def test_order_limit_and_filters(options: list[str], expected: list[str]) -> None:
    assert await ids(*options) == expected


async def test_nothing_is_cut_in_a_pipe_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    text = (await asked(cluster(), "jobs")).text
    assert LONG.strip() in text
    assert "x" * 400 in text
    assert "…" not in text
    assert text.splitlines()[0].split() == TITLES


async def test_wide_adds_columns_and_no_headers_leaves_the_titles_out() -> None:
    header = (await asked(cluster(), "jobs", "-o", "wide")).text.splitlines()[0]
    assert "JOB ID" in header
    lines = (await asked(cluster(), "jobs", "--no-headers")).text.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("● RUNNING")


async def test_json_takes_fields_behind_an_equals_sign_only() -> None:
    data = (await asked(cluster(), "jobs", "--json=submission_id,status", "-n", "1")).data
    assert data["jobs"] == [{"submission_id": "long", "status": "RUNNING"}]
    assert data["total"] == 4
    assert "entrypoint" in (await asked(cluster(), "jobs", "--json", "--limit", "1")).data["jobs"][0]


async def test_a_word_behind_json_is_an_argument() -> None:
    done = await asked(cluster(), "jobs", "--json", "show", "old")
    assert done.data["submission_id"] == "old"


@pytest.mark.parametrize(
    ("argv", "meant"),
    [
        (["jobs", "--json=submision_id"], "submission_id"),
        (["jobs", "--sort", "entrypiont"], "entrypoint"),
        (["gpus", "--json=utilisation_gpu"], "utilization_gpu"),
        (["nodes", "--sort=memry gib"], "memory gib"),
    ],
)
async def test_an_unknown_name_is_a_usage_error_with_the_nearest(argv: list[str], meant: str) -> None:
    ray = cluster()
    ray.nodes = {"summary": [{"raylet": {"nodeId": NODE, "state": "ALIVE"}, "gpus": [{"index": 0}]}]}
    done = await asked(ray, *argv)
    assert (done.code, done.out) == (2, b"")
    assert f"Did you mean {meant}?" in done.err


async def test_fields_of_a_command_that_prints_no_list_are_refused() -> None:
    done = await here("wait", "x", "--json=status", "--address", "http://127.0.0.1:1")
    assert (done.code, done.out) == (2, b"")
    assert "--json takes no fields here" in done.err


async def test_an_empty_list_is_a_sentence_on_stderr() -> None:
    for command, said in (("jobs", "No jobs."), ("nodes", "No nodes."), ("gpus", "No GPUs in this cluster.")):
        done = await asked(FakeRay(), command)
        assert (done.code, done.out, done.err) == (0, b"", f"{said}\n")
    assert (await asked(cluster(), "jobs", "-s", "pending")).err == "No matching jobs.\n"


async def test_show_prints_every_field_of_one_job() -> None:
    text = (await asked(cluster(), "jobs", "show", "broken")).text
    assert text.startswith("status               ✖ FAILED")
    assert "x" * 400 in text
    assert (await asked(cluster(), "jobs", "show", "--last")).code == 0


async def test_show_needs_one_job_that_is_there() -> None:
    done = await asked(cluster(), "jobs", "show", "brokn")
    assert (done.code, done.out) == (1, b"")
    assert "Did you mean broken?" in done.err
    assert (await here("jobs", "show", "--address", "http://127.0.0.1:1")).code == 2


def test_the_help_names_the_statuses_and_the_short_options() -> None:
    parser = main.build_parser(["listings"])
    jobs: Any = parser._subparsers._group_actions[0].choices["jobs"]  # type: ignore[union-attr, index]
    text = jobs.format_help()
    assert "PENDING" in text
    assert "SUCCEEDED" in text
    for option in ("-s STATUS", "-o {wide,name}", "-n N", "-r, --reverse", "-w, --watch"):
        assert option in text


async def test_watch_prints_the_nodes_that_look_different_and_says_what_is_unreadable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(watch, "COST_FACTOR", 0)
    raylets = [{"nodeId": name * 8, "state": "ALIVE"} for name in ("a", "b")]
    rows: list[Any] = [{"raylet": raylet, "hostname": raylet["nodeId"][0], "cpu": 1.0} for raylet in raylets]
    ray = FakeRay()
    ray.nodes = {"summary": rows}
    async with serve(ray) as server:

        async def seen() -> None:
            polls = len(server.seen("GET", "/nodes"))
            await until(lambda: len(server.seen("GET", "/nodes")) >= polls + 2)

        argv = ("nodes", "--watch", "--retry-for", "0s", "--address", server.url)
        running = asyncio.create_task(here(*argv))
        await seen()
        rows[0]["now"] = 1_795_212_194.0  # another sample that looks the same
        await seen()
        rows[1]["cpu"] = 99.0
        await seen()
        rows.append("not an object")
        await seen()
        await server.refuse()
        done = await running
    assert [line.split()[:3] for line in done.text.splitlines()] == [
        ["STATE", "NODE", "ROLE"],
        ["●", "ALIVE", "b"],
        ["●", "ALIVE", "a"],
        ["●", "ALIVE", "b"],
    ]
    assert "99 %" in done.text.splitlines()[-1]
    assert done.err.count("1 of 3 rows unreadable.") == 1
