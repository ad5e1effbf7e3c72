"""Saving a log: its bytes as they came, privately, and nothing replaced unasked."""

import stat
from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.feeds.spool import Spool
from cockpit.operations.logs.save import LogFileExistsError, save_log

RAW = b"10%\r20%\n\x1b[31m\xff\x00\n" * 200_000


def names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


async def test_every_byte_is_saved_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "job.log"
    with Spool() as spool:
        spool.append(RAW)
        assert await save_log(spool, path) == len(RAW)
        assert path.read_bytes() == RAW
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert await save_log(spool, tmp_path / "part", start=4, end=9) == 5
        assert (tmp_path / "part").read_bytes() == RAW[4:9]
    assert names_in(tmp_path) == ["job.log", "part"]


@pytest.mark.parametrize("dangling", [False, True])
async def test_what_is_there_is_replaced_only_if_asked_for(tmp_path: Path, dangling: bool) -> None:
    path = tmp_path / "job.log"
    if dangling:
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.write_bytes(b"mine")
    with Spool() as spool:
        spool.append(b"new")
        with pytest.raises(LogFileExistsError):
            await save_log(spool, path)
        assert path.is_symlink() is dangling
        assert await save_log(spool, path, replace=True) == 3
    assert path.read_bytes() == b"new"
    assert not path.is_symlink()


async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with Spool() as spool:
        spool.append(b"new")
        with pytest.raises(UsageError, match="cannot be written"):
            await save_log(spool, tmp_path / "no" / "job.log")
        with pytest.raises(UsageError):
            await save_log(spool, tmp_path, replace=True)
    assert names_in(tmp_path) == []
