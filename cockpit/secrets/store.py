"""The secret store: one name, several places, in a fixed order.

A value is looked for in the environment, then with the user's command, and then scope by scope where the index says
that it lives: in the keyring or in the vault, or in this process alone. A secret that the index does not know is looked
for in the keyring, and in the vault where that is open. Never is a value written anywhere else.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec

from cockpit.errors import NotFoundError, UsageError
from cockpit.model.nearest import nearest_hint
from cockpit.model.secret import Secret
from cockpit.secrets.command import SecretCommand
from cockpit.secrets.environment import ENVIRONMENT_PREFIX, from_environment
from cockpit.secrets.failures import StoreUnavailableError
from cockpit.secrets.index import Index, Row
from cockpit.secrets.names import DEFAULT_SCOPE, Place, checked_name, checked_scope
from cockpit.secrets.system_keyring import SystemKeyring
from cockpit.secrets.values import USUAL_TOKEN, checked_value, generated
from cockpit.secrets.vault import Vault

LASTING = (Place.KEYRING, Place.VAULT)
WRITABLE = (*LASTING, Place.SESSION)


class Found(msgspec.Struct, frozen=True):
    """A value and where it was; the environment and the command do not have scopes."""

    value: Secret
    place: Place
    scope: str | None = None


class Stored(msgspec.Struct, frozen=True):
    """Where a value is now, and sentences on why it is not elsewhere or what was left behind."""

    place: Place
    scope: str
    notes: tuple[str, ...] = ()


class SecretStore:
    """Reads and writes secrets. Calls may block for as long as a keyring, a command or a user takes to answer.

    Raises UsageError for names and scopes that are none, and what the places raise.
    """

    def __init__(
        self,
        *,
        keyring: SystemKeyring,
        vault: Vault,
        index: Index,
        command: Callable[[], SecretCommand | None] = lambda: None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.keyring = keyring
        self.vault = vault
        self.index = index
        self.command = command
        self.environment = environment
        self._session: dict[tuple[str, str], Secret] = {}

    def session_names(self) -> list[tuple[str, str]]:
        """Scope and name of what only this process holds."""
        return list(self._session)

    def resolve(self, name: str, scopes: Sequence[str] = (DEFAULT_SCOPE,)) -> Found:
        """The value of the name in the nearest of the scopes.

        Raises NoValueError where there is none, with what the command or the keyring said about it; and
        StoreUnavailableError where it is known to be in a place that cannot be used now, or is no longer there.
        """
        checked_name(name)
        if value := from_environment(name, self.environment):
            return Found(value, Place.ENVIRONMENT)
        said: list[str] = []
        if value := self._from_command(name, said):
            return Found(value, Place.COMMAND)
        for scope in scopes:
            if found := self._in_scope(name, checked_scope(scope), said):
                return found
        raise NoValueError([name], detail="\n".join(dict.fromkeys(said)))

    def put(
        self, name: str, value: Secret, *, scope: str = DEFAULT_SCOPE, places: Sequence[Place] = WRITABLE
    ) -> Stored:
        """Keep a value in the first of the places that can be used, and remove it from the others.

        Raises UsageError for a value that cannot be one, and StoreUnavailableError where no place can be used.
        """
        checked_name(name), checked_scope(scope), checked_value(value)
        place, notes = self._kept(name, value, scope, places)
        if place != Place.SESSION:
            self._session.pop((scope, name), None)
            notes += self._cleared(name, scope, place)
        return Stored(place, scope, tuple(notes))

    def generate(
        self,
        name: str,
        *,
        scope: str = DEFAULT_SCOPE,
        length: int = USUAL_TOKEN,
        replace: bool = False,
        places: Sequence[Place] = WRITABLE,
    ) -> tuple[Secret, Stored]:
        """Make a random token and keep it. Raises UsageError where there is one already, unless `replace` is set."""
        checked_name(name), checked_scope(scope)
        value = generated(length)
        if not replace and (self.index.rows_of(name, scope) or (scope, name) in self._session):
            raise UsageError(
                f"The secret {name} already exists in scope {scope}.",
                hint="A cluster may run with it; use --replace to make another.",
            )
        return value, self.put(name, value, scope=scope, places=places)

    def delete(self, name: str, *, scope: str = DEFAULT_SCOPE) -> list[Place]:
        """Remove a value from wherever it is in that scope; returns where it was.

        Raises NotFoundError where there is nothing, and StoreUnavailableError where a place cannot be used.
        """
        checked_name(name), checked_scope(scope)
        removed = [Place.SESSION] if self._session.pop((scope, name), None) else []
        rows = self.index.rows_of(name, scope)
        for row in rows:
            self._at(row.place).delete(scope, name)
            self.index.forget(name, scope, row.place)
            removed.append(row.place)
        said: list[str] = []
        if not rows:
            removed += self._delete_unlisted(name, scope, said)
        if not removed:
            names = [row.name for row in self.index.rows() if row.scope == scope]
            hint = nearest_hint(name, names, "List them: rayakash-tui secrets list")
            raise NotFoundError(f"Secret {name} not found in scope {scope}.", detail="\n".join(said), hint=hint)
        return removed

    def _from_command(self, name: str, said: list[str]) -> Secret | None:
        command = self.command()
        if command is None:
            return None
        answer = command.answer(name)
        if answer.words:
            said.append(answer.words)
        return answer.value

    def _in_scope(self, name: str, scope: str, said: list[str]) -> Found | None:
        # What this process was given because nothing else was usable is newer than what it could not reach.
        if value := self._session.get((scope, name)):
            return Found(value, Place.SESSION, scope)
        rows = self.index.rows_of(name, scope)
        return self._listed(rows[0]) if rows else self._unlisted(name, scope, said)

    def _listed(self, row: Row) -> Found:
        """The value that the index knows of. No other place is tried: it could only hold an older one."""
        try:
            value = self._at(row.place).get(row.scope, row.name)
        except StoreUnavailableError as error:
            title = f"The secret {row.name} is in the {row.place} (scope {row.scope}). {error.title}"
            raise type(error)(title, detail=error.detail, hint=error.hint) from None
        if value is None:
            raise StoreUnavailableError(
                f"The secret {row.name} should be in the {row.place} (scope {row.scope}), but is not there.",
                hint=f"Set it again with `rayakash-tui secrets set {row.name}`, or delete it.",
            )
        return Found(value, row.place, row.scope)

    def _unlisted(self, name: str, scope: str, said: list[str]) -> Found | None:
        for place in self._unlisted_places():
            try:
                value = self._at(place).get(scope, name)
            except StoreUnavailableError as error:
                said.append(_words_of(error))
                continue
            if value is not None:
                self.index.note(name, scope, place)
                return Found(value, place, scope)
        return None

    def _delete_unlisted(self, name: str, scope: str, said: list[str]) -> list[Place]:
        removed = []
        for place in self._unlisted_places():
            try:
                if self._at(place).delete(scope, name):
                    removed.append(place)
            except StoreUnavailableError as error:
                said.append(_words_of(error))
        return removed

    def _unlisted_places(self) -> list[Place]:
        """Places to search without the index; only where that was lost, the passphrase is asked for."""
        is_open = self.vault.exists and (self.vault.is_unlocked or not self.index.exists)
        return [Place.KEYRING, Place.VAULT] if is_open else [Place.KEYRING]

    def _kept(self, name: str, value: Secret, scope: str, places: Sequence[Place]) -> tuple[Place, list[str]]:
        notes: list[str] = []
        hint = ""
        for place in places:
            try:
                self._write(name, value, scope, place)
            except StoreUnavailableError as error:
                notes.append(_words_of(error))
                hint = error.hint
            else:
                return place, notes
        raise StoreUnavailableError(f"The secret {name} was not stored.", detail="\n".join(notes), hint=hint)

    def _write(self, name: str, value: Secret, scope: str, place: Place) -> None:
        """Write to one place. The row comes first: a value that nothing lists could never be found to be deleted."""
        if place == Place.SESSION:
            self._session[scope, name] = value
            return
        keeper = self._at(place)
        keeper.open()
        is_new = self.index.note(name, scope, place)
        try:
            keeper.put(scope, name, value)
        except BaseException:
            if is_new:
                with suppress(UsageError):
                    self.index.forget(name, scope, place)
            raise
        if not is_new:
            self.index.touch(name, scope, place)

    def _cleared(self, name: str, scope: str, kept: Place) -> list[str]:
        """Remove the secret from every other place; sentences on where that failed."""
        notes = []
        for row in self.index.rows_of(name, scope):
            if row.place == kept:
                continue
            try:
                self._at(row.place).delete(scope, name)
            except UsageError as error:
                notes.append(f"An older value is still in the {row.place}: {error.title}")
            else:
                self.index.forget(name, scope, row.place)
        return notes

    def _at(self, place: Place) -> SystemKeyring | Vault:
        return self.keyring if place == Place.KEYRING else self.vault


def _words_of(error: StoreUnavailableError) -> str:
    return f"{error.title.rstrip('.')}: {error.detail}" if error.detail else error.title


class NoValueError(UsageError):
    """Nothing is stored under these names."""

    def __init__(self, names: Sequence[str], *, detail: str = "") -> None:
        several = len(names) > 1
        listed = ", ".join(names)
        super().__init__(
            f"The secrets {listed} have no value." if several else f"The secret {listed} has no value.",
            detail=detail,
            hint=f"Set it with `rayakash-tui secrets set {names[0]}`, or in the environment as "
            f"{ENVIRONMENT_PREFIX}{names[0]}.",
        )
        self.names = tuple(names)
