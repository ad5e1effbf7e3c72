"""An SDL in an editor: every byte kept, others noticed, nothing lost on a full disk, secrets left out of the diff."""

import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.operations.sdl_editor.files import AlreadyThereError, ChangedOnDiskError, DiskState, OpenFile, shown_diff
from cockpit.sdl.failures import UnreadableSdlError
from cockpit.sdl.secret_spans import secret_spans
from cockpit.sdl.templates import template_named
from tests.sdl.conftest import SMALL
from tests.secrets.machine import Machine


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200), st.booleans())
def test_opening_and_saving_keeps_every_byte(text: str, marked: bool) -> None:
    data = (b"\xef\xbb\xbf" if marked else b"") + text.encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deploy.yaml"
        path.write_bytes(data)
        opened = OpenFile.read(path)
        opened.save(opened.text)
        assert path.read_bytes() == data
        assert opened.disk_state() is DiskState.SAME


def test_every_file_of_the_corpus_is_saved_as_it_was(corpus: Path, tmp_path: Path) -> None:
    files = [path for path in corpus.rglob("*") if path.suffix in (".yaml", ".yml")]
    assert len(files) > 500
    copy = tmp_path / "copy.yaml"
    for path in files:
        copy.write_bytes(path.read_bytes())
        opened = OpenFile.read(copy)
        opened.save(opened.text)
        assert copy.read_bytes() == path.read_bytes(), path


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"a: 1\n\x00b", "Line 2 has a NUL"),
        (b"\x7fELF\x02\x01\x01\x00", "NUL"),
        (b"a: 1\nb: \xff", "Line 2 is not valid UTF-8"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"x" * (10 << 20), "larger than 8 MB"),
    ],
)
def test_what_is_no_text_is_refused_with_the_line(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "deploy.yaml"
    path.write_bytes(data)
    with pytest.raises(UnreadableSdlError, match=words):
        OpenFile.read(path)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        with pytest.raises(UsageError, match="cannot be read"):
            OpenFile.read(path)
    with pytest.raises(UsageError, match="cannot be read") as failed:
        OpenFile.read(tmp_path / "missing.yaml")
    assert failed.value.detail == "No such file or directory"
    with pytest.raises(UsageError, match="cannot be read"):
        OpenFile.read(Path("nul\0.yaml"))


def test_a_link_stays_one_and_the_mode_is_kept(tmp_path: Path) -> None:
    target, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    target.write_text(SMALL)
    target.chmod(0o640)
    link.symlink_to(target.name)
    opened = OpenFile.read(link)
    opened.save(SMALL + "# more\n")
    assert link.is_symlink()
    assert target.read_text() == SMALL + "# more\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.yaml", "real.yaml"]


def test_a_change_by_others_is_noticed_and_never_written_over(small: Path) -> None:
    opened = OpenFile.read(small)
    assert not opened.changed_on_disk()
    small.write_text("theirs: 1\n")
    assert opened.disk_state() is DiskState.CHANGED
    with pytest.raises(ChangedOnDiskError, match="changed by another program") as failed:
        opened.save("mine: 1\n")
    assert failed.value.state is DiskState.CHANGED
    assert small.read_text() == "theirs: 1\n"


def test_a_change_of_the_same_size_is_noticed(small: Path) -> None:
    small.write_text("a: 1\n")
    opened = OpenFile.read(small)
    small.write_text("a: 2\n")
    os.utime(small, ns=(0, 1))
    assert opened.disk_state() is DiskState.CHANGED


def test_a_file_that_was_only_touched_or_copied_back_is_the_same(small: Path) -> None:
    opened = OpenFile.read(small)
    os.utime(small, ns=(0, 1))
    assert opened.disk_state() is DiskState.SAME
    text = small.read_text()
    small.unlink()
    small.write_text(text)
    assert opened.disk_state() is DiskState.SAME
    opened.save("mine: 1\n")


def test_a_file_that_is_gone_is_told_before_it_is_made_again(small: Path) -> None:
    opened = OpenFile.read(small)
    small.unlink()
    assert opened.disk_state() is DiskState.GONE
    with pytest.raises(ChangedOnDiskError, match="was removed"):
        opened.save("mine: 1\n")
    opened.save("mine: 1\n", replace=True)
    assert small.read_text() == "mine: 1\n"


def test_the_three_ways_out(small: Path) -> None:
    for way in ("mine", "theirs", "beside"):
        small.write_text(SMALL)
        opened = OpenFile.read(small)
        small.write_text("theirs: 1\n")
        if way == "mine":
            opened.save("mine: 1\n", replace=True)
            assert small.read_text() == "mine: 1\n"
        elif way == "theirs":
            assert opened.reread() == "theirs: 1\n"
            opened.save("theirs: 2\n")
        else:
            small.chmod(0o640)
            beside = opened.save_beside("mine: 1\n")
            assert (beside.name, beside.read_text()) == ("web.mine.yaml", "mine: 1\n")
            assert stat.S_IMODE(beside.stat().st_mode) == 0o640
            assert small.read_text() == "theirs: 1\n"
            opened.save("mine: 2\n")
            assert beside.read_text() == "mine: 2\n"
            again = OpenFile.read(small)
            assert again.save_beside("x: 1\n").name == "web.mine-2.yaml"


