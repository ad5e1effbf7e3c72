"""How the end of a job is told outside of the screen: nothing of the job can do anything there."""

import sys
from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.model.jobs import Job
from cockpit.operations.jobs.notices import notice_command, run_notice
from cockpit.render.notices import notice_sequence, title_sequence

EVIL = "a\x07\x1b]0;owned\x07; rm -rf $HOME `x`"


def job(name: str = "train-1", status: str = "SUCCEEDED") -> Job:
    return Job(submission_id=name, status=status)


def test_each_kind_of_terminal_has_its_sequence() -> None:
    assert notice_sequence(job(), 9, {}) == "\x1b]9;train-1 succeeded\x07"
    assert notice_sequence(job(), 777, {}) == "\x1b]777;notify;rayakash;train-1 succeeded\x07"
    assert notice_sequence(job(), None, {}) == ""
    assert notice_sequence(job(), 9, {"TMUX": "x"}) == "\x1bPtmux;\x1b\x1b]9;train-1 succeeded\x07\x1b\\"


@pytest.mark.parametrize("osc", [9, 777])
def test_a_name_cannot_end_the_sequence(osc: int) -> None:
    sequence = notice_sequence(job(EVIL), osc, {})
    assert sequence.count("\x1b") == sequence.count("\x07") == 1
    assert sequence.endswith("\x07")
    assert sequence.count(";") == (1 if osc == 9 else 3)


def test_what_is_replaced_stays_one_word_and_no_option() -> None:
    assert notice_command("say '{job} is {status}'", job()) == ["say", "train-1 is SUCCEEDED"]
    assert notice_command("say {job}", job(EVIL))[1:] == ["a___0_owned___rm_-rf__HOME__x_"]
    assert notice_command("say {job}", job("--help")) == ["say", "help"]
    for wrong in ("", "say 'x"):
        with pytest.raises(UsageError):
            notice_command(wrong, job())


async def test_the_command_runs_without_a_shell_and_without_secrets(tmp_path: Path) -> None:
    script = tmp_path / "told.py"
    script.write_text(
        "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text(repr([sys.argv[2:], dict(os.environ)]))"
    )
    told = tmp_path / "told"
    environment = {"PATH": "/bin", "RAYAKASH_SECRET_HF": "hush-hush"}
    await run_notice(f"{sys.executable} {script} {told} {{job}} $HOME", job(), environment=environment)
    written = told.read_text()
    assert "['train-1', '$HOME']" in written
    assert "'RAYAKASH_STATUS': 'SUCCEEDED'" in written
    assert "hush-hush" not in written


@pytest.mark.parametrize(("command", "said"), [("/no/such/program", "cannot be run"), ("false", "ended with 1")])
async def test_a_command_that_fails_is_told(command: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        await run_notice(command, job())


def test_a_title_is_kept_given_and_taken_back() -> None:
    terminal = {"TERM": "xterm-256color"}
    assert title_sequence("45 % · train", "", terminal) == "\x1b[22;2t\x1b]2;45 % · train\a"
    assert title_sequence("46 %", "45 %", terminal) == "\x1b]2;46 %\a"
    assert title_sequence("", "46 %", terminal) == "\x1b[23;2t"
    assert title_sequence("", "", terminal) == ""
    assert title_sequence("a", "", {"TERM": "linux"}) == ""


def test_nothing_of_a_job_ends_a_title_or_begins_another_sequence() -> None:
    sequence = title_sequence("x\x07\x1b]52;c;aGk=\x07" * 50, "y", {"TERM": "xterm"})
    assert sequence.count("\x1b") == sequence.count("\a") == 1
    assert len(sequence) < 220
