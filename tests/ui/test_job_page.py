"""The page of a job: its tabs, what they ask for, and the way back."""

from tests.sim import Plan, SimCluster, SimServer
from tests.ui.driver import cockpit

MANY = Plan(nodes=3, gpus=4, jobs=30)


async def test_the_tabs_show_what_runs_in_a_job() -> None:
    async with SimServer(SimCluster(MANY)) as server, cockpit(server, size=(160, 45)) as driver:
        job = next(job for job in server.cluster.running() if job.job_id and job.kind.actor and job.shares)
        await driver.jobs.select(job.id)
        await driver.press("enter")
        dialog = await driver.opened(f"Job {job.id}")
        dialog.says("Summary", "● RUNNING")
        await driver.wait_until(lambda: "tasks by function" in driver.text, "the progress of its tasks")
        await driver.press("tab", "tab")
        await driver.wait_until(lambda: "preprocess" in driver.text, "its tasks")
        assert "✖ 1 failed" in driver.text
        await driver.press("tab")
        await driver.wait_until(lambda: (job.kind.actor or "?") in driver.text, "its actors")
        await driver.press("tab")
        await driver.wait_until(lambda: "GPU" in driver.text, "its GPUs")
        await driver.press("shift+tab", "7")
        await driver.wait_until(lambda: "runtime environment" in driver.text, "its environment")
        await driver.press("escape")
        assert not driver.has_dialog


async def test_a_pending_job_says_why_it_waits_with_a_line_for_each_node() -> None:
    async with SimServer(SimCluster(MANY)) as server, cockpit(server, size=(160, 45)) as driver:
        job = next(job for job in server.cluster.jobs if job.status(server.cluster.clock.now()) == "PENDING")
        await driver.jobs.select(job.id)
        await driver.press("enter")
        dialog = await driver.opened(f"Job {job.id}")
        await driver.wait_until(lambda: "why it waits" in driver.text, "why it waits")
        dialog.says("reason", "Ray gives up")
