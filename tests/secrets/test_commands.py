"""The commands as a user runs them, on a machine without a keyring."""

import io
import json
import re
from pathlib import Path

import pytest

from cockpit.cli.main import run
from cockpit.model.env_names import purpose_of
from cockpit.model.secret import Secret
from cockpit.secrets.references import process_store, resolve_reference
from cockpit.settings import data_directory
from tests import json_checks
from tests.secrets.fakes import PASSPHRASE, real_backend
from tests.secrets.machine import Done, Machine, quick_vault, terminal

OPEN = {"RAYAKASH_VAULT_PASSPHRASE": PASSPHRASE}
VALUE = "canary-1b9f03"


class Here:
    """Runs `rayakash-tui secrets …` in this process, as if each were one of its own without a terminal."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def secrets(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        with self._monkeypatch.context() as patched:
            patched.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            patched.setattr("keyring.core._keyring_backend", real_backend("fail"))
            patched.setattr("cockpit.cli.terminal.TERMINAL", "/nonexistent")
            for name, value in environment.items():
                patched.setenv(name, value)
            try:
                try:
                    code = run(["secrets", *arguments])
                except SystemExit as end:  # argparse
                    code = int(end.code or 0)
            finally:
                process_store().vault.lock()
        said = self._capsys.readouterr()
        json_checks.hold(("secrets", *arguments), said.out.encode())
        return Done(code, said.out, said.err)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    monkeypatch.delenv("RAYAKASH_VAULT_PASSPHRASE", raising=False)
    quick_vault(data_directory() / "vault")
    return Here(monkeypatch, capsys)


def test_set_list_delete(here: Here) -> None:
    done = here.secrets("set", "HF_TOKEN", "--scope", "lab", stdin=f"{VALUE}\n", **OPEN)
    assert done.code == 0, done.err
    assert done.out == ""
    assert "Stored HF_TOKEN in the vault, scope lab." in done.err
    listed = here.secrets("list", "--json", **OPEN)
    found = json.loads(listed.out)
    assert found["total"] == 1
    (row,) = found["secrets"]
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    assert stamp.fullmatch(row.pop("created"))
    assert stamp.fullmatch(row.pop("changed"))
    assert stamp.fullmatch(found["as_of"])
    assert row == {
        "name": "HF_TOKEN",
        "scope": "lab",
        "store": "vault",
        "present": True,
        "is_secret": True,
        "purpose": purpose_of("HF_TOKEN"),
        "used_by": [],
    }
    table = here.secrets("list").out.splitlines()
    assert table[0].split() == ["STATE", "NAME", "SCOPE", "STORE", "USED", "BY", "SET", "PURPOSE"]
    assert table[1].split()[:4] == ["unseen", "HF_TOKEN", "lab", "vault"], "a locked vault does not tell"
    assert here.secrets("delete", "HF_TOKEN", **OPEN).code == 1, "it is in another scope"
    assert here.secrets("delete", "HF_TOKEN", "--scope", "lab", **OPEN).code == 0
    assert json.loads(here.secrets("list", "--json").out)["secrets"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["set", "NAME", VALUE],
        ["set", "NAME", "--", VALUE],
        ["set", "NAME", "--value", VALUE],
        ["set", "NAME", f"--value={VALUE}"],
        ["set", "NAME", "--scope", "lab", VALUE],
        ["set", f"NAME={VALUE}"],
        ["set", VALUE],
        ["generate", "NAME", VALUE],
        ["delete", "NAME", VALUE],
        ["list", VALUE],
        ["status", "--", VALUE],
        ["passphrase", VALUE],
        ["--", VALUE],
    ],
)
def test_a_value_as_an_argument_is_refused_and_not_repeated(here: Here, arguments: list[str]) -> None:
    done = here.secrets(*arguments, stdin="another value", **OPEN)
    assert done.code == 2
    assert VALUE not in done.said
    assert not (data_directory() / "secrets.json").exists()


def test_the_refusal_explains_itself(here: Here) -> None:
    done = here.secrets("set", "NAME", VALUE)
    assert "process list" in done.err
    assert "Pipe the value in" in done.err


@pytest.mark.parametrize("value", ["", "\n", "\r\n", "  \n"])
def test_an_empty_value_is_refused(here: Here, value: str) -> None:
    done = here.secrets("set", "NAME", stdin=value, **OPEN)
    assert done.code == 2
    assert "The value is empty." in done.err


@pytest.mark.parametrize(
    ("piped", "kept"),
    [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a\nb\n", "a\nb"), (" a ", " a ")],
)
def test_only_the_last_newline_of_a_pipe_is_dropped(
    here: Here, piped: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert here.secrets("set", "NAME", stdin=piped, **OPEN).code == 0
    monkeypatch.setenv("RAYAKASH_VAULT_PASSPHRASE", PASSPHRASE)
    assert resolve_reference("ac-secret://NAME") == Secret(kept)


def test_no_passphrase_and_no_terminal(here: Here) -> None:
    done = here.secrets("set", "NAME", stdin=VALUE)
    assert done.code == 2
    assert "no keyring on this machine" in done.err
    assert "RAYAKASH_VAULT_PASSPHRASE" in done.err


def test_a_wrong_passphrase(here: Here) -> None:
    done = here.secrets("set", "NAME", stdin=VALUE, RAYAKASH_VAULT_PASSPHRASE="not the one")
    assert done.code == 2
    assert "RAYAKASH_VAULT_PASSPHRASE does not open the vault" in done.err
    assert "not the one" not in done.said


def test_a_store_that_is_asked_for_and_not_there(here: Here) -> None:
    done = here.secrets("set", "NAME", "--store", "keyring", stdin=VALUE, **OPEN)
    assert done.code == 2
    assert "NAME was not stored" in done.err


def test_generate(here: Here) -> None:
    done = here.secrets("generate", "RAY_AUTH_TOKEN", **OPEN)
    assert (done.code, done.out) == (0, "")
    assert here.secrets("generate", "RAY_AUTH_TOKEN", **OPEN).code == 2
    shown = here.secrets("generate", "RAY_AUTH_TOKEN", "--replace", "--reveal", "--length", "64", **OPEN)
    assert len(shown.out.strip()) == 64
    assert not [path for path in data_directory().iterdir() if shown.out.strip().encode() in path.read_bytes()]
    assert here.secrets("generate", "OTHER", "--length", "8", **OPEN).code == 2


def test_a_short_token_is_advised_against(here: Here) -> None:
    done = here.secrets("set", "RAY_AUTH_TOKEN", stdin="short", **OPEN)
    assert done.code == 0
    assert "warning" in done.err


def test_status(here: Here) -> None:
    done = here.secrets("status", "--json", RAYAKASH_SECRET_X=VALUE, **OPEN)
    assert done.code == 0
    found = json.loads(done.out)
    assert found == {
        "store": "vault",
        "keyring": {"usable": False, "backend": None, "reason": "no keyring on this machine"},
        "vault": {
            "usable": True,
            "path": str(data_directory() / "vault"),
            "exists": True,
            "unlocked": True,
            "reason": None,
        },
        "index": {"path": str(data_directory() / "secrets.json"), "total": 0},
        "secret_command": None,
        "environment": ["X"],
    }
    assert VALUE not in done.said
    assert PASSPHRASE not in done.said
    assert "no keyring on this machine" in here.secrets("status").out


@pytest.mark.lengthy
def test_the_passphrase_can_be_changed(here: Here) -> None:
    assert here.secrets("set", "NAME", stdin=VALUE, **OPEN).code == 0
    done = here.secrets("passphrase", stdin="another passphrase\n", **OPEN)
    assert done.code == 0
    assert "another" not in done.said
    (row,) = json.loads(here.secrets("list", "--json", RAYAKASH_VAULT_PASSPHRASE="another passphrase").out)["secrets"]
    assert row["present"] is True
    listed = here.secrets("list", "--json", **OPEN)
    assert "does not open the vault" in listed.err
    assert json.loads(listed.out)["secrets"][0]["present"] is None


def test_the_environment_is_listed_and_outlives_a_delete(here: Here) -> None:
    assert here.secrets("set", "NAME", stdin="kept", **OPEN).code == 0
    listed = json.loads(here.secrets("list", "--json", RAYAKASH_SECRET_NAME=VALUE, **OPEN).out)["secrets"]
    assert [row["store"] for row in listed] == ["environment", "vault"]
    done = here.secrets("delete", "NAME", RAYAKASH_SECRET_NAME=VALUE, **OPEN)
    assert "The environment still has it" in done.err


def test_secrets_alone_shows_the_commands(here: Here) -> None:
    done = here.secrets()
    assert done.code == 0
    assert "generate" in done.out


# On a terminal


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path / "machine")
    quick_vault(made.data / "vault")
    return made


def test_a_value_is_typed_without_echo(machine: Machine) -> None:
    with terminal(machine, "set", "NAME", **OPEN) as user:
        user.read_until("Value of NAME: ")
        assert not user.echoes()
        user.type(VALUE + "\n")
        assert user.end() == 0
        assert VALUE not in user.shown
        assert "Stored NAME" in user.shown
        assert user.echoes(), "the terminal is as it was"
    assert json.loads(machine.secrets("list", "--json", **OPEN).out)["secrets"][0]["present"] is True


def test_the_passphrase_is_typed_again_when_wrong(machine: Machine) -> None:
    with terminal(machine, "set", "NAME") as user:
        user.read_until("Value of NAME: ")
        user.type(VALUE + "\n")
        user.read_until("Passphrase of the vault")
        assert not user.echoes()
        user.type("not the one\n")
        user.read_until("The passphrase does not open the vault.")
        user.read_until("Passphrase of the vault")
        user.type(PASSPHRASE + "\n")
        assert user.end() == 0
        assert not [text for text in (VALUE, PASSPHRASE, "not the one") if text in user.shown]


@pytest.mark.lengthy
def test_a_new_vault_is_made_with_a_passphrase_typed_twice(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine")
    with terminal(machine, "set", "NAME") as user:
        user.read_until("Value of NAME: ")
        user.type(VALUE + "\n")
        user.read_until("New passphrase: ")
        user.type(PASSPHRASE + "\n")
        user.read_until("Once more: ")
        user.type("something else\n")
        assert user.end() == 2
        assert "The two answers differ." in user.shown
    assert not (machine.data / "vault").exists()
    with terminal(machine, "set", "NAME") as user:
        user.read_until("Value of NAME: ")
        user.type(VALUE + "\n")
        user.read_until("New passphrase: ")
        user.type(PASSPHRASE + "\n")
        user.read_until("Once more: ")
        user.type(PASSPHRASE + "\n")
        assert user.end() == 0
    assert '"n":131072' in (machine.data / "vault").read_text(), "at the full price"
    assert json.loads(machine.secrets("list", "--json", **OPEN).out)["secrets"][0]["present"] is True


def test_giving_up(machine: Machine) -> None:
    with terminal(machine, "set", "NAME") as user:
        user.read_until("Value of NAME: ")
        user.type("\n")
        assert user.end() == 2
        assert "The value is empty." in user.shown
    with terminal(machine, "set", "NAME") as user:
        user.read_until("Value of NAME: ")
        user.type("\x03")
        assert user.end() == 130, "at the first Ctrl-C"
        assert user.echoes()
    with terminal(machine, "set", "NAME") as user:
        user.read_until("Value of NAME: ")
        user.type(VALUE + "\n")
        user.read_until("Passphrase of the vault")
        user.type("\n")
        assert user.end() == 2
        assert "NAME was not stored" in user.shown


def test_a_mangled_paste_is_refused(machine: Machine) -> None:
    with terminal(machine, "set", "NAME", **OPEN) as user:
        user.read_until("Value of NAME: ")
        user.type("\x1b[200~" + VALUE + "\x1b[201~\n")
        assert user.end() == 2
        assert "control characters" in user.shown
        assert VALUE not in user.shown
