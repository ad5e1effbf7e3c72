"""Drafts: whole after a death, without secrets in the clear, and honest about what they lack."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.model.secret import Secret
from cockpit.operations.sdl_editor import drafts as sdl_drafts
from cockpit.operations.sdl_editor.drafts import DraftKeeper, DraftState, drafts, drop, load, says_nothing_new
from cockpit.operations.sdl_editor.files import OpenFile
from cockpit.secrets.vault import Vault
from tests.sdl.conftest import SMALL
from tests.secrets.fakes import PASSPHRASE, User, vault
from tests.secrets.machine import GUARD_S, Machine

CANARY = "canary-draft-7731"
TEXT = SMALL.replace("MODE=fast", f"API_TOKEN={CANARY}")


@pytest.fixture
def locked(tmp_path: Path) -> Vault:
    """A vault that nobody opened, and that somebody would open when asked."""
    made = vault(tmp_path / "store" / "vault", User(*[PASSPHRASE] * 3))
    made.put("default", "MADE_FIRST", Secret("nothing"))
    made.lock()
    return made


@pytest.fixture
def unlocked(locked: Vault) -> Vault:
    """A vault that was used just now."""
    locked.open()
    return locked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "drafts"


class Clock:
    """Stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_draft_with_secrets_comes_back_from_an_unlocked_vault(folder: Path, small: Path, unlocked: Vault) -> None:
    opened = OpenFile.read(small)
    keeper = DraftKeeper(opened.path, opened.stamp, directory=folder, vault=unlocked)
    keeper.note(TEXT)
    assert keeper.write()
    (note,) = folder.glob("*.json")
    assert CANARY not in note.read_text()
    assert note.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    (draft,) = drafts(directory=folder).found
    assert (draft.path, draft.name, draft.state) == (small, "web.yaml", DraftState.FRESH)
    assert (draft.withheld, draft.is_sealed, draft.is_in_use) == (("API_TOKEN",), True, True)
    assert load(draft, vault=unlocked).text == TEXT
    unlocked.lock()
    assert load(draft, vault=unlocked).text == TEXT, "the passphrase was asked for"


def test_with_a_locked_vault_the_value_is_left_out_and_named(folder: Path, locked: Vault) -> None:
    keeper = DraftKeeper(directory=folder, vault=locked)
    keeper.note(TEXT)
    keeper.write()
    assert all(CANARY.encode() not in path.read_bytes() for path in folder.iterdir())
    (draft,) = drafts(directory=folder).found
    assert (draft.state, draft.is_sealed, draft.name) == (DraftState.UNNAMED, False, "unnamed")
    loaded = load(draft, vault=locked)
    assert loaded.text == TEXT.replace(CANARY, "<withheld-API_TOKEN-1>")
    assert loaded.missing == ("API_TOKEN",)
    assert "locked" in loaded.why
    assert CANARY not in repr(loaded)


def test_nobody_is_asked_where_that_is_not_wanted(folder: Path, unlocked: Vault) -> None:
    keeper = DraftKeeper(directory=folder, vault=unlocked)
    keeper.note(TEXT)
    keeper.write()
    (draft,) = drafts(directory=folder).found
    loaded = load(draft, vault=unlocked, reveal=False)
    assert (loaded.missing, loaded.why) == (("API_TOKEN",), "the vault was not asked")


def test_a_vault_with_another_passphrase_gives_the_text_without_them(folder: Path, unlocked: Vault) -> None:
    keeper = DraftKeeper(directory=folder, vault=unlocked)
    keeper.note(TEXT)
    keeper.write()
    unlocked.change_passphrase(Secret("another passphrase"))
    (draft,) = drafts(directory=folder).found
    loaded = load(draft, vault=unlocked)
    assert loaded.missing == ("API_TOKEN",)
    assert "another passphrase" in loaded.why


