"""A Ray that does not have an endpoint (2.40 and 2.52 lack some, ray-depth section 8): one sentence, said once."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cockpit.operations.resources import FETCHES
from tests.sim import SimServer
from tests.sim.dashboard import Answer, Dashboard
from tests.sim.wire import Reply, Request
from tests.ui.driver import Driver, cockpit, simulated
from tests.wire.commands import here, home

__all__ = ["home"]

VERSION = {"version": "4", "ray_version": "2.40.0", "ray_commit": "22541c3", "session_name": "session_old"}
# What each view asks for; what it says where that is missing.
LACKING = {
    "actors": ("/api/v0/actors", "Ray 2.40.0 has no list of actors."),
    "tasks": ("/api/v0/tasks", "Ray 2.40.0 has no list of tasks."),
    "placement_groups": ("/api/v0/placement_groups", "Ray 2.40.0 has no list of placement groups."),
    "workers": ("/api/v0/workers", "Ray 2.40.0 has no list of workers."),
    "events": ("/api/v0/cluster_events", "Ray 2.40.0 has no list of cluster events."),
    "serve": ("/api/serve/applications/", "Ray 2.40.0 has no Serve API."),
    "train": ("/api/train/v2/runs/v1", "Ray 2.40.0 has no list of Train runs."),
    "data": ("/api/data/datasets/", "Ray 2.40.0 has no list of datasets."),
    "tune": ("/api/v0/actors", "Ray 2.40.0 has no list of actors."),
}


class OlderDashboard(Dashboard):
    """Has none of the paths in `lacking`, and counts how often they are asked for."""

    lacking: tuple[str, ...] = ()
    asked = 0

    async def _routed(self, request: Request) -> Answer:
        if request.path == "/api/version":
            return Reply(VERSION)
        if request.path.startswith(self.lacking):
            self.asked += 1
            return Reply(b"404: Not Found", status=404, content_type="text/plain")
        return await super()._routed(request)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[SimServer]:
    async with simulated() as server:
        server.dashboard = OlderDashboard(server.cluster)
        yield server


def dashboard_of(server: SimServer, name: str) -> OlderDashboard:
    dashboard = server.dashboard
    assert isinstance(dashboard, OlderDashboard)
    dashboard.lacking, dashboard.asked = (LACKING[name][0],), 0
    return dashboard


async def _said_once(driver: Driver, name: str) -> None:
    dashboard = dashboard_of(driver.server, name)
    driver.app.action_show_pane(name)
    await driver.settle()
    said = " ".join(driver.text.split())
    assert said.count(LACKING[name][1].rstrip(".")) == 1, driver.text
    first = dashboard.asked
    await driver.elapse(40.0)
    assert driver.told == []
    if name != "events":  # the deaths are listed without it
        assert dashboard.asked == first
        await driver.press("r")
        assert dashboard.asked > first


async def test_each_view_says_once_what_an_older_ray_lacks_and_asks_again_on_a_key_only(server: SimServer) -> None:
    assert set(LACKING) == set(FETCHES)
    async with cockpit(server, size=(160, 45)) as driver:
        for name in LACKING:
            await _said_once(driver, name)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", LACKING)
async def test_each_command_says_once_what_an_older_ray_lacks(server: SimServer, name: str) -> None:
    dashboard_of(server, name)
    done = await here(name.replace("_", "-"), "--address", server.url)
    assert done.code == (0 if name == "events" else 1)
    assert done.err.count(LACKING[name][1]) == 1
    assert "Traceback" not in done.err
