"""The page of a job: its tabs, what they ask for, and the way back."""

from tests.sim import Fault, Plan, SimCluster, SimServer
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
        dialog.says("progress", "epoch ")
        assert driver.app._title_shown.endswith(f" % · {job.id}")
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
        assert driver.app._title_shown == ""


async def test_a_pending_job_says_why_it_waits_in_the_list_and_for_each_node_on_its_page() -> None:
    async with SimServer(SimCluster(MANY)) as server:
        job = next(job for job in server.cluster.jobs if job.status(server.cluster.clock.now()) == "PENDING")
        workloads = server.cluster.workloads
        supervisor = workloads.actor(
            actor_id="5" * 24 + "01000000",
            class_name="JobSupervisor",
            name=f"_ray_internal_job_actor_{job.submission_id}",
            state="PENDING_CREATION",
            required_resources={"GPU": 64.0},
        )
        workloads.more.setdefault("actors", []).append(supervisor)
        async with cockpit(server, size=(160, 45)) as driver:
            await driver.wait_until(lambda: "needs 64 GPUs" in driver.text, "the short reason")
            await driver.jobs.select(job.id)
            await driver.wait_until(lambda: "· why it waits" in driver.text, "the preview of why it waits")
            driver.sees("needs 64 GPUs, largest node has 4")
            await driver.press("enter")
            dialog = await driver.opened(f"Job {job.id}")
            await driver.wait_until(lambda: "why it waits" in driver.text, "why it waits")
            dialog.says("Needs 64 GPUs on one node; the largest node has 4.", "Ray gives up in", "too few GPUs")


async def test_the_log_is_shown_from_its_end_and_tables_fit_on_80_columns() -> None:
    async with SimServer(SimCluster(MANY)) as server, cockpit(server, size=(80, 24)) as driver:
        job = next(job for job in server.cluster.running() if job.job_id and job.kind.actor and job.shares)
        await driver.jobs.select(job.id)
        await driver.press("enter")
        await driver.opened(f"Job {job.id}")
        await driver.press("tab")
        scroll = driver.app.screen.query_one("#text-scroll")
        await driver.wait_until(lambda: scroll.max_scroll_y > 0 and scroll.is_vertical_scroll_end, "the end of the log")
        await driver.press("tab")
        await driver.wait_until(
            lambda: any("FAILED" in line and "preprocess" in line and "head" in line for line in driver.lines),
            "a task on one line",
        )


async def test_the_log_does_not_wait_for_the_lists_of_a_job() -> None:
    async with SimServer(SimCluster(MANY)) as server, cockpit(server, size=(80, 24)) as driver:
        job = next(job for job in server.cluster.running() if job.job_id and job.kind.actor and job.shares)
        await driver.jobs.select(job.id)
        server.dashboard.faults.add(Fault(path="/api/v0/tasks", kind="hang"))
        await driver.pilot.press("enter")
        await driver.wait_until(lambda: driver.has_dialog, "the page", settled=False)
        await driver.pilot.press("tab")
        scroll = driver.app.screen.query_one("#text-scroll")
        await driver.wait_until(lambda: scroll.max_scroll_y > 0, "its log", settled=False)
        server.dashboard.faults.clear()
        await driver.settle()
