"""What the store holds and what it is made of, without a single value."""

from datetime import datetime

import msgspec

from cockpit.errors import UsageError
from cockpit.secrets.environment import names_in
from cockpit.secrets.failures import StoreUnavailableError
from cockpit.secrets.index import Row
from cockpit.secrets.names import Place
from cockpit.secrets.store import SecretStore
from cockpit.secrets.system_keyring import KeyringState


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that can be referred to. `present` is None where that cannot be seen now, as in a locked vault."""

    name: str
    scope: str | None
    place: Place
    present: bool | None
    created: datetime | None = None
    changed: datetime | None = None


class Listing(msgspec.Struct, frozen=True):
    """The entries by name, and sentences about a place that cannot be read."""

    entries: tuple[Entry, ...]
    problems: tuple[str, ...] = ()


class VaultState(msgspec.Struct, frozen=True, kw_only=True):
    """The vault; `reason` says why it cannot be used."""

    path: str
    exists: bool
    is_unlocked: bool
    is_usable: bool
    reason: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of the store. `place` is where a new secret would go; `secret_command` is the program alone."""

    place: Place
    keyring: KeyringState
    vault: VaultState
    index: str
    total: int
    environment: tuple[str, ...]
    secret_command: str | None


def entries(store: SecretStore) -> Listing:
    """Everything that has a name: in the environment, in this process, in the keyring and in the vault.

    Nobody is asked for a passphrase. Raises UsageError where the index cannot be read or brought up to date.
    """
    in_vault, problems = _names_in_vault(store)
    rows = _brought_up_to_date(store, in_vault or set())
    keyring = store.keyring.state() if any(row.place == Place.KEYRING for row in rows) else KeyringState()
    found = [
        *(Entry(name=name, scope=None, place=Place.ENVIRONMENT, present=True) for name in names_in(store.environment)),
        *(Entry(name=name, scope=scope, place=Place.SESSION, present=True) for scope, name in store.session_names()),
        *(_entry(row, _presence(store, row, keyring, in_vault)) for row in rows),
    ]
    return Listing(tuple(sorted(found, key=lambda entry: (entry.name, entry.scope or "", entry.place))), problems)


def _names_in_vault(store: SecretStore) -> tuple[set[tuple[str, str]] | None, tuple[str, ...]]:
    """Scope and name of what is in the vault, None where that cannot be seen; and what is wrong with it."""
    try:
        store.vault.check()
        silent = store.vault.opens_silently or not store.vault.exists
        return (set(store.vault.names()) if silent else None), ()
    except UsageError as error:
        return None, (error.title,)


def _brought_up_to_date(store: SecretStore, in_vault: set[tuple[str, str]]) -> list[Row]:
    """The rows of the index, with those added that only the vault knew."""
    rows = store.index.rows()
    missing = in_vault - {(row.scope, row.name) for row in rows if row.place == Place.VAULT}
    for scope, name in missing:
        store.index.note(name, scope, Place.VAULT)
    return store.index.rows() if missing else rows


def _presence(
    store: SecretStore, row: Row, keyring: KeyringState, in_vault: set[tuple[str, str]] | None
) -> bool | None:
    if row.place == Place.VAULT:
        return None if in_vault is None else (row.scope, row.name) in in_vault
    if not keyring.is_usable:
        return None
    try:
        return store.keyring.get(row.scope, row.name) is not None
    except StoreUnavailableError:
        return None


def _entry(row: Row, present: bool | None) -> Entry:
    return Entry(
        name=row.name, scope=row.scope, place=row.place, present=present, created=row.created, changed=row.changed
    )


def status(store: SecretStore) -> Status:
    """What is in use and why. Raises UsageError where the index or the settings cannot be read."""
    keyring, vault, command = store.keyring.state(), _vault_state(store), store.command()
    usual = Place.KEYRING if keyring.is_usable else Place.VAULT if vault.is_usable else Place.SESSION
    return Status(
        place=usual,
        keyring=keyring,
        vault=vault,
        index=str(store.index.path),
        total=len(store.index.rows()),
        environment=tuple(names_in(store.environment)),
        secret_command=command.program if command else None,
    )


def _vault_state(store: SecretStore) -> VaultState:
    reason = _why_no_vault(store)
    return VaultState(
        path=str(store.vault.path),
        exists=store.vault.exists,
        is_unlocked=store.vault.is_unlocked,
        is_usable=not reason,
        reason=reason,
    )


def _why_no_vault(store: SecretStore) -> str:
    try:
        store.vault.check()
    except UsageError as error:
        return error.title
    return "" if store.vault.can_open else "its passphrase cannot be asked for here"
