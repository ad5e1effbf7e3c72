"""The life of a job on a real Ray, and that ours is told as Ray tells it."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.live.cluster import RayCluster, started_head
from tests.live.command_line import CommandLine, Done
from tests.live.processes import eventually
from tests.live.reference import JOB, ended, job, job_in, job_list, submit
from tests.live.release import ray_release

pytestmark = pytest.mark.live

ABSENT = "gcs://_ray_pkg_0123456789abcdef.zip"
PLAIN, REFERRED = "a-value-in-the-clear", "a-value-behind-a-reference"
CRASH = "raise ValueError('[red]boom[/red]')"
# With an id by which it can be found, and an exit code that Ray does not pass on.
EXITS_7 = "import ray, sys; ray.init(); print('driving', ray.get_runtime_context().get_job_id()); sys.exit(7)"

RUN_TO_THEIR_END = {
    "ends-well": ["--", "echo all went well"],
    "ends-badly": ["--", "python3", "-c", CRASH],
    "no-such-program": ["--", "no-such-program --at-all"],
    "no-such-package": [
        "--runtime-env-json",
        json.dumps({"py_modules": [ABSENT]}),
        *("--env", f"PLAIN={PLAIN}", "--env", "REFERRED=ac-secret://REFERRED", "--", "echo never"),
    ],
}
GO_ON = {
    "runs-on": ["--env", f"PLAIN={PLAIN}", "--", "sleep 600"],
    "cannot-start": ["--resource", "not-there=1", "--", "echo never"],
}


@dataclass(frozen=True)
class Batch:
    """Jobs that the tests of this module share: how `submit` told of those that ended, and a driver's id."""

    followed: dict[str, Done]
    driver: str


@pytest.fixture(scope="module")
def batch(ray_cluster: RayCluster, cockpit: CommandLine) -> Iterator[Batch]:
    """All at once: what they cost is the start of a worker process each."""
    secret = {"RAYAKASH_SECRET_REFERRED": REFERRED}
    with ExitStack() as stack:
        driver = stack.enter_context(ray_cluster.driver(EXITS_7))
        running = {
            name: stack.enter_context(cockpit.start("submit", "--id", name, *words, variables=secret))
            for name, words in RUN_TO_THEIR_END.items()
        }
        for name, words in GO_ON.items():
            assert cockpit.run("submit", "--no-wait", "--id", name, *words).text == f"{name}\n"
        followed = {name: process.wait() for name, process in running.items()}
        assert driver.wait() == 7
        job_in(ray_cluster.head, "runs-on", "RUNNING")
        driver_id = driver.output().rpartition("driving ")[2].split()[0]
        job_in(ray_cluster.head, driver_id, "SUCCEEDED")
        yield Batch(followed, driver_id)


@pytest.mark.parametrize(
    ("name", "code"), [("ends-well", 0), ("ends-badly", 1), ("no-such-program", 1), ("no-such-package", 1)]
)
def test_submit_exits_with_the_result_of_the_job(batch: Batch, name: str, code: int) -> None:
    assert batch.followed[name].code == code, batch.followed[name].stderr


def test_submit_prints_the_log_and_says_how_the_job_ended(batch: Batch) -> None:
    good, bad, unknown, unprepared = batch.followed.values()
    assert "all went well\n" in good.text
    assert "Job ends-well succeeded after" in good.stderr
    assert "\nValueError: [red]boom[/red]\n" in bad.text, "Ray may announce the entrypoint behind it"
    assert "Job ends-badly failed with exit code 1 after" in bad.stderr
    assert "no-such-program: not found" in unknown.text
    assert "failed with exit code 127" in unknown.stderr
    assert unprepared.stdout == b""
    assert "Failed to download runtime_env file package" in unprepared.stderr


def test_jobs_are_those_of_ray(batch: Batch, ray_cluster: RayCluster, cockpit: CommandLine) -> None:
    def settled() -> bool:
        """Whether nothing changed while the slower of the two was asked."""
        return cockpit.jobs() == ours

    ours, theirs = cockpit.jobs(), job_list(ray_cluster)
    if not settled():
        ours, theirs = cockpit.jobs(), job_list(ray_cluster)
    assert {*RUN_TO_THEIR_END, *GO_ON, batch.driver} <= theirs.keys()
    assert ours.keys() == theirs.keys()
    for key, row in theirs.items():
        for field in ("type", "job_id", "submission_id", "status", "entrypoint", "message", "error_type", "metadata"):
            assert ours[key][field] == row[field], (key, field)
        assert ours[key]["driver_exit_code"] == row["driver_exit_code"]


