"""Logs of nodes, actors, tasks and workers on a real Ray, and all that a job wrote in one file."""

import asyncio
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.cluster import RayCluster
from tests.live.command_line import CommandLine
from tests.live.processes import eventually
from tests.live.reference import JOB
from tests.live.release import ray_release

pytestmark = pytest.mark.live

PROGRAM = """\
import os, pathlib, sys, time
import ray

ray.init()


@ray.remote(num_cpus=0)
class Talker:
    def say(self, word):
        print("the actor says", word, flush=True)
        print("and complains of", word, file=sys.stderr, flush=True)


@ray.remote(num_cpus=0)
def task(number):
    print("task line", number, flush=True)
    print("last task line without an end", end="", flush=True)
    return ray.get_runtime_context().get_task_id()


talker = Talker.remote()
ray.get(talker.say.remote("hello"))
task_id = ray.get(task.remote(7))
ray.get(task.remote(8))
print("IDS", talker._actor_id.hex(), task_id, ray.get_runtime_context().get_job_id(), flush=True)
print("driver's last word", flush=True)
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.1)
ray.get(talker.say.remote("goodbye"))
time.sleep(0.5)
"""


@dataclass(frozen=True)
class Program:
    """A job that goes on until `end` is there, and the ids that it printed."""

    end: Path
    actor: str
    task: str
    job: str


@pytest.fixture(scope="module")
def program(cockpit: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One job with an actor and tasks, for all tests of this module."""
    if not ray_release().hands_out_logs:
        pytest.skip("this Ray hands out logs as text only")
    place = tmp_path_factory.mktemp("program")
    script, end = place / "program.py", place / "end"
    script.write_text(PROGRAM)
    done = cockpit.run("submit", "--no-wait", "--id", "talks", "--", f"{ray_release().python} {script} {end}")
    assert done.code == 0, done.stderr

    def ids() -> list[str]:
        text = cockpit.run("logs", "talks").text
        return text.rpartition("IDS ")[2].split()[:3] if "driver's last word" in text else []

    actor, task, job = eventually(ids, within=JOB, what="the job's ids")
    yield Program(end, actor, task, job)
    end.touch()


@pytest.mark.usefixtures("program")
def test_the_files_of_a_node_are_listed_and_printed(ray_cluster: RayCluster, cockpit: CommandLine) -> None:
    done = cockpit.run("logs", "--node", "head", "--json")
    assert done.code == 0, done.stderr
    files = done.json()["files"]
    assert {"node_id": ray_cluster.head.node_id, "kind": "job", "name": "job-driver-talks.log"} in files
    assert {"raylet", "GCS", "worker", "dashboard"} <= {file["kind"] for file in files}
    printed = cockpit.run("logs", "--node", ray_cluster.head.node_id[:16], "--file", "job-driver-talks.log")
    assert printed.stdout == cockpit.run("logs", "talks").stdout
    absent = cockpit.run("logs", "--node", "head", "--file", "nobody.log")
    assert (absent.code, absent.stdout) == (1, b"")
    assert "There is no log nobody.log on node" in absent.stderr
    assert cockpit.run("logs", "--node", "head", "--file", "../../../../etc/passwd").code == 1


def test_an_actor_prints_to_two_files(cockpit: CommandLine, program: Program) -> None:
    out, err = (cockpit.run("logs", "--actor", program.actor, *more) for more in ([], ["--err"]))
    assert b"the actor says hello\n" in out.stdout, out.stderr
    assert b"and complains of hello\n" in err.stdout
    assert b"complains" not in out.stdout
    unknown = cockpit.run("logs", "--actor", "f" * 32)
    assert unknown.code == 1
    assert "Actor ffff" in unknown.stderr


def test_a_task_has_its_part_of_a_file(cockpit: CommandLine, program: Program) -> None:
    expected = b"task line 7\nlast task line without an end"

    def is_known() -> bool:
        """Whether the worker has told Ray of the task and of where its lines end, which it does once a second."""
        return cockpit.run("logs", "--task", program.task).stdout == expected

    eventually(is_known, within=JOB, what="the task's log")
    for more in ([], ["-f"]):
        done = cockpit.run("logs", "--task", program.task, *more)
        assert (done.code, done.stdout) == (0, expected), done.stderr
    assert cockpit.run("logs", "--task", "f" * 48).code == 1


async def test_all_that_a_job_wrote_is_saved(cockpit: CommandLine, program: Program, tmp_path: Path) -> None:
    with cockpit.start("logs", "-f", "--actor", program.actor) as follower:
        await asyncio.to_thread(eventually, lambda: b"hello" in follower.stdout(), within=JOB, what="the actor's word")
        program.end.touch()
        followed = await asyncio.to_thread(follower.wait)
    assert followed.code == 0, followed.stderr
    assert b"the actor says goodbye\n" in followed.stdout
    assert f"Actor {program.actor} is DEAD." in followed.stderr
    target = tmp_path / "talks.tar"
    done = await asyncio.to_thread(cockpit.run, "logs", "--all", "talks", "-o", str(target), "--json")
    assert done.code == 0, done.stderr
    assert target.stat().st_mode & 0o777 == 0o600
    assert await asyncio.to_thread(os.listdir, tmp_path) == ["talks.tar"]
    with tarfile.open(target) as archive:
        found = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        texts = {name: file.read() for name, file in found.items() if file is not None}
    driver = next(text for name, text in texts.items() if name.endswith("/job-driver-talks.log"))
    assert driver == (await asyncio.to_thread(cockpit.run, "logs", "talks")).stdout
    for words in (b"the actor says goodbye", b"and complains of hello", b"task line 7"):
        assert any(words in text for name, text in texts.items() if "/worker-" in name), words
    names = [row["name"] for row in done.json()["files"]]
    assert len(names) == len(set(names)) == len(texts)
    assert any(f"-{program.job}ffff" in name for name in names)
