"""Tables of a big cluster, whose rows are made in slices: what is on the screen is whole at any time."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import cast
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from cockpit.model.cluster import Rows
from cockpit.model.nodes import Node
from cockpit.model.snapshot import Snapshot
from cockpit.panes.table_pane import ROWS_AT_ONCE
from tests.sim import Plan, SimServer
from tests.ui.driver import Driver, cockpit, ids, simulated

BIG = Plan(nodes=60, gpus=8, jobs=3 * ROWS_AT_ONCE)


@pytest.fixture(autouse=True)
def _each_row_is_a_slice() -> Iterator[None]:
    """After those that are made at once; how fast the machine is must not matter."""
    with (
        patch("cockpit.model.slices.SLICE_SECONDS", 0.0),
        patch("cockpit.panes.table_pane.REST_SECONDS", 0.0),
        patch("cockpit.operations.clusters.live.REST_SECONDS", 0.0),
    ):
        yield


@asynccontextmanager
async def gpus_of_many() -> AsyncIterator[tuple[SimServer, Driver]]:
    """The GPUs pane with more rows than are made at once."""
    async with simulated(BIG) as server, cockpit(server) as driver:
        await driver.press("3")
        assert len(driver.gpus.keys) == BIG.nodes * BIG.gpus > ROWS_AT_ONCE
        yield server, driver


def begin(driver: Driver, name: str, **changes: object) -> None:
    """Have a snapshot shown, and leave it half made."""
    pane = driver.pane(name)
    pane.show(replace(pane.snapshot, **changes))
    assert pane._making is not None


def known(driver: Driver, name: str) -> Snapshot[Rows[Node]]:
    """What a pane shows."""
    snapshot = driver.pane(name).snapshot
    assert snapshot is not None
    assert snapshot.value is not None
    return cast("Snapshot[Rows[Node]]", snapshot)


def with_nodes(snapshot: Snapshot[Rows[Node]], rows: Sequence[Node]) -> Rows[Node]:
    """The same of these nodes only."""
    assert snapshot.value is not None
    return replace(snapshot.value, rows=tuple(rows))


async def test_cursor_marks_filter_and_order_stay_while_all_rows_are_renewed() -> None:
    async with gpus_of_many() as (_, driver):
        everything = driver.gpus.keys
        await driver.press("end", "up", "space", "home", "down", "space")
        assert driver.gpus.marked == [everything[1], everything[-2]]
        driver.gpus.pane.table.move_to(everything[300])
        before = driver.gpus.screen()
        await driver.elapse(10.0)
        assert driver.gpus.screen() != before
        assert (driver.gpus.keys, driver.gpus.cursor) == (everything, everything[300])
        assert driver.gpus.marked == [everything[1], everything[-2]]
        driver.gpus.pane.table.filter = "/^7$"
        await driver.elapse(10.0)
        assert driver.gpus.keys == [key for key in everything if key.endswith("/7")]
        assert driver.gpus.marked == [], "the filter hides them"


async def test_half_a_table_is_never_shown_and_what_comes_meanwhile_takes_its_place() -> None:
    async with gpus_of_many() as (_, driver):
        everything, snapshot = driver.gpus.keys, known(driver, "gpus")
        living = [node for node in snapshot.value.rows if node.is_alive] if snapshot.value else []
        begin(driver, "gpus", value=with_nodes(snapshot, living[:40]))
        assert driver.gpus.keys == everything
        await driver.pause()
        begin(driver, "gpus", value=with_nodes(snapshot, living[:30]))
        assert len(driver.gpus.keys) in (len(everything), 40 * BIG.gpus)
        await driver.settle()
        wanted = {node.node_id for node in living[:30]}
        assert {key.rpartition("/")[0] for key in driver.gpus.keys} == wanted
        assert len(driver.gpus.keys) == 30 * BIG.gpus


async def test_a_small_answer_ends_the_making_of_a_big_one() -> None:
    async with gpus_of_many() as (_, driver):
        snapshot = known(driver, "gpus")
        begin(driver, "gpus")
        driver.gpus.pane.show(replace(snapshot, value=with_nodes(snapshot, ())))
        assert driver.gpus.keys == []
        await driver.settle()
        assert driver.gpus.keys == []


async def test_a_table_whose_first_rows_are_being_made_does_not_call_itself_empty() -> None:
    async with gpus_of_many() as (_, driver):
        pane = driver.gpus.pane
        snapshot = known(driver, "gpus")
        pane.show(replace(snapshot, taken=None))
        assert driver.gpus.keys == []
        pane.show(snapshot)
        pane.tick()
        assert driver.gpus.keys == []
        assert not any(pane.EMPTY in line for line in driver.gpus.screen())
        await driver.settle()
        assert len(driver.gpus.keys) == BIG.nodes * BIG.gpus


async def test_a_pane_that_is_hidden_makes_no_rows_and_has_all_when_it_is_seen_again() -> None:
    async with gpus_of_many() as (_, driver):
        everything = driver.gpus.keys
        begin(driver, "gpus")
        await driver.press("2")
        assert driver.gpus.pane._making is None
        await driver.elapse(10.0)
        await driver.press("3")
        assert driver.gpus.keys == everything


async def test_no_job_is_lost_that_comes_or_ends_while_rows_are_made() -> None:
    async with simulated(BIG) as server, cockpit(server) as driver:
        pane = driver.jobs.pane
        begin(driver, "jobs")
        new = server.cluster.submit({"entrypoint": "python late.py", "submission_id": "late"})
        gone = next(job for job in reversed(server.cluster.jobs) if job.id != new.id and job.id in driver.jobs.keys)
        server.cluster.delete(gone)
        driver.cluster.hub.kick()
        await driver.elapse()
        now = server.cluster.clock.now()
        ended = ("SUCCEEDED", "FAILED", "STOPPED")
        wanted = sorted(server.cluster.jobs, key=lambda job: (job.status(now) in ended, -job.created))
        assert driver.jobs.keys == ids(wanted), "those that run or wait first, then the newest"
        assert pane._making is None
        assert driver.jobs.keys[0] == "late"
        assert gone.id not in driver.jobs.keys


async def test_rows_of_ended_jobs_are_kept_and_those_of_running_ones_grow_older() -> None:
    async with simulated(BIG) as server, cockpit(server) as driver:
        pane, table = driver.jobs.pane, driver.jobs.pane.table
        running = ids(server.cluster.running())
        ended = {key: table._model.row(key) for key in driver.jobs.keys if pane._jobs[key].is_terminal}  # type: ignore[attr-defined]
        before = {key: table.cell_text("duration", key) for key in running}
        await driver.elapse(30.0)
        still = [key for key, row in ended.items() if table._model.row(key) is row]
        assert len(still) == len(ended) > ROWS_AT_ONCE
        await driver.elapse(40.0)
        assert {key for key in running if table.cell_text("duration", key) != before[key]}