def test_causes_of_failures_are_told(batch: Batch, cockpit: CommandLine) -> None:
    rows = cockpit.jobs()
    codes = {name: rows[name]["driver_exit_code"] for name in batch.followed}
    assert codes == {"ends-well": 0, "ends-badly": 1, "no-such-program": 127, "no-such-package": None}
    if ray_release().has_error_types:
        kinds = {name: rows[name]["error_type"] for name in batch.followed}
        assert kinds == {
            "ends-well": None,
            "ends-badly": "JOB_ENTRYPOINT_COMMAND_ERROR",
            "no-such-program": "JOB_ENTRYPOINT_COMMAND_ERROR",
            "no-such-package": "RUNTIME_ENV_SETUP_FAILURE",
        }
    table = cockpit.run("jobs", "--status", "failed").text
    row = next(line for line in table.splitlines() if " ends-badly " in line)
    # Ray quotes the log as it found it, now and then with its own announcement last.
    said = [line for line in rows["ends-badly"]["message"].splitlines() if line.strip()]
    cause = [line for line in said if not line.startswith("Running entrypoint for job ")][-1]
    assert f"  exit 1: {cause}  " in f"{row}  ", said
    assert "ends-well" not in table


@pytest.mark.usefixtures("batch")
def test_a_job_that_never_ran_has_no_log_but_a_reason(cockpit: CommandLine) -> None:
    done = cockpit.run("logs", "no-such-package")
    assert (done.code, done.stdout) == (0, b"")
    assert "never ran" in done.stderr
    assert ABSENT in done.stderr


def test_values_of_variables_are_told_nowhere(batch: Batch, cockpit: CommandLine, ray_cluster: RayCluster) -> None:
    known = job(ray_cluster.head, "no-such-package")["runtime_env"]["env_vars"]
    assert known == {"PLAIN": PLAIN, "REFERRED": REFERRED}, "Ray has them, so that there is something to hide"
    listed = cockpit.run("jobs", "--json")
    said = [listed, cockpit.run("jobs"), cockpit.run("logs", "no-such-package"), *batch.followed.values()]
    assert not [done for done in said if PLAIN in done.everything or REFERRED in done.everything]
    (shown,) = [row for row in listed.json()["jobs"] if row["submission_id"] == "no-such-package"]
    assert shown["runtime_env"]["env_vars"] == {"PLAIN": "***", "REFERRED": "***"}
    assert json.loads(shown["metadata"]["rayakash.env"]) == {"PLAIN": None, "REFERRED": "ac-secret://REFERRED"}


def test_driver_that_failed_is_no_success(batch: Batch, cockpit: CommandLine) -> None:
    assert cockpit.jobs()[batch.driver]["status"] == "SUCCEEDED", "Ray's word, which is not ours to change"
    (line,) = [line for line in cockpit.run("jobs").text.splitlines() if f" {batch.driver} " in line]
    assert "ENDED" in line
    assert "SUCCEEDED" not in line
    waited = cockpit.run("wait", batch.driver)
    assert waited.code == 1
    assert "Ray does not say how a driver ended" in waited.stderr


@pytest.mark.parametrize("command", ["stop", "delete", "logs"])
def test_driver_is_out_of_reach(batch: Batch, cockpit: CommandLine, command: str) -> None:
    done = cockpit.run(command, batch.driver)
    assert (done.code, done.stdout) == (1, b"")
    assert "driver" in done.stderr


@pytest.mark.usefixtures("batch")
def test_a_pending_job_is_not_called_stopped(cockpit: CommandLine, ray_cluster: RayCluster) -> None:
    with ray_cluster.head.http() as http:
        assert http.post("/api/jobs/cannot-start/stop").json() == {"stopped": True}
    stopped = cockpit.run("stop", "cannot-start")
    assert stopped.code == 1
    assert "Stop requested for job cannot-start, which is still PENDING." in stopped.stderr
    assert job(ray_cluster.head, "cannot-start")["status"] == "PENDING"
    deleted = cockpit.run("delete", "cannot-start")
    assert deleted.code == 1
    assert "has not ended yet" in deleted.stderr


@pytest.mark.usefixtures("batch")
def test_a_running_job_is_stopped_and_followed_to_its_end(cockpit: CommandLine, ray_cluster: RayCluster) -> None:
    with cockpit.start("wait", "runs-on") as waiting, cockpit.start("logs", "-f", "runs-on") as following:
        eventually(following.stdout, within=JOB, what="the head of the log")
        stopped = cockpit.run("stop", "runs-on")
        assert (stopped.code, stopped.text) == (0, "runs-on STOPPED\n")
        assert ended(ray_cluster.head, "runs-on")["status"] == "STOPPED"
        assert waiting.wait().code == 1
        assert following.wait().code == 1
    again = cockpit.run("stop", "runs-on")
    assert again.code == 0
    assert "had ended before" in again.stderr