def test_what_a_draft_encrypts_is_no_vault(unlocked: Vault) -> None:
    """Neither can be put in the place of the other by whoever may write files."""
    sealed = unlocked.seal_apart(sdl_drafts.PURPOSE, {"a": "b"})
    assert sealed is not None
    assert unlocked.unseal_apart(sdl_drafts.PURPOSE, sealed) == {"a": "b"}
    for purpose, data in ((b"another", sealed), (sdl_drafts.PURPOSE, unlocked.path.read_bytes())):
        with pytest.raises(UsageError, match="was changed"):
            unlocked.unseal_apart(purpose, data)
    unlocked.path.write_bytes(sealed)
    with pytest.raises(UsageError, match="was changed"):
        unlocked.names()


def test_at_most_one_write_a_second(folder: Path, locked: Vault) -> None:
    clock = Clock()
    keeper = DraftKeeper(directory=folder, vault=locked, clock=clock)
    due = [keeper.is_due]
    keeper.note("a: 1\n")
    due.append(keeper.is_due)
    keeper.write()
    keeper.note("a: 2\n")
    due.append(keeper.is_due)
    clock.now += 1.0
    due.append(keeper.is_due)
    assert due == [False, True, False, True]
    assert [keeper.write(), keeper.write()] == [True, False], "the second time there is nothing new"
    clock.now += 5.0
    assert not keeper.is_due
    keeper.drop()
    assert not keeper.is_due
    assert drafts(directory=folder).found == ()


def test_a_draft_is_told_what_became_of_its_file(folder: Path, small: Path, locked: Vault) -> None:
    opened = OpenFile.read(small)
    keeper = DraftKeeper(opened.path, opened.stamp, directory=folder, vault=locked)
    keeper.note(SMALL + "# mine\n")
    keeper.write()
    (draft,) = drafts(directory=folder).found
    assert (draft.state, says_nothing_new(draft)) == (DraftState.FRESH, False)
    small.write_text(SMALL + "# mine\n")
    (draft,) = drafts(directory=folder).found
    assert (draft.state, says_nothing_new(draft)) == (DraftState.STALE, True)
    small.unlink()
    (draft,) = drafts(directory=folder).found
    assert draft.state is DraftState.GONE
    drop(draft)
    with pytest.raises(UsageError, match="is gone"):
        load(draft, vault=locked)


def test_an_adopted_draft_goes_on_in_its_own_file(folder: Path, small: Path, locked: Vault) -> None:
    first = DraftKeeper(directory=folder, vault=locked)
    first.note("a: 1\n")
    first.write()
    (draft,) = drafts(directory=folder).found
    second = DraftKeeper(directory=folder, vault=locked)
    second.note("begun: 1\n")
    second.write()
    second.adopt(draft)
    second.rebase(small, OpenFile.read(small).stamp)
    second.note("a: 2\n")
    second.write()
    (draft,) = drafts(directory=folder).found
    assert load(draft, vault=locked).text == "a: 2\n"
    assert (draft.path, draft.state) == (small, DraftState.FRESH)


def test_a_file_that_is_no_draft_hides_no_other(folder: Path, locked: Vault) -> None:
    keeper = DraftKeeper(directory=folder, vault=locked)
    keeper.note("a: 1\n")
    keeper.write()
    (folder / "zz.json").write_bytes(b"{half")
    found = drafts(directory=folder)
    assert len(found.found) == 1
    assert "zz.json cannot be read" in found.problems[0]
    assert drafts(directory=folder / "none").found == ()


