"""Looking around: moving, filtering, sorting, columns, marks, copying, help, and the way out."""

from pathlib import Path

import pytest

from cockpit.errors import EXIT_OK
from cockpit.screens.palette import Palette
from cockpit.screens.pane_screen import PaneScreen
from cockpit.widgets.table.kept import KeptArrangements
from tests.sim import Plan, SimServer
from tests.ui.driver import Driver, cockpit, ids, simulated
from tests.ui.screen import assert_sound


def running(server: SimServer) -> list[str]:
    return ids(server.cluster.running())


async def test_it_opens_on_the_jobs_running_and_newest_first_and_the_cursor_moves() -> None:
    async with simulated() as server, cockpit(server) as driver:
        now = server.cluster.clock.now()
        newest = sorted(server.cluster.jobs, key=lambda job: (job.is_terminal(now), -job.created))
        assert driver.jobs.is_focused()
        assert driver.jobs.keys == ids(newest)
        driver.jobs.lines(*(job.id for job in newest))
        driver.sees("lab", "Ray 2.60.0", "http · no token", "2 Jobs", "? help")
        assert driver.jobs.cursor == newest[0].id
        await driver.press("down", "j", "k")
        assert driver.jobs.cursor == newest[1].id
        await driver.press("end")
        assert driver.jobs.cursor == newest[-1].id
        await driver.press("g")
        assert driver.jobs.cursor == newest[0].id


async def test_a_filter_narrows_as_it_is_typed_and_escape_takes_it_back() -> None:
    async with simulated() as server, cockpit(server) as driver:
        everything = driver.jobs.keys
        await driver.press("slash")
        await driver.type("RUNN")
        assert sorted(driver.jobs.keys) == sorted(running(server))
        driver.sees("╭ Jobs /RUNN ──", "of 12 rows")
        await driver.press("escape")
        assert driver.jobs.keys == everything
        assert driver.jobs.is_focused()
        await driver.press("slash", "!")
        await driver.type("running")
        await driver.press("enter")
        assert set(driver.jobs.keys) == set(everything) - set(running(server))
        assert driver.jobs.is_focused()
        await driver.press("slash", "ctrl+u", "slash")
        await driver.type("^. FAILED")
        failed = driver.jobs.keys
        await driver.type("(")
        driver.sees("✖ filter: no regex")
        assert driver.jobs.keys == failed
        await driver.type("$)")
        assert driver.jobs.keys == failed
        assert all("FAILED" in row for row in driver.jobs.rows if row)
        await driver.press("ctrl+u", "enter")
        assert driver.jobs.keys == everything


async def test_rows_are_sorted_by_one_column_after_the_other_either_way() -> None:
    async with simulated() as server, cockpit(server, size=(150, 30)) as driver:
        as_they_come = driver.jobs.keys
        await driver.press("o")
        assert "STATUS▲" in driver.jobs.header
        assert "FAILED" in driver.jobs.rows[0]
        await driver.press("o")
        assert "SUBMISSION ID▲" in driver.jobs.header
        upwards = driver.jobs.keys
        assert upwards[0].startswith("ci-smoke-12")
        await driver.press("O")
        assert "SUBMISSION ID▼" in driver.jobs.header
        assert driver.jobs.keys == upwards[::-1]
        while driver.jobs.pane.table.sort is not None:
            await driver.press("o")
        assert driver.jobs.keys == as_they_come


async def test_the_dialog_of_columns_hides_shows_and_moves_them() -> None:
    async with simulated() as server, cockpit(server) as driver:
        assert server.cluster.jobs
        before = driver.jobs.header.split()
        await driver.press("C")
        driver.dialog().has_title("Columns").says("■ STATUS", "□ TYPE")
        await driver.press("space", "down", "greater_than_sign", "escape")
        after = driver.jobs.header.split()
        assert "STATUS" not in after
        assert before.index("SUBMISSION") < before.index("ENTRYPOINT")
        await driver.press("C", "end", "space", "escape")
        assert not driver.has_dialog
        assert driver.jobs.is_focused()


async def test_copying_takes_ids_a_cell_or_the_row_to_the_clipboard() -> None:
    async with simulated() as server, cockpit(server) as driver:
        first, second, third = driver.jobs.keys[:3]
        await driver.press("y")
        assert driver.app.clipboard == first
        await driver.press("space", "down", "down", "space", "y")
        assert driver.app.clipboard == f"{first}\n{third}"
        assert driver.jobs.marked == [first, third]
        assert second not in driver.app.clipboard
        job = server.cluster.find(third)
        assert job is not None
        await driver.press("Y")
        (await driver.opened("Copy")).says("ENTRYPOINT", job.entrypoint[:40], "the whole row")
        await driver.press("down", "down")
        await driver.answer("enter")
        assert driver.app.clipboard == job.entrypoint
        assert driver.told[-1] == "Copied ENTRYPOINT."
        await driver.press("Y")
        await driver.opened("Copy")
        await driver.press("end")
        await driver.answer("enter")
        assert driver.app.clipboard.split("\t")[1:3] == [third, job.entrypoint]
        assert driver.told[-1] == "Copied the row."
        await driver.press("Y")
        await driver.opened("Copy")
        await driver.answer("escape")
        assert driver.told[-1] == "Copied the row."


