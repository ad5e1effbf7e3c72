"""The panel that explains the row under the cursor, and the frames around both."""

from pathlib import Path

from cockpit.widgets.preview import PreviewPanel
from tests.ui.driver import Driver, cockpit, simulated


def panel(driver: Driver, name: str) -> PreviewPanel:
    found = driver.pane(name).query_one(PreviewPanel)
    assert isinstance(found, PreviewPanel)
    return found


def asked(driver: Driver) -> list[str]:
    """The jobs that the preview asks the cluster about now."""
    feeds = driver.cluster.hub._feeds
    return [name for name, feed in feeds.items() if name.startswith("job-glance:") and feed.has_watches]


async def test_the_row_under_the_cursor_explains_itself_until_z_hides_that_for_good(tmp_path: Path) -> None:
    tables = tmp_path / "tables.json"
    async with simulated() as server:
        async with cockpit(server, size=(140, 50), tables=tables) as driver:
            jobs = driver.jobs
            running = server.cluster.running()[0].id
            await jobs.select(running)
            await driver.press("end", *["up"] * 8)  # no row on the way is asked about
            await jobs.select(running)
            await driver.wait_until(lambda: len(panel(driver, "jobs").lines) > 5, "its last lines")
            assert asked(driver) == [f"job-glance:{running}:RUNNING"]
            driver.sees(f"╭ ● {running} ──", "6 running", "12 rows")
            await driver.press("4", "down")
            await driver.wait_until(lambda: "WORKER ID" in "".join(panel(driver, "nodes").lines), "its workers")
            assert asked(driver) == []
            assert any("1 h ago" in line for line in panel(driver, "nodes").lines)
            await driver.press("plus", "plus")
            assert any("10 min ago" in line for line in panel(driver, "nodes").lines)
            await driver.press("minus", "minus", "minus", "minus")
            assert any("24 h ago" in line for line in panel(driver, "nodes").lines)
            await driver.press("3")
            assert any("pid" in line for line in panel(driver, "gpus").lines)
            await driver.resize(99, 40)
            assert "╭" not in driver.text
            await driver.press("z")
            assert driver.told[-1] == "The preview needs 100 columns and 30 lines."
            await driver.resize(140, 50)
            await driver.press("2", "z")
            assert not panel(driver, "jobs").display
            assert asked(driver) == []
        async with cockpit(server, size=(140, 40), tables=tables) as driver:
            assert not panel(driver, "jobs").display
            await driver.press("3")
            assert panel(driver, "gpus").display


async def test_esc_closes_one_thing_after_the_other_and_then_leads_back() -> None:
    async with simulated() as server, cockpit(server, size=(140, 40)) as driver:
        await driver.jobs.select(server.cluster.running()[0].id)
        await driver.press("slash")
        await driver.type("RUNNING")
        await driver.press("enter", "space", "escape")
        assert (driver.jobs.pane.table.filter, len(driver.jobs.marked)) == ("", 1)
        driver.jobs.pane.table.filter = "RUNNING"
        await driver.pilot.click("#jobs-panel PanelEdge", offset=(8, 0))
        assert driver.jobs.pane.table.filter == ""
        await driver.pilot.click("#jobs-preview", offset=(8, 2))
        await driver.wait_until(lambda: driver.has_dialog, "the page of the job")
        await driver.press("escape")
        await driver.press("escape")
        assert driver.jobs.marked == []
        await driver.press("escape")
        assert driver.app.current_mode == "jobs"
        await driver.press("l")
        assert driver.app.current_mode == "log"
        await driver.press("escape")
        assert driver.app.current_mode == "jobs"
        await driver.press("a", "escape")
        assert driver.app.current_mode == "jobs"
        await driver.press("5", "escape")
        assert driver.app.current_mode == "log"
