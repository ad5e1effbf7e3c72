"""The store: where a value is kept, and the order in which places and scopes are looked at."""

from pathlib import Path

import msgspec
import pytest

from cockpit.errors import NotFoundError, UsageError
from cockpit.model.secret import Secret
from cockpit.secrets import references
from cockpit.secrets.command import SecretCommand
from cockpit.secrets.environment import PASSPHRASE_VARIABLE
from cockpit.secrets.failures import StoreUnavailableError, WrongPassphraseError
from cockpit.secrets.names import Place, checked_name, checked_scope, scopes_for
from cockpit.secrets.overview import entries, status
from cockpit.secrets.references import resolve_reference, resolve_references
from cockpit.secrets.store import LASTING, NoValueError, SecretStore
from tests.secrets.fakes import PASSPHRASE, FailingKeyring, Keyring, User, store

OLD, NEW = Secret("the old value"), Secret("the new value")


def _presence(of: SecretStore) -> list[tuple[str, str | None, str, bool | None]]:
    return [(entry.name, entry.scope, entry.place, entry.present) for entry in entries(of).entries]


# Where a value is kept


def test_the_keyring_comes_first(tmp_path: Path) -> None:
    user = User()
    kept = store(tmp_path, backend=Keyring(), user=user)
    stored = kept.put("NAME", NEW)
    assert (stored.place, stored.scope, stored.notes) == (Place.KEYRING, "default", ())
    assert kept.resolve("NAME").value == NEW
    assert not kept.vault.exists
    assert user.requests == []


def test_then_the_vault_and_why(tmp_path: Path) -> None:
    kept = store(tmp_path, user=User(PASSPHRASE))
    stored = kept.put("NAME", NEW)
    assert stored.place == Place.VAULT
    assert stored.notes == ("The keyring cannot be used: RuntimeError: the daemon is gone: ***",)
    assert kept.resolve("NAME") == msgspec.structs.replace(kept.resolve("NAME"), value=NEW, place=Place.VAULT)


def test_then_this_process_alone(tmp_path: Path) -> None:
    kept = store(tmp_path)
    stored = kept.put("NAME", NEW)
    assert stored.place == Place.SESSION
    assert len(stored.notes) == 2
    assert kept.resolve("NAME").value == NEW
    assert _presence(kept) == [("NAME", "default", "session", True)]
    assert not [path for path in tmp_path.rglob("*") if NEW.reveal().encode() in path.read_bytes()]
    with pytest.raises(NoValueError):
        store(tmp_path).resolve("NAME")


def test_only_where_it_lasts(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="NAME was not stored") as caught:
        store(tmp_path).put("NAME", NEW, places=LASTING)
    assert "keyring" in caught.value.detail
    assert "vault" in caught.value.detail
    assert store(tmp_path).index.rows() == []


def test_a_wrong_passphrase_is_no_reason_to_put_it_elsewhere(tmp_path: Path) -> None:
    store(tmp_path, user=User(PASSPHRASE)).put("NAME", OLD)
    kept = store(tmp_path, user=User("wrong", "wrong", "wrong"))
    with pytest.raises(WrongPassphraseError):
        kept.put("NAME", NEW)
    assert kept.session_names() == []


@pytest.mark.parametrize("value", ["", " \n", "a\0b", "x" * 70_000, "ac-secret://OTHER"])
def test_values_that_cannot_be_one(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError):
        store(tmp_path, backend=Keyring()).put("NAME", Secret(value))


def test_moving_leaves_no_older_value_behind(tmp_path: Path) -> None:
    backend = Keyring()
    kept = store(tmp_path, backend=backend, user=User(PASSPHRASE))
    kept.put("NAME", OLD)
    assert kept.put("NAME", NEW, places=[Place.VAULT]).notes == ()
    assert backend.values == {}
    assert kept.resolve("NAME").value == NEW
    assert _presence(kept) == [("NAME", "default", "vault", True)]
    kept.put("NAME", OLD, places=[Place.KEYRING])
    assert kept.vault.names() == []


def test_moving_away_from_a_keyring_that_died(tmp_path: Path) -> None:
    backend = Keyring()
    store(tmp_path, backend=backend).put("NAME", OLD)
    kept = store(tmp_path, user=User(PASSPHRASE))
    stored = kept.put("NAME", NEW)
    assert stored.place == Place.VAULT
    assert "An older value is still in the keyring" in stored.notes[-1]
    again = store(tmp_path, backend=backend, user=User(PASSPHRASE))
    assert again.resolve("NAME").value == NEW, "though the keyring is back and holds the older one"
    assert again.delete("NAME") == [Place.VAULT, Place.KEYRING]
    assert backend.values == {}


def test_a_session_value_is_newer_than_what_could_not_be_reached(tmp_path: Path) -> None:
    store(tmp_path, backend=Keyring()).put("NAME", OLD)
    kept = store(tmp_path)
    assert kept.put("NAME", NEW).place == Place.SESSION
    assert kept.resolve("NAME").value == NEW
    kept.vault._ask = lambda: User(PASSPHRASE)
    kept.put("NAME", OLD)
    assert kept.resolve("NAME").value == OLD
    assert kept.session_names() == []


# The order of places and scopes


