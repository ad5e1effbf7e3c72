"""5,000 jobs whose every field is long, wide, combining, from right to left, markup and escapes: read, drawn, used."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest

from cockpit.errors import NotFoundError
from tests.scripted import ScriptedTransport
from tests.ui.driver import Driver, cockpit
from tests.ui.screen import assert_sound
from tests.ui.test_registry import HOSTILE, NULL_JOB, STATUSES, answers

JOBS = 5_000
ENTRYPOINT_CHARACTERS = 2_000  # more than 50 MB would be refused, see clients/bounds.py
SOME_JOBS = 100  # where it is one job that is looked at
# For everything from the first byte to the last key: what has not come by then never will.
MOST_SECONDS = 600.0
SIZES = ((80, 24), (300, 80), (20, 5), (160, 45))


def hostile_job(number: int, *, status: str | None = None) -> dict[str, Any]:
    """A job whose every text is one of the hostile ones, the entrypoint over and over."""
    text = HOSTILE[number % len(HOSTILE)] or "x"
    times = ENTRYPOINT_CHARACTERS // len(text) + 1
    return NULL_JOB | {
        "type": "SUBMISSION",
        "job_id": text[:30],
        "submission_id": f"{number}-{text[:60]}",
        "status": status or STATUSES[number % len(STATUSES)],
        "entrypoint": (text * times)[:ENTRYPOINT_CHARACTERS],
        "message": f"{text}\n" * 5,
        "error_type": text[:60],
        "start_time": 1_795_000_000_000 - number,
        "end_time": None,
        "metadata": {text[:40]: text[:300], "owner": text[:40]},
        "runtime_env": {"working_dir": text[:60], "env_vars": {text[:40]: "sim-secret", "TOKEN": "sim-secret"}},
        "driver_info": {"id": "01", "node_ip_address": text[:40], "pid": str(number)},
        "driver_agent_http_address": text[:40],
        "driver_node_id": text[:40],
        "driver_exit_code": number % 4 - 1,
    }


def listing(jobs: int = JOBS, **changed: str) -> bytes:
    """The list of them all; `changed` are statuses by number."""
    statuses = {int(name.removeprefix("job_")): status for name, status in changed.items()}
    return json.dumps([hostile_job(number, status=statuses.get(number)) for number in range(jobs)]).encode()


@asynccontextmanager
async def cockpit_with_them(jobs: int = JOBS) -> AsyncIterator[tuple[Driver, ScriptedTransport]]:
    transport = ScriptedTransport()
    transport.answers.update(answers(0, 3) | {"/api/jobs/": listing(jobs, job_0="RUNNING")})
    transport.answers["/api/v0/logs/file"] = NotFoundError("There is no log.")
    pages = {hostile_job(number)["submission_id"]: hostile_job(number) for number in range(min(jobs, SOME_JOBS))}
    transport.answers.update(
        {
            f"/api/jobs/{quote(str(name), safe='', errors='surrogatepass')}": json.dumps(page).encode()
            for name, page in pages.items()
        }
    )
    async with (
        asyncio.timeout(MOST_SECONDS),
        cockpit(transport.client, size=SIZES[0], settled=False) as driver,
    ):
        await driver.wait_until(lambda: driver.jobs.pane.table.counts.total == jobs, "the jobs")
        yield driver, transport


async def test_they_are_drawn_at_every_size_and_every_key_does_its_work() -> None:
    async with cockpit_with_them() as (driver, _):
        for width, height in SIZES:
            await driver.resize(width, height)
            for key in ("end", "pageup", "home", "pagedown", "right", "left", "w", "w", "o", "O"):
                await driver.pilot.press(key)
                assert_sound(driver.app)
        driver.jobs.pane.table.filter = "bold"
        await driver.pause()
        counts = driver.jobs.pane.table.counts
        assert counts.total == JOBS
        assert counts.shown == JOBS // len(HOSTILE)
        assert_sound(driver.app)


@pytest.mark.slow
async def test_each_kind_of_them_can_be_looked_at() -> None:
    async with cockpit_with_them(SOME_JOBS) as (driver, _):
        for number in range(len(HOSTILE)):
            driver.jobs.pane.table.move_to(driver.jobs.keys[number])
            for width, height in SIZES:
                await driver.resize(width, height)
                await driver.pilot.press("enter")
                await driver.wait_until(lambda: driver.has_dialog, "the detail")
                assert_sound(driver.app)
                assert "sim-secret" not in driver.text
                await driver.answer("escape")
            await driver.press("y", "Y")
            await driver.opened("Copy")
            assert_sound(driver.app)
            await driver.press("down", "down")
            await driver.answer("enter")
            assert len(driver.app.clipboard) >= ENTRYPOINT_CHARACTERS  # what cannot be printed is written out


async def test_they_are_found_by_the_palette() -> None:
    async with cockpit_with_them() as (driver, _):
        await driver.pilot.press("ctrl+p")
        await driver.pilot.press(*"4999-")
        await driver.wait_until(lambda: "4999-" in driver.text.split("\n", 6)[-1], "the last job", settled=False)
        assert_sound(driver.app)


async def test_one_of_them_that_changes_is_one_row_to_draw() -> None:
    async with cockpit_with_them() as (driver, transport):
        before = driver.lines
        transport.answers["/api/jobs/"] = listing(job_0="PENDING")
        await driver.elapse(30.0)
        await driver.wait_until(lambda: driver.lines != before, "the change")
        changed = [index for index, (old, new) in enumerate(zip(before, driver.lines, strict=True)) if old != new]
        assert "PENDING" in "\n".join(driver.lines[index] for index in changed)
        # Its row, what is said of it, the numbers of jobs, and the keys that make sense.
        assert len(changed) <= 4
        assert_sound(driver.app)
