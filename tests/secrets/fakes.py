"""Keyrings that misbehave, and stores that are quick."""

import threading
from importlib import import_module
from pathlib import Path
from typing import cast

from keyring.backend import KeyringBackend

from cockpit.model.secret import Secret
from cockpit.secrets.index import Index
from cockpit.secrets.passphrase import Ask, PassphraseRequest
from cockpit.secrets.store import SecretStore
from cockpit.secrets.system_keyring import SystemKeyring
from cockpit.secrets.vault import Vault
from cockpit.secrets.vault_format import Cost

QUICK = Cost(n=2, r=1, p=1)
PASSPHRASE = "correct horse"


class Keyring:
    """A keyring in memory. Not a subclass of keyring's own, which would offer it to everybody in this process."""

    priority: float = 5

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        return self.values.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self.values[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        del self.values[service, name]


class PlaintextKeyring(Keyring):
    """By its name no better than a file."""


class WeakKeyring(Keyring):
    """By its own word not recommended."""

    priority = 0.5


class ForgetfulKeyring(Keyring):
    """Takes everything and keeps nothing."""

    def set_password(self, service: str, name: str, value: str) -> None:
        pass


class FailingKeyring(Keyring):
    """Every call fails, and it repeats what it was given."""

    def __init__(self, error: type[Exception] = RuntimeError, words: str = "the daemon is gone") -> None:
        super().__init__()
        self.error, self.words = error, words

    def get_password(self, service: str, name: str) -> str | None:
        raise self.error(self.words)

    def set_password(self, service: str, name: str, value: str) -> None:
        raise self.error(f"{self.words}: {value}")

    def delete_password(self, service: str, name: str) -> None:
        raise self.error(self.words)


class HangingKeyring(Keyring):
    """Hangs until it is released, like a collection that waits behind a prompt."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.answered = threading.Event()

    def get_password(self, service: str, name: str) -> str | None:
        self.released.wait()
        self.answered.set()
        return super().get_password(service, name)

    def set_password(self, service: str, name: str, value: str) -> None:
        self.released.wait()
        super().set_password(service, name, value)


def real_backend(module: str) -> object:
    """One of keyring's own."""
    backend: object = import_module(f"keyring.backends.{module}").Keyring()
    return backend


def system_keyring(backend: object, *, patience_s: float = 60.0) -> SystemKeyring:
    return SystemKeyring(load=lambda: cast(KeyringBackend, backend), environment={}, patience_s=patience_s)


class User:
    """Somebody who is asked for passphrases, and answers them in turn."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.requests: list[PassphraseRequest] = []

    def __call__(self, request: PassphraseRequest) -> Secret | None:
        self.requests.append(request)
        answer = self.answers.pop(0)
        return None if answer is None else Secret(answer)


class Clock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def vault(
    path: Path,
    user: Ask | None = None,
    *,
    environment: dict[str, str] | None = None,
    clock: Clock | None = None,
    idle_s: float = 900.0,
) -> Vault:
    clock = clock or Clock()
    return Vault(path, environment=environment or {}, ask=lambda: user, cost=QUICK, clock=clock, idle_s=idle_s)


def store(
    directory: Path,
    *,
    backend: object | None = None,
    user: Ask | None = None,
    environment: dict[str, str] | None = None,
) -> SecretStore:
    environment = environment or {}
    return SecretStore(
        keyring=system_keyring(FailingKeyring() if backend is None else backend),
        vault=vault(directory / "vault", user, environment=environment),
        index=Index(directory / "secrets.json"),
        environment=environment,
    )