async def test_help_tells_every_key_and_the_palette_finds_actions() -> None:
    async with simulated() as server, cockpit(server, size=(110, 70)) as driver:
        await driver.press("question_mark")
        driver.dialog().has_title("Keys").says("Submit a job", "Stop the selected", "2  ", "Jobs", "GPUs")
        await driver.press("escape", "ctrl+p")
        await driver.wait_until(lambda: isinstance(driver.app.screen, Palette), "the palette")
        await driver.type("gpu")
        await driver.wait_until(lambda: "Go to GPUs" in driver.text, "an entry")
        await driver.press("enter")
        await driver.wait_until(lambda: driver.app.current_mode == "gpus", "the GPUs")
        assert driver.gpus.is_focused()
        assert len(driver.gpus.keys) == server.cluster.plan.nodes * server.cluster.plan.gpus


async def test_nodes_and_gpus_tell_who_is_dead_and_who_holds_what() -> None:
    async with simulated() as server, cockpit(server, size=(150, 30)) as driver:
        await driver.press("4")
        driver.nodes.lines("✖ DEAD", "head", "worker-1", "worker-2")
        await driver.press("enter")
        driver.dialog().has_title("Node worker-3").says("state", "health check failed", "node id")
        await driver.press("escape", "3")
        await driver.elapse(61.0)
        held = [job for job in server.cluster.running() if job.shares]
        assert held
        for job in held:
            assert any(job.id in row for row in driver.gpus.rows), f"{job.id} holds no GPU of:\n{driver.text}"
        assert "as of" not in driver.text


@pytest.mark.parametrize("keys", [("q",), ("ctrl+q",)], ids=["q", "ctrl+q"])
async def test_it_leaves_by_its_keys_with_a_good_exit_code(keys: tuple[str, ...]) -> None:
    async with simulated() as server, cockpit(server) as driver:
        for key in keys:
            await driver.pilot.press(key)
        await driver.wait_until(lambda: not driver.app.is_running or driver.app.return_code is not None, settled=False)
        assert driver.app.return_value == EXIT_OK
        assert driver.app.cluster is None
        assert server.cluster.jobs


@pytest.mark.slow
async def test_it_stays_whole_while_the_terminal_changes_its_size_all_the_time() -> None:
    sizes = [(20, 5), (160, 50), (1, 1), (80, 24)]

    async def storm(driver: Driver) -> None:
        for size in sizes:
            await driver.resize(*size)
            assert_sound(driver.app)

    async with simulated() as server, cockpit(server) as driver:
        await driver.press("end")
        cursor = driver.jobs.cursor
        await storm(driver)
        for key in ("3", "5", "2", "s"):
            await driver.press(key)
            await storm(driver)
        await driver.press("escape")
        assert driver.jobs.cursor == cursor
        for key in ("c", "d", "enter", "question_mark", "ctrl+p", "C", "Y", "ctrl+k"):
            await driver.press(key)
            await driver.wait_until(lambda: not isinstance(driver.app.screen, PaneScreen), "a dialog")
            await storm(driver)
            await driver.press("escape")
            await driver.wait_until(lambda: isinstance(driver.app.screen, PaneScreen), "the table")
        await driver.press("slash")
        await storm(driver)
        await driver.press("escape")
        assert driver.jobs.cursor == cursor
        assert server.cluster.jobs


async def test_columns_that_have_no_room_are_not_sorted_by() -> None:
    async with simulated() as server, cockpit(server, size=(80, 24)) as driver:
        assert server.cluster.jobs
        titles = driver.jobs.header
        assert "METADATA" not in titles
        seen = []
        await driver.press("o")
        while (sort := driver.jobs.pane.table.sort) is not None:
            seen.append(sort.column)
            assert "▲" in driver.jobs.header
            await driver.press("o")
        assert len(seen) == len(set(seen)) > 2


async def test_how_a_table_was_set_up_is_there_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "tables.json"
    async with simulated() as server:
        async with cockpit(server, tables=path) as driver:
            await driver.press("o", "o", "O", "C", "space", "escape")
            header, rows = driver.jobs.header, driver.jobs.keys
            assert "STATUS" not in header
            assert "▼" in header
        async with cockpit(server, tables=path) as driver:
            assert driver.jobs.header == header
            assert driver.jobs.keys == rows
            await driver.press("3")
            assert driver.gpus.pane.table.sort is None
        columns = KeptArrangements(path)
        assert columns.of("jobs-table", "another").sort is None
        assert columns.of("jobs-table", "another").hidden == columns.of("jobs-table", "lab").hidden
        path.write_bytes(b"{")
        async with cockpit(server, tables=path) as driver:
            assert any("tables.json cannot be read" in text for text in driver.told)
            await driver.press("o")
        assert KeptArrangements(path).problem == ""


async def test_a_held_gpu_that_nobody_uses_is_marked_on_the_smallest_usual_terminal_too() -> None:
    async with simulated(Plan(nodes=4, gpus=8, jobs=40)) as server, cockpit(server, size=(80, 24)) as driver:
        assert server.cluster.jobs
        await driver.press("3")
        await driver.elapse(90.0)
        table = driver.gpus.pane.table
        idle = [key for key in driver.gpus.keys if table.cell_text("idle", key)]
        assert idle
        await driver.gpus.select(idle[0])
        assert "IDLE" in driver.gpus.header
        assert "HELD BY" in driver.gpus.header
        assert table.cell_text("idle", idle[0]) in driver.gpus.rows[table.shown_keys.index(idle[0]) - table.top]