@pytest.mark.usefixtures("batch")
def test_an_id_can_be_used_once(cockpit: CommandLine) -> None:
    done = cockpit.run("submit", "--id", "ends-well", "--", "echo again")
    assert (done.code, done.stdout) == (1, b"")
    assert "A job with the id ends-well already exists." in done.stderr


@pytest.mark.parametrize(
    ("command", "unknown"),
    [
        ("stop", ["nobody-knows-me", "nor/me"]),
        ("delete", ["nobody-knows-me", "../../etc/passwd"]),
        ("wait", ["nobody-knows-me", "a b?c#d%2F", "ä"]),
        ("logs", ["nor/me"]),
    ],
)
def test_unknown_ids(cockpit: CommandLine, command: str, unknown: list[str]) -> None:
    done = cockpit.run(command, *unknown)
    assert (done.code, done.stdout) == (1, b"")
    for name in unknown:
        assert f"Job {name} not found." in done.stderr


def test_ghost_with_a_slash_in_its_id(cockpit: CommandLine, ray_cluster: RayCluster) -> None:
    """Ray accepts such an id half: the job is there, and can be neither stopped nor deleted."""
    refused = cockpit.run("submit", "--id", "not/ours", "--", "true")
    assert refused.code == 2
    with ray_cluster.head.http() as http:
        http.post("/api/jobs/", json={"entrypoint": "true", "submission_id": "a/ghost"})  # says 500, and keeps it
    assert cockpit.jobs()["a/ghost"]["status"] == job(ray_cluster.head, "a/ghost")["status"] == "PENDING"
    for command in ("stop", "delete"):
        done = cockpit.run(command, "a/ghost")
        assert done.code == 1
        assert "slash" in done.stderr


def test_a_job_deleted_right_after_its_stop_does_not_come_back(cockpit: CommandLine, ray_cluster: RayCluster) -> None:
    """Ray's monitor of the supervisor wrote such a job again as FAILED "Entrypoint not found"."""

    def has_status(name: str, status: str) -> bool:
        return bool(job(ray_cluster.head, name)["status"] == status)

    for name in ("brief-1", "brief-2"):
        assert cockpit.run("submit", "--no-wait", "--id", name, "--", "sleep 600").code == 0
        eventually(partial(has_status, name, "RUNNING"), within=JOB, what="the job")
        with ray_cluster.head.http() as http:
            http.post(f"/api/jobs/{name}/stop")
        eventually(partial(has_status, name, "STOPPED"), within=JOB, what="its end")
        deleted = cockpit.run("delete", name)
        assert (deleted.code, deleted.text) == (0, f"{name} deleted\n")
        assert name not in cockpit.jobs()


@pytest.mark.slow
def test_a_job_stopped_while_it_waits_ends_as_stopped_and_does_not_come_back(tmp_path: Path) -> None:
    """Ray starts it once there is room, only to end it; the record may say FAILED then."""
    with started_head(num_cpus=1) as head:
        cockpit = CommandLine(tmp_path, {"RAYAKASH_ADDRESS": head.address, "RAY_AUTH_TOKEN": head.token})
        submit(head, "sleep 600", submission_id="holds", entrypoint_num_cpus=1)
        job_in(head, "holds", "RUNNING")
        names = ["waits-1", "waits-2", "waits-3"]
        for name in names:
            submit(head, "sleep 60", submission_id=name, entrypoint_num_cpus=1)
        asked = cockpit.run("stop", *names)
        assert asked.code == 1
        assert asked.stderr.count("which is still PENDING") == len(names)
        assert cockpit.run("delete", "waits-1").code == 1, "it has not ended yet"
        assert cockpit.run("stop", "holds").text == "holds STOPPED\n"
        for name in names:
            record = ended(head, name)
            assert record["status"] == "STOPPED" or "psutil.NoSuchProcess" in record["message"]
        waited = cockpit.run("wait", *names)
        assert all(re.search(rf"Job {name} (was )?stopped", waited.stderr) for name in names), waited.stderr
        deleted = cockpit.run("delete", *names, "holds")
        assert (deleted.code, deleted.text.split()[::2]) == (0, [*names, "holds"])
        assert cockpit.jobs() == {}, "delete waits until Ray's monitor writes none of them again"


@pytest.mark.usefixtures("batch")
def test_deleted_job_is_gone(cockpit: CommandLine, ray_cluster: RayCluster) -> None:
    deleted = cockpit.run("delete", "no-such-program", "nobody-knows-me")
    assert (deleted.code, deleted.text) == (1, "no-such-program deleted\n")
    assert "Job nobody-knows-me not found" in deleted.stderr
    assert job(ray_cluster.head, "no-such-program") == {}
    assert "no-such-program" not in cockpit.jobs()
