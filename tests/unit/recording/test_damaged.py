"""Files that are no recordings, or not whole ones."""

import gzip
import json
import random
from pathlib import Path

import pytest

from cockpit.clients.recording_file import read_recording
from cockpit.errors import (
    UsageError,
)
from cockpit.feeds.recording import replay
from tests.unit.recording.session import Session

FOREIGN = {  # by name, since gzip writes the time of day
    "nothing": b"",
    "json": b"{}",
    "no gzip": b"not gzip at all" * 10,
    "nothing in gzip": gzip.compress(b""),
    "json in gzip": gzip.compress(b"{}\n"),
    "another format": gzip.compress(b'{"kind":"header","format":"other","version":1}\n'),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not a recording"):
        replay(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        replay(tmp_path / "missing")


def test_a_recording_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "newer"
    header = {"kind": "header", "format": "rayakash-recording", "version": 2, "program": "rayakash-tui 9"}
    path.write_bytes(gzip.compress(json.dumps(header).encode() + b"\n"))
    with pytest.raises(UsageError, match=r"newer version \(rayakash-tui 9\)"):
        replay(path)


def test_a_line_that_is_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "damaged"
    header = b'{"kind":"header","format":"rayakash-recording","version":1,"address":"http://h:1"}\n'
    path.write_bytes(gzip.compress(header + b'{"kind":"reply","at":"soon"}\n'))
    with pytest.raises(UsageError, match="damaged at line 2"):
        replay(path)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9, 0.999])
async def test_a_file_that_was_cut_gives_what_is_left_or_a_clear_word(session: Session, share: float) -> None:
    for number in range(200):
        await session.jobs(float(number), *(f"job-{number}-{k}" for k in range(10)))
    session.recorder.close()
    whole = session.path.read_bytes()
    session.path.write_bytes(whole[: int(len(whole) * share)])
    found = read_recording(session.path)
    assert not found.is_whole
    assert len(found.entries) == pytest.approx(200 * share, abs=12)


async def test_flipped_bits_never_end_in_anything_but_a_usage_error(session: Session) -> None:
    for number in range(20):
        await session.jobs(float(number), f"job-{number}")
    session.recorder.close()
    whole, chance, refused = session.path.read_bytes(), random.Random(7), 0
    for _ in range(300):
        spoilt = bytearray(whole)
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        session.path.write_bytes(spoilt)
        try:
            read_recording(session.path)
        except UsageError:
            refused += 1
    assert refused > 200
