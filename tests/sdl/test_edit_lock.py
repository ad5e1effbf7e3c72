"""A second editor on the same file is told; a note of a process that has ended is taken over."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from cockpit.operations.sdl_editor.locks import EditLock, Holder

OTHER = """
import sys
from pathlib import Path
from cockpit.operations.sdl_editor.locks import EditLock
lock = EditLock(Path(sys.argv[1]), directory=Path(sys.argv[2]))
assert lock.acquire() is None
print("held", flush=True)
sys.stdin.read()
lock.release()
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "editing"


def held_elsewhere(path: Path, notes: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(path), str(notes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_another_process_is_told_of(small: Path, notes: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(small)
    with held_elsewhere(small, notes) as other:
        lock = EditLock(link, directory=notes)
        holder = lock.acquire()
        assert holder is not None
        assert (holder.pid, holder.path, holder.is_alive) == (other.pid, str(small.resolve()), True)
        assert not lock.is_mine()
        assert EditLock(tmp_path / "another.yaml", directory=notes).acquire() is None
        other.communicate("")
    assert lock.acquire() is None


def test_a_killed_one_is_taken_over_without_a_question(small: Path, notes: Path) -> None:
    with held_elsewhere(small, notes) as other:
        other.kill()
        other.wait()
    lock = EditLock(small, directory=notes)
    assert lock.acquire() is None
    assert lock.is_mine()


def test_the_pid_of_a_dead_one_may_be_somebody_elses_by_now(small: Path, notes: Path) -> None:
    lock = EditLock(small, directory=notes)
    assert lock.acquire() is None
    (note,) = notes.glob("*.json")
    holder = msgspec.json.decode(note.read_bytes(), type=Holder)
    old = msgspec.structs.replace(holder, started="another boot/1", token="x")
    note.write_bytes(msgspec.json.encode(old))
    assert EditLock(small, directory=notes).acquire() is None


def test_of_another_machine_nobody_here_can_tell(small: Path, notes: Path) -> None:
    EditLock(small, directory=notes).acquire()
    (note,) = notes.glob("*.json")
    holder = msgspec.json.decode(note.read_bytes(), type=Holder)
    note.write_bytes(msgspec.json.encode(msgspec.structs.replace(holder, host="bastion", pid=1, token="x")))
    lock = EditLock(small, directory=notes)
    found = lock.acquire()
    assert found is not None
    assert found.host == "bastion"
    assert lock.acquire(take_over=True) is None
    assert lock.is_mine()


def test_two_editors_in_one_process(small: Path, notes: Path) -> None:
    first, second = EditLock(small, directory=notes), EditLock(small, directory=notes)
    assert first.acquire() is None
    assert first.acquire() is None, "one's own note is no reason"
    holder = second.acquire()
    assert holder is not None
    assert holder.pid == os.getpid()
    second.release()
    assert first.is_mine(), "only one's own note is taken away"
    assert second.acquire(take_over=True) is None
    first.release()
    assert second.is_mine()


def test_a_note_that_nobody_can_read_warns_of_nobody(small: Path, notes: Path) -> None:
    lock = EditLock(small, directory=notes)
    lock.acquire()
    (note,) = notes.glob("*.json")
    assert note.stat().st_mode & 0o777 == 0o600
    note.write_bytes(b"{half")
    assert EditLock(small, directory=notes).acquire() is None
