"""What the user wrote down, and what we remember for them."""

import stat
from pathlib import Path

import pytest

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.settings import Consents, Context


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's directories of the test's own."""
    monkeypatch.setattr(settings, "config_directory", lambda: tmp_path / "config")
    monkeypatch.setattr(settings, "state_directory", lambda: tmp_path / "state")
    return tmp_path


def written(home: Path, text: str) -> None:
    """The user's file says this."""
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "config.toml").write_text(text, encoding="utf-8")


def test_missing_file_is_an_empty_one() -> None:
    assert settings.load_settings().contexts == {}


def test_contexts_are_read(home: Path) -> None:
    written(home, '[contexts.lab]\naddress = "https://ray.example"\ntoken = "ac-secret://LAB"\nread_only = true\n')
    assert settings.load_settings().contexts == {
        "lab": Context(address="https://ray.example", token="ac-secret://LAB", read_only=True)
    }


def test_one_bad_context_does_not_hide_the_others(home: Path) -> None:
    written(
        home,
        'color = "red"\n[contexts.good]\naddress = "h:1"\n[contexts.bare]\n'
        '[contexts.typo]\naddress = "h:1"\nadress = "x"\n[contexts.number]\naddress = 7\n',
    )
    found = settings.load_settings()
    assert set(found.contexts) == {"good"}
    text = "\n".join(found.problems)
    assert all(word in text for word in ("'color'", "'bare'", "'typo'", "adress", "'number'"))


def test_contexts_that_are_no_table(home: Path) -> None:
    written(home, "contexts = 7")
    found = settings.load_settings()
    assert found.contexts == {}
    assert "contexts is not a table" in found.problems[0]


GOOD = '[contexts.good]\naddress = "h:1"\n'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("\n[contexts\n" + GOOD, ":2:10: "),
        ('a = "\n' + GOOD, ":1:"),
        (GOOD + '[contexts.bad]\naddress = "h:2\n', ":4:15: "),
        ("[contexts.bad]\nheaders = { a = \n" + GOOD, ":2:"),
        ('[contexts.bad]\nca = """\n' + GOOD, ":2:"),
        ("[contexts.bad]\ncookies = [\n" + GOOD, ":2:"),
    ],
)
def test_broken_toml_names_its_place_and_the_rest_is_used(home: Path, text: str, place: str) -> None:
    written(home, text)
    found = settings.load_settings()
    assert set(found.contexts) == {"good"}
    assert len(found.problems) == 1
    assert place in found.problems[0]
    assert "not valid TOML" in found.problems[0]
    assert found.left_out == (("bad",) if "bad" in text else ())


def test_two_contexts_of_one_name(home: Path) -> None:
    tables = [("lab", "h:1"), ("other", "h:3"), ("lab", "h:2")]
    written(home, "".join(f'[contexts.{name}]\naddress = "{address}"\n' for name, address in tables))
    found = settings.load_settings()
    assert {name: context.address for name, context in found.contexts.items()} == {"lab": "h:1", "other": "h:3"}
    assert "two contexts are called 'lab'; the one at line 1 is used" in found.problems[0]
    assert ":5:" in found.problems[0]
    assert found.left_out == ()


def test_file_that_is_no_text(home: Path) -> None:
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        settings.load_settings()


def test_directory_in_the_place_of_the_file(home: Path) -> None:
    (home / "config" / "config.toml").mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read"):
        settings.load_settings()


def test_context_in_use_is_remembered(home: Path) -> None:
    assert settings.current_context() is None
    settings.use_context("lab")
    assert settings.current_context() == "lab"
    settings.use_context(None)
    assert settings.current_context() is None
    (home / "state" / "current-context").unlink()
    (home / "state" / "current-context").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        settings.current_context()


def test_consents_are_remembered_and_private(home: Path) -> None:
    assert settings.load_consents() == Consents()
    given = Consents(ray_token=frozenset({"https://h:443"}), plain_http=frozenset({"http://h:80", "http://i:80"}))
    settings.save_consents(given)
    assert settings.load_consents() == given
    file = home / "state" / "consents.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"ray_token": 7}', b'{"ray_token": ["\xff"]}', b"[" * 9999])
def test_broken_consents_are_not_taken_for_a_yes(home: Path, content: bytes) -> None:
    (home / "state").mkdir()
    (home / "state" / "consents.json").write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read") as caught:
        settings.load_consents()
    assert "Remove it" in caught.value.hint


def test_write_is_whole_or_not_at_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "file"
    settings.write_private(file, b"old")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(UsageError, match="cannot be written") as caught:
        settings.write_private(file, b"new")
    assert "No space left" in caught.value.detail
    assert file.read_bytes() == b"old"
    assert [path.name for path in home.iterdir()] == ["file"]


def test_write_does_not_follow_an_older_draft_with_other_rights(home: Path) -> None:
    file = home / "file"
    file.write_bytes(b"for everyone")
    file.chmod(0o644)
    settings.write_private(file, b"secret")
    assert file.read_bytes() == b"secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_directory_that_cannot_be_made(home: Path) -> None:
    (home / "file").touch()
    with pytest.raises(UsageError, match="cannot be created"):
        settings.private_directory(home / "file" / "below")
