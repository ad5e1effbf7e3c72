"""The Submit dialog's memory: drafts, earlier submissions, saved jobs, the gallery, and code that is left behind."""

from pathlib import Path

import pytest

from cockpit.operations.jobs import submissions
from cockpit.operations.jobs.job_file import load
from cockpit.screens.choose import Choose
from cockpit.screens.help import HelpDialog
from cockpit.settings import OwnCommand
from tests.ui.driver import Driver, cockpit, simulated


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.py").write_text("print(1)\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def choice(driver: Driver, text: str) -> None:
    """Wait for a list, and choose the line that holds a text."""
    await driver.wait_until(lambda: isinstance(driver.app.screen, Choose), "the list")
    dialog = driver.app.screen
    assert isinstance(dialog, Choose)
    name = next(name for name, line in dialog._options if text in line)
    dialog.dismiss(name)
    await driver.wait_until(lambda: driver.app.screen is not dialog, "the end of the list")


async def test_what_was_typed_is_there_again_and_code_that_would_stay_behind_is_asked_for(here: Path) -> None:
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("s")
        await driver.opened("Submit a job")
        await driver.type("python train.py")
        await driver.press("escape", "s")
        dialog = await driver.opened("Submit a job")
        assert dialog.field("entrypoint") == "python train.py"
        await driver.pilot.press("ctrl+s")
        await choice(driver, "Send this directory")
        await driver.wait_until(lambda: driver.app.current_mode == "log", "its log")
        job = server.cluster.jobs[-1]
        assert job.runtime_env is not None
        assert job.runtime_env["working_dir"].startswith("gcs://")
        assert submissions.history()[0].form.working_dir == str(here)
        await driver.press("s")
        dialog = await driver.opened("Submit a job")
        assert dialog.field("entrypoint") == ""
        await driver.press("escape", "2")
        await driver.jobs.select(job.id)
        await driver.press("c")
        dialog = await driver.opened(f"Submit {job.id} again with today's code")
        assert dialog.field("working-dir") == str(here)
        dialog.says("gcs://")


async def test_saved_jobs_and_samples_fill_the_fields_and_a_job_is_saved(here: Path) -> None:
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("s")
        dialog = await driver.opened("Submit a job")
        await dialog.fill("entrypoint", "python train.py")
        await dialog.fill("working-dir", ".")
        await dialog.fill("wait-for", "gpus=2 timeout=5m label.zone=a")
        await driver.press("f2")
        await driver.opened("Save as a job file for `submit -f`")
        await driver.press("enter")
        await driver.wait_until(lambda: "Saved" in driver.text, "the file")
        found = load(here / "job.yaml")
        assert found.form.entrypoint == "python train.py"
        assert found.form.working_dir == str(here)
        assert found.wait_for is not None
        assert (found.wait_for.gpus, found.wait_for.labels) == (2, {"zone": "a"})
        await driver.press("ctrl+r")
        await choice(driver, "hello:")
        await driver.wait_until(lambda: dialog.field("entrypoint") == "python main.py", "the sample")
        assert (Path(dialog.field("working-dir")) / "main.py").is_file()
        await driver.press("ctrl+r")
        await choice(driver, "job.yaml")
        await driver.wait_until(lambda: dialog.field("entrypoint") == "python train.py", "the saved job")
        assert dialog.field("wait-for") == "gpus=2 timeout=300s label.zone=a"


async def test_the_palette_submits_a_sample() -> None:
    async with simulated() as server, cockpit(server) as driver:
        commands = {one.title: one for one in driver.app.get_system_commands(driver.app.screen)}
        assert commands["Sample job all-reduce"].help
        commands["Sample job hello"].callback()
        dialog = await driver.opened("Submit the sample hello")
        assert dialog.field("entrypoint") == "python main.py"
        await driver.press("escape")
        assert server.cluster.packages == {}


async def test_a_command_of_the_users_runs_on_its_key_with_the_row_and_a_clash_is_told(here: Path) -> None:
    mine = OwnCommand(scope="jobs", key="ctrl+g", label="note", command="printf %s {id} > noted", background=True)
    clash = OwnCommand(scope="jobs", key="x", label="clash", command="true")
    async with simulated() as server, cockpit(server, commands=(mine, clash)) as driver:
        await driver.wait_until(lambda: bool(driver.told), "the warning")
        assert driver.told == ["[[commands]] 'clash': x is the key of 'stop' already."]
        job = server.cluster.jobs[-1].id
        await driver.jobs.select(job)
        await driver.press("ctrl+g")
        await driver.wait_until(lambda: "note: done." in driver.told, "its end")
        assert (here / "noted").read_text() == job
        await driver.press("question_mark")
        help_dialog = driver.app.screen
        assert isinstance(help_dialog, HelpDialog)
        assert ("ctrl+g", "note") in help_dialog._lines
