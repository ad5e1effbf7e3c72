"""The vault: what opens it, when it is locked, and that it is written whole or not at all."""

import base64
import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.model.secret import Secret
from cockpit.secrets import files, vault_format
from cockpit.secrets.environment import PASSPHRASE_VARIABLE
from cockpit.secrets.failures import StoreUnavailableError, WrongPassphraseError
from cockpit.secrets.vault import Vault
from tests.secrets.fakes import PASSPHRASE, QUICK, Clock, User, vault

VALUE = Secret("a value that is seen nowhere")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "vault"


@pytest.fixture
def filled(path: Path) -> Path:
    vault(path, User(PASSPHRASE)).put("default", "NAME", VALUE)
    return path


def test_a_value_comes_back_in_another_process(filled: Path) -> None:
    user = User(PASSPHRASE)
    other = vault(filled, user)
    assert other.get("default", "NAME") == VALUE
    assert other.get("other", "NAME") is None
    assert other.get("default", "OTHER") is None
    assert other.names() == [("default", "NAME")]
    assert [request.is_new for request in user.requests] == [False], "asked once"


def test_the_first_value_asks_for_a_new_passphrase(path: Path) -> None:
    user = User(PASSPHRASE)
    made = vault(path, user)
    assert not made.exists
    assert made.names() == []
    assert made.get("default", "NAME") is None
    assert not made.delete("default", "NAME")
    assert user.requests == [], "there is nothing to open yet"
    made.put("default", "NAME", VALUE)
    assert [request.is_new for request in user.requests] == [True]
    assert made.exists


def test_the_file_is_for_its_owner_and_says_nothing(filled: Path) -> None:
    assert stat.S_IMODE(filled.stat().st_mode) == 0o600
    data = filled.read_bytes()
    decoded = base64.b64decode(data.split(b"\n")[1])
    for text in (VALUE.reveal().encode(), b"NAME", b"default", PASSPHRASE.encode()):
        assert text not in data
        assert text not in decoded


def test_its_size_hides_the_length_of_a_value(path: Path) -> None:
    sizes = set()
    made = vault(path, User(PASSPHRASE))
    for length in (1, 20, 64, 300):
        made.put("default", "NAME", Secret("x" * length))
        sizes.add(path.stat().st_size)
    assert len(sizes) == 1


def test_every_write_has_a_nonce_of_its_own(filled: Path) -> None:
    made = vault(filled, User(PASSPHRASE))
    nonces = set()
    for _ in range(5):
        made.put("default", "NAME", VALUE)
        nonces.add(vault_format.parse(filled.read_bytes()).header.nonce)
    assert len(nonces) == 5


def test_the_usual_cost_is_strong() -> None:
    assert vault_format.STRONG.is_bearable
    assert 128 * vault_format.STRONG.n * vault_format.STRONG.r >= 128 << 20


def test_nothing_of_a_key_is_shown() -> None:
    key = vault_format.new_key(Secret(PASSPHRASE), QUICK)
    assert repr(key) == str(key) == "***"


def test_a_wrong_passphrase_is_asked_for_again_and_called_so(filled: Path) -> None:
    user = User("wrong", PASSPHRASE)
    assert vault(filled, user).get("default", "NAME") == VALUE
    assert [request.problem for request in user.requests] == ["", "The passphrase does not open the vault."]
    with pytest.raises(WrongPassphraseError):
        vault(filled, User("wrong", "wronger", "wrongest")).get("default", "NAME")


def test_a_passphrase_from_the_environment_is_tried_once(filled: Path) -> None:
    user = User()
    assert vault(filled, user, environment={PASSPHRASE_VARIABLE: PASSPHRASE}).get("default", "NAME") == VALUE
    with pytest.raises(WrongPassphraseError, match=PASSPHRASE_VARIABLE) as caught:
        vault(filled, user, environment={PASSPHRASE_VARIABLE: "canary-phrase"}).get("default", "NAME")
    assert "canary-phrase" not in str(caught.value) + caught.value.detail + caught.value.hint
    assert user.requests == []


