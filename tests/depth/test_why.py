"""Why things wait, on a real Ray: each situation is brought about, and the verdict compared."""

import time
from collections.abc import Iterator

import pytest

from cockpit.clients.ray import RayClient
from cockpit.model.jobs import JobRequest
from cockpit.model.why.placement import holders
from tests.depth.asking import SECONDS, explained
from tests.depth.conftest import silent_server
from tests.live.command_line import CommandLine

pytestmark = pytest.mark.depth


@pytest.mark.parametrize(
    ("name", "verdict", "words"),
    [
        ("actor-alive", "not-pending", "is alive"),
        ("actor-dead", "not-pending", "ray.kill"),
        ("actor-8-gpus", "infeasible", "Needs 8 GPUs on one node; the largest node has 4."),
        ("actor-3-gpus", "busy", "Needs 3 GPUs on one node; 2 of 4 free"),
        ("actor-no-label", "label-mismatch", "No node has the label tier=platinum."),
        ("actor-label-and-gpus", "infeasible", "No node has both tier=gold and 4 GPUs"),
        ("actor-other-labels", "busy", "Needs 4 GPUs on one node; 2 of 4 free"),
        ("actor-in-init", "initializing", "runs __init__"),
        ("actor-argument", "waiting-for-arguments", "Its job runs "),
        ("actor-in-waiting-group", "infeasible", "Its placement group group-8-gpus waits: needs 8 GPUs"),
        ("task-running", "not-pending", "The task runs"),
        ("task-argument", "waiting-for-arguments", "Ray does not say which"),
        ("task-resource", "infeasible", "Needs 1 my_own; no node has any."),
        ("task-full-bundle", "busy", "held by inner"),
        ("task-behind-actor", "busy", "Waits for its turn"),
        ("task-of-waiting-actor", "infeasible", "Its actor Holder waits: needs 8 GPUs"),
        ("group-full", "not-pending", "created"),
        ("group-8-gpus", "infeasible", "Needs 8 GPUs on one node; the largest node has 4."),
        ("group-spread", "infeasible", "STRICT_SPREAD needs 3 nodes, one for each bundle; 2 are alive."),
        ("group-pack", "infeasible", "STRICT_PACK needs 5 GPUs on one node"),
        ("group-3-gpus", "busy", "Needs 3 GPUs on one node; 2 of 4 free"),
    ],
)
async def test_what_a_program_waits_for(
    client: RayClient, waiting: dict[str, str], name: str, verdict: str, words: str
) -> None:
    found = await explained(client, waiting[name], verdict)

    assert words in found.cause.reason
    assert found.kind == {"actor": "actor", "task": "task", "group": "placement-group"}[name.partition("-")[0]]


async def test_who_holds_what_is_needed_and_since_when(client: RayClient, waiting: dict[str, str]) -> None:
    end = time.monotonic() + SECONDS
    named: set[str | None] = set()
    while named != {"hold0", "hold1"} and time.monotonic() < end:  # Ray lists holders 15 s late
        found = await explained(client, waiting["actor-3-gpus"], "busy")
        busy = next(one for one in found.cause.nodes if one.verdict == "busy")
        named = {holder.name for holder in holders(busy)}
    assert named == {"hold0", "hold1"}
    assert all(holder.pid and holder.since and holder.resources == {"GPU": 1.0} for holder in holders(busy))


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    with silent_server() as address:
        yield address


JOBS: dict[str, dict[str, object]] = {
    "job-8-gpus": {"entrypoint_num_gpus": 8},
    "job-3-gpus": {"entrypoint_num_gpus": 3},
    "job-no-label": {"entrypoint_label_selector": {"tier": "platinum"}},
    "job-tpu": {"entrypoint_resources": {"TPU": 1}},
    "job-memory": {"entrypoint_memory": 10**14},
    "job-label-and-gpus": {"entrypoint_label_selector": {"tier": "gold"}, "entrypoint_num_gpus": 4},
}


