"""`deploy --run` from its question to zero: a simulated Console, and a scripted Ray dashboard for the cluster."""

import asyncio
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from cockpit.cli.deploy_progress import Teller
from cockpit.clients.address import parse_address
from cockpit.operations.clusters.contexts import known_clusters
from cockpit.operations.deployments import deploying
from cockpit.operations.deployments.journal import attempts
from cockpit.operations.deployments.news import News, ServiceNews, StartNews
from tests.akash_sim.console import SimConsole
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
        (["--fetch", "/out"], "is not a path of a service"),
    ],
)
async def test_what_cannot_work_is_refused_before_money(
    console: SimConsole, lab: str, job: str, extra: list[str], words: str
) -> None:
    done = await here("deploy", lab, "--yes", *[job if one == "JOB" else one for one in extra])
    assert done.code == 2
    assert words in done.err
    assert console.world.deployments == {}


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
