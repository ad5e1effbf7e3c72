"""`deploy --run` from its question to zero: a simulated Console, and a scripted Ray dashboard for the cluster."""

import asyncio
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli.deploy_progress import Teller
from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.errors import RejectedError
from cockpit.model.jobs import Job
from cockpit.operations.clusters.contexts import known_clusters
from cockpit.operations.deployments import deploying
from cockpit.operations.deployments.cluster_runner import Face, run_on
from cockpit.operations.deployments.journal import Entry, Journal, attempts
from cockpit.operations.deployments.news import News, ServiceNews, StartNews
from cockpit.operations.deployments.run_plan import RunPlan
from tests.akash_sim.console import SimConsole
from tests.akash_sim.wire import client_of
from tests.deployments.stage import CPU
from tests.deployments.test_commands import console as console
from tests.deployments.test_commands import lab as lab
from tests.wire.commands import Done, here
from tests.wire.fake_ray import FakeRay, serve
from tests.wire.server import until


async def _deployed(monkeypatch: pytest.MonkeyPatch, ray: FakeRay, ends: str, *argv: str) -> Done:
    """Run the command while a job that comes writes a line and ends."""
    async with serve(ray) as server:
        monkeypatch.setattr(deploying, "address_in", lambda *_: parse_address(server.url))

        async def live() -> None:
            await until(lambda: ray.jobs)
            name = next(iter(ray.jobs))
            ray.log(name).write(b"epoch 1\n")
            await until(lambda: ray.streams)
            ray.end(name, ends, 0 if ends == "SUCCEEDED" else 3)

        work = asyncio.create_task(live())
        try:
            return await here(*argv)
        finally:
            work.cancel()


@pytest.fixture
def job(tmp_path: Path) -> str:
    """A job file."""
    path = tmp_path / "job.yaml"
    path.write_text("entrypoint: python train.py\n")
    return str(path)


@pytest.mark.parametrize(("status", "code"), [("SUCCEEDED", 0), ("FAILED", 1)])
async def test_a_job_runs_on_a_cluster_of_its_own(
    console: SimConsole, lab: str, job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str, code: int
) -> None:
    """Its log on stdout, its result as the exit code, its logs in a file, and nothing left that costs."""
    ray = FakeRay()
    argv = ["deploy", lab, "--run", job, "--close-when", "done", "--into", str(tmp_path / "out"), "--yes"]
    done = await _deployed(monkeypatch, ray, status, *argv)
    assert done.code == code, done.err
    assert done.text == "epoch 1\n"
    assert "Then runs job.yaml" in done.err
    assert "is closed with its data, it cost $" in done.err
    (saved,) = (tmp_path / "out").iterdir()
    assert tarfile.is_tarfile(saved)
    assert next(iter(ray.jobs)) == attempts()[0].last.job_id
    assert [one.state for one in console.world.deployments.values()] == ["closed"]
    assert known_clusters().rows == ()


@pytest.mark.usefixtures("console")
async def test_json_is_one_object_and_the_log_goes_to_stderr(
    lab: str, job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = ["deploy", lab, "--run", job, "--close-when", "done", "--into", str(tmp_path), "--yes", "--json"]
    done = await _deployed(monkeypatch, FakeRay(), "SUCCEEDED", *argv)
    record: dict[str, Any] = json.loads(done.text)
    assert (record["job"]["status"], record["closed"]) == ("SUCCEEDED", True)
    assert record["spent"] > 0
    assert "epoch 1" in done.err


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--close-when", "done"], "needs a job"),
        (["--run", "JOB", "--no-wait"], "--no-wait"),
        (["--run", "missing.yaml"], "Cannot read the job file"),
        (["--close-when", "idle:1s"], "Invalid time to close"),
        (["--run", "JOB", "--fetch", "/out"], "is not a path of a service"),
        (["--run", "JOB", "--fetch", "ray-head:/"], "is not a path of a service"),
        (["--fetch", "ray-head:/out"], "Results are fetched after a job"),
        (["--run", "JOB", "--fetch", "ray-head:/a/out", "--fetch", "gateway:/b/out/"], "2 results would be copied"),
        (["--run", "JOB", "--into", "FOLDER", "--fetch", "ray-head:/job.yaml"], "job.yaml already exists"),
        (["--run", "JOB", "--into", "JOB", "--fetch", "ray-head:/out"], "is not a folder"),
        (["--run", "JOB", "--fetch", "head:/out"], "does not deploy a service 'head'"),
    ],
)
async def test_what_cannot_work_is_refused_before_money(
    console: SimConsole, lab: str, job: str, extra: list[str], words: str
) -> None:
    names = {"JOB": job, "FOLDER": str(Path(job).parent)}
    done = await here("deploy", lab, "--yes", *[names.get(one, one) for one in extra])
    assert done.code == 2
    assert words in done.err
    assert console.world.deployments == {}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("ray-head:8265", "ray-head:9999", "No public port of this SDL leads to its Ray dashboard"),
        ("=ac-secret://RAY_AUTH_TOKEN", "=plain-" + "x" * 40, "in plain text"),
    ],
)
async def test_a_cluster_that_is_not_reached_from_here_is_not_rented_for_a_job(
    console: SimConsole, lab: str, job: str, old: str, new: str, words: str
) -> None:
    """It would cost, and no job could be submitted to it."""
    await asyncio.to_thread(Path(lab).write_text, CPU.replace(old, new))
    done = await here("deploy", lab, "--run", job, "--yes")
    assert done.code == 2
    assert words in done.err
    assert console.world.deployments == {}


async def test_results_are_not_rented_for_where_they_cannot_be_written(
    console: SimConsole, lab: str, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    done = await here("deploy", lab, "--run", job, "--yes", "--into", str(Path(job).parent / "new" / "folder"))
    assert (done.code, "cannot be written to" in done.err) == (2, True)
    assert console.world.deployments == {}


async def test_a_resumed_run_without_a_dashboard_names_its_deployment() -> None:
    """Also one whose number was found only by the resume."""
    journal = Journal.begin(Entry(step="plan", at=1.0, token="abc", file="/lab.yaml", job_file="/job.yaml"))
    before = journal.attempt
    journal.write(Entry(step="created", at=2.0, dseq="42"))
    journal.close()
    face = Face(report=lambda _: None, follow=_never)
    with pytest.raises(RejectedError) as caught:
        await run_on(client_of(SimConsole()), before, RunPlan(job=Path("/job.yaml")), None, face)
    assert "deployments close 42" in caught.value.hint
    assert "Deployment 42" in caught.value.title


async def _never(_: RayClient, __: str) -> Job:
    raise AssertionError


def test_the_log_of_what_keeps_the_others_waiting_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """And not the whole of one that runs fast."""
    tell = Teller()

    def start(*log: str, ready: int = 0) -> News:
        service = ServiceNews(name="ray-head", available=ready, total=1, events=("Started: x",), log=log)
        return News(start=StartNews(services=(service,)))

    tell(start("a", "b"))
    tell(start("a", "b", "c"))
    tell(start("b", "c", *map(str, range(9))))
    tell(start("b", "c", "ready", ready=1))
    told = [line.split(" | ")[1] for line in capsys.readouterr().err.splitlines()]
    assert told == ["a", "b", "c", "4", "5", "6", "7", "8"]