@pytest.mark.parametrize("user", [None, User(None), User("")])
def test_without_a_passphrase_it_is_unavailable(filled: Path, user: User | None) -> None:
    with pytest.raises(StoreUnavailableError, match="locked"):
        vault(filled, user).get("default", "NAME")


def test_a_short_new_passphrase_is_refused(path: Path) -> None:
    with pytest.raises(UsageError, match="at least 8"):
        vault(path, User("seven77")).put("default", "NAME", VALUE)
    assert not path.exists()


def test_one_passphrase_in_two_spellings_of_unicode(path: Path) -> None:
    vault(path, User("pässword ñ")).put("default", "NAME", VALUE)
    assert vault(path, User("pa\u0308ssword n\u0303")).get("default", "NAME") == VALUE


def test_it_is_locked_after_idle(path: Path) -> None:
    clock, user = Clock(), User(PASSPHRASE, PASSPHRASE)
    made = vault(path, user, clock=clock, idle_s=900)
    made.put("default", "NAME", VALUE)
    clock.now += 899
    assert made.get("default", "NAME") == VALUE, "and this counts as use"
    clock.now += 899
    made.lock_if_idle()
    assert _is_open(made)
    clock.now += 1
    made.lock_if_idle()
    assert not _is_open(made)
    assert made.get("default", "NAME") == VALUE
    assert len(user.requests) == 2


def test_idle_is_noticed_without_being_looked_at(path: Path) -> None:
    clock, user = Clock(), User(PASSPHRASE, None)
    made = vault(path, user, clock=clock, idle_s=900)
    made.put("default", "NAME", VALUE)
    clock.now += 900
    with pytest.raises(StoreUnavailableError):
        made.get("default", "NAME")


def test_a_face_can_look_at_it_while_a_thread_waits_for_the_passphrase(filled: Path) -> None:
    asked, answer = threading.Event(), threading.Event()

    def ask(_: object) -> Secret:
        asked.set()
        answer.wait()
        return Secret(PASSPHRASE)

    made = vault(filled, ask)
    thread = threading.Thread(target=lambda: made.get("default", "NAME"))
    thread.start()
    asked.wait()
    made.lock_if_idle()
    assert not _is_open(made)
    answer.set()
    thread.join()
    assert _is_open(made)


