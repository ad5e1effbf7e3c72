"""What a recording holds: every line at once, and nothing that is left out of the rest of it."""

import asyncio
import json
import os
import signal
import stat
import sys
from pathlib import Path

import pytest

from cockpit.clients.recording_file import Recorder, Reply, read_recording
from cockpit.errors import (
    UsageError,
)
from tests.unit.recording.session import JOBS_PATH, WALL, Session


async def test_the_file_is_private_and_its_lines_are_json(session: Session) -> None:
    await session.jobs(1.5, "a")
    assert stat.S_IMODE(session.path.stat().st_mode) == 0o600
    header, reply = session.written()
    assert header["format"] == "rayakash-recording"
    assert (header["version"], header["recorded_at"]) == (1, WALL)
    assert header["address"] == "http://127.0.0.1:8265"
    assert (reply["kind"], reply["at"], reply["method"], reply["path"]) == ("reply", 1.5, "GET", JOBS_PATH)
    assert json.loads(reply["text"]) == [{"submission_id": "a"}]


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        Session(path)
    assert path.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        Session(tmp_path / "missing" / "session.rec")


async def test_every_line_is_there_at_once_so_that_a_kill_loses_nothing_before(session: Session) -> None:
    for number in range(3):
        await session.jobs(float(number), f"job-{number}")
        found = read_recording(session.path)
        assert len(found.entries) == number + 1
        assert not found.is_whole
    session.recorder.close()
    assert read_recording(session.path).is_whole


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux: only there is a device that is always full")
async def test_a_full_disk_ends_the_recording_and_not_the_session(tmp_path: Path) -> None:
    session = Session(tmp_path / "session.rec")
    descriptor = os.open("/dev/full", os.O_WRONLY)
    os.dup2(descriptor, session.recorder._file.fileno())  # type: ignore[union-attr]
    os.close(descriptor)
    await session.jobs(1.0, "a")
    await session.jobs(2.0, "b")
    session.recorder.close()
    assert [problem.title for problem in session.problems] == [f"The recording {session.path} ends here."]


KILLED = """
import asyncio, sys
from pathlib import Path
from cockpit.clients.recording_file import Recorder, Reply
recorder = Recorder(Path(sys.argv[1]), address="http://h:1", recorded_at=0.0, failed=print)
for number in range(1000000):
    recorder.write(Reply(at=float(number), method="GET", path="/api/version", text=str(number) * 50))
    if number == 200:
        print("ready", flush=True)
"""


async def test_a_session_that_is_killed_leaves_a_recording_without_its_tail(tmp_path: Path) -> None:
    path = tmp_path / "killed.rec"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    found = read_recording(path)
    assert len(found.entries) > 200
    assert [entry.at for entry in found.entries] == [float(number) for number in range(len(found.entries))]
    assert not found.is_whole


def test_a_recorder_is_closed_by_its_block(tmp_path: Path) -> None:
    path = tmp_path / "block.rec"
    with Recorder(path, address="http://h:1", recorded_at=WALL, failed=lambda _: None) as recorder:
        recorder.write(Reply(at=1.0, method="GET", path="/x", text="y"))
    recorder.write(Reply(at=2.0, method="GET", path="/x", text="late"))
    found = read_recording(path)
    assert found.is_whole
    assert [entry.at for entry in found.entries] == [1.0]
