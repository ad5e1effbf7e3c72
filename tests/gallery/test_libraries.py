"""Serve, Train, Tune and Data of a real Ray, as `serve train tune data why actors` tell of them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.command_line import CommandLine
from tests.live.processes import eventually

pytestmark = pytest.mark.gallery

PATIENCE = 120.0
TRACKING = "RAY_TRAIN_ENABLE_STATE_TRACKING"
PROGRAMS = Path(__file__).parent / "programs"


def rows(gallery: CommandLine, command: str, *more: str) -> list[dict[str, Any]]:
    """Rows of a command; none while it answers with an error, for what it tells of may be starting."""
    done = gallery.run(command, *more, "--json")
    found: list[dict[str, Any]] = done.json()[command] if done.code == 0 else []
    return found


def until(gallery: CommandLine, command: str, *more: str, shows: Callable[[list[dict[str, Any]]], object]) -> Any:
    """The rows of a command once they show something."""
    seen: list[dict[str, Any]] = []

    def shown() -> bool:
        seen[:] = rows(gallery, command, *more)
        return bool(shows(seen))

    eventually(shown, within=PATIENCE, what=f"what `{command}` is to show")
    return seen


@contextmanager
def running(gallery: CommandLine, program: str, *options: str) -> Iterator[str]:
    """A program of this folder as a job, stopped at the end; its ID."""
    name = program.removesuffix(".py").replace("_", "-")
    words = ("submit", "--no-wait", "--id", name, *options, "--working-dir", str(PROGRAMS))
    done = gallery.run(*words, "--", "python", program)
    assert done.code == 0, done.everything
    try:
        yield name
    except BaseException as error:
        error.add_note(gallery.run("logs", name, "--tail", "60").everything)
        raise
    finally:
        gallery.run("stop", name, "--yes")


def test_a_train_run_on_two_workers(gallery: CommandLine) -> None:
    untracked = gallery.run("train")
    assert f"{TRACKING}=1" in untracked.everything or untracked.code == 0

    with running(gallery, "train_two.py", "--env", f"{TRACKING}=1") as job:
        found = until(
            gallery, "train", "--job", job,
            shows=lambda all_of: sum(one["kind"] == "worker" and bool(one["metrics_from_log"]) for one in all_of) == 2,
        )  # fmt: skip
        run, *workers = found
        assert (run["name"], run["status"], run["metrics_from_log"].keys()) == ("two", "RUNNING", {"epoch", "loss"})
        assert [(one["world_rank"], one["status"]) for one in workers] == [(0, "ALIVE"), (1, "ALIVE")]
        assert all(one["pid"] and one["gpu_ids"] == [] for one in workers)

        file = workers[1]["log_file_path"].rpartition("/logs/")[2]
        log = gallery.run("logs", "--node", "head", "--file", file)
        assert "rank 1 epoch" in log.text

        actors = rows(gallery, "actors", "--job", job)
        assert {one["actor_id"] for one in workers} <= {one["actor_id"] for one in actors if one["state"] == "ALIVE"}
        why = gallery.run("why", workers[0]["actor_id"], "--json").json()
        assert (why["state"], why["verdict"]) == ("ALIVE", "not-pending")


def has_trials_and_their_actors(found: list[dict[str, Any]]) -> bool:
    kinds = {(one["kind"], one["state"]) for one in found}
    return ("actor", "ALIVE") in kinds and bool(kinds & {("trial", "PENDING"), ("trial", "RUNNING")})


def test_a_tune_sweep(gallery: CommandLine) -> None:
    with running(gallery, "tune_three.py") as job:
        found = until(gallery, "tune", shows=has_trials_and_their_actors)
        sweep = found[0]
        assert (sweep["kind"], sweep["submission_id"]) == ("sweep", job)
        assert sum(sweep["printed_in_log"]["counts"].values()) == 3
        trials = [one for one in found if one["kind"] == "trial"]
        assert len(trials) == 3
        assert all(float(one["values_from_log"]["rate"]) > 0 for one in trials)
        actors = [one for one in found if one["kind"] == "actor"]
        assert actors
        assert all(one["required_resources"] == {"CPU": 0.5} for one in actors)
        named = {one["actor_id"] for one in rows(gallery, "actors", "--job", job, "--name", "ImplicitFunc")}
        assert named >= {one["actor_id"] for one in actors}


def test_a_data_pipeline_and_an_operator_that_never_starts(gallery: CommandLine) -> None:
    with running(gallery, "data_stuck.py") as job:
        found = until(
            gallery, "data", "--job", job,
            shows=lambda all_of: any(one["kind"] == "operator" and one["queued_blocks"] for one in all_of),
        )  # fmt: skip
        assert found[0]["kind"] == "dataset"
        assert found[0]["state"] == "RUNNING"
        slow = next(one for one in found if one["kind"] == "operator" and one["queued_blocks"])
        assert slow["progress"] in (0, None)
        waiting = until(
            gallery, "tasks", "--job", job, "--state", "PENDING_NODE_ASSIGNMENT",
            shows=lambda all_of: any(needs_gpus(one) for one in all_of),
        )  # fmt: skip
        why = gallery.run("why", next(one["task_id"] for one in waiting if needs_gpus(one)), "--json").json()
        assert why["verdict"] == "infeasible"
        assert "8 GPUs" in why["reason"]


def needs_gpus(task: dict[str, Any]) -> bool:
    return (task["required_resources"] or {}).get("GPU") == 8


SERVED = {
    "healthy": {"route_prefix": "/ok", "import_path": "serving:healthy"},
    "failing": {"route_prefix": "/bad", "import_path": "serving:failing"},
    "unplaceable": {"route_prefix": "/big", "import_path": "serving:unplaceable"},
    "deploying": {"route_prefix": "/slow", "import_path": "serving:deploying"},
}


@pytest.fixture(scope="module")
def served(gallery: CommandLine) -> Iterator[None]:
    """Four applications: one answers, one raises, one needs what no node has, one is in its constructor for ever."""
    environment = {"env_vars": {"PYTHONPATH": str(PROGRAMS)}}
    config = {"applications": [{"name": name, "runtime_env": environment, **one} for name, one in SERVED.items()]}
    file = gallery.home / "serve.json"
    file.write_text(json.dumps(config))
    done = gallery.run("serve", "deploy", str(file), "--yes", "--no-wait")
    assert done.code == 0, done.everything
    yield
    for name in SERVED:
        gallery.run("serve", "delete", name, "--yes")


def statuses(found: list[dict[str, Any]], kind: str) -> dict[str, str]:
    return {one["application"]: one["status"] for one in found if one["kind"] == kind}


@pytest.mark.usefixtures("served")
def test_serve_applications_that_run_fail_wait_and_start(gallery: CommandLine) -> None:
    wanted = {
        "healthy": "RUNNING", "failing": "DEPLOY_FAILED", "unplaceable": "DEPLOYING", "deploying": "DEPLOYING",
    }  # fmt: skip
    found = until(gallery, "serve", shows=lambda all_of: statuses(all_of, "application") == wanted)

    deployments = {one["application"]: one for one in found if one["kind"] == "deployment"}
    assert (deployments["healthy"]["running_replicas"], deployments["healthy"]["status"]) == (1, "HEALTHY")
    assert "no weights at /models" in deployments["failing"]["message"]
    assert "\x1b" not in deployments["failing"]["message"]
    assert deployments["unplaceable"]["status"] == deployments["deploying"]["status"] == "UPDATING"

    replicas = {one["application"]: one for one in found if one["kind"] == "replica" and one["status"] != "DEAD"}
    why = gallery.run("why", replicas["unplaceable"]["id"], "--json")
    assert (why.code, why.json()["verdict"]) == (1, "infeasible")
    assert "8 GPUs" in why.json()["reason"]
    starting = gallery.run("why", replicas["deploying"]["id"], "--json").json()
    assert starting["verdict"] == "initializing"


@pytest.mark.usefixtures("served")
def test_the_log_of_a_replica_and_what_it_prints(gallery: CommandLine) -> None:
    until(gallery, "serve", shows=lambda all_of: statuses(all_of, "application").get("healthy") == "RUNNING")

    access = gallery.run("serve", "logs", "healthy")
    assert access.code == 0, access.everything
    assert "healthy" in access.text
    eventually(
        lambda: "the replica is here" in gallery.run("serve", "logs", "healthy/Fine", "--output").text,
        within=PATIENCE, what="what the replica prints",
    )  # fmt: skip
    unplaced = gallery.run("serve", "logs", "unplaceable")
    assert unplaced.code == 1
    assert "has not been placed" in unplaced.stderr
    assert gallery.run("serve", "logs", "nowhere").code == 1
