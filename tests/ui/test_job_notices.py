"""The end of a followed job is told on the screen, by the terminal and by the user's own command, once."""

import sys
from pathlib import Path

import pytest

from cockpit.settings import Notify, load_settings
from tests.sim import SimServer
from tests.ui.driver import Driver, cockpit, simulated

EVIL = "a\x07\x1b]0;owned\x07b"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the terminal is told, bells among it."""
    from cockpit.app import CockpitApp

    sent: list[str] = []
    monkeypatch.setattr(CockpitApp, "write_terminal", lambda _, sequence: sent.append(sequence))
    monkeypatch.setattr(CockpitApp, "bell", lambda _: sent.append("bell"))
    monkeypatch.delenv("TMUX", raising=False)
    return sent


def submitted(server: SimServer, name: str) -> str:
    """A job that goes on until it is stopped."""
    return server.cluster.submit({"entrypoint": "sleep 90000", "submission_id": name}).id


async def follow(driver: Driver, job_id: str) -> None:
    """Show a job's log, then look at something else."""
    await driver.elapse(5)
    await driver.jobs.select(job_id)
    await driver.press("l")
    await driver.press("4")


async def stop(driver: Driver, job_id: str) -> None:
    """Somebody else stops it, and the list is asked for once more."""
    job = driver.server.cluster.find(job_id)
    assert job is not None
    assert job.stop(driver.server.cluster.clock.now())
    await driver.elapse(60)


async def test_a_followed_job_is_told_of_once_wherever_one_looks(sent: list[str]) -> None:
    async with simulated() as server, cockpit(server, notify=Notify(osc=9)) as driver:
        name = submitted(server, "mine")
        other = submitted(server, "another")
        await follow(driver, name)
        await stop(driver, other)
        assert not any(other in words for words in driver.told)
        await stop(driver, name)
        assert driver.told.count("mine stopped") == 1
        assert sent == ["bell", "\x1b]9;mine stopped\x07"]
        await driver.elapse(60)
        assert driver.told.count("mine stopped") == 1


async def test_nothing_is_asked_for_the_sake_of_a_notice_that_was_given(sent: list[str]) -> None:
    async with simulated() as server, cockpit(server) as driver:
        await follow(driver, submitted(server, "mine"))
        notices = driver.app.workspace.notices
        assert notices._watch is not None
        await stop(driver, "mine")
        await driver.wait_until(lambda: notices._watch is None, "the end of the watch")
        assert sent[0] == "bell"


async def test_a_job_that_has_ended_before_is_not_told_of(sent: list[str]) -> None:
    async with simulated() as server, cockpit(server) as driver:
        job = submitted(server, "mine")
        await driver.elapse(5)
        await stop(driver, job)
        await follow(driver, job)
        await driver.elapse(60)
        assert driver.told == []
        assert sent == []
        assert driver.app.workspace.notices._watch is None


async def test_without_a_bell_it_is_still_said(sent: list[str]) -> None:
    async with simulated() as server, cockpit(server, notify=Notify(bell=False)) as driver:
        await follow(driver, submitted(server, "mine"))
        await stop(driver, "mine")
        assert driver.told == ["mine stopped"]
        assert "bell" not in sent


async def test_a_job_that_a_restarted_head_has_forgotten_is_told_of_as_lost(sent: list[str]) -> None:
    async with simulated() as server, cockpit(server) as driver:
        await follow(driver, submitted(server, "mine"))
        server.cluster.restart()
        await driver.elapse(90)
        assert "mine lost" in driver.told
        assert "bell" in sent


async def test_a_job_that_was_deleted_is_waited_for_no_longer(sent: list[str]) -> None:
    async with simulated() as server, cockpit(server) as driver:
        await follow(driver, submitted(server, "mine"))
        await driver.elapse(60)
        job = server.cluster.find("mine")
        assert job is not None
        server.cluster.delete(job)
        await driver.elapse(60)
        await driver.wait_until(lambda: driver.app.workspace.notices._watch is None, "the end of the watch")
        assert driver.told == []
        assert sent == []


async def test_another_cluster_has_other_jobs(sent: list[str]) -> None:
    async with simulated() as server, cockpit(server) as driver:
        await follow(driver, submitted(server, "mine"))
        driver.app.workspace.notices.attach(None)
        await stop(driver, "mine")
        assert (driver.told, sent) == ([], [])


async def test_nothing_of_a_name_reaches_the_terminal_or_the_command(sent: list[str], tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = tmp_path / "told.py"
    script.write_text("import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(repr(sys.argv[2:]))")
    notify = Notify(osc=777, command=f"{sys.executable} {script} {told} {{job}} {{status}}")
    async with simulated() as server, cockpit(server, notify=notify) as driver:
        await follow(driver, submitted(server, EVIL))
        await stop(driver, EVIL)
        await driver.wait_until(told.exists, "the command")
        sequence = sent[1]
        assert (sequence.count("\x1b"), sequence.count("\x07")) == (1, 1)
        await driver.wait_until(lambda: told.read_text() != "", "what it wrote")
    assert told.read_text() == "['a___0_owned_b', 'STOPPED']"


async def test_a_command_that_fails_is_told(sent: list[str]) -> None:
    async with simulated() as server, cockpit(server, notify=Notify(command="/no/such/program")) as driver:
        await follow(driver, submitted(server, "mine"))
        await stop(driver, "mine")
        await driver.wait_until(lambda: any("cannot be run" in words for words in driver.told), "the failure")
        assert sent[0] == "bell"


async def test_the_first_job_that_is_followed_has_one_question_asked_and_its_answer_written_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "foot")
    async with simulated() as server, cockpit(server, asks_for_notices=True) as driver:
        name = submitted(server, "mine")
        await driver.elapse(5)
        await driver.jobs.select(name)
        await driver.press("l")
        await driver.opened("Notify you when a job that you follow ends?")
        await driver.press("enter")
        await driver.wait_until(lambda: load_settings().has_notify, "the answer in config.toml")
        assert load_settings().notify == Notify(bell=True, osc=777)
        await driver.press("2", "l")
        assert not driver.has_dialog
