"""A cluster behind a bastion on the screen: what ssh asks, how the tunnel is, and that it comes back by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input

from cockpit.operations.clusters.connect import Selection, choose
from cockpit.operations.clusters.opening import target_opener
from tests.ssh_server import Bastion, make_key, needs_sshd
from tests.ui.driver import Driver, cockpit_on, simulated

pytestmark = needs_sshd


@pytest.fixture
def bastion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bastion]:
    with Bastion(tmp_path) as bastion:
        monkeypatch.setenv("PATH", bastion.path)
        yield bastion


async def sees(driver: Driver, text: str) -> None:
    await driver.wait_until(lambda: text in driver.text, text, settled=False)


async def test_a_rebooting_bastion_brings_the_panes_back_without_a_key(bastion: Bastion) -> None:
    async with simulated() as server:
        opener = target_opener(choose(Selection(address=server.url, ssh="bastion"), {}))
        async with cockpit_on(opener) as driver:
            await driver.wait_until(lambda: bool(driver.app.cluster and driver.jobs.keys), "jobs", settled=False)
            job = driver.jobs.keys[0]
            driver.sees("ssh bastion", job)
            bastion.end()
            await sees(driver, "ssh bastion: down, again in")
            driver.sees(job)  # what was known stays
            bastion.start()
            await driver.wait_until(lambda: "ssh bastion:" not in driver.text, "the tunnel is up", settled=False)


async def test_a_passphrase_is_asked_for_on_the_screen_and_hidden(bastion: Bastion) -> None:
    key = make_key(bastion.directory / "locked", "sesame")
    bastion.accept(key)
    bastion.client(IdentityFile=str(key))
    async with simulated() as server:
        opener = target_opener(choose(Selection(address=server.url, ssh="bastion"), {}))
        async with cockpit_on(opener) as driver:
            await sees(driver, "Enter passphrase for key")
            driver.app.screen.query_one("#ssh-answer", Input).value = "sesame"
            await driver.pause()
            assert "sesame" not in driver.text
            await driver.pilot.press("enter")
            await sees(driver, "ssh bastion")
            await driver.wait_until(lambda: driver.app.cluster is not None, "the cluster", settled=False)


async def test_giving_up_says_so_and_asks_once(bastion: Bastion) -> None:
    key = make_key(bastion.directory / "locked", "sesame")
    bastion.accept(key)
    bastion.client(IdentityFile=str(key))
    async with simulated() as server:
        opener = target_opener(choose(Selection(address=server.url, ssh="bastion"), {}))
        async with cockpit_on(opener) as driver:
            await sees(driver, "Enter passphrase for key")
            await driver.pilot.press("escape")
            await sees(driver, "bastion refused the login.")
            assert not driver.has_dialog


async def test_a_host_key_is_shown_whole_and_agreed_to(bastion: Bastion) -> None:
    (bastion.directory / "known_hosts").unlink()
    async with simulated() as server:
        opener = target_opener(choose(Selection(address=server.url, ssh="bastion"), {}))
        async with cockpit_on(opener) as driver:
            await sees(driver, "SHA256:")
            driver.sees("continue connecting (yes/no/[fingerprint])?")
            driver.app.screen.query_one("#ssh-answer", Input).value = "yes"
            await driver.pilot.press("enter")
            await driver.wait_until(lambda: driver.app.cluster is not None, "the cluster", settled=False)
