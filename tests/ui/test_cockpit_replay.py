"""The recorded cluster that ships with the program, and the first screen that offers it."""

import pytest

from cockpit.feeds.history_store import history_path
from cockpit.operations.clusters.opening import open_demo_replay
from cockpit.operations.clusters.replay import DEMO_NAME
from cockpit.panes.registry import PANES
from tests.ui.driver import Driver, cockpit_on

UNRECORDED = "does not contain an answer"
TRAINING = "mistral-sft-r13"


async def shown(driver: Driver, pane: str, *texts: str) -> None:
    """Wait until a pane shows these texts, and nothing that the recording lacks."""
    await driver.wait_until(lambda: driver.app.current_mode == pane, f"the pane {pane}")
    await driver.wait_until(lambda: all(text in driver.text for text in texts), f"{texts} in {pane}")
    assert UNRECORDED not in driver.text


@pytest.mark.slow
async def test_every_pane_of_the_recorded_cluster_and_a_job_s_page_have_answers() -> None:
    async with cockpit_on(open_demo_replay, size=(150, 42), first_pane="overview") as driver:
        await driver.wait_until(lambda: driver.app.cluster is not None, "the cluster")
        await shown(driver, "overview", "REPLAY", "GPUs by node", "$0.87/h wasted", "worker-12 died")
        pane = driver.pane("overview")
        await driver.wait_until(lambda: len(pane.overview.curves["gpu"]) > 50, "the past")
        for key, name, text in (("2", "jobs", TRAINING), ("3", "gpus", "H100"), ("4", "nodes", "worker-1")):
            await driver.press(key)
            await shown(driver, name, text)
        for name, text in (("actors", "RayTrainWorker"), ("tasks", ""), ("events", ""), ("pg", ""), ("serve", "")):
            await driver.press("colon")
            await driver.type(name)
            await driver.press("enter")
            wanted = next(one.name for one in PANES if name in (one.name, *one.aliases))
            await driver.wait_until(lambda: driver.app.current_mode == wanted, name)  # noqa: B023
            await driver.wait_until(lambda: text in driver.text and "asking" not in driver.text, name)  # noqa: B023
            assert UNRECORDED not in driver.text, name
        await driver.press("2")
        await driver.jobs.select(TRAINING)
        await driver.press("x")
        assert driver.told == [f"{DEMO_NAME} is a recording (REPLAY) and cannot be changed: stop is refused."]
        await driver.press("l")
        await shown(driver, "log", "loss")
        await driver.press("m")
        await driver.opened("Plot which number?")
        await driver.press("enter")
        await driver.wait_until(lambda: "loss  min" in driver.text, "the plot")
        await driver.press("9")
        await shown(driver, "clusters", DEMO_NAME, "REPLAY")
        assert not history_path(DEMO_NAME).exists(), "the history of a recording is kept apart from real ones"


async def test_who_has_no_cluster_is_told_what_can_be_done_and_a_key_does_it() -> None:
    async with cockpit_on(None, size=(80, 24)) as driver:
        dialog = await driver.opened("Which cluster?")
        dialog.says("Watch a Ray cluster", "Run jobs on it", "Rent one on Akash")
        dialog.says("r  replay a recorded cluster", "d  start Ray here", "a  add your cluster", "n  describe a new")
        await driver.press("r")
        await driver.wait_until(lambda: driver.app.cluster is not None, "the cluster")
        await shown(driver, "overview", "REPLAY")
        await driver.press("2", "x")
        assert driver.told == [f"{DEMO_NAME} is a recording (REPLAY) and cannot be changed: stop is refused."]
        await driver.press("ctrl+k")
        dialog = await driver.opened("Which cluster?")
        dialog.says(f"{DEMO_NAME} (open now, not saved)")
        await driver.press("a")
        await driver.opened("Add a cluster")