# Names of secrets with values, among lines of all sorts, whole or broken.
LINES = st.sampled_from(
    """\
services:
  web:
    env:
      - MODE=fast
      - API_TOKEN=vvvvvv1
      - 'DB_PASSWORD=vvvvvv2
      - "HF_TOKEN=vvvvvv3"
        vvvvvv4
      - |
        AWS_SECRET_ACCESS_KEY=vvvvvv5
   # API_KEY: vvvvvv6
  x: [
}
\ta

password: vvvvvv7
    credentials: {password: vvvvvv8, username: u}
<withheld-API_TOKEN-1>""".splitlines()
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(lines=st.lists(LINES, max_size=14), newline=st.sampled_from(("\n", "\r\n")))
def test_every_text_comes_back_as_it_was(tmp_path: Path, unlocked: Vault, lines: list[str], newline: str) -> None:
    folder = tmp_path / "many"
    text = newline.join(lines)
    keeper = DraftKeeper(directory=folder, vault=unlocked)
    keeper.note(text)
    keeper.write()
    (draft,) = drafts(directory=folder).found
    assert load(draft, vault=unlocked).text == text
    (note,) = folder.glob("*.json")
    kept = note.read_text()
    for number in (1, 2, 3, 5, 6, 7, 8):
        assert f"vvvvvv{number}" not in kept
    keeper.drop()


TYPING = """
import sys, time
from pathlib import Path
from cockpit.operations.sdl_editor.drafts import DraftKeeper
from cockpit.operations.sdl_editor.files import OpenFile
opened = OpenFile.read(Path("web.yaml"))
keeper = DraftKeeper(opened.path, opened.stamp)
typed = opened.text
for number in range(1_000_000):
    typed += f"# {number}\\n"
    keeper.note(typed)
    if keeper.is_due:
        keeper.write()
        print(number, flush=True)
"""


@pytest.mark.lengthy
def test_killed_while_typing_a_whole_draft_is_there(machine: Machine) -> None:
    path = machine.home / "web.yaml"
    path.write_text(SMALL)
    with machine.started([sys.executable, "-c", TYPING]) as process:
        assert process.stdout is not None
        written = [int(process.stdout.readline()) for _ in range(2)]
        os.kill(process.pid, signal.SIGKILL)
        process.wait(GUARD_S)
        rest = process.stdout.read().split()
    last = int(rest[-1]) if rest else written[-1]
    state = Path(machine.environment["HOME"]) / ".local" / "state" / "rayakash-tui" / "drafts"
    if sys.platform == "darwin":
        state = machine.data / "drafts"
    (draft,) = drafts(directory=state).found
    assert not draft.is_in_use
    assert draft.state is DraftState.FRESH
    text = load(draft).text
    # The one that was being written when it was killed may be there too, but then it is whole.
    numbers = [int(line[2:]) for line in text.removeprefix(SMALL).splitlines()]
    assert numbers == list(range(len(numbers)))
    assert numbers[-1] >= last
    assert path.read_text() == SMALL


DYING = """
import os, signal, sys
from pathlib import Path
from cockpit.operations.sdl_editor.drafts import DraftKeeper
keeper = DraftKeeper(Path("web.yaml"))
keeper.note("first: 1\\n")
keeper.write()
setattr(os, sys.argv[1], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
keeper.note("second: 2\\n")
keeper.write()
"""


@pytest.mark.parametrize("where", ["fsync", "fdopen"])
def test_killed_while_it_is_written_the_last_one_stays(machine: Machine, where: str) -> None:
    done = machine.python("-c", DYING, where)
    assert done.code == -signal.SIGKILL
    (folder,) = [path for path in machine.home.rglob("drafts") if path.is_dir()]
    assert len(list(folder.iterdir())) == 2, "the draft, and the one that was not finished"
    (draft,) = drafts(directory=folder).found
    assert load(draft).text == "first: 1\n"
    assert list(folder.iterdir()) == [draft.note]


def test_a_full_disk_is_told_and_the_last_draft_stays(machine: Machine) -> None:
    script = """
import resource
from cockpit.errors import UsageError
from cockpit.operations.sdl_editor.drafts import DraftKeeper, drafts, load
keeper = DraftKeeper()
keeper.note("a: 1\\n")
keeper.write()
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
keeper.note("a: 2\\n" * 1000)
try:
    keeper.write()
except UsageError as error:
    print(error.title.split()[-3:])
print(load(drafts().found[0]).text, keeper._text != keeper._written)
"""
    done = machine.python("-c", script)
    assert done.out == "['cannot', 'be', 'written.']\na: 1\n True\n", done.err


def test_the_keeper_of_a_live_process_is_in_use(machine: Machine, tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from cockpit.operations.sdl_editor.drafts import DraftKeeper
keeper = DraftKeeper(directory=Path(sys.argv[1]))
keeper.note("a: 1\\n")
keeper.write()
print("written", flush=True)
sys.stdin.read()
"""
    folder = tmp_path / "drafts"
    process: subprocess.Popen[str]
    with machine.started([sys.executable, "-c", script, str(folder)]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        assert drafts(directory=folder).found[0].is_in_use
        process.communicate("")
    assert not drafts(directory=folder).found[0].is_in_use
