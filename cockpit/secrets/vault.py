"""Our own encrypted file, for machines without a keyring: opened by a passphrase, locked again when idle."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cockpit.errors import UsageError
from cockpit.model.secret import Secret
from cockpit.secrets import vault_format
from cockpit.secrets.environment import PASSPHRASE_VARIABLE
from cockpit.secrets.failures import DamagedVaultError, LockedError, WrongPassphraseError
from cockpit.secrets.files import exclusive, read_own, replace
from cockpit.secrets.passphrase import Ask, PassphraseRequest, current_ask
from cockpit.secrets.vault_format import STRONG, Contents, Cost, Sealed, VaultKey

IDLE_S = 15 * 60.0
ATTEMPTS = 3
SHORTEST_PASSPHRASE = 8
LARGEST_BYTES = 32 << 20


class Vault:
    """Values by scope and name in one encrypted file. It keeps the key while in use, and values never.

    Every method that reads or writes raises LockedError where no passphrase can be had, StoreUnavailableError
    where it cannot be used for another reason, WrongPassphraseError, DamagedVaultError, and UsageError where the file
    cannot be read or written. Safe to use from several threads.
    """

    def __init__(
        self,
        path: Path,
        *,
        environment: Mapping[str, str] = os.environ,
        ask: Callable[[], Ask | None] = current_ask,
        cost: Cost = STRONG,
        clock: Callable[[], float] = time.monotonic,
        idle_s: float = IDLE_S,
    ) -> None:
        self.path = path
        self._environment = environment
        self._ask = ask
        self._cost = cost
        self._clock = clock
        self._idle_s = idle_s
        self._key: VaultKey | None = None
        self._used = 0.0
        self._mutex = threading.RLock()

    @property
    def exists(self) -> bool:
        """Whether there is a file."""
        return self.path.exists()

    @property
    def is_unlocked(self) -> bool:
        """Whether the key is at hand now."""
        self.lock_if_idle()
        return self._key is not None

    @property
    def opens_silently(self) -> bool:
        """Whether it can be used without asking anybody."""
        return self.is_unlocked or bool(self._environment.get(PASSPHRASE_VARIABLE))

    @property
    def can_open(self) -> bool:
        """Whether there is a way to come to the passphrase."""
        return self.opens_silently or self._ask() is not None

    def lock(self) -> None:
        """Forget the key."""
        self._key = None

    def lock_if_idle(self) -> None:
        """Forget the key where it was not used for long; a face that stays open calls this now and then."""
        # Without the mutex: a thread holds that while the face asks for the passphrase, and would wait for this here.
        if self._key is not None and self._clock() - self._used >= self._idle_s:
            self._key = None

    def open(self) -> None:
        """Come to the key, by asking where need be."""
        with self._mutex:
            self._key_for(self._read())

    def check(self) -> None:
        """Raises what reading it would, as far as known without asking for a passphrase."""
        if self.opens_silently:
            self._contents()
        else:
            self._read()

    def names(self) -> list[tuple[str, str]]:
        """Scope and name of every value."""
        return [(scope, name) for scope, values in self._contents().items() for name in values]

    def get(self, scope: str, name: str) -> Secret | None:
        """The value; None where there is none."""
        value = self._contents().get(scope, {}).get(name)
        return None if value is None else Secret(value)

    def put(self, scope: str, name: str, value: Secret) -> None:
        """Keep a value; the first one makes the vault."""
        with self._changing() as contents:
            contents.setdefault(scope, {})[name] = value.reveal()

    def delete(self, scope: str, name: str) -> bool:
        """Remove a value; whether there was one."""
        if not self.exists:
            return False
        with self._changing() as contents:
            return contents.get(scope, {}).pop(name, None) is not None

    def change_passphrase(self, new: Secret) -> None:
        """Encrypt everything again under another passphrase. Raises UsageError for one that is too short."""
        checked_passphrase(new)
        with self._mutex:
            key = vault_format.new_key(new, self._cost)
            with self._changing(key):
                pass
            self._key = key

    # --- what is kept elsewhere ---

    def seal_apart(self, purpose: bytes, values: Mapping[str, str]) -> bytes | None:
        """Encrypt values for another file with this vault's key; None where the vault is locked.

        Nobody is asked, and the vault stays open no longer for it.
        """
        self.lock_if_idle()
        key = self._key
        return None if key is None else vault_format.seal(key.for_purpose(purpose), {"": dict(values)})

    def unseal_apart(self, purpose: bytes, data: bytes) -> dict[str, str]:
        """What was encrypted so. Asks for the passphrase where the vault is locked.

        Raises DamagedVaultError where it was changed, or encrypted under another passphrase than today's.
        """
        with self._mutex:
            sealed = vault_format.parse(data)
            key = self._key_for(self._read())
            if not key.fits(sealed.header):
                raise DamagedVaultError("It was encrypted under another passphrase than the vault has now.")
            return vault_format.unseal(key.for_purpose(purpose), sealed).get("", {})

    def _contents(self) -> Contents:
        with self._mutex:
            sealed = self._read()
            return {} if sealed is None else vault_format.unseal(self._key_for(sealed), sealed)

    @contextmanager
    def _changing(self, new_key: VaultKey | None = None) -> Iterator[Contents]:
        """The contents, to be changed; they are written when the block ends well.

        The lock on the file is never held while the user looks for a passphrase: what another process changed
        meanwhile is read again, and a vault that it made or gave another passphrase is opened again.
        """
        with self._mutex:
            while True:
                key = self._key_for(self._read())
                with exclusive(self.path):
                    sealed = self._read()
                    if sealed is not None and not key.fits(sealed.header):
                        continue
                    contents = {} if sealed is None else vault_format.unseal(key, sealed)
                    yield contents
                    kept = {scope: values for scope, values in contents.items() if values}
                    replace(self.path, vault_format.seal(new_key or key, kept))
                    return

    def _read(self) -> Sealed | None:
        data = read_own(self.path, LARGEST_BYTES)
        return None if data is None else vault_format.parse(data)

    def _key_for(self, sealed: Sealed | None) -> VaultKey:
        """The key at hand where it fits, else one from a passphrase."""
        self.lock_if_idle()
        key = self._key
        if key is None or (sealed is not None and not key.fits(sealed.header)):
            key = self._first_key() if sealed is None else self._opened(sealed)
        self._key, self._used = key, self._clock()
        return key

    def _first_key(self) -> VaultKey:
        given = self._environment.get(PASSPHRASE_VARIABLE)
        passphrase = Secret(given) if given else self._asked(PassphraseRequest(vault=self.path, is_new=True))
        return vault_format.new_key(checked_passphrase(passphrase), self._cost)

    def _opened(self, sealed: Sealed) -> VaultKey:
        """The key of a vault, after one attempt with a passphrase from the environment, or several with a user."""
        given = self._environment.get(PASSPHRASE_VARIABLE)
        if given:
            return vault_format.key_for(sealed.header, Secret(given), source=f" in {PASSPHRASE_VARIABLE}")
        request = PassphraseRequest(vault=self.path)
        for _ in range(ATTEMPTS - 1):
            try:
                return vault_format.key_for(sealed.header, self._asked(request))
            except WrongPassphraseError as error:
                request = PassphraseRequest(vault=self.path, problem=error.title)
        return vault_format.key_for(sealed.header, self._asked(request))

    def _asked(self, request: PassphraseRequest) -> Secret:
        ask = self._ask()
        answer = ask(request) if ask else None
        if answer is None or not answer.reveal():
            elsewhere = f"Run it in a terminal, or set {PASSPHRASE_VARIABLE}."
            raise LockedError("The vault is locked, and no passphrase was given.", hint="" if ask else elsewhere)
        return answer


def checked_passphrase(passphrase: Secret) -> Secret:
    """A passphrase for a new vault. Raises UsageError where it is too short to protect anything."""
    if len(passphrase.reveal()) < SHORTEST_PASSPHRASE:
        raise UsageError(f"A passphrase needs at least {SHORTEST_PASSPHRASE} characters.")
    return passphrase