def test_two_threads_ask_once(filled: Path) -> None:
    user = User(PASSPHRASE)
    made = vault(filled, user)
    threads = [threading.Thread(target=lambda: made.get("default", "NAME")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(user.requests) == 1


def test_another_passphrase(filled: Path) -> None:
    mine, other = vault(filled, User(PASSPHRASE)), vault(filled, User(PASSPHRASE, "another one"))
    assert other.get("default", "NAME") == VALUE
    mine.change_passphrase(Secret("another one"))
    assert mine.get("default", "NAME") == VALUE, "and it stays open"
    assert other.get("default", "NAME") == VALUE, "which asks again, as its key no longer fits"
    with pytest.raises(WrongPassphraseError):
        vault(filled, User(*[PASSPHRASE] * 3)).get("default", "NAME")
    with pytest.raises(UsageError, match="at least 8"):
        mine.change_passphrase(Secret("short"))


def test_a_passphrase_changed_while_somebody_writes(filled: Path) -> None:
    """What was read before the lock is read again under it."""
    theirs = vault(filled, User(PASSPHRASE))

    def ask(request: object) -> Secret:
        requests.append(request)
        if len(requests) > 1:
            return Secret("another one")
        theirs.change_passphrase(Secret("another one"))
        return Secret(PASSPHRASE)

    requests: list[object] = []
    vault(filled, ask).put("default", "SECOND", VALUE)
    assert len(requests) == 2
    assert sorted(vault(filled, User("another one")).names()) == [("default", "NAME"), ("default", "SECOND")]


def test_a_vault_that_another_process_makes_meanwhile_is_not_overwritten(path: Path) -> None:
    def ask(request: object) -> Secret:
        requests.append(request)
        if len(requests) == 1:
            vault(path, User("their phrase")).put("default", "THEIRS", VALUE)
            return Secret("my own phrase")
        return Secret("their phrase")

    requests: list[object] = []
    vault(path, ask).put("default", "MINE", VALUE)
    assert sorted(vault(path, User("their phrase")).names()) == [("default", "MINE"), ("default", "THEIRS")]


def test_deleting(filled: Path) -> None:
    made = vault(filled, User(PASSPHRASE))
    assert made.delete("default", "NAME")
    assert not made.delete("default", "NAME")
    assert made.names() == []


def _is_open(made: Vault) -> bool:
    return made.is_unlocked


def test_a_full_disk_leaves_the_old_file(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = filled.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    made = vault(filled, User(PASSPHRASE))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(UsageError, match="cannot be written"):
            made.put("default", "NAME", Secret("another"))
    assert filled.read_bytes() == before
    assert made.get("default", "NAME") == VALUE
    assert sorted(file.name for file in filled.parent.iterdir()) == ["vault", "vault.lock"]


LIMITED = """
import resource, sys
from pathlib import Path
from cockpit.model.secret import Secret
from cockpit.errors import UsageError
from tests.secrets.fakes import vault, User, PASSPHRASE
made = vault(Path(sys.argv[1]), User(PASSPHRASE))
made.open()
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    made.put("default", "NAME", Secret("x" * 5000))
except UsageError as error:
    print(error.title)
"""


def test_a_file_that_really_cannot_grow(filled: Path) -> None:
    before = filled.read_bytes()
    assert "cannot be written" in _python(LIMITED, str(filled))
    assert filled.read_bytes() == before


def test_drafts_of_the_killed_are_removed(filled: Path) -> None:
    draft = filled.with_name(".vault.4711.tmp")
    draft.write_bytes(b"half of it")
    vault(filled, User(PASSPHRASE)).put("default", "OTHER", VALUE)
    assert not draft.exists()


WRITER = """
import sys
from pathlib import Path
from cockpit.model.secret import Secret
from tests.secrets.fakes import vault, User, PASSPHRASE
made = vault(Path(sys.argv[1]), User(PASSPHRASE))
made.open()
print("open", flush=True)
sys.stdin.read()
for number in range(25):
    made.put("default", f"{sys.argv[2]}_{number}", Secret("value"))
"""


def test_two_processes_writing(filled: Path) -> None:
    writers = [_start(WRITER, str(filled), name) for name in ("A", "B")]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.close()
    for writer in writers:
        with writer:
            assert writer.wait(60) == 0
    names = {name for _, name in vault(filled, User(PASSPHRASE)).names()}
    assert names == {"NAME"} | {f"{process}_{number}" for process in "AB" for number in range(25)}


def test_a_lock_that_is_never_released(path: Path) -> None:
    with (
        files.exclusive(path),
        pytest.raises(UsageError, match="Another process holds"),
        files.exclusive(path, patience_s=0),
    ):
        pytest.fail("it was had twice")


def test_a_file_in_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be"):
        vault(tmp_path / "file" / "vault", User(PASSPHRASE)).put("default", "NAME", VALUE)


def test_a_vault_that_is_a_directory(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read"):
        vault(path, User(PASSPHRASE)).get("default", "NAME")


def test_cryptography_is_imported_only_when_it_is_used() -> None:
    script = "import sys, cockpit.secrets.references, cockpit.secrets.overview; print(*sys.modules)"
    loaded = set(_python(script).split())
    assert not loaded & {"cryptography", "keyring", "secretstorage", "textual", "getpass"}


def test_it_is_the_class_that_is_used() -> None:
    assert Vault(Path("x"))._cost == vault_format.STRONG


def _python(script: str, *arguments: str) -> str:
    with _start(script, *arguments) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output


def _start(script: str, *arguments: str) -> "subprocess.Popen[str]":
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=root,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
