"""The panes of what is inside the cluster: narrowed from a row, widened by name, and asked for with long rests."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from unittest.mock import patch

import pytest_asyncio

from cockpit.clients.ray.state import FIRST_ROWS
from cockpit.panes.resources import ResourcePane
from cockpit.render.table import Row
from tests.sim import Plan
from tests.ui.driver import Driver, cockpit, simulated


@pytest_asyncio.fixture
async def driver() -> AsyncIterator[Driver]:
    async with simulated(Plan(nodes=3, gpus=4, jobs=30)) as server, cockpit(server, size=(160, 45)) as driver:
        yield driver


def job_with_actors(driver: Driver) -> Any:
    return next(
        job for job in driver.server.cluster.running() if job.job_id and job.submission_id and len(job.shares) > 1
    )


def pane_of(driver: Driver, name: str) -> ResourcePane:
    pane = driver.pane(name)
    assert isinstance(pane, ResourcePane)
    return pane


async def test_keys_on_a_job_open_its_actors_tasks_and_events(driver: Driver) -> None:
    job = job_with_actors(driver)
    for key, name in (("a", "actors"), ("t", "tasks"), ("e", "events")):
        driver.app.action_show_pane("jobs")
        await driver.settle()
        assert driver.pane("jobs").find(job.submission_id)
        await driver.pilot.press(key)
        await driver.settle()
        assert driver.app.current_mode == name
        assert f"only of job {job.submission_id}" in driver.text
        table = pane_of(driver, name).table
        assert table.counts.total > 0
        if name != "events":
            assert {table.cell_text("job", row) for row in table.shown_keys} == {job.job_id}


async def test_a_key_on_a_node_opens_what_is_on_it_and_the_name_opens_all(driver: Driver) -> None:
    driver.app.action_show_pane("nodes")
    await driver.settle()
    node = driver.server.cluster.machines[1]
    assert driver.pane("nodes").table.move_to(node.node_id)
    await driver.pilot.press("a")
    await driver.settle()
    table = pane_of(driver, "actors").table
    on_the_node = table.counts.total
    assert {table.cell_text("node", row) for row in table.shown_keys} == {"worker-1"}
    driver.app.action_show_pane("actors")
    await driver.settle()
    assert table.counts.total > on_the_node
    assert "only of" not in driver.text


async def test_a_job_that_has_not_connected_has_nothing_and_says_whose_nothing_it_is(driver: Driver) -> None:
    waiting = next(job for job in driver.server.cluster.jobs if job.started is None)
    driver.app.action_show_pane("jobs")
    await driver.settle()
    driver.pane("jobs").find(waiting.submission_id)
    await driver.pilot.press("t")
    await driver.settle()
    assert f"No tasks · only of job {waiting.submission_id}" in driver.text


async def test_a_cut_list_says_so_in_rays_numbers(driver: Driver) -> None:
    workloads = driver.server.cluster.workloads
    workloads.is_bare = True
    workloads.more["tasks"] = [workloads.task(number) for number in range(10_050)]
    driver.app.action_show_pane("tasks")
    await driver.wait_until(lambda: "Ray looked at 10,000 of 10,050 tasks" in driver.text, "what is missing")


async def test_a_library_that_the_head_lacks_is_an_answer_and_not_an_outage(driver: Driver) -> None:
    driver.app.action_show_pane("train")
    await driver.settle()
    assert "RAY_TRAIN_ENABLE_STATE_TRACKING=1" in driver.text
    assert "next try in" not in driver.text
    driver.server.cluster.libraries.absent.add("Data")
    driver.app.action_show_pane("data")
    await driver.settle()
    assert 'pip install "ray[data]"' in driver.text
    assert "next try in" not in driver.text


async def test_the_first_of_many_rows_are_seen_before_the_others_are_read(driver: Driver) -> None:
    workloads = driver.server.cluster.workloads
    workloads.is_bare = True
    node_id = driver.server.cluster.machines[0].node_id
    workloads.more["actors"] = [
        workloads.actor(actor_id=f"{2_000 - number:032x}", node_id=node_id) for number in range(2_000)
    ]
    shown: list[tuple[int, str]] = []
    with patch.object(ResourcePane, "_made", autospec=True, side_effect=_noting(shown)):
        driver.app.action_show_pane("actors")
        await driver.wait_until(lambda: any(count == 2_000 for count, _ in shown), "all of them")
    table = pane_of(driver, "actors").table
    beginnings = [count for count, _ in shown if count == FIRST_ROWS]
    assert len(beginnings) == 1
    assert [said for _, said in shown if "reading 2,000 rows" in said]
    assert "reading" not in table.state_shown[0]
    assert table.row_key == table.shown_keys[0]


def _noting(shown: list[tuple[int, str]]) -> Callable[..., None]:
    real = ResourcePane._made

    def made(pane: ResourcePane, rows: list[Row]) -> None:
        real(pane, rows)
        shown.append((len(rows), pane.table.state_shown[0]))

    return made


async def test_a_key_on_a_gpu_opens_what_holds_it_and_the_events_of_its_node(driver: Driver) -> None:
    driver.app.action_show_pane("gpus")
    await driver.settle()
    gpus = driver.pane("gpus")
    held = next(
        (node, gpu)
        for node in gpus.snapshot.value.rows
        for gpu in node.gpus
        if any(holder.actor_id and holder.pid for holder in gpu.holders)
    )
    assert gpus.table.move_to(f"{held[0].node_id}/{held[1].index}")
    await driver.pilot.press("a")
    await driver.settle()
    assert f"only of GPU {held[1].index} on node {held[0].node_id[:12]}" in driver.text
    shown = pane_of(driver, "actors").table
    assert {shown.cell_text("pid", row) for row in shown.shown_keys} == {
        str(holder.pid) for holder in held[1].holders if holder.pid
    }
    driver.app.action_show_pane("gpus")
    await driver.pilot.press("e")
    await driver.settle()
    assert f"only of node {held[0].node_id[:12]}" in driver.text
