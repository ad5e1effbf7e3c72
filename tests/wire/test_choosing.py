"""An ID that is left out is chosen on a terminal; a server's traceback is folded and kept."""

import re
import sys
from pathlib import Path

import pytest

from cockpit.cli import choosing, error_log, output, terminal
from cockpit.errors import CockpitError, ServerError
from cockpit.model.secret import Secret
from tests.wire.commands import here, home, write_contexts
from tests.wire.fake_ray import FakeRay, serve

__all__ = ["home"]

TRACEBACK = (
    "Traceback (most recent call last):\n" + "".join(f'  File "x.py", line {n}\n' for n in range(40)) + "KeyError: 7"
)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the user types, on a terminal."""
    typed: list[str] = []
    for name in ("control", "jobs", "logs", "choosing"):
        monkeypatch.setattr(f"cockpit.cli.{name}.can_choose", lambda: True)
    monkeypatch.setattr(terminal, "ask_shown", lambda _: Secret(typed.pop(0)) if typed[0] else None)
    return typed


@pytest.mark.usefixtures("home")
async def test_a_job_is_chosen_from_a_list(answers: list[str]) -> None:
    ray = FakeRay()
    ray.add("first", entrypoint="python first.py")
    ray.add("second", entrypoint="python second.py")
    async with serve(ray) as server:
        for command, number, said in (
            (["jobs", "show"], "2", "python first.py"),
            (["logs"], "1", ""),
            (["wait", "--retry-for", "0s"], "0", "No job was chosen."),
            (["stop"], "", "No job was chosen."),
            (["stop"], "x", "No job was chosen."),
        ):
            answers[:] = [number]
            done = await here(*command, "--address", server.url)
            assert "1  " in done.err
            assert "second" in done.err
            assert said in done.text + done.err, command
            assert (done.code == 2) is said.startswith("No job"), done.err


@pytest.mark.usefixtures("home")
async def test_a_script_is_told_to_name_one() -> None:
    async with serve(FakeRay()) as server:
        for command in (["jobs", "show"], ["logs"], ["stop"], ["delete"], ["wait"]):
            done = await here(*command, "--address", server.url)
            assert (done.code, "--last" in done.err) == (2, True), done.err


LEFT_OUT = (
    ["why"], ["stack"], ["flame"], ["timeline", "-o", "x"], ["kill"], ["serve", "logs"], ["serve", "delete"],
    ["clusters", "use"], ["clusters", "remove"], ["secrets", "delete"], ["gallery", "show"], ["gallery", "copy"],
    ["gallery", "run"], ["deployments", "show"], ["deployments", "bids"], ["deployments", "logs"],
    ["deployments", "events"], ["deployments", "connect"], ["deployments", "redeploy"],
)  # fmt: skip


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", LEFT_OUT, ids=" ".join)
async def test_a_script_is_told_where_names_are_listed(command: list[str]) -> None:
    done = await here(*command)
    assert (done.code, done.text) == (2, "")
    assert re.search(r"^error: Give an? .*\n  hint: List them: rayakash-tui \w+", done.err), done.err


@pytest.mark.usefixtures("home")
async def test_any_name_is_chosen_from_a_list(answers: list[str], home: Path) -> None:
    ray = FakeRay()
    ray.add("over", "FAILED", entrypoint="python over.py", message="boom")
    ray.add("waits", "PENDING", entrypoint="python waits.py")
    async with serve(ray) as server:
        write_contexts(home, f'[contexts.lab]\naddress = "{server.url}"\n')
        for command, number, said in (
            (["why", "--address", server.url], "1", "waits"),
            (["why", "--address", server.url], "2", "over"),
            (["kill", "--address", server.url], "1", "There is no actor to choose."),
            (["clusters", "use"], "1", "lab is in use now"),
            (["gallery", "show"], "99", "No sample was chosen."),
            (["secrets", "delete"], "1", "There is no secret to choose."),
        ):
            answers[:] = [number]
            done = await here(*command)
            assert said in done.text + done.err, (command, done)


@pytest.mark.usefixtures("home")
async def test_a_list_that_is_cut_says_so(answers: list[str]) -> None:
    ray = FakeRay()
    for number in range(choosing.MOST_SHOWN + 3):
        ray.add(f"job-{number}")
    async with serve(ray) as server:
        answers[:] = ["0"]
        done = await here("why", "--address", server.url)
    assert f"The first {choosing.MOST_SHOWN} of {choosing.MOST_SHOWN + 3}. List them: rayakash-tui jobs" in done.err


@pytest.mark.usefixtures("home")
async def test_the_nearest_names_are_said(home: Path) -> None:
    ray = FakeRay()
    ray.add("train-llama")
    async with serve(ray) as server:
        write_contexts(home, f'[contexts.lab-one]\naddress = "{server.url}"\n')
        for command, near in (
            (["why", "train-lama", "--address", server.url], "train-llama"),
            (["stack", "train-lama", "--address", server.url], "train-llama"),
            (["jobs", "show", "train-lama", "--address", server.url], "train-llama"),
            (["clusters", "use", "lab-on"], "lab-one"),
        ):
            done = await here(*command)
            assert done.code in (1, 2)
            assert f"Did you mean {near}?" in done.err, (command, done.err)


@pytest.mark.usefixtures("home")
async def test_without_a_cluster_every_way_to_one_is_said() -> None:
    done = await here("jobs")
    assert done.code == 2
    assert done.err.startswith("error: No cluster selected.\n")
    assert all(way in done.err for way in ("--address", "-c", "clusters add", "demo", "local up"))


def test_nobody_is_asked_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    assert not choosing.can_choose()


@pytest.fixture
def whole() -> object:
    """`--verbose` is of one command."""
    yield
    output.show_details(False)


@pytest.mark.usefixtures("home", "whole")
def test_a_traceback_of_the_server_is_folded_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    output.error(ServerError("Ray failed.", detail=TRACEBACK))
    said = capsys.readouterr().err
    assert "  | KeyError: 7\n" in said
    assert "line 3" not in said
    assert f"--verbose, or {error_log.path()}" in said
    assert TRACEBACK in error_log.path().read_text()
    assert error_log.path().stat().st_mode & 0o777 == 0o600
    output.show_details(True)
    output.error(ServerError("Ray failed.", detail=TRACEBACK))
    assert "line 39" in capsys.readouterr().err


@pytest.mark.usefixtures("home", "whole")
def test_a_short_detail_is_shown_whole_and_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    output.error(CockpitError("No.", detail="one\ntwo"))
    assert capsys.readouterr().err == "error: No.\n  | one\n  | two\n"
    assert not error_log.path().exists()


@pytest.mark.usefixtures("home")
def test_our_log_is_bounded_and_never_a_link(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(error_log, "LARGEST_BYTES", 2000)
    monkeypatch.setattr(error_log, "KEPT_BYTES", 1000)
    for number in range(60):
        assert error_log.note(CockpitError(f"failure {number}", detail="x" * 90))
    text = error_log.path().read_text()
    assert len(text) < 2200
    assert text.startswith("--- ")
    assert "failure 59" in text
    error_log.path().unlink()
    (tmp_path / "theirs").write_text("mine")
    error_log.path().symlink_to(tmp_path / "theirs")
    assert error_log.note(CockpitError("x", detail="y")) is None
    assert (tmp_path / "theirs").read_text() == "mine"
