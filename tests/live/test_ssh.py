"""A real Ray behind a real sshd."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cockpit.clients.tokens import FoundToken
from cockpit.model.secret import Secret
from cockpit.operations.clusters.connect import Selection, Target, choose
from cockpit.operations.clusters.opening import target_opener
from cockpit.panes.log import LogPane
from tests.live.cluster import RayCluster
from tests.live.command_line import CommandLine
from tests.ssh_server import Bastion, needs_sshd
from tests.ui.driver import cockpit_on
from tests.wire.commands import home

__all__ = ["home"]
pytestmark = [pytest.mark.live, needs_sshd]

REBOOT_S = 20.0
COUNTS = "import itertools, time\nfor n in itertools.count():\n    print('count', n, flush=True)\n    time.sleep(0.2)"


@pytest.fixture
def bastion(tmp_path: Path) -> Iterator[Bastion]:
    with Bastion(tmp_path) as bastion:
        yield bastion


def test_a_job_is_submitted_and_followed_through_a_bastion(
    bastion: Bastion, ray_cluster: RayCluster, cockpit: CommandLine
) -> None:
    variables = {
        "PATH": bastion.path,
        "RAY_ADDRESS": "",
        "RAY_API_SERVER_ADDRESS": "",
        "RAY_AUTH_TOKEN": ray_cluster.token,
    }
    way = ["--ssh", "bastion", "--address", ray_cluster.address]
    refused = cockpit.run(*way, "jobs", variables=variables)
    assert refused.code == 4, "the token of this machine is not for what answers on the other side"
    done = cockpit.run(*way, "--send-token", "submit", "--", "echo", "through the bastion", variables=variables)
    assert done.code == 0, done.everything
    assert "through the bastion" in done.text


@pytest.mark.slow
@pytest.mark.usefixtures("home")
async def test_a_bastion_that_is_away_for_20_s_brings_panes_and_log_back_without_a_key(
    bastion: Bastion, ray_cluster: RayCluster, cockpit: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", bastion.path)
    name = "counts-behind-a-bastion"
    started = await asyncio.to_thread(cockpit.run, "submit", "--no-wait", "--id", name, "--", "python", "-c", COUNTS)
    assert started.code == 0, started.everything
    async with cockpit_on(target_opener(behind(ray_cluster)), size=(110, 30)) as driver:
        await driver.wait_until(lambda: name in driver.jobs.keys, "the job", settled=False)
        await driver.jobs.select(name)
        await driver.pilot.press("l")
        await driver.wait_until(lambda: "count 5" in driver.text, "the log", settled=False)
        bastion.end()
        await driver.wait_until(lambda: "ssh bastion: down, again in" in driver.text, "the state", settled=False)
        driver.sees("count 5")
        await asyncio.sleep(REBOOT_S)
        held = len(held_by(driver.pane("log")))
        bastion.start()
        await driver.wait_until(lambda: "ssh bastion:" not in driver.text, "the tunnel is up", settled=False)
        await driver.wait_until(lambda: len(held_by(driver.pane("log"))) > held + 10, "the log goes on", settled=False)
        lines = held_by(driver.pane("log"))
        assert lines == [f"count {number}" for number in range(len(lines))], "bytes were lost"
        await driver.pilot.press("2")
        await driver.wait_until(lambda: " ago" not in driver.text, "fresh jobs", settled=False)
        driver.sees(name, "RUNNING")
    await asyncio.to_thread(cockpit.run, "stop", name)


def held_by(pane: LogPane) -> list[str]:
    """The whole lines that the job wrote, as far as the pane has fetched them."""
    spool = pane.session.spool
    return [line for line in spool.read(0, spool.size).decode().split("\n")[:-1] if line.startswith("count ")]


def behind(cluster: RayCluster) -> Target:
    """The cluster through the bastion, with its token as a context would have it."""
    target = choose(Selection(address=cluster.address, ssh="bastion"), {})
    return msgspec.structs.replace(target, token=FoundToken(Secret(cluster.token), "a test"), token_is_ambient=False)
