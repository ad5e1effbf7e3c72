"""Files keep their bytes and their mode; a save that fails leaves the old file whole."""

import os
from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.sdl.files import decoded, read_document, save_document


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfa: 1\r\nb: 2", b"a: 1\rb: 2\r", "a: é\u2028😀".encode(), b""])
def test_reading_and_saving_keeps_every_byte(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "deploy.yaml"
    path.write_bytes(data)
    path.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    save_document(link, read_document(link))
    assert path.read_bytes() == data
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["deploy.yaml", "link.yaml"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfea\x00", "UTF-16"),
        (b"a: 1\nb: \xff", "Line 2 is not valid UTF-8"),
        (b"x" * (9 << 20), "larger than 8 MB"),
    ],
)
def test_bytes_that_are_no_text(data: bytes, words: str) -> None:
    with pytest.raises(UnreadableSdlError, match=words):
        decoded(data)


def test_what_cannot_be_read_or_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_document(tmp_path / "missing.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        read_document(tmp_path)
    with pytest.raises(UsageError, match="cannot be written"):
        save_document(tmp_path / "no" / "folder.yaml", SdlDocument("a: 1"))
    path = tmp_path / "deploy.yaml"
    path.write_text("old: 1")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="cannot be written") as failed:
        save_document(path, SdlDocument("new: 1"))
    assert failed.value.detail == "No space left on device"
    assert path.read_text() == "old: 1"
    assert [entry.name for entry in tmp_path.iterdir()] == ["deploy.yaml"]


def test_a_read_only_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deploy.yaml"
    path.write_text("old: 1")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError) as failed:
        save_document(path, SdlDocument("new: 1"))
    assert "read-only" in failed.value.detail
    assert path.read_text() == "old: 1"
