"""`actors`, `tasks`, `placement-groups`, `workers`, `events`, `serve`, `train` and `data` on the simulated cluster."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.sim import Plan, SimCluster, SimServer
from tests.wire.commands import Done, here, home

__all__ = ["home"]

pytestmark = pytest.mark.usefixtures("home")

COMMANDS = ("actors", "tasks", "placement-groups", "workers", "events", "serve", "train", "data")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[SimServer]:
    async with SimServer(SimCluster(Plan(nodes=3, gpus=4, jobs=30))) as server:
        yield server


async def asked(server: SimServer, *argv: str) -> Done:
    return await here(*argv, "--address", server.url)


def job_with_actors(server: SimServer) -> tuple[str, str]:
    """The submission ID and the job ID of a job that has actors."""
    job = next(job for job in server.cluster.running() if job.job_id and job.submission_id and job.kind.actor)
    return job.submission_id or "", job.job_id or ""


@pytest.mark.parametrize("command", COMMANDS)
async def test_json_has_one_key_of_the_commands_name(server: SimServer, command: str) -> None:
    server.cluster.libraries.runs = [{"id": "r1", "name": "fit", "attempts": []}]
    done = await asked(server, command, "--json")
    assert done.code == 0, done.err
    data = done.data
    assert isinstance(data[command.replace("-", "_")], list)
    assert {"as_of", "total", "unreadable"} <= data.keys()


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_table_has_headings_and_no_escape_sequence(server: SimServer, command: str) -> None:
    server.cluster.libraries.runs = [{"id": "r1", "name": "fit\x1b[2J", "attempts": []}]
    server.cluster.libraries.datasets = {job_with_actors(server)[1]: [{"dataset": "d\x1b]0;x\x07", "state": "RUNNING"}]}
    server.cluster.workloads.more["actors"] = [server.cluster.workloads.actor(actor_id="a", name="evil\x1b[2J")]
    done = await asked(server, command)
    assert done.code == 0, done.err
    assert done.text.splitlines()[0].split()
    assert "\x1b" not in done.text + done.err


@pytest.mark.parametrize("command", ["actors", "tasks", "placement-groups", "workers", "events"])
async def test_rows_of_a_job_by_its_ids_and_their_beginnings(server: SimServer, command: str) -> None:
    submission_id, job_id = job_with_actors(server)
    whole, by_job_id, by_start = [
        (await asked(server, command, "--job", given, "--json")).data[command.replace("-", "_")]
        for given in (submission_id, job_id, submission_id[:-1])
    ]
    assert whole
    assert whole == by_job_id == by_start
    owners = {row.get("job_id", row.get("creator_job_id", job_id)) or job_id for row in whole}
    assert owners == {job_id}


async def test_a_job_that_nobody_knows(server: SimServer) -> None:
    done = await asked(server, "actors", "--job", "nope")
    assert (done.code, done.out) == (1, b"")
    assert "error: Job nope not found." in done.err


async def test_a_job_that_has_not_connected_has_nothing(server: SimServer) -> None:
    waiting = next(job for job in server.cluster.jobs if job.started is None)
    done = await asked(server, "tasks", "--job", waiting.submission_id or "")
    assert (done.code, done.out) == (0, b"")
    assert "has not connected to Ray" in done.err


async def test_states_are_rays(server: SimServer) -> None:
    rows = (await asked(server, "tasks", "--state", "failed,finished", "--json")).data["tasks"]
    assert {row["state"] for row in rows} == {"FAILED", "FINISHED"}
    done = await asked(server, "tasks", "--state", "DONE")
    assert done.code == 2
    assert "Unknown state: DONE." in done.err


async def test_rows_of_a_node(server: SimServer) -> None:
    node = server.cluster.machines[1]
    rows = (await asked(server, "tasks", "--node", node.node_id[:12], "--json")).data["tasks"]
    assert rows
    assert {row["node_id"] for row in rows} == {node.node_id}


@pytest.mark.lengthy
async def test_what_ray_cut_off_is_said_with_its_totals(server: SimServer) -> None:
    workloads = server.cluster.workloads
    workloads.is_bare = True
    workloads.more["tasks"] = [workloads.task(number) for number in range(10_050)]
    done = await asked(server, "tasks", "--json")
    assert "warning: Ray looked at 10,000 of 10,050 tasks: rows may be missing." in done.err
    data = done.data
    assert (data["truncated"], data["ray_total"], data["ray_num_after_truncation"]) == (True, 10_050, 10_000)


async def test_an_older_ray_is_a_sentence(server: SimServer) -> None:
    server.cluster.workloads.absent.add("placement_groups")
    done = await asked(server, "placement-groups")
    assert (done.code, done.out) == (1, b"")
    assert "error: Ray 2.60.0 has no list of placement groups." in done.err


async def test_no_value_of_a_variable_is_printed(server: SimServer) -> None:
    for command in COMMANDS:
        done = await asked(server, command, "--json")
        assert "sim-secret" not in done.text + done.err


async def test_serve_shows_the_exception_and_not_the_traceback(server: SimServer) -> None:
    done = await asked(server, "serve")
    assert "ValueError: no weights at /models" in done.text
    assert "Traceback" not in done.text
    rows = {row["id"]: row for row in (await asked(server, "serve", "--json")).data["serve"]}
    assert rows["chat"]["running_replicas"] == 2
    assert rows["sick/App"]["message"].startswith("ray::ServeReplica")


async def test_serve_deploys_what_was_shown(server: SimServer, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "applications:\n"
        "- {name: chat, route_prefix: /chat, import_path: 'serving.chat:app',\n"
        "   runtime_env: {env_vars: {HF_TOKEN: other}}, deployments: [{name: LLM, num_replicas: 3}]}\n"
        "- {name: new, import_path: 'serving:new'}\n"
    )
    refused = await asked(server, "serve", "deploy", str(config))
    assert refused.code == 2
    assert "hint: Add --yes." in refused.err
    assert set(server.cluster.libraries.configs) == {"chat", "sick"}
    done = await asked(server, "serve", "deploy", str(config), "--yes")
    assert done.code == 0, done.err
    assert done.err.splitlines()[:4] == [
        "~ chat.deployments.LLM.num_replicas: 2 → 3",
        "~ chat.runtime_env.env_vars.HF_TOKEN: changed",
        "+ new: serving:new",
        "- sick: deleted",
    ]
    assert sorted(done.text.splitlines()) == ["chat RUNNING", "new RUNNING"]
    assert set(server.cluster.libraries.configs) == {"chat", "new"}


async def test_serve_says_why_an_application_failed(server: SimServer, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("applications: [{name: sick, import_path: 'serving:bad'}]")
    done = await asked(server, "serve", "deploy", str(config), "--yes")
    assert (done.code, done.text) == (1, "sick DEPLOY_FAILED\n")
    assert "| ValueError: no weights at /models" in done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "is not valid YAML"),
        ("[]", "is not a Serve config"),
        ("applications: {}", "is not a Serve config"),
        ("applications: [7]", "is not a Serve config"),
        ("applications: [{runtime_env: {env_vars: {A: 'ac-secret://A'}}}]", "is a secret reference"),
    ],
)
async def test_a_file_that_serve_would_not_take(server: SimServer, tmp_path: Path, text: str, words: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(text)
    done = await asked(server, "serve", "deploy", str(config), "--yes")
    assert done.code == 2
    assert words in done.err


async def test_serve_deletes_one_and_keeps_the_others(server: SimServer) -> None:
    done = await asked(server, "serve", "delete", "sick", "--yes")
    assert (done.code, done.text) == (0, "sick deleted\n")
    assert "- sick: deleted" in done.err
    assert set(server.cluster.libraries.configs) == {"chat"}
    assert (await asked(server, "serve", "delete", "sick", "--yes")).code == 1


async def test_a_read_only_run_deploys_nothing(server: SimServer) -> None:
    done = await here("--read-only", "serve", "delete", "sick", "--yes", "--address", server.url)
    assert done.code == 2
    assert "sick" in server.cluster.libraries.configs


@pytest.mark.parametrize(("command", "library"), [("serve", "Serve"), ("train", "Train"), ("data", "Data")])
async def test_a_head_without_the_library(server: SimServer, command: str, library: str) -> None:
    server.cluster.libraries.absent.add(library)
    done = await asked(server, command)
    assert (done.code, done.out) == (1, b"")
    assert f"error: Ray {library} is not installed on the head." in done.err


async def test_train_that_is_not_tracked_says_what_to_set(server: SimServer) -> None:
    done = await asked(server, "train")
    assert done.code == 1
    assert "RAY_TRAIN_ENABLE_STATE_TRACKING=1" in done.err


async def test_the_log_of_an_actor_by_the_start_of_its_id(server: SimServer) -> None:
    actors = (await asked(server, "actors", "--json")).data["actors"]
    actor_id = next(row["actor_id"] for row in actors if row["state"] == "ALIVE")
    whole = await asked(server, "logs", "--actor", actor_id)
    begun = await asked(server, "logs", "--actor", actor_id[:12])
    assert (begun.code, begun.out) == (whole.code, whole.out)
    assert "not found" not in begun.err
    other = await asked(server, "logs", "--task", actor_id[:12])
    assert (other.code, "is an actor, not a task." in other.err) == (1, True), other.err
