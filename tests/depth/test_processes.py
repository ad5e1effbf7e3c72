"""Looking into processes of a real Ray: stacks, profiles and the timeline."""

import asyncio
import json
from xml.etree import ElementTree

import pytest

from cockpit.clients.ray import RayClient
from cockpit.errors import RejectedError
from cockpit.model.jobs import JobRequest
from cockpit.operations.jobs.asked import asked_for
from cockpit.operations.profiling.targets import find_target, stack
from tests.depth.asking import explained
from tests.depth.conftest import SITUATIONS
from tests.live.command_line import CommandLine

pytestmark = pytest.mark.depth

STUCK = "time.sleep(1)  # the line that a stack names"


def test_the_stack_of_a_stuck_task_names_the_line(cockpit: CommandLine, waiting: dict[str, str]) -> None:
    line = next(number for number, text in enumerate(SITUATIONS.read_text().splitlines(), 1) if STUCK in text)

    done = cockpit.run("stack", waiting["task-running"])

    assert done.code == 0, done.stderr
    assert any("hang (" in text and text.endswith(f":{line})") for text in done.text.splitlines()), done.text


async def test_the_stack_of_an_actor_in_its_constructor(client: RayClient, waiting: dict[str, str]) -> None:
    await explained(client, waiting["actor-in-init"], "initializing")

    text = ""
    async with asyncio.timeout(60):  # Ray calls it initializing while its worker is still idle
        while "__init__ (" not in text:
            text = await stack(client, await find_target(client, waiting["actor-in-init"]))


async def test_what_has_no_process_has_no_stack(client: RayClient, waiting: dict[str, str]) -> None:
    with pytest.raises(RejectedError, match="has no process yet"):
        await find_target(client, waiting["actor-8-gpus"])
    with pytest.raises(RejectedError, match="is dead"):
        await find_target(client, waiting["actor-dead"])


def test_a_flame_of_a_busy_task(cockpit: CommandLine, waiting: dict[str, str]) -> None:
    done = cockpit.run("flame", waiting["task-spinning"], "--seconds", "2", "-o", "spin.svg")
    again = cockpit.run("flame", waiting["task-spinning"], "--seconds", "1", "-o", "spin.svg")

    assert done.code == 0, done.stderr
    assert "spin (" in done.text
    titles = [
        node.text or "" for node in ElementTree.parse(cockpit.home / "spin.svg").iter() if node.tag.endswith("title")
    ]
    assert any(title.startswith("spin (") for title in titles)
    assert again.code == 2
    assert "--force" in again.stderr


def test_a_flame_of_a_process_that_sleeps_says_so(cockpit: CommandLine, waiting: dict[str, str]) -> None:
    done = cockpit.run("flame", waiting["actor-alive"], "--seconds", "1")

    assert done.code == 0, done.stderr
    assert "used no CPU" in done.stderr or "▏" in done.text


async def test_the_timeline_of_a_job(client: RayClient, cockpit: CommandLine, waiting: dict[str, str]) -> None:
    job_id = (await client.state.task(waiting["task-running"])).job_id or ""

    done = cockpit.run("timeline", job_id, "-o", "trace.json")

    assert done.code == 0, done.stderr
    events = json.loads((cockpit.home / "trace.json").read_text())
    assert isinstance(events, list)
    assert any(event.get("ph") == "X" for event in events)
    assert {"name", "ts", "pid"} <= set(next(event for event in events if event.get("ph") == "X"))


async def test_a_named_actor_is_killed_by_a_job_whose_source_is_shown(
    cockpit: CommandLine, client: RayClient, waiting: dict[str, str]
) -> None:
    actor_id = waiting["actor-named"]
    refused = cockpit.run("kill", actor_id)
    unnamed = cockpit.run("kill", waiting["actor-in-init"], "--yes")

    done = cockpit.run("kill", actor_id, "--yes")

    assert refused.code == 2
    assert "Add --yes" in refused.stderr
    assert unnamed.code == 1
    assert "has no name" in unnamed.stderr
    assert "kill " in unnamed.stderr
    assert done.code == 0, done.everything
    assert "ray.kill(ray.get_actor(" in done.stderr
    assert (await explained(client, actor_id, "not-pending")).state == "DEAD"


async def test_what_the_pages_of_actors_and_nodes_show(client: RayClient, waiting: dict[str, str]) -> None:
    actor = await client.state.actor(waiting["actor-alive"])
    creation = await client.state.creation_of(waiting["actor-alive"])
    assert creation is not None
    states = [event.state for event in creation.events or ()]
    assert states[-1] == "FINISHED", states
    assert "RUNNING" in states
    processes = await client.nodes.processes(actor.node_id or "")
    mine = next(one for one in processes if one.pid == actor.pid)
    assert mine.title.startswith("ray::Holder")
    assert (mine.memory or 0) > 2**20
    assert [one.memory or 0 for one in processes] == sorted((one.memory or 0 for one in processes), reverse=True)


async def test_what_a_running_job_asked_for_is_known_from_its_supervisor(client: RayClient) -> None:
    request = JobRequest(entrypoint="sleep 300", entrypoint_num_cpus=0.1, entrypoint_label_selector={"tier": "!gold"})
    job_id = await client.jobs.submit(request)
    try:
        await explained(client, job_id, "not-pending")
        found = await asked_for(client, await client.jobs.get(job_id))
        assert found is not None
        assert (found.resources, found.labels) == ({"CPU": 0.1}, {"tier": "!gold"})
        assert not found.is_from_metadata
    finally:
        await client.jobs.stop(job_id)


def test_a_memory_profile_without_memray_says_what_to_install(cockpit: CommandLine, waiting: dict[str, str]) -> None:
    unnamed = cockpit.run("flame", waiting["actor-alive"], "--memory")
    done = cockpit.run("flame", waiting["actor-alive"], "--memory", "--seconds", "1", "-o", "memory.html")
    assert (unnamed.code, "-o memory.html" in unnamed.stderr) == (2, True)
    assert done.code == 1
    assert "pip install memray" in done.stderr