@pytest.mark.parametrize(
    ("name", "verdict", "words"),
    [
        ("job-8-gpus", "infeasible", "the largest node has 4"),
        ("job-3-gpus", "busy", "2 of 4 free"),
        ("job-no-label", "label-mismatch", "tier=platinum"),
        ("job-tpu", "infeasible", "Needs 1 TPU; no node has any."),
        ("job-memory", "infeasible", "of memory on one node"),
        ("job-label-and-gpus", "infeasible", "No node has both"),
    ],
)
@pytest.mark.usefixtures("waiting")
async def test_what_a_job_waits_for(client: RayClient, name: str, verdict: str, words: str) -> None:
    await client.jobs.submit(JobRequest(entrypoint="echo hi", submission_id=name, **JOBS[name]))  # type: ignore[arg-type]

    found = await explained(client, name, verdict)

    job = await client.jobs.get(name)
    assert words in found.cause.reason
    assert job.start_time is not None
    assert found.gives_up_at == job.start_time / 1000 + 900


async def test_a_download_that_does_not_come(client: RayClient, silent: str) -> None:
    environment = {"working_dir": f"https://{silent}/code.zip"}
    await client.jobs.submit(JobRequest(entrypoint="echo hi", submission_id="job-download", runtime_env=environment))

    found = await explained(client, "job-download", "downloading")

    assert f"https://{silent}/code.zip" in found.cause.reason


async def test_packages_that_are_being_installed(client: RayClient, silent: str) -> None:
    environment = {"pip": {"packages": ["not-there"], "pip_install_options": ["--index-url", f"http://{silent}/"]}}
    await client.jobs.submit(JobRequest(entrypoint="echo hi", submission_id="job-pip", runtime_env=environment))

    found = await explained(client, "job-pip", "runtime-env")

    assert "(pip)" in found.cause.reason


@pytest.mark.usefixtures("waiting")
async def test_an_entrypoint_that_holds_a_gpu_is_named_by_its_submission(client: RayClient) -> None:
    gold = {"tier": "gold"}
    holding = JobRequest(
        entrypoint="sleep 600", submission_id="holding", entrypoint_num_gpus=1, entrypoint_label_selector=gold
    )
    await client.jobs.submit(holding)
    await explained(client, "holding", "not-pending")
    behind = JobRequest(
        entrypoint="echo hi", submission_id="behind", entrypoint_num_gpus=1, entrypoint_label_selector=gold
    )
    await client.jobs.submit(behind)

    end = time.monotonic() + SECONDS
    held: set[str | None] = set()
    while "holding" not in held and time.monotonic() < end:
        found = await explained(client, "behind", "busy")
        held = {holder.submission_id for one in found.cause.nodes for holder in holders(one)}
    assert "holding" in held
    assert any("placement group" in holder.label for one in found.cause.nodes for holder in holders(one))


@pytest.mark.usefixtures("waiting")
async def test_the_list_of_jobs_says_why(cockpit: CommandLine, client: RayClient) -> None:
    await client.jobs.submit(JobRequest(entrypoint="echo hi", submission_id="listed", entrypoint_num_gpus=9))
    await explained(client, "listed", "infeasible")

    assert "needs 9 GPUs, largest node has 4" in cockpit.run("jobs").text


def test_the_command(cockpit: CommandLine, waiting: dict[str, str]) -> None:
    never = cockpit.run("why", waiting["actor-8-gpus"], "--json")
    running = cockpit.run("why", waiting["actor-alive"][:20])
    missing = cockpit.run("why", "0" * 32)

    assert (never.code, running.code, missing.code) == (1, 0, 1)
    assert never.json()["verdict"] == "infeasible"
    assert [set(row) for row in never.json()["nodes"]] == [
        {"node_id", "hostname", "needs", "total", "free", "held_by", "verdict"}
    ] * 2
    assert "does not wait" in running.text
    assert "not found" in missing.stderr
