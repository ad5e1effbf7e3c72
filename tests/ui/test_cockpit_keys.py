"""Keys: each declared action is done, hints and the palette do what their key does, and users may have other keys."""

import pytest

from cockpit.actions import ACTIONS, in_scope, key_clashes
from cockpit.app import CockpitApp
from cockpit.panes.registry import PANES, entries
from cockpit.settings import Ui
from cockpit.widgets.key_hints import KeyHints
from tests.ui.driver import cockpit, simulated

PANE_KEYS = {entry.key: entry.title for entry in entries()}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: f"{action.scope}-{action.name}")
def test_every_action_is_done_by_somebody(action: object) -> None:
    name, scope = action.name, action.scope  # type: ignore[attr-defined]
    doers = [pane for pane in PANES if scope in ("app", pane.NAME)]
    assert doers
    assert hasattr(CockpitApp, f"do_{name}") or any(
        hasattr(pane, f"action_{name}") or name in pane.ASKS for pane in doers
    )


def test_our_own_keys_are_each_for_one_thing() -> None:
    own = {action.name: ",".join(action.keys) for action in ACTIONS if action.keys}
    assert key_clashes(own, PANE_KEYS) == []


async def test_a_click_on_a_hint_does_what_its_key_does() -> None:
    async with simulated() as server, cockpit(server, size=(150, 30)) as driver:
        assert server.cluster.jobs
        hints = driver.app.screen.query_one(KeyHints)

        async def click(action: str) -> None:
            x = 1
            for hint in hints.shown:
                if hint.action == action:
                    break
                x += len(hint.key) + len(hint.label) + 3
            await driver.pilot.click(KeyHints, offset=(x, 0))
            await driver.settle()

        await click("mark")
        assert driver.jobs.marked == [driver.jobs.cursor]
        await click("sort")
        assert driver.jobs.pane.table.sort is not None
        await click("help")
        driver.dialog().has_title("Keys")


async def test_clicks_on_tabs_titles_and_rows() -> None:
    async with simulated() as server, cockpit(server, size=(150, 30)) as driver:
        assert server.cluster.jobs
        table = driver.jobs.pane.table
        await driver.pilot.click(table, offset=(16, 0))
        await driver.settle()
        assert "SUBMISSION ID▲" in driver.jobs.header
        await driver.pilot.click(table, offset=(16, 0))
        await driver.settle()
        assert "SUBMISSION ID▼" in driver.jobs.header
        await driver.pilot.click(table, offset=(16, 3))
        await driver.settle()
        assert driver.jobs.cursor == driver.jobs.keys[2]
        await driver.pilot.click(table, offset=(16, 3))
        await driver.opened(f"Job {driver.jobs.cursor}")
        await driver.press("escape")
        x = driver.lines[2].index("2 Nodes")
        await driver.pilot.click(offset=(x + 1, 2))
        await driver.wait_until(lambda: driver.app.current_mode == "nodes", "the nodes")


async def test_keys_of_the_user_s_own_do_it_and_are_shown() -> None:
    async with simulated() as server, cockpit(server, ui=Ui(keys={"submit": "n", "sort": "f5"})) as driver:
        assert server.cluster.jobs
        assert "n submit" in driver.lines[-1]
        await driver.press("s")
        assert not driver.has_dialog
        await driver.press("n")
        await driver.opened("Submit a job")
        await driver.press("escape", "f5")
        assert driver.jobs.pane.table.sort is not None
        await driver.press("question_mark")
        driver.dialog().says("n  ", "Submit a job")
        assert driver.told == []


async def test_what_is_wrong_in_a_key_map_is_told() -> None:
    keys = {"launch": "L", "submit": "l,3", "filter": "f5"}
    async with simulated() as server, cockpit(server, ui=Ui(keys=keys)) as driver:
        assert server.cluster.jobs
        assert any("No action is called launch" in text for text in driver.told)
        assert any("l is the key of 'submit' and of 'log'." in text for text in driver.told)
        assert any("3 is the key of 'submit' and of the pane GPUs." in text for text in driver.told)
        assert len(driver.told) == 3
        assert [action.name for action in in_scope(("jobs",))]
