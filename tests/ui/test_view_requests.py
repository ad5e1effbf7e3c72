"""How often each view of what is inside a cluster asks, beside the page of Ray's web dashboard that shows the same."""

from unittest.mock import patch

import pytest

from cockpit.operations.resources import FETCHES
from tests.bench.web_dashboard import PAGE_OF, requests_a_minute
from tests.sim import Plan
from tests.ui.driver import Driver, cockpit, simulated

WARM_S, MINUTES = 61.0, 2


async def _requests_a_minute(driver: Driver) -> float:
    """Of the view that is open, its header and all that goes on behind it; answers cost no time here."""
    await driver.elapse(WARM_S)
    before = driver.server.dashboard.requests
    await driver.elapse(60.0 * MINUTES)
    return (driver.server.dashboard.requests - before) / MINUTES


@pytest.mark.slow
async def test_no_view_asks_more_often_than_the_page_of_the_web_dashboard() -> None:
    with patch("cockpit.feeds.pace.STATE_FACTOR", 0.0):
        async with simulated(Plan(nodes=3, gpus=4, jobs=30)) as server, cockpit(server, size=(160, 45)) as driver:
            asked: dict[str, float] = {}
            for name in FETCHES:
                driver.app.action_show_pane(name)
                await driver.settle()
                asked[name] = await _requests_a_minute(driver)
            driver.app.action_show_pane("jobs")
            await driver.settle()
            job = next(job for job in server.cluster.running() if job.job_id and job.shares)
            await driver.jobs.select(job.id)
            await driver.press("enter")
            await driver.opened(f"Job {job.id}")
            asked["job page"] = await _requests_a_minute(driver)
    theirs = {name: requests_a_minute(PAGE_OF[name]) for name in asked}
    assert set(asked) == set(PAGE_OF)
    assert {name: (ours, theirs[name]) for name, ours in asked.items() if ours > theirs[name]} == {}
    assert min(asked.values()) > 0