def test_the_environment_comes_before_all(tmp_path: Path) -> None:
    kept = store(tmp_path, backend=Keyring(), environment={"RAYAKASH_SECRET_NAME": "from outside"})
    kept.put("NAME", OLD)
    found = kept.resolve("NAME")
    assert (found.value, found.place, found.scope) == (Secret("from outside"), Place.ENVIRONMENT, None)


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    kept = store(tmp_path, backend=Keyring(), environment={"RAYAKASH_SECRET_NAME": ""})
    kept.put("NAME", OLD)
    assert kept.resolve("NAME").place == Place.KEYRING


def test_then_the_command(tmp_path: Path) -> None:
    kept = store(tmp_path, backend=Keyring())
    kept.put("NAME", OLD)
    kept.command = lambda: SecretCommand("printf %s {name}")
    assert kept.resolve("NAME").value == Secret("NAME")
    kept.command = lambda: SecretCommand("sh -c 'echo no such entry >&2; exit 1' {name}")
    assert kept.resolve("NAME").value == OLD
    with pytest.raises(NoValueError) as caught:
        kept.resolve("OTHER")
    assert "no such entry" in caught.value.detail


def test_the_nearest_scope_wins_wherever_it_is(tmp_path: Path) -> None:
    kept = store(tmp_path, backend=Keyring(), user=User(PASSPHRASE))
    kept.put("NAME", OLD)
    kept.put("NAME", NEW, scope="train", places=[Place.VAULT])
    assert kept.resolve("NAME", ("train", "lab", "default")).value == NEW
    assert kept.resolve("NAME", ("lab", "default")).value == OLD
    assert kept.resolve("NAME").value == OLD


def test_scopes() -> None:
    assert scopes_for() == ("default",)
    assert scopes_for(sdl=Path("sdl/ray-gpu.yaml"), context="lab") == ("ray-gpu", "lab", "default")
    assert scopes_for(sdl=Path("ray-gpu.yaml"), scope="mine", context="default") == ("mine", "default")


@pytest.mark.parametrize("scope", ["", "  ", "a\nb", "\x1b[2J", "x" * 101])
def test_what_is_no_scope(scope: str) -> None:
    with pytest.raises(UsageError):
        checked_scope(scope)


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A=canary", "canary value", "x" * 65])
def test_what_is_no_name_is_not_repeated(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_name(name)
    assert "canary" not in caught.value.title + caught.value.detail + caught.value.hint


# Deleting and generating


def test_deleting_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="NAME"):
        store(tmp_path, backend=Keyring()).delete("NAME")


def test_a_generated_token_is_not_replaced_by_accident(tmp_path: Path) -> None:
    kept = store(tmp_path, backend=Keyring())
    value, stored = kept.generate("RAY_AUTH_TOKEN", scope="lab")
    assert stored.place == Place.KEYRING
    assert kept.resolve("RAY_AUTH_TOKEN", ("lab",)).value == value
    with pytest.raises(UsageError, match="already exists"):
        kept.generate("RAY_AUTH_TOKEN", scope="lab")
    other, _ = kept.generate("RAY_AUTH_TOKEN", scope="lab", replace=True)
    assert other != value


# References


def test_a_reference(tmp_path: Path) -> None:
    kept = store(tmp_path, backend=Keyring())
    kept.put("NAME", NEW)
    assert resolve_reference("ac-secret://NAME", store=kept) == NEW


@pytest.mark.parametrize("reference", ["ac-secret:NAME", "ac-secret://", "ac-secret://A-B", "NAME"])
def test_what_is_no_reference(tmp_path: Path, reference: str) -> None:
    with pytest.raises(UsageError, match="is not a secret reference"):
        resolve_reference(reference, store=store(tmp_path))


def test_all_that_have_no_value_are_named_at_once(tmp_path: Path) -> None:
    kept = store(tmp_path, backend=Keyring())
    kept.put("B", NEW)
    with pytest.raises(NoValueError, match="The secrets A, C have no value") as caught:
        resolve_references([f"ac-secret://{name}" for name in "ABC"], store=kept)
    assert caught.value.names == ("A", "C")


def test_the_store_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("RAYAKASH_SECRET_NAME", "value")
    assert resolve_reference("ac-secret://NAME") == Secret("value")
    assert references.process_store() is references.process_store()


# What is told about it


def test_status(tmp_path: Path) -> None:
    environment = {"RAYAKASH_SECRET_NAME": "value", PASSPHRASE_VARIABLE: PASSPHRASE}
    kept = store(tmp_path, backend=Keyring(), environment=environment)
    kept.command = lambda: SecretCommand("pass show ray/{name}")
    found = status(kept)
    assert found.place == Place.KEYRING
    assert found.secret_command == "pass"
    assert found.environment == ("NAME",)
    assert "value" not in repr(found)
    assert PASSPHRASE not in repr(found)


def test_status_without_anything(tmp_path: Path) -> None:
    found = status(store(tmp_path, backend=FailingKeyring()))
    assert found.keyring.is_usable, "it is only found out by using it"
    assert not found.vault.is_usable
    assert found.vault.reason == "its passphrase cannot be asked for here"


def test_status_of_a_damaged_vault(tmp_path: Path) -> None:
    (tmp_path / "vault").write_bytes(b"rubbish")
    found = status(store(tmp_path, user=User()))
    assert not found.vault.is_usable
    assert "changed or cut short" in found.vault.reason
