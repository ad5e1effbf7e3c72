"""Search, filter, marks and saving in the Log pane, by keys."""

import stat
from pathlib import Path

from tests.ui.driver import Driver, cockpit, simulated
from tests.ui.test_cockpit_log import followed, with_log

ENDLESS = "(\\w+\\s?)+$x"


async def found(driver: Driver, text: str) -> None:
    """Wait until the other process has answered and its answer can be read."""
    await driver.wait_until(lambda: text in driver.text, text)


async def test_what_is_typed_is_found_and_n_goes_on() -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=300)
        async with cockpit(server, size=(80, 24)) as driver:
            await followed(driver, job_id)
            await driver.press("slash")
            await driver.type("shard 1.5 done")
            await found(driver, "10 of 10 lines")
            driver.sees("regex ^r, smart case ^t", "shard 195 done")
            await driver.press("enter")
            driver.sees("/ shard 1.5 done", "10 of 10 lines", "n next")
            await driver.press("N")
            await found(driver, "9 of 10 lines")
            driver.sees("shard 185 done", "shard 184 done")
            await driver.press("n", "n")
            await found(driver, "1 of 10 lines   from the other end")
            await driver.press("escape")
            assert "of 10 lines" not in driver.text
            assert "n next" not in driver.text


async def test_escape_goes_back_to_where_the_search_began() -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=300)
        async with cockpit(server) as driver:
            await followed(driver, job_id)
            await driver.press("slash")
            await driver.type("shard 7 ")
            await found(driver, "1 of 1 line ")
            driver.sees("paused")
            await driver.press("escape")
            driver.sees("following", "shard 300 done")


async def test_how_a_text_is_meant_can_be_switched() -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=100)
        async with cockpit(server) as driver:
            await followed(driver, job_id)
            await driver.press("slash")
            await driver.type("(info)")
            await found(driver, "101 of 101 lines")
            await driver.press("ctrl+r")
            await found(driver, "not found   text ^r")
            await driver.press("ctrl+r", "ctrl+t", "ctrl+t")
            await found(driver, "not found   regex ^r, same case ^t")
            await driver.press("backspace")
            await found(driver, "no regex: missing )")


async def test_a_regex_without_end_is_ended_by_the_next_key() -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=100)
        async with cockpit(server) as driver:
            await followed(driver, job_id)
            await driver.press("slash")
            await driver.type(ENDLESS)
            await driver.press("enter")
            await found(driver, "searching 0%")
            await driver.press("home")
            driver.sees("Running entrypoint")
            await driver.press("escape")
            await driver.wait_until(lambda: "searching" not in driver.text, "the end of it")
            await driver.press("slash")
            await driver.type("shard 99 ")
            await found(driver, "1 of 1 line ")


async def test_a_filter_and_the_lines_around_while_the_log_grows() -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=100)
        async with cockpit(server) as driver:
            await followed(driver, job_id)
            await driver.press("f")
            await driver.type("shard .*[05] done")
            await found(driver, "20 lines")
            await driver.press("enter")
            assert "shard 99 done" not in driver.text
            await driver.press("+")
            await found(driver, "filter shard .*[05] done ±1")
            await found(driver, "shard 99 done")
            await driver.elapse(25.0)
            await found(driver, "shard 104 done")
            await driver.press("f", "home", "!", "enter")
            await found(driver, "filter !shard .*[05] done ±1")
            await driver.press("escape")
            await driver.wait_until(lambda: "filter !" not in driver.text, "all lines")


async def test_a_search_in_the_tail_fetches_the_whole_behind_it() -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=8000)
        async with cockpit(server) as driver:
            await followed(driver, job_id)
            driver.sees("the last 5,000 lines, Home for the whole")
            await driver.press("slash")
            await driver.type("entrypoint for job")
            await found(driver, "1 of 1 line ")
            driver.sees("Running entrypoint for job talks")
            assert "Home for the whole" not in driver.text
            assert (driver.log.status.lines or 0) > 8000


async def test_marked_lines_are_copied_and_saved_and_no_file_is_replaced_unasked(tmp_path: Path) -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=100)
        async with cockpit(server) as driver:
            await followed(driver, job_id)
            await driver.press("v", "up", "up")
            driver.sees("3 lines marked")
            await driver.press("y")
            assert driver.told[-1] == "Copied 3 lines."
            copied = driver.app.clipboard.split("\n")
            assert [line.split("shard ")[1].split()[0] for line in copied] == ["98", "99", "100"]
            target = tmp_path / "job.log"
            target.write_bytes(b"mine")
            await driver.press("S")
            (await driver.opened("Save the log as")).says("the whole log")
            for _ in "talks.log":
                await driver.press("backspace")
            await driver.type(str(target))
            await driver.press("enter")
            await driver.opened("Replace this file?")
            await driver.answer("n")
            assert target.read_bytes() == b"mine"
            await driver.press("S")
            for _ in "talks.log":
                await driver.press("backspace")
            await driver.type(str(target))
            await driver.press("enter")
            await driver.opened("Replace this file?")
            await driver.answer("y")
            await driver.wait_until(lambda: target.read_bytes() != b"mine", "the file")
            spool = driver.pane("log").session.spool
            assert target.read_bytes() == spool.read(0, spool.size)
            assert stat.S_IMODE(target.stat().st_mode) == 0o600


async def test_wrap_and_json_are_told_in_the_foot() -> None:
    async with simulated() as server:
        job_id = with_log(server, lines=30)
        async with cockpit(server) as driver:
            await followed(driver, job_id)
            await driver.press("w", "J")
            driver.sees("wrapped   JSON")
            await driver.press("w", "J")
            assert "wrapped" not in driver.text
            await driver.press("e")
            await found(driver, "0 lines of errors")
