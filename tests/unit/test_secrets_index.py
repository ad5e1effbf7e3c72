"""The index of names, and what becomes of one that is out of step with the stores."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.errors import UsageError
from cockpit.model.secret import Secret
from cockpit.secrets.environment import PASSPHRASE_VARIABLE
from cockpit.secrets.failures import StoreUnavailableError
from cockpit.secrets.index import Index
from cockpit.secrets.names import Place
from cockpit.secrets.overview import entries
from cockpit.secrets.store import NoValueError, SecretStore
from tests.secrets.fakes import PASSPHRASE, Keyring, User, store

OLD, NEW = Secret("the old value"), Secret("the new value")


def _presence(of: SecretStore) -> list[tuple[str, str | None, str, bool | None]]:
    return [(entry.name, entry.scope, entry.place, entry.present) for entry in entries(of).entries]


def test_the_index_holds_names_only(tmp_path: Path) -> None:
    kept = store(tmp_path, backend=Keyring())
    kept.put("NAME", NEW, scope="lab")
    path = tmp_path / "secrets.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (row,) = json.loads(path.read_bytes())["secrets"]
    assert (row["name"], row["scope"], row["place"]) == ("NAME", "lab", "keyring")
    assert set(row) == {"name", "scope", "place", "created", "changed"}
    assert NEW.reveal().encode() not in path.read_bytes()


def test_a_value_that_vanished_is_missing_and_no_other_is_taken(tmp_path: Path) -> None:
    backend = Keyring()
    kept = store(tmp_path, backend=backend)
    kept.put("NAME", OLD)
    kept.put("NAME", NEW, scope="train")
    del backend.values["rayakash-tui/train", "NAME"]
    assert _presence(kept) == [("NAME", "default", "keyring", True), ("NAME", "train", "keyring", False)]
    with pytest.raises(StoreUnavailableError, match="is not there"):
        kept.resolve("NAME", ("train", "default"))
    assert kept.delete("NAME", scope="train") == [Place.KEYRING]
    assert kept.resolve("NAME", ("train", "default")).value == OLD


def test_a_vault_that_vanished(tmp_path: Path) -> None:
    kept = store(tmp_path, user=User(PASSPHRASE))
    kept.put("NAME", OLD)
    kept.vault.path.unlink()
    again = store(tmp_path)
    assert _presence(again) == [("NAME", "default", "vault", False)]
    assert again.delete("NAME") == [Place.VAULT]


def test_a_locked_vault_leaves_it_open_whether_a_value_is_there(tmp_path: Path) -> None:
    store(tmp_path, user=User(PASSPHRASE)).put("NAME", OLD)
    user = User()
    assert _presence(store(tmp_path, user=user)) == [("NAME", "default", "vault", None)]
    assert user.requests == [], "a list asks for nothing"
    opened = store(tmp_path, environment={PASSPHRASE_VARIABLE: PASSPHRASE})
    assert _presence(opened) == [("NAME", "default", "vault", True)]


def test_a_keyring_that_died_leaves_it_open_too(tmp_path: Path) -> None:
    store(tmp_path, backend=Keyring()).put("NAME", OLD)
    kept = store(tmp_path)
    assert _presence(kept) == [("NAME", "default", "keyring", None)]
    with pytest.raises(StoreUnavailableError, match=r"The secret NAME is in the keyring .* cannot be used"):
        kept.resolve("NAME")
    with pytest.raises(StoreUnavailableError):
        kept.delete("NAME")
    assert kept.index.rows_of("NAME", "default"), "it is still listed"


def test_a_damaged_vault_is_said_in_the_list(tmp_path: Path) -> None:
    kept = store(tmp_path, user=User(PASSPHRASE))
    kept.put("NAME", OLD)
    kept.vault.path.write_bytes(b"rubbish")
    listing = entries(store(tmp_path))
    assert "was changed or cut short" in listing.problems[0]
    assert [entry.present for entry in listing.entries] == [None]


def test_a_lost_index_is_found_again(tmp_path: Path) -> None:
    backend = Keyring()
    kept = store(tmp_path, backend=backend, user=User(PASSPHRASE))
    kept.put("IN_KEYRING", OLD)
    kept.put("IN_VAULT", NEW, places=[Place.VAULT])
    (tmp_path / "secrets.json").unlink()
    again = store(tmp_path, backend=backend, user=User(PASSPHRASE))
    assert again.resolve("IN_VAULT").value == NEW
    assert again.resolve("IN_KEYRING").value == OLD
    assert {row.name for row in again.index.rows()} == {"IN_KEYRING", "IN_VAULT"}


def test_a_list_with_an_open_vault_finds_all_that_is_in_it(tmp_path: Path) -> None:
    kept = store(tmp_path, user=User(PASSPHRASE))
    kept.put("NAME", OLD)
    (tmp_path / "secrets.json").unlink()
    opened = store(tmp_path, environment={PASSPHRASE_VARIABLE: PASSPHRASE})
    assert _presence(opened) == [("NAME", "default", "vault", True)]


def test_a_passphrase_is_not_asked_for_what_the_vault_does_not_hold(tmp_path: Path) -> None:
    store(tmp_path, user=User(PASSPHRASE)).put("NAME", OLD)
    user = User()
    with pytest.raises(NoValueError):
        store(tmp_path, user=user).resolve("OTHER")
    assert user.requests == []


def test_a_value_put_into_the_keyring_by_hand_is_found(tmp_path: Path) -> None:
    backend = Keyring()
    backend.set_password("rayakash-tui/default", "NAME", OLD.reveal())
    kept = store(tmp_path, backend=backend)
    assert kept.resolve("NAME").value == OLD
    assert kept.delete("NAME") == [Place.KEYRING]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe\xff", b'{"secrets":[{"name":1}]}'])
def test_a_broken_index_is_an_error_and_stays(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "secrets.json"
    path.write_bytes(data)
    kept = store(tmp_path, backend=Keyring())
    for call in (kept.index.rows, lambda: kept.put("NAME", NEW), lambda: entries(kept)):
        with pytest.raises(UsageError, match="cannot be read"):
            call()
    assert path.read_bytes() == data


def test_a_newer_index(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_bytes(b'{"secrets":[],"version":2}')
    with pytest.raises(UsageError, match="newer"):
        store(tmp_path).index.rows()


def test_times_of_a_row(tmp_path: Path) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    index = Index(tmp_path / "secrets.json", now=lambda: now)
    assert index.note("NAME", "default", Place.VAULT)
    now += timedelta(hours=1)
    assert not index.note("NAME", "default", Place.VAULT)
    index.touch("NAME", "default", Place.VAULT)
    (row,) = index.rows()
    assert row.changed - row.created == timedelta(hours=1)
    index.forget("NAME", "default", Place.VAULT)
    assert index.rows() == []
