"""What is said of a job in a line: why it waits, how it failed, whether it is there any more."""

import msgspec
import pytest

from cockpit.model.jobs import Job
from cockpit.panes.job_summary import _lines
from cockpit.render.job_fields import detail_lines
from cockpit.render.jobs import is_as_made, job_row, outcome, reason, waits_for
from cockpit.render.table import RowContext, text_of

NOW = 1_795_000_000.0
WAITS = (
    "Job has not started yet. It may be waiting for resources (CPUs, GPUs, memory, custom resources) to become"
    " available. It may be waiting for the runtime environment to be set up."
)
FOR_ENV = "Job has not started yet. It may be waiting for the runtime environment to be set up."


@pytest.mark.parametrize(
    ("status", "message", "waits", "cell"),
    [
        ("PENDING", WAITS, ["resources", "env"], "resources or env?"),
        ("PENDING", FOR_ENV, ["env"], "env?"),
        ("PENDING", "Job has not started yet.", [], "not started yet"),
        ("PENDING", "Something new.", None, "Something new."),
        ("PENDING", None, None, ""),
        ("RUNNING", WAITS, None, ""),
    ],
)
def test_what_a_job_waits_for_is_told_in_words_that_fit(
    status: str, message: str | None, waits: list[str] | None, cell: str
) -> None:
    job = Job(submission_id="waits", status=status, message=message)
    assert waits_for(job) == waits
    assert text_of(job_row(job, RowContext(now=NOW)).cells[3]) == cell


def test_the_line_below_the_table_says_it_before_it_is_cut() -> None:
    said = _lines(Job(submission_id="raysubmit_0123456789abcdef", status="PENDING", message=WAITS), NOW)[0].text
    assert said == "raysubmit_0123456789abcdef pending: waits for resources or env?"


@pytest.mark.parametrize(
    ("last", "shown"),
    [
        ("!!!!!!!!!!!! stopping after 1 failures !!!!!!!!!!!!", "exit 1: stopping after 1 failures"),
        ("========= 3 failed, 2 passed in 1.20s =========", "exit 1: 3 failed, 2 passed in 1.20s"),
        ("error: --flag is unknown", "exit 1: error: --flag is unknown"),
        ("--flag is unknown", "exit 1: --flag is unknown"),
        ("==========", "exit 1: =========="),
    ],
)
def test_the_frame_of_a_last_line_is_left_out(last: str, shown: str) -> None:
    job = Job(submission_id="fails", status="FAILED", driver_exit_code=1, message=f"Job failed.\n{last}\n")
    assert reason(job) == shown


def test_an_announcement_behind_the_cause_does_not_hide_it() -> None:
    message = "Job failed.\nValueError: boom\nRunning entrypoint for job fails: python train.py\n"
    assert reason(Job(submission_id="fails", status="FAILED", driver_exit_code=1, message=message)) == (
        "exit 1: ValueError: boom"
    )


def test_a_forgotten_job_is_not_said_to_run() -> None:
    job = Job(submission_id="sleeper", status="RUNNING", entrypoint="sleep 3600")
    assert _lines(job, NOW)[0].text == "sleeper running: sleep 3600"
    assert _lines(job, NOW, is_previous=True)[0].text == (
        "sleeper was last seen running; the head was restarted and has forgotten it."
    )


@pytest.mark.parametrize("age", [3.0, 59.0, 61.0, 4000.0, 90_000.0])
@pytest.mark.parametrize("later", [0.4, 1.0, 30.0, 60.0, 3600.0])
def test_a_row_is_made_anew_when_it_would_be_another_one(age: float, later: float) -> None:
    job = Job(submission_id="runs", status="RUNNING", start_time=round(1000 * (NOW - age)))
    made = job_row(job, RowContext(now=NOW))
    assert is_as_made(made, job, NOW + later, ()) is (made == job_row(job, RowContext(now=NOW + later)))


def test_a_row_is_made_anew_when_its_job_is_being_stopped_or_no_longer() -> None:
    job = Job(submission_id="runs", status="RUNNING", start_time=round(1000 * (NOW - 100)))
    assert not is_as_made(job_row(job, RowContext(now=NOW)), job, NOW, {"runs"})
    assert not is_as_made(job_row(job, RowContext(now=NOW), stopping={"runs"}), job, NOW, ())
    pending = Job(submission_id="waits", status="PENDING")
    assert is_as_made(job_row(pending, RowContext(now=NOW)), pending, NOW + 50, ())


