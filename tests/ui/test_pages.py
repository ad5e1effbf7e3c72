"""The pages of actors and nodes, logs of rows, and looks into their processes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.sim import Plan
from tests.ui.driver import Driver, cockpit, simulated


@pytest_asyncio.fixture
async def driver() -> AsyncIterator[Driver]:
    async with simulated(Plan(nodes=3, gpus=4, jobs=30)) as server, cockpit(server, size=(160, 45)) as driver:
        yield driver


async def sees(driver: Driver, text: str) -> None:
    await driver.wait_until(lambda: text in driver.text, text)


async def at_actor(driver: Driver) -> str:
    """The actors' pane, with the cursor on one that has a process; its ID."""
    driver.app.action_show_pane("actors")
    await driver.settle()
    table = driver.pane("actors").table
    key = next(key for key in table.shown_keys if table.cell_text("pid", key))
    assert table.move_to(key)
    return str(key)


async def test_the_page_of_an_actor_and_what_its_process_does(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    actor_id = await at_actor(driver)
    await driver.press("enter")
    await sees(driver, actor_id)
    await sees(driver, "namespace")
    await driver.press("tab")
    await sees(driver, "constructor")
    await driver.press("4")
    await sees(driver, "step (train.py:88)")
    await driver.press("F")
    await sees(driver, "70%  step")
    await driver.press("s")
    await driver.wait_until(lambda: any(text.startswith(f"Saved {tmp_path}") for text in driver.told), "the picture")
    await driver.press("escape", "escape")
    assert not driver.has_dialog
    await driver.press("M")
    await sees(driver, "pip install memray")
    await driver.press("escape", "S")
    await sees(driver, "main (train.py:120)")
    await driver.press("escape", "l")
    await driver.settle()
    assert driver.app.current_mode == "log"


async def test_the_page_of_a_node(driver: Driver) -> None:
    driver.app.action_show_pane("nodes")
    await driver.settle()
    assert driver.pane("nodes").table.move_to(driver.server.cluster.machines[1].node_id)
    await driver.press("enter")
    await sees(driver, "reserved in Ray")
    await driver.press("tab")
    await sees(driver, "ray::Loader")
    rows = [line for line in driver.lines if "ray::" in line]
    assert [row.split("ray::")[1].split()[0] for row in rows] == ["Loader", "Trainer.step", "IDLE"], "by memory"
    await driver.press("tab")
    await sees(driver, "raylet")
    await driver.press("tab")
    await driver.settle()
    assert driver.has_dialog


async def test_rows_of_serve_follow_their_logs_and_those_without_one_say_so(driver: Driver) -> None:
    driver.app.action_show_pane("serve")
    await driver.settle()
    table = driver.pane("serve").table
    application, replica = table.shown_keys[0], next(key for key in table.shown_keys if "#" in key)
    assert table.move_to(application)
    await driver.press("l")
    await driver.wait_until(lambda: any("has no log of its own" in text for text in driver.told), "the reason")
    assert table.move_to(replica)
    await driver.press("l")
    await driver.settle()
    assert driver.app.current_mode == "log"
    assert driver.pane("log")._file.filename == f"serve/replica_chat_LLM_{replica.partition('#')[2]}.log"
