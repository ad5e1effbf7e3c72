"""The cockpit on a real Ray: submit, follow, stop, lose the cluster and get it back."""

import asyncio

import pytest

from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint
from cockpit.model.secret import Secret
from tests.live.node import RayHead
from tests.ui.driver import Driver, cockpit_on, opener_of

pytestmark = pytest.mark.live

JOB_SECONDS = 180.0  # a driver starts in seconds, but not on a busy machine
SAYS = "python -c \"print('hello from the job')\""


async def submit(driver: Driver, entrypoint: str, job_id: str) -> None:
    """Submit through the dialog, and wait until the job is listed."""
    await driver.press("s")
    dialog = await driver.opened("Submit a job")
    await dialog.fill("entrypoint", entrypoint)
    await dialog.fill("submission-id", job_id)
    await driver.pilot.press("ctrl+s")
    await driver.wait_until(lambda: not driver.has_dialog, "the end of the dialog", within=JOB_SECONDS)
    await driver.press("2")  # its log has opened
    await driver.wait_until(lambda: job_id in driver.jobs.keys, "the job in the list")


async def becomes(driver: Driver, job_id: str, status: str) -> None:
    """Wait until a job is shown with a status."""
    table = driver.jobs.pane.table
    await driver.wait_until(lambda: status in table.cell_text("status", job_id), status, within=JOB_SECONDS)


@pytest.mark.slow
async def test_a_job_is_submitted_followed_and_stopped_and_a_lost_cluster_comes_back(disposable_head: RayHead) -> None:
    head = disposable_head
    client = RayClient.at(Endpoint(address=parse_address(head.address), token=Secret(head.token)))
    async with cockpit_on(opener_of(client, None), size=(120, 32)) as driver:
        await driver.wait_until(lambda: "No jobs yet." in driver.text, "the empty list")
        await submit(driver, SAYS, "says")
        await becomes(driver, "says", "SUCCEEDED")
        await driver.jobs.select("says")
        await driver.press("l")
        await driver.wait_until(lambda: "hello from the job" in driver.text, "its output")
        await driver.wait_until(lambda: "says succeeded" in driver.text, "its outcome", within=JOB_SECONDS)

        await driver.press("2")
        await submit(driver, "sleep 600", "sleeps")
        await becomes(driver, "sleeps", "RUNNING")
        await driver.jobs.select("sleeps")
        await driver.press("x")
        await driver.opened("Stop job sleeps?")
        await driver.answer("y")
        await becomes(driver, "sleeps", "STOPPED")

        head.freeze()
        await driver.wait_until(lambda: "jobs as of" in driver.text, "the age", settled=False)
        assert {"says", "sleeps"} <= set(driver.jobs.keys)
        await asyncio.to_thread(head.restart)
        await driver.wait_until(
            lambda: driver.jobs.keys == ["previous:sleeps", "previous:says"] and " ago" not in driver.text,
            "the restarted head",
            within=JOB_SECONDS,
        )
        driver.sees("previous session")
        await submit(driver, SAYS, "again")
