"""The question before a submission from the cockpit sends stored secrets over plain http."""

import pytest

from cockpit import settings
from cockpit.clients.address import Address
from cockpit.screens.confirm import Confirm
from tests.ui.driver import Driver, cockpit, simulated

VALUE = "aws-canary-0123456789"


@pytest.fixture(autouse=True)
def _far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Address, "is_loopback", property(lambda _: False))
    monkeypatch.setenv("RAYAKASH_SECRET_AWSKEY", VALUE)


async def begin(driver: Driver, name: str) -> None:
    await driver.press("s")
    dialog = await driver.opened("Submit a job")
    await dialog.fill("environment", "KEY=ac-secret://AWSKEY")
    await dialog.fill("entrypoint", "python train.py")
    await dialog.fill("submission-id", name)
    await driver.pilot.press("ctrl+s")


async def asked(driver: Driver) -> None:
    await driver.wait_until(lambda: isinstance(driver.app.screen, Confirm), "the question", settled=False)
    await driver.pause()
    driver.sees("Send the secret AWSKEY to http://127.0.0.1", "unencrypted")


async def test_secrets_wait_for_a_yes_that_is_remembered() -> None:
    async with simulated() as server, cockpit(server) as driver:
        before = len(server.cluster.jobs)
        await begin(driver, "first")
        await asked(driver)
        await driver.answer("n")
        await driver.wait_until(lambda: "was not sent" in driver.text, "the refusal")
        assert len(server.cluster.jobs) == before
        await driver.pilot.press("ctrl+s")
        await asked(driver)
        await driver.answer("y")
        await driver.wait_until(lambda: not driver.has_dialog, "the submission")
        assert server.cluster.jobs[-1].runtime_env == {"env_vars": {"KEY": VALUE}}
        await begin(driver, "second")
        await driver.wait_until(lambda: not driver.has_dialog, "the second submission")
        assert server.cluster.jobs[-1].submission_id == "second"


async def test_a_clone_asks_as_well() -> None:
    async with simulated() as server, cockpit(server) as driver:
        await begin(driver, "first")
        await asked(driver)
        await driver.answer("y")
        await driver.wait_until(lambda: driver.app.current_mode == "log", "its log")
        await driver.press("2")
        settings.save_consents(settings.Consents())
        await driver.press("c")
        await driver.opened("Submit first again")
        await driver.pilot.press("ctrl+s")
        await asked(driver)
        await driver.answer("n")
        await driver.wait_until(lambda: "was not sent" in driver.text, "the refusal")
