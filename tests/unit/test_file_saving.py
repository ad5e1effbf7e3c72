"""A saved file keeps what it has besides its bytes, and no writer's change is lost to another's."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cockpit import file_saving, settings
from cockpit.errors import UsageError
from cockpit.file_saving import only_writer, save_bytes
from cockpit.operations.clusters import contexts
from cockpit.sdl.document import SdlDocument
from cockpit.sdl.files import for_change, save_document

OLD, NEW = b"old: 1\n", b"new: 12345\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "deploy.yaml"
    path.write_bytes(OLD)
    path.chmod(0o664)
    return path


def alone(path: Path) -> bool:
    return [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_owner_group_and_mode_stay(file: Path) -> None:
    os.chown(file, 1000, 1001)
    inode = file.stat().st_ino
    save_bytes(file, NEW)
    now = file.stat()
    assert (now.st_uid, now.st_gid, now.st_mode & 0o7777) == (1000, 1001, 0o664)
    assert now.st_ino != inode
    assert file.read_bytes() == NEW
    assert alone(file)


def test_a_file_that_cannot_be_given_away_is_written_over(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fchmod", refused)
    inode = file.stat().st_ino
    written = save_bytes(file, NEW)
    assert (file.stat().st_ino, written.st_size) == (inode, len(NEW))
    assert file.read_bytes() == NEW
    save_bytes(file, b"a")  # shorter than before
    assert file.read_bytes() == b"a"
    assert alone(file)


def test_a_hard_link_stays_one(file: Path) -> None:
    other = file.with_name("other.yaml")
    os.link(file, other)
    save_document(file, SdlDocument(NEW.decode()))
    assert other.read_bytes() == NEW
    assert os.path.samefile(file, other)


def test_extended_attributes_stay(file: Path) -> None:
    try:
        os.setxattr(file, "user.note", b"mine")
    except (OSError, AttributeError):
        pytest.skip("this file system has no attributes")
    save_bytes(file, NEW)
    assert os.getxattr(file, "user.note") == b"mine"
    assert file.read_bytes() == NEW


def test_a_full_disk_leaves_the_old_bytes_in_place(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.link(file, file.with_name("other.yaml"))
    inode, write = file.stat().st_ino, os.write

    def filling(descriptor: int, data: bytes) -> int:
        if os.fstat(descriptor).st_ino == inode and bytes(data) != OLD:
            write(descriptor, data[:3])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", filling)
    with pytest.raises(UsageError, match="cannot be written") as failed:
        save_document(file, SdlDocument(NEW.decode()))
    assert "space" in failed.value.hint
    assert file.read_bytes() == OLD
    assert len(list(file.parent.iterdir())) == 2


def test_a_death_while_it_is_written_over_leaves_the_old_bytes_beside(file: Path) -> None:
    os.link(file, file.with_name("other.yaml"))
    program = (
        "import os; from pathlib import Path; from cockpit import file_saving\n"
        "os.ftruncate = lambda fd, size: os._exit(9) if size == 11 else None\n"
        f"file_saving.save_bytes(Path({str(file)!r}), {NEW!r})"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == 9
    (backup,) = file.parent.glob("deploy.yaml.*.backup")
    assert backup.read_bytes() == OLD
    assert backup.stat().st_mode & 0o777 == 0o600


def test_changes_of_several_writers_are_all_kept(file: Path) -> None:
    file.write_text("0")
    program = (
        "from pathlib import Path; from cockpit.file_saving import only_writer, save_bytes\n"
        f"path = Path({str(file)!r})\n"
        "for _ in range(40):\n"
        "    with only_writer(path): save_bytes(path, str(int(path.read_text()) + 1).encode())"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert file.read_text() == "120"


def test_a_writer_that_does_not_let_go_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_saving, "PATIENCE_S", 0.0)
    with (
        only_writer(file),
        pytest.raises(UsageError, match="Another process is changing"),
        for_change(file),
    ):
        pass
    with for_change(file.with_name("to come")), for_change(file):
        pass


def test_config_toml_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(settings, "config_file", lambda: file)
    file.write_text("# mine\n")
    os.link(file, other := file.with_name("other.toml"))
    contexts.change_config(lambda text: f"{text}console = 'https://c'\n")
    assert other.read_text() == "# mine\nconsole = 'https://c'\n"
    assert file.stat().st_mode & 0o777 == 0o664