def test_save_as_never_replaces_by_itself(small: Path, tmp_path: Path) -> None:
    opened = OpenFile(None, "")
    with pytest.raises(UsageError, match="not saved yet"):
        opened.save("a: 1\n")
    with pytest.raises(AlreadyThereError, match="already exists"):
        opened.save_as(small, "a: 1\n")
    assert small.read_text() == SMALL
    opened.save_as(tmp_path / "new.yaml", "a: 1\n")
    assert (opened.name, opened.text) == ("new.yaml", "a: 1\n")
    opened.save_as(tmp_path / "new.yaml", "a: 2\n")
    opened.save_as(small, "a: 3\n", replace=True)
    assert small.read_text() == "a: 3\n"
    with pytest.raises(UsageError, match="is not a regular file"):
        opened.save_as(tmp_path, "a: 4\n", replace=True)
    fresh = OpenFile(small)
    with pytest.raises(AlreadyThereError):
        fresh.save("a: 5\n")


def test_half_of_a_surrogate_pair_is_told_with_its_line(small: Path) -> None:
    opened = OpenFile.read(small)
    with pytest.raises(UsageError, match="Line 2 has half of a surrogate pair"):
        opened.save("a: 1\nb: \ud800\n")
    assert small.read_text() == SMALL


FULL = """
import resource, sys
from pathlib import Path
from cockpit.errors import UsageError
from cockpit.operations.sdl_editor.files import OpenFile
opened = OpenFile.read(Path("web.yaml"))
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
for save in (opened.save, opened.save_beside):
    try:
        save(opened.text + "# more\\n" * 1000)
    except UsageError as error:
        print(error.title, error.detail)
print(opened.disk_state(), opened.path)
"""


def test_a_full_disk_leaves_the_old_file_whole(machine: Machine) -> None:
    path = machine.home / "web.yaml"
    path.write_text(SMALL)
    done = machine.python("-c", FULL)
    assert done.out.splitlines() == [
        "The file web.yaml cannot be written. File too large",
        "The file web.mine.yaml cannot be written. File too large",
        "same web.yaml",
    ], done.err
    assert path.read_text() == SMALL
    assert [entry.name for entry in machine.home.iterdir() if entry.is_file()] == ["web.yaml"]


def test_the_diff_is_against_the_disk_and_shows_no_secret(small: Path) -> None:
    opened = OpenFile.read(small)
    small.write_text(SMALL.replace("count: 1", "count: 2"))
    mine = SMALL.replace("count: 1", "count: 6").replace("MODE=fast", "API_TOKEN=canary-in-diff")
    lines = opened.diff(mine)
    assert "-      count: 2" in lines
    assert "+      count: 6" in lines
    assert "+      - API_TOKEN=***" in lines
    assert "canary" not in "\n".join(lines)
    small.unlink()
    assert all(line[0] in "+-@" for line in opened.diff(mine))


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  web:\n    env:\n      - API_TOKEN=canary-1234\n",
        "services:\n  web:\n    env:\n      - 'API_TOKEN=canary-1234\n        canary-5678'\n",
        "services:\n  web:\n    env: [API_TOKEN=canary-1234, MODE=x]\n",
        "services:\n  web:\n    env:\n      - API_TOKEN=canary-1234\n   broken: [\n",
        'services:\n  web:\n    env:\n      - "API_TOKEN=canary-1234\n        canary-5678\n',
        "services:\n  web:\n    env:\n      - |\n        API_TOKEN=canary-1234\n        canary-5678\n",
        "services:\n  web:\n    env:\n      - canary-1234!\n",
        "services: {web: {credentials: {host: h, username: u, password: canary-1234}}}\n",
        "a: 1 # API_TOKEN: canary-1234\n",
        "a:\n  - |\n    -----BEGIN RSA PRIVATE KEY-----\n    canary\n    -----END RSA PRIVATE KEY-----\n",
        "x: [\n-----BEGIN PRIVATE KEY-----\ncanary\n",
        "env:\n  - API_TOKEN=canary-1234\n---\nenv:\n  - API_TOKEN=canary-5678\n",
    ],
)
def test_a_diff_shows_no_secret_of_good_or_broken_yaml(text: str) -> None:
    lines = shown_diff("", text, "web.yaml")
    assert "canary" not in "\n".join(lines)
    assert "***" in "\n".join(lines)
    assert len(shown_diff("", text, "x")) == len(text.splitlines()) + 3


@pytest.mark.parametrize("name", ["ray-cpu", "ray-gpu", "ray-gpu-1x6", "ray-gpu-storage"])
def test_what_only_speaks_of_secrets_is_none(name: str) -> None:
    """Start commands read tokens from the environment; nothing of that may be missing from a draft."""
    assert secret_spans(template_named(name).text) == []


@pytest.mark.parametrize(
    "line",
    ["export API_TOKEN=canary-1", "curl -d password=canary-1", "x=${API_TOKEN:-canary-1}", 'api_key = "canary-1"'],
)
def test_literal_values_in_scripts_are_secrets(line: str) -> None:
    text = f"services:\n  web:\n    args:\n      - |\n        {line}\n"
    assert "canary" not in "\n".join(shown_diff("", text, "x"))


def test_a_diff_of_secrets_alone_says_so() -> None:
    before, after = ("services:\n  web:\n    env: [API_TOKEN=" + value + "]\n" for value in ("canary-1", "canary-2"))
    assert shown_diff(before, after, "x") == [
        "Only values that are secrets, line breaks or the byte order mark differ."
    ]
    assert shown_diff(before, before, "x") == []
