"""A cluster rented for a job: run once, followed, its results fetched, and closed; or kept with what is left."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from cockpit.errors import UnreachableError, UsageError
from cockpit.operations.deployments.deploying import Deploying, Tools
from cockpit.operations.deployments.flow import Terms
from cockpit.operations.deployments.journal import Entry, Journal, attempts
from cockpit.operations.deployments.run_plan import CloseWhen, RunPlan, close_when_of
from cockpit.operations.deployments.run_to_end import Ran, RunToEnd, run_plan_of
from cockpit.operations.deployments.starting import LeaseLostError
from cockpit.operations.deployments.telling import plan_question
from tests.akash_sim.console import SimConsole
from tests.deployments.job_stub import StubCluster
from tests.deployments.sources import ConsoleSource
from tests.deployments.stage import Run

pytestmark = pytest.mark.usefixtures("session_secrets")
DONE, IDLE = CloseWhen(kind="done"), CloseWhen(kind="idle", idle_s=600.0)
JOB = Path("/jobs/job.yaml")


class Rented(Run):
    """A deploy with what is to follow."""

    async def rent(self, plan: RunPlan) -> None:
        """Up to the cluster."""
        prepared = msgspec.structs.replace(await self.prepared(), run=plan)
        self.question = plan_question(prepared)
        tools = Tools(source=lambda console, _: ConsoleSource(console), probe=self.probe)
        await Deploying(self.client, prepared, Terms(), self.hear, tools=tools).run(self.ask)

    async def to_end(self, cluster: StubCluster, job_id: str = "job-1") -> Ran:
        """Go on from the journal, as this process or the next one."""
        (attempt,) = attempts()
        plan = run_plan_of(attempt)
        assert plan is not None
        journal = Journal.resume(attempt.path)
        try:
            return await RunToEnd(self.client, journal, plan, cluster, self.hear, try_it=self.probe).run(job_id)
        finally:
            journal.close()


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED"])
async def test_a_job_is_run_fetched_and_closed_with_one_question(tmp_path: Path, status: str) -> None:
    """Also one that failed: its cluster costs as much."""
    console = SimConsole()
    one = Rented(console)
    await one.rent(RunPlan(job=JOB, close_when=DONE, fetch=("ray-head:/out",), into=tmp_path))
    assert one.asked == []
    told = "\n".join(one.question.lines)
    assert "Then runs job.yaml" in told
    assert "Closes the deployment when the job is done: its data is lost then." in told
    assert "Ends by itself after 24 h" in told
    cluster = StubCluster(tmp_path / "jobs", status=status)
    ran = await one.to_end(cluster)
    assert cluster.did == ["submit", "follow", "log", "fetch ray-head:/out"]
    assert (ran.job and ran.job.status, ran.ended is not None, len(ran.fetched)) == (status, True, 2)
    steps = [entry.step for entry in Journal.resume(attempts()[0].path).entries]
    results = ["copied", "copying", "copied", "fetched"]
    assert steps[-10:] == ["context", "submitting", "submitted", "ran", *results, "closing", "closed"]
    assert one.costing() == []
    assert console.count("POST", "/v1/deployments") == 1


async def test_what_could_not_be_fetched_keeps_the_deployment(tmp_path: Path) -> None:
    """It is said to go on costing; the next try neither runs the job again nor asks for its end."""
    one = Rented(SimConsole())
    await one.rent(RunPlan(job=JOB, close_when=DONE, fetch=("ray-head:/out",), into=tmp_path))
    cluster = StubCluster(tmp_path / "jobs")
    cluster.fetch_error = UnreachableError("The provider does not answer.")
    with pytest.raises(UnreachableError) as caught:
        await one.to_end(cluster)
    assert "keeps costing money" in caught.value.hint
    assert len(one.costing()) == 1
    assert attempts()[0].is_unfinished
    later = StubCluster(tmp_path / "jobs")
    ran = await one.to_end(later, "job-2")
    assert later.did == ["fetch ray-head:/out"]
    assert later.submissions == ["job-1"]
    assert (ran.job_id, ran.ended is not None) == ("job-1", True)


async def test_what_was_fetched_is_not_fetched_twice(tmp_path: Path) -> None:
    """Neither what is on disk about it, nor what a kill left just before that: a copy appears whole."""
    one = Rented(SimConsole())
    places = ("ray-head:/a", "ray-head:/b", "ray-head:/c")
    await one.rent(RunPlan(close_when=IDLE, fetch=places, into=tmp_path))
    (attempt,) = attempts()
    journal = Journal.resume(attempt.path)
    journal.write(Entry(step="copying", at=1.0, result=places[0]))
    journal.write(Entry(step="copied", at=1.0, result=places[0], copied_to=str(tmp_path / "a")))
    journal.write(Entry(step="copying", at=1.0, result=places[1]))
    journal.close()
    for name in ("a", "b"):
        (tmp_path / name).write_text("whole")
    cluster = StubCluster(tmp_path / "jobs")
    ran = await one.to_end(cluster)
    assert cluster.did == [f"fetch {places[2]}"]
    assert len(ran.fetched) == 3
    assert ran.ended is not None


async def test_a_file_of_the_user_is_not_taken_for_a_result(tmp_path: Path) -> None:
    """It came while the job ran: the deployment is kept until it is moved away."""
    one = Rented(SimConsole())
    await one.rent(RunPlan(close_when=IDLE, fetch=("ray-head:/a",), into=tmp_path))
    (tmp_path / "a").write_text("another")
    for _ in range(2):
        with pytest.raises(UsageError, match="already exists"):
            await one.to_end(StubCluster(tmp_path / "jobs"))
    assert len(one.costing()) == 1
    (tmp_path / "a").rename(tmp_path / "mine")
    assert (await one.to_end(StubCluster(tmp_path / "jobs"))).ended is not None


async def test_idle_counts_only_what_is_seen(tmp_path: Path) -> None:
    """A job, or a cluster that does not answer, begins the time anew."""
    console = SimConsole()
    one = Rented(console)
    await one.rent(RunPlan(close_when=IDLE))
    began = console.world.clock.time()
    await one.to_end(StubCluster(tmp_path / "jobs", busy=(True, False, None, False, True)))
    assert 600 + 5 * 30 <= console.world.clock.time() - began < 600 + 10 * 30 + 60
    assert one.costing() == []


async def test_a_lease_that_ends_meanwhile_is_told(tmp_path: Path) -> None:
    """The runtime limit is the net below."""
    console = SimConsole()
    one = Rented(console, hours=1)
    await one.rent(RunPlan(close_when=IDLE))
    with pytest.raises(LeaseLostError):
        await one.to_end(StubCluster(tmp_path / "jobs", busy=(True, None) * 200))
    assert one.costing() == []


@pytest.mark.parametrize("text", ["", "never", "idle", "idle:", "idle:5s", "idle:x", "done:1h"])
def test_times_to_close_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        close_when_of(text)


@pytest.mark.parametrize(
    "plan", [{"close_when": DONE}, {"job": JOB, "fetch": ("/out",)}, {"job": JOB, "fetch": ("ray-head:",)}]
)
def test_plans_that_cannot_be_carried_out_are_refused(plan: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RunPlan(**plan).check()


def test_what_the_journal_keeps_is_what_was_asked_for() -> None:
    for text in ("done", "idle:1800s"):
        assert close_when_of(text).text == text
    assert close_when_of("idle:30m").words == "no job has run for 30 min"
