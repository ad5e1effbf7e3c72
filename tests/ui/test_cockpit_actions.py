"""What is done with jobs by a key: submitting, cloning, stopping, deleting, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from textual import events

from tests.sim import SimServer
from tests.sim.jobs import SimJob
from tests.sim.work import NOTEBOOK
from tests.ui.driver import SMALL, Driver, cockpit, simulated

SECRET = "sim-secret-value"


def with_jobs(server: SimServer) -> None:
    """Jobs of known names beside those of the plan."""
    now = server.cluster.clock.now()
    server.cluster.jobs += [
        SimJob(submission_id=None, job_id="77000000", kind=NOTEBOOK, entrypoint="python by_hand.py", created=now - 60,
               started=now - 55, node=1, pid=4242),
        SimJob(submission_id="ended", job_id=None, kind=NOTEBOOK, entrypoint="python old.py --x 1", created=now - 900,
               started=now - 800, ends=now - 300, runtime_env={"env_vars": {"TOKEN": SECRET, "MODE": SECRET}},
               metadata={"owner": "mia", "rayakash.resources": '{"num_gpus": 2}'}),
        SimJob(submission_id="waits", job_id=None, kind=NOTEBOOK, entrypoint="python wait.py", created=now - 30,
               started=None),
        *(SimJob(submission_id=f"runs-{number}", job_id=None, kind=NOTEBOOK, entrypoint=f"python run.py {number}",
                 created=now - number, started=now - number, metadata={"owner": "jo"}) for number in (1, 2, 3)),
    ]  # fmt: skip


def status(server: SimServer, job_id: str) -> str:
    job = server.cluster.find(job_id)
    return job.status(server.cluster.clock.now()) if job else "GONE"


async def submit(driver: Driver, title: str = "Submit a job") -> None:
    """Press ctrl+s in the submit dialog, and wait until it is gone."""
    dialog = driver.dialog().has_title(title).screen
    await driver.pilot.press("ctrl+s")
    await driver.wait_until(lambda: driver.app.screen is not dialog, "the end of the dialog")


async def test_a_job_is_submitted_through_the_dialog_and_seen_to_succeed() -> None:
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("s")
        dialog = await driver.opened("Submit a job")
        await driver.type("python train.py --epochs 3")
        await dialog.fill("num-gpus", "0")
        await dialog.fill("memory", "2Gi")
        await dialog.fill("environment", "MODE=fast\n# nothing\nOTHER=1")
        await dialog.fill("metadata", "owner=mia")
        await dialog.fill("submission-id", "from-the-dialog")
        dialog.says("rayakash-tui submit --id from-the-dialog --num-gpus 0 --memory 2Gi", 'MODE="$MODE"')
        await submit(driver)
        assert "Submitted from-the-dialog." in driver.told
        await driver.wait_until(lambda: driver.app.current_mode == "log", "its log")
        await driver.press("2")
        await driver.wait_until(lambda: driver.jobs.cursor == "from-the-dialog", "the cursor on it")
        assert "PENDING" in driver.jobs.row("from-the-dialog")
        await driver.elapse(8.0)
        assert "RUNNING" in driver.jobs.row("from-the-dialog")
        await driver.elapse(100.0)
        assert "SUCCEEDED" in driver.jobs.row("from-the-dialog")
        job = server.cluster.find("from-the-dialog")
        assert job is not None
        assert job.entrypoint == "python train.py --epochs 3"
        assert job.runtime_env == {"env_vars": {"MODE": "fast", "OTHER": "1"}}


async def test_what_is_wrong_in_the_dialog_is_told_and_nothing_typed_is_lost() -> None:
    async with simulated() as server, cockpit(server) as driver:
        with_jobs(server)
        before = len(server.cluster.jobs)
        await driver.press("s")
        dialog = await driver.opened("Submit a job")
        for field, text, complaint in (
            ("entrypoint", "", "The command is empty."),
            ("num-cpus", "many", "CPUs: 'many' is not a number."),
            ("memory", "lots", "Invalid size: 'lots'."),
            ("metadata", "owner", "Metadata: 'owner' is not of the form KEY=VALUE."),
            ("environment", "=x", "Environment: '' is not of the form KEY=VALUE."),
            ("submission-id", "ended", "A job with the id ended already exists."),
        ):
            await dialog.fill(field, text)
            await driver.pilot.press("ctrl+s")
            await driver.wait_until(lambda complaint=complaint: complaint.lower() in driver.text.lower(), complaint)  # type: ignore[misc]
            assert driver.has_dialog
            assert dialog.field(field) == text
            assert driver.text.lower().count(complaint.lower()) == 1
            if field != "submission-id":  # a refusal of the cluster is not that of a field
                assert driver.app.focused is dialog.screen.query_one(f"#submit-{field}")
            good = {"entrypoint": "python keep.py", "num-cpus": "1", "memory": "1Gi", "metadata": "a=b"}
            await dialog.fill(field, good.get(field, ""))
        assert len(server.cluster.jobs) == before
        await server.refuse()
        await driver.pilot.press("ctrl+s")
        await driver.wait_until(lambda: "No cluster answers at" in driver.lines[-5] + driver.text, "the outage")
        assert dialog.field("entrypoint") == "python keep.py"
        await server.listen()
        await submit(driver)
        assert server.cluster.jobs[-1].entrypoint == "python keep.py"


async def test_the_dialog_shows_what_an_upload_would_send_and_sends_it(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print('hello')\n")
    (tmp_path / ".env").write_text(f"API_KEY={SECRET}\n")
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("s")
        dialog = await driver.opened("Submit a job")
        await driver.type("python train.py")
        await driver.press("tab")
        await dialog.fill("working-dir", str(tmp_path / "nowhere"))
        await driver.press("tab")
        await driver.wait_until(lambda: "nowhere" in _problem(dialog, "working-dir"), "the complaint")
        await dialog.fill("working-dir", str(tmp_path))
        await driver.press("tab")
        await driver.wait_until(lambda: "2 files" in str(_preview(dialog)), "the preview")
        dialog.says("2 files", "warning:", ".env")
        await submit(driver)
        assert server.cluster.packages
        job = server.cluster.jobs[-1]
        assert job.runtime_env is not None
        assert job.runtime_env["working_dir"].startswith("gcs://")


def _problem(dialog: Any, field: str) -> str:
    return str(dialog.screen.query_one(f"#submit-{field}-problem").render())


def _preview(dialog: Any) -> str:
    return str(dialog.screen.query_one("#upload-preview").render())


async def test_a_paste_of_a_whole_file_is_refused_and_a_reasonable_one_is_taken() -> None:
    async with simulated() as server, cockpit(server) as driver:
        await driver.press("s")
        dialog = await driver.opened("Submit a job")
        for field in ("entrypoint", "environment"):
            dialog.screen.query_one(f"#submit-{field}").focus()
            await driver.pause()
            driver.app.post_message(events.Paste("x" * 1_000_000))
            await driver.wait_until(lambda: "1,000,000 characters are too many" in driver.text, "the refusal")
            assert dialog.field(field) == ""
            driver.app.post_message(events.Paste("KEY=1"))
            await driver.wait_until(lambda field=field: dialog.field(field) == "KEY=1", "the paste")  # type: ignore[misc]
        await driver.press("escape")
        assert server.cluster.packages == {}


async def test_a_clone_keeps_all_but_withheld_values_which_must_be_filled_in() -> None:
    async with simulated() as server:
        with_jobs(server)
        async with cockpit(server) as driver:
            await driver.jobs.select("ended")
            await driver.press("c")
            dialog = await driver.opened("Submit ended again")
            assert dialog.field("entrypoint") == "python old.py --x 1"
            assert dialog.field("num-gpus") == "2"
            assert dialog.field("metadata") == "owner=mia"
            assert dialog.field("environment") == "TOKEN=\nMODE="
            dialog.says("The value of TOKEN, MODE is not known here")
            assert SECRET not in driver.text
            await driver.pilot.press("ctrl+s")
            await driver.wait_until(lambda: "TOKEN, MODE has no value." in driver.text, "the refusal")
            await dialog.fill("environment", "TOKEN=new")
            await dialog.fill("num-gpus", "")
            await submit(driver, "Submit ended again")
            assert server.cluster.jobs[-1].runtime_env == {"env_vars": {"TOKEN": "new"}}


async def test_stopping_asks_first_and_is_shown_until_it_is_really_over() -> None:
    async with simulated() as server:
        with_jobs(server)
        async with cockpit(server) as driver:
            await driver.jobs.select("runs-1")
            await driver.press("x")
            (await driver.opened("Stop job runs-1?")).says("runs-1   python run.py 1", "SIGTERM", "y yes", "n no")
            await driver.answer("enter")
            assert server.cluster.find("runs-1").stop_at is None  # type: ignore[union-attr]
            await driver.press("x")
            await driver.opened("Stop job runs-1?")
            await driver.answer("y")
            await driver.wait_until(lambda: "STOPPING" in driver.jobs.row("runs-1"), "STOPPING")
            assert status(server, "runs-1") == "RUNNING"
            await driver.elapse(3.0)
            await driver.wait_until(lambda: "STOPPED" in driver.jobs.row("runs-1"), "STOPPED")
            assert any("runs-1 stopped" in text for text in driver.told)


async def test_the_end_of_a_followed_job_that_was_stopped_here_is_told_once() -> None:
    async with simulated() as server:
        with_jobs(server)
        async with cockpit(server) as driver:
            await driver.jobs.select("runs-1")
            await driver.press("l", "2", "x")
            await driver.opened("Stop job runs-1?")
            await driver.answer("y")
            await driver.wait_until(lambda: "STOPPING" in driver.jobs.row("runs-1"), "STOPPING")
            await driver.elapse(3.0)
            await driver.wait_until(lambda: any("runs-1 stopped" in text for text in driver.told), "the end")
            await driver.elapse(10.0)
            assert len([text for text in driver.told if "runs-1 stopped" in text]) == 1


async def test_marked_jobs_are_stopped_together_after_all_of_them_were_named() -> None:
    async with simulated() as server:
        with_jobs(server)
        async with cockpit(server) as driver:
            for name in ("runs-1", "runs-3", "ended"):
                await driver.jobs.select(name)
                await driver.press("space")
            await driver.press("x")
            dialog = (await driver.opened("Stop 2 jobs?")).says("runs-1   python run.py 1", "runs-3   python run.py 3")
            names = [str(label.render()) for label in dialog.screen.query(".confirm-name")]
            assert [name.split()[0] for name in names] == ["runs-1", "runs-3"]
            await driver.answer("y")
            await driver.wait_until(lambda: driver.text.count("STOPPING") == 2, "both")
            await driver.elapse(5.0)
            await driver.wait_until(lambda: {status(server, f"runs-{n}") for n in (1, 3)} == {"STOPPED"}, "both")
            assert status(server, "runs-2") == "RUNNING"


@pytest.mark.parametrize("key", ["x", "l", "c"])
async def test_an_action_never_reaches_a_marked_job_that_the_filter_hides(key: str) -> None:
    async with simulated() as server:
        with_jobs(server)
        async with cockpit(server) as driver:
            for name in ("runs-1", "runs-3"):
                await driver.jobs.select(name)
                await driver.press("space")
            await driver.press("slash")
            await driver.type("runs-2")
            await driver.press("enter")
            assert "Unmarked 2 rows hidden by the filter." in driver.told
            await driver.press(key)
            if key == "l":
                await driver.wait_until(lambda: "runs-2" in driver.text.split("9 Clusters")[-1], "its log")
            else:
                title = {"x": "Stop job runs-2?", "c": "Submit runs-2 again"}[key]
                await driver.opened(title)


async def test_an_action_for_one_job_takes_the_one_under_the_cursor_whatever_is_marked() -> None:
    async with simulated() as server:
        with_jobs(server)
        async with cockpit(server) as driver:
            await driver.jobs.select("runs-1")
            await driver.press("space")
            await driver.jobs.select("runs-3")
            await driver.press("c")
            await driver.opened("Submit runs-3 again")


async def test_a_pending_job_that_ray_will_not_stop_says_so() -> None:
    async with simulated() as server:
        with_jobs(server)
        async with cockpit(server) as driver:
            await driver.jobs.select("waits")
            await driver.press("x")
            await driver.opened("Stop job waits?")
            await driver.answer("y")
            await driver.wait_until(lambda: any("still PENDING" in text for text in driver.told), "the truth")
            await driver.elapse(1.0)
            assert "PENDING" in driver.jobs.row("waits")


async def test_an_ended_job_is_deleted_and_a_running_one_is_not() -> None:
    async with simulated() as server:
        with_jobs(server)
        async with cockpit(server) as driver:
            await driver.jobs.select("runs-2")
            await driver.press("d")
            assert driver.told[-1] == "Job runs-2 is RUNNING; stop it first."
            await driver.jobs.select("ended")
            await driver.press("x")
            assert driver.told[-1] == "Job ended has ended: SUCCEEDED."
            await driver.press("d")
            (await driver.opened("Delete job ended?")).says("log files stay on the head")
            await driver.answer("y")
            await driver.wait_until(lambda: "ended" not in driver.jobs.keys, "its end")
            assert status(server, "ended") == "GONE"
            assert "Deleted ended." in driver.told


async def test_what_cannot_be_done_with_a_driver_is_told_with_what_to_do_instead() -> None:
    async with simulated() as server:
        with_jobs(server)
        async with cockpit(server) as driver:
            await driver.jobs.select("77000000")
            for key, what in (("x", "stops only submitted"), ("d", "deletes only submitted"), ("l", "keeps no log")):
                await driver.press(key)
                assert what in driver.told[-1]
                assert "process 4242 on 10.0.3.3" in driver.told[-1]
                assert ("End process 4242 on 10.0.3.3 instead." in driver.told[-1]) is (key == "x")
                assert not driver.has_dialog
            assert " x stop" not in driver.lines[-1]
            await driver.press("c")
            await driver.wait_until(lambda: "cannot be submitted again" in " ".join(driver.told), "the refusal")


async def test_the_detail_shows_every_field_and_no_value_of_a_variable() -> None:
    async with simulated() as server:
        with_jobs(server)
        async with cockpit(server, size=(110, 45)) as driver:
            await driver.jobs.select("ended")
            await driver.press("enter")
            (await driver.opened("Job ended")).says(
                "✔ SUCCEEDED", "python old.py --x 1", "exit code", "env TOKEN", "***", "owner", "mia", "Job finished"
            )
            assert SECRET not in driver.text
            assert "rayakash." not in driver.text
            await driver.press("y")
            assert "env TOKEN" in driver.app.clipboard
            assert SECRET not in driver.app.clipboard
            await driver.press("escape")
            failed = next(job for job in server.cluster.jobs if job.mishap and job.mishap.exit_code)
            await driver.jobs.select(failed.id)
            assert failed.mishap is not None
            driver.sees(f"exit code {failed.mishap.exit_code}")
            await driver.press("enter")
            (await driver.opened(f"Job {failed.id}")).says("exit code", str(failed.mishap.exit_code), "last lines")


async def test_the_detail_tells_what_becomes_of_the_job_while_one_looks() -> None:
    async with simulated() as server, cockpit(server, size=(110, 45)) as driver:
        running = server.cluster.running()[0]
        await driver.jobs.select(running.id)
        await driver.press("enter")
        (await driver.opened(f"Job {running.id}")).says("● RUNNING")
        assert running.stop(server.cluster.clock.now())
        await driver.elapse(30.0)
        driver.dialog().has_title(f"Job {running.id}").says("■ STOPPED")


async def test_a_read_only_cockpit_changes_nothing_and_says_why() -> None:
    async with simulated() as server:
        with_jobs(server)
        async with cockpit(server, read_only=True) as driver:
            driver.sees("READ-ONLY")
            await driver.jobs.select("runs-1")
            for key, what in (("s", "submit"), ("c", "clone"), ("x", "stop"), ("d", "delete")):
                await driver.press(key)
                assert driver.told[-1] == f"lab is read-only here: {what} is refused."
                assert f" {key} {what}" not in driver.lines[-1]
                assert not driver.has_dialog
            await driver.press("enter")
            await driver.opened("Job runs-1")
            assert len(server.cluster.jobs) == SMALL.jobs + 6
