"""Actors, tasks, placement groups, workers and events of a real Ray, by our commands."""

import ast
from collections.abc import Iterator
from typing import Any

import pytest

from cockpit.clients.ray import RayClient
from cockpit.model.query import Query
from tests.live.cluster import RayCluster
from tests.live.command_line import CommandLine
from tests.live.processes import eventually

pytestmark = pytest.mark.live

PROGRAM = """
import threading, time
import ray
from ray.util.placement_group import placement_group

ray.init()


@ray.remote(num_cpus=0)
class Keeper:
    def ping(self):
        print("a keeper speaks", flush=True)
        return "here"


@ray.remote(num_cpus=0)
class Faulty:
    def __init__(self):
        raise ValueError("no weights at /models")


@ray.remote(num_cpus=0, max_retries=0)
def boom():
    raise ValueError("boom says why")


@ray.remote(num_cpus=0)
def linger():
    threading.Event().wait()


@ray.remote(resources={"not-there": 1})
def never():
    pass


keeper = Keeper.options(name="the-keeper").remote()
dead, faulty, waiting = Keeper.remote(), Faulty.remote(), Keeper.options(resources={"not-there": 1}).remote()
ray.get([keeper.ping.remote(), dead.ping.remote()])
ray.kill(dead)
running, pending, failed = linger.remote(), never.remote(), boom.remote()
try:
    ray.get(failed)
except Exception:
    pass
small, large = placement_group([{"CPU": 0.01}], name="small"), placement_group([{"CPU": 1000}], name="large")
ray.get(small.ready())
time.sleep(2)
print("IDS", {"job": ray.get_runtime_context().get_job_id(), "keeper": keeper._actor_id.hex(),
              "dead": dead._actor_id.hex()}, flush=True)
threading.Event().wait()
"""


@pytest.fixture(scope="module")
def job(ray_cluster: RayCluster) -> Iterator[dict[str, str]]:
    """A driver with actors, tasks and placement groups that live, wait and have failed."""
    with ray_cluster.driver(PROGRAM) as driver:
        driver.wait_for("IDS {")
        yield ast.literal_eval(driver.output().rpartition("IDS ")[2].splitlines()[0])


def rows(cockpit: CommandLine, command: str, *more: str) -> list[dict[str, Any]]:
    done = cockpit.run(command, *more, "--json")
    assert done.code == 0, done.stderr
    found: list[dict[str, Any]] = done.json()[command.replace("-", "_")]
    return found


def test_actors_live_wait_and_died_for_a_reason(cockpit: CommandLine, job: dict[str, str]) -> None:
    def ended() -> bool:
        return len(rows(cockpit, "actors", "--job", job["job"], "--state", "DEAD")) == 2

    eventually(ended, within=60, what="both dead actors")
    living = rows(cockpit, "actors", "--job", job["job"])
    assert {(row["name"], row["class_name"], row["state"]) for row in living} >= {("the-keeper", "Keeper", "ALIVE")}
    assert {row["state"] for row in living} == {"ALIVE", "PENDING_CREATION"}
    assert [row["actor_id"] for row in rows(cockpit, "actors", "--name", "the-keeper")] == [job["keeper"]]
    causes = {
        row["class_name"]: row["death_cause"] for row in rows(cockpit, "actors", "--job", job["job"], "--state", "DEAD")
    }
    assert causes["Keeper"]["reason"] == "RAY_KILL"
    assert "no weights at /models" in causes["Faulty"]["message"]
    assert len(rows(cockpit, "actors", "--job", job["job"], "--all")) == len(living) + 2


def test_tasks_run_wait_and_failed(cockpit: CommandLine, job: dict[str, str]) -> None:
    eventually(
        lambda: rows(cockpit, "tasks", "--job", job["job"], "--state", "FAILED", "--name", "boom"),
        within=60,
        what="the failed task",
    )
    states = {row["name"]: row["state"] for row in rows(cockpit, "tasks", "--job", job["job"])}
    assert states["linger"] == "RUNNING"
    assert states["never"] == "PENDING_NODE_ASSIGNMENT"
    assert "boom" not in states
    (failed,) = rows(cockpit, "tasks", "--job", job["job"], "--state", "FAILED", "--name", "boom")
    assert "boom says why" in failed["error_message"]
    names = {row["name"] for row in rows(cockpit, "tasks", "--job", job["job"], "--all")}
    assert {"linger", "never", "boom"} <= names


def test_placement_groups_are_placed_or_infeasible(cockpit: CommandLine, job: dict[str, str]) -> None:
    found = {row["name"]: row for row in rows(cockpit, "placement-groups", "--job", job["job"])}
    assert (found["small"]["state"], found["large"]["state"]) == ("CREATED", "PENDING")
    assert found["large"]["stats"]["scheduling_state"] == "INFEASIBLE"
    assert [row["name"] for row in rows(cockpit, "placement-groups", "--state", "PENDING")] == ["large"]


def test_workers_of_a_job_are_its_own(cockpit: CommandLine, job: dict[str, str]) -> None:
    keeper = rows(cockpit, "actors", "--name", "the-keeper")[0]
    ours = rows(cockpit, "workers", "--job", job["job"])
    assert keeper["pid"] in {row["pid"] for row in ours}
    assert job["job"] + "f" * 48 in {row["worker_id"] for row in ours}
    assert len(rows(cockpit, "workers")) >= len(ours)


def test_a_constructor_that_raised_is_an_event(cockpit: CommandLine, job: dict[str, str]) -> None:
    eventually(
        lambda: any("Actor Faulty died" in row["message"] for row in rows(cockpit, "events", "--job", job["job"])),
        within=60,
        what="the death of the actor",
    )
    messages = [row["message"] for row in rows(cockpit, "events", "--job", job["job"])]
    assert not any("RAY_KILL" in message for message in messages), "a wanted death"
    assert rows(cockpit, "events")


def test_the_log_of_a_dead_actor_is_found_where_ray_moved_it(cockpit: CommandLine, job: dict[str, str]) -> None:
    def printed() -> bool:
        return "a keeper speaks" in cockpit.run("logs", "--actor", job["dead"]).text

    eventually(printed, within=60, what="the log of the dead actor")


async def test_the_head_itself_applies_our_filters(client: RayClient, job: dict[str, str]) -> None:
    """What it filters counts as looked at: a filter that only the dashboard knows would leave `total` to the cut."""
    tasks = await client.workloads.tasks(Query(job_id=job["job"]))
    actors = await client.workloads.actors(Query(job_id=job["job"]))
    for found in (tasks, actors):
        assert found.rows
        assert not found.is_truncated
        assert all(row.job_id == job["job"] for row in found.rows)


def test_what_the_head_does_not_have_is_a_sentence(cockpit: CommandLine) -> None:
    for command in ("serve", "train", "data"):
        done = cockpit.run(command)
        assert done.code in (0, 1), done.stderr
        assert "Traceback" not in done.everything
