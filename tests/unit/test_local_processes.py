"""A process is its pid and its start time; nothing else is ever signalled."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.local import processes
from cockpit.local.processes import Process

SLEEP = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, processes.MARKER: f"test-{os.getpid()}"}
    with subprocess.Popen(SLEEP, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def found(pid: int) -> Process:
    process = processes.look_up(pid)
    assert process is not None
    return process


def test_a_name_with_spaces_and_parentheses_is_not_mistaken_for_fields() -> None:
    fields = "Z 7 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0"
    assert processes.parse_stat(f"42 (a) b (c) {fields}\n") == Process(42, 7, True, "12345")


def test_a_line_of_ps_is_read_with_its_start_time() -> None:
    line = "  512     1 Ss+  Thu Nov 20 23:40:30 2025   "
    assert processes.parse_ps(line) == Process(512, 1, False, "Thu Nov 20 23:40:30 2025")
    assert processes.parse_ps("3 2 Z Thu Nov  6 01:00:00 2025").zombie


def test_descendants_are_found_through_every_generation_and_zombies_left_out() -> None:
    rows = [Process(2, 1, False, "a"), Process(3, 2, False, "b"), Process(4, 3, True, "c"), Process(5, 9, False, "d")]
    assert {process.pid for process in processes.descendants(1, {row.pid: row for row in rows})} == {2, 3}


def test_a_table_that_changed_while_it_was_read_may_hold_a_circle() -> None:
    rows = {2: Process(2, 3, False, "a"), 3: Process(3, 2, False, "b")}
    assert {process.pid for process in processes.descendants(2, rows)} == {2, 3}


def test_this_process_is_in_the_table(sleeper: subprocess.Popen[bytes]) -> None:
    table = processes.table()
    assert table[os.getpid()].pid == os.getpid()
    assert table[sleeper.pid] in processes.descendants(os.getpid(), table)


def test_the_marker_finds_who_inherited_it(sleeper: subprocess.Popen[bytes]) -> None:
    marked = processes.marked(f"test-{os.getpid()}", processes.table())
    assert [process.pid for process in marked] == [sleeper.pid]
    assert not processes.marked(f"test-{os.getpid()}"[:-1], processes.table())


@pytest.mark.skipif(processes.MACOS, reason="the directory of a process can be read on Linux alone")
@pytest.mark.parametrize(("ours", "found"), [(True, True), (False, False)])
def test_who_lost_the_marker_is_known_by_session_and_directory(ours: bool, found: bool, tmp_path: Path) -> None:
    directory = tmp_path / "rayakash-0123abcd"
    directory.mkdir()
    with subprocess.Popen(SLEEP, stdout=subprocess.PIPE, cwd=directory, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        leader = process.pid if ours else os.getpid()
        left = processes.remains("rayakash-0123abcd", leader, processes.table())
        process.kill()
    assert ([one.pid for one in left] == [process.pid]) is found


def test_only_the_process_that_was_meant_is_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    real = found(sleeper.pid)
    processes.send(real._replace(started="long ago"), signal.SIGKILL)
    assert sleeper.poll() is None
    processes.send(real, signal.SIGKILL)
    assert sleeper.wait() == -signal.SIGKILL
    processes.send(real, signal.SIGKILL)  # gone: no error


def test_without_pidfd_the_start_time_still_guards(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_hold", lambda _: None)
    real = found(sleeper.pid)
    processes.send(real._replace(started="long ago"), signal.SIGKILL)
    assert sleeper.poll() is None
    processes.send(real, signal.SIGKILL)
    assert sleeper.wait() == -signal.SIGKILL


def test_an_identity_ends_with_its_process(sleeper: subprocess.Popen[bytes]) -> None:
    before = processes.identity(sleeper.pid)
    assert before is not None
    assert before == processes.identity(sleeper.pid) != processes.identity(os.getpid())
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert processes.identity(sleeper.pid) is None  # a zombie is not alive
    sleeper.wait()
    assert processes.identity(sleeper.pid) is None