PREAMBLE = "Job entrypoint command failed with exit code 3, last available logs (truncated to 20,000 chars):\n"
OWN = "2026-11-27 10:00:00,123 INFO mine: 3 rows lost"
ANNOUNCED = "Running entrypoint for job fails: python x.py\n"
INFO = "2026-11-27 12:50:00,123\tINFO worker.py:2012 -- Connecting to existing Ray cluster at address: 127.0.0.1:6379\n"
AUTOSCALER = "\x1b[33m(autoscaler +3s)\x1b[0m Error: No available node types can fulfill resource request {'GPU': 8}\n"


@pytest.mark.parametrize(
    ("logged", "shown"),
    [
        ("", "exit code 3, no output"),
        (INFO, "exit code 3, no output"),
        (10 * INFO, "exit code 3, no cause in its last lines"),
        (ANNOUNCED, "exit code 3, no output"),
        (
            "2026-11-27 10:00:00,123 INFO my own: 3 rows lost\n",
            "exit 3: 2026-11-27 10:00:00,123 INFO my own: 3 rows lost",
        ),
        ("oh no\n(raylet) some words\n" + INFO.replace("INFO", "WARNING"), "exit 3: oh no"),
        (
            "Running entrypoint for job fails: python x.py\n" + INFO + AUTOSCALER,
            "exit code 3, no output",
        ),
        ("ValueError: boom\n" + AUTOSCALER, "exit 3: ValueError: boom"),
        (INFO + "a\tb\n" + AUTOSCALER, "exit 3: a   b"),
    ],
)
def test_what_ray_writes_into_every_log_is_no_cause(logged: str, shown: str) -> None:
    job = Job(submission_id="fails", status="FAILED", driver_exit_code=3, message=PREAMBLE + logged)
    assert reason(job) == shown
    assert text_of(job_row(job, RowContext(now=NOW)).cells[3]) == shown
    assert not any("worker.py" in piece.text or "autoscaler" in piece.text for piece in _lines(job, NOW))


@pytest.mark.parametrize("logged", ["", INFO, ANNOUNCED, INFO + AUTOSCALER])
def test_the_dialog_quotes_no_line_of_ray_either(logged: str) -> None:
    job = Job(submission_id="fails", status="FAILED", driver_exit_code=3, message=PREAMBLE + logged)
    assert ("last lines", "none but Ray's own") in detail_lines(job, NOW)[:4]
    said = detail_lines(msgspec.structs.replace(job, message=PREAMBLE + INFO + "oh\tno\n"), NOW)
    assert said[3:6] == [("last lines", ""), ("", "oh  no"), ("job", "")]


# What a real Ray 2.60 said of a job that was stopped while it waited for CPUs.
RACE = """Traceback (most recent call last):
  File "/ray/dashboard/modules/job/job_supervisor.py", line 402, in run
    job_process = psutil.Process(child_pid)
psutil.NoSuchProcess: process PID not found (pid=20144)
"""


def test_a_job_stopped_while_it_waited_is_not_said_to_have_failed_by_itself() -> None:
    job = Job(submission_id="waited", status="FAILED", error_type="JOB_ENTRYPOINT_COMMAND_START_ERROR", message=RACE)
    assert reason(job) == "stopped as it started"
    assert outcome(job, NOW) == "Job waited was stopped as it started, after –; Ray calls it FAILED."
    assert ("", outcome(job, NOW)) in detail_lines(job, NOW)
    assert [piece.text for piece in _lines(job, NOW)] == [outcome(job, NOW)]
    other = msgspec.structs.replace(job, message=RACE.replace("NoSuchProcess", "AccessDenied"))
    assert reason(other) == "psutil.AccessDenied: process PID not found (pid=20144)"


def test_a_failure_without_a_message_has_its_exit_code() -> None:
    assert reason(Job(submission_id="fails", status="FAILED", driver_exit_code=3)) == "exit code 3"
