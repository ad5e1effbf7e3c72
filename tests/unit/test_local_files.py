"""Files that we read: regular, bounded, not nested without end, and not for others to replace."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cockpit import settings
from cockpit.cli.sdl_input import read_bytes
from cockpit.clients.tls import Tls, context_of
from cockpit.clients.tokens import read_token_file
from cockpit.errors import UsageError
from cockpit.model.secret import Secret
from cockpit.operations.clusters.doctor import machine_checks
from cockpit.operations.jobs import submissions
from cockpit.operations.jobs.runtime_env import checked, load_file
from cockpit.operations.jobs.submit import SubmitForm
from cockpit.sdl.files import read_document
from cockpit.secrets.files import read
from cockpit.secrets.index import Index
from cockpit.secrets.names import Place
from cockpit.settings import (
    Consents,
    load_consents,
    read_file,
    save_consents,
    writable_by_others,
    write_private,
)
from cockpit.toml_text import readable
from tests.secrets.fakes import PASSPHRASE, User, vault


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


def test_what_is_not_a_regular_file_is_refused_at_once(tmp_path: Path, fifo: Path) -> None:
    uses = (
        read_token_file,
        lambda path: context_of(Tls(ca=path)),
        lambda path: read(path, 100),
        read_document,
        lambda path: read_bytes(str(path)),
        load_file,
        lambda path: checked({"pip": str(path)}, "it", base=path.parent),
    )
    for path in (fifo, Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match=r"not a regular file|Is a directory"):
            read_file(path)
        for use in uses:
            with pytest.raises(UsageError):
                use(path)


def test_size_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 11)
    assert read_file(path, 11) == b"x" * 11
    with pytest.raises(OSError, match="larger than 10 bytes"):
        read_file(path, 10)
    path.write_bytes(b"x" * (64 * 1024 + 1))
    with pytest.raises(UsageError, match="token file"):
        read_token_file(path)


def test_a_config_that_is_a_fifo_is_an_error(monkeypatch: pytest.MonkeyPatch, fifo: Path) -> None:
    monkeypatch.setattr(settings, "config_file", lambda: fifo)
    with pytest.raises(UsageError, match="cannot be read"):
        settings.load_settings()


def test_deep_nesting_is_a_fault_with_its_place_and_hides_nothing_else() -> None:
    text = "[contexts.lab]\naddress = 'http://h'\n[ui]\nkeys = " + "[" * 5000 + "]" * 5000 + "\n"
    document, faults = readable(text)
    assert document["contexts"]["lab"]["address"] == "http://h"
    assert [fault.path for fault in faults] == [("ui",)]
    assert "nested too deeply" in faults[0].words


@pytest.mark.parametrize(("mode", "is_open"), [(0o600, False), (0o644, False), (0o602, True), (0o666, True)])
def test_a_file_that_others_can_write_is_told(tmp_path: Path, mode: int, is_open: bool) -> None:
    path = tmp_path / "config.toml"
    path.touch()
    path.chmod(mode)
    said = writable_by_others(path)
    assert bool(said) is is_open
    assert not is_open or f"chmod go-w {path}" in said


def test_a_directory_that_others_can_write_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.touch(mode=0o600)
    tmp_path.chmod(0o777)
    assert f"chmod go-w {tmp_path}" in writable_by_others(path)
    tmp_path.chmod(0o1777)
    assert writable_by_others(path) == ""


def test_load_settings_warns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    path.chmod(0o666)
    monkeypatch.setattr(settings, "config_file", lambda: path)
    assert any("Other users can write" in problem for problem in settings.load_settings().problems)


def test_a_link_goes_on_leading_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "cloud").mkdir()
    target, link = tmp_path / "cloud" / "vault", tmp_path / "vault"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_private(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o600


def test_consents_that_others_can_write_are_refused() -> None:
    save_consents(Consents(plain_http=frozenset({"http://h:8265"})))
    assert load_consents().plain_http
    settings.consents_file().chmod(0o666)
    with pytest.raises(UsageError, match="is not used") as caught:
        load_consents()
    assert "chmod go-w" in caught.value.detail


def test_what_decides_for_the_user_is_not_read_where_others_can_write_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    vault(data / "vault", User(PASSPHRASE)).put("default", "NAME", Secret("value"))
    index = Index(data / "secrets.json")
    index.note("NAME", "default", Place.VAULT)
    submissions.remember(SubmitForm(entrypoint="true"), "mine", address="a", directory=data)
    readers: dict[str, Callable[[], object]] = {
        "vault": lambda: vault(data / "vault", User(PASSPHRASE)).get("default", "NAME"),
        "secrets.json": index.rows,
        "submissions.json": lambda: submissions.history(directory=data),
    }
    for name, reader in readers.items():
        assert reader()
        (data / name).chmod(0o622)
        with pytest.raises(UsageError, match="is not used") as caught:
            reader()
        assert f"chmod go-w {data / name}" in caught.value.detail
        (data / name).chmod(0o600)
    data.chmod(0o777)
    for reader in readers.values():
        with pytest.raises(UsageError, match="is not used"):
            reader()


def test_a_linked_file_is_judged_where_it_is(tmp_path: Path) -> None:
    for name in ("open", "own"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "open" / "vault").write_bytes(b"")
    (tmp_path / "own" / "vault").symlink_to(tmp_path / "open" / "vault")
    settings.require_own(tmp_path / "own" / "vault")
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(UsageError, match="is not used"):
        settings.require_own(tmp_path / "own" / "vault")


@pytest.mark.parametrize("name", ["vault", "secrets.json"])
def test_doctor_tells_of_files_that_others_can_write(name: str) -> None:
    path = settings.data_directory() / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    assert not [check for check in machine_checks({}) if check.fault == "file-open-to-others"]
    path.chmod(0o622)
    (check,) = [check for check in machine_checks({}) if check.fault == "file-open-to-others"]
    assert str(path) in check.words
