"""The keyring of the system (Secret Service, KWallet, macOS), asked in a thread of its own and with a deadline.

A locked collection can block for ever behind an invisible prompt, so no call to it runs in our own threads, and a
thread that hangs does not keep the process from ending. The only importer of `keyring`.
"""

import base64
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cockpit.model.secret import Secret
from cockpit.secrets.failures import StoreUnavailableError
from cockpit.secrets.names import BACKEND_THREAD

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE_PREFIX = "rayakash-tui/"
PATIENCE_S = 5.0
# In a desktop session the user may be typing the password that the keyring asks for.
PATIENCE_AT_A_SCREEN_S = 60.0
LEAST_PRIORITY = 1  # what keyring itself recommends; less are the ones that do not protect

# Keyrings by module that would be no safer than a file, or would take the terminal away from us.
_REFUSED = {
    "keyring.backends.fail": "no keyring on this machine",
    "keyring.backends.null": "the null keyring keeps nothing",
    "keyrings.alt": "its encryption does not protect",
    "keyrings.cryptfile": "it asks for its passphrase on the terminal by itself",
}


class KeyringState(msgspec.Struct, frozen=True):
    """Which keyring is in use; `reason` says why none is."""

    backend: str | None = None
    reason: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether values can be kept there."""
        return self.backend is not None


class SystemKeyring:
    """Values by scope and name in the system's keyring.

    `open`, `get`, `put` and `delete` raise StoreUnavailableError where there is none, it is locked, or does not answer.
    """

    def __init__(
        self,
        *,
        load: "Callable[[], KeyringBackend] | None" = None,
        environment: Mapping[str, str] = os.environ,
        patience_s: float | None = None,
    ) -> None:
        self._load = load or _load
        self._at_a_screen = has_screen(environment)
        usual = PATIENCE_AT_A_SCREEN_S if self._at_a_screen else PATIENCE_S
        self._patience_s = usual if patience_s is None else patience_s
        self._pending: Future[Any] | None = None
        self._turn = threading.Lock()

    def open(self) -> str:
        """See to it that it can be used; returns which backend it is."""
        return self._ask(describe)

    def state(self) -> KeyringState:
        """Find out which keyring there is, and whether it can be used; asks for no value."""
        try:
            return KeyringState(backend=self.open())
        except StoreUnavailableError as error:
            return KeyringState(reason=error.detail or error.title)

    def get(self, scope: str, name: str) -> Secret | None:
        """The value; None where there is none."""
        value = self._ask(lambda backend: backend.get_password(SERVICE_PREFIX + scope, name))
        return Secret(value) if value else None

    def put(self, scope: str, name: str, value: Secret) -> None:
        """Keep a value, and see whether it is there."""
        kept = self._ask(lambda backend: _put(backend, SERVICE_PREFIX + scope, name, value), value)
        if not kept:
            raise _unavailable("it took the value but does not give it back")

    def delete(self, scope: str, name: str) -> bool:
        """Remove a value; whether there was one."""
        return self._ask(lambda backend: _delete(backend, SERVICE_PREFIX + scope, name))

    def _ask(self, work: "Callable[[KeyringBackend], T]", value: Secret | None = None) -> T:
        with self._turn:
            if self._pending is not None and not self._pending.done():
                raise _unavailable("an earlier call to it has not come back")
            future = _in_daemon_thread(lambda: work(self._backend()))
            self._pending = future
            try:
                error = future.exception(self._patience_s)
            except TimeoutError:
                raise _unavailable(f"it did not answer within {self._patience_s:g} s; it may be locked") from None
        if isinstance(error, StoreUnavailableError):
            raise error
        if error is not None:
            raise _unavailable(_words_of(error, value)) from None
        return future.result()

    def _backend(self) -> "KeyringBackend":
        backend = usable_backend(self._load())
        if not self._at_a_screen and (reason := why_it_would_prompt(backend)):
            raise _unavailable(reason)
        return backend


def has_screen(environment: Mapping[str, str]) -> bool:
    """Whether the user could see a prompt of the keyring."""
    return sys.platform == "darwin" or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def usable_backend(backend: "KeyringBackend") -> "KeyringBackend":
    """The backend itself, or the first in a chain that protects what it keeps.

    Raises StoreUnavailableError with the reasons against each.
    """
    reasons = []
    for candidate in _members(backend):
        reason = why_not(candidate)
        if not reason:
            return candidate
        reasons.append(reason)
    raise _unavailable("; ".join(dict.fromkeys(reasons)) or "the chain of keyrings is empty")


def _members(backend: "KeyringBackend") -> "list[KeyringBackend]":
    from keyring.backends.chainer import ChainerBackend

    return list(backend.backends) if isinstance(backend, ChainerBackend) else [backend]


def why_not(backend: "KeyringBackend") -> str:
    """Why a backend is not used; empty where it is."""
    kind = type(backend)
    for module, reason in _REFUSED.items():
        if kind.__module__ == module or kind.__module__.startswith(f"{module}."):
            return reason
    if "plaintext" in kind.__qualname__.lower():
        return f"{describe(backend)} keeps values in plain text"
    if backend.priority < LEAST_PRIORITY:
        return f"{describe(backend)} is not one that keyring recommends"
    return ""


def describe(backend: "KeyringBackend") -> str:
    """A backend by its class, such as `SecretService.Keyring`."""
    kind = type(backend)
    return f"{kind.__module__.removeprefix('keyring.backends.')}.{kind.__qualname__}"


def why_it_would_prompt(backend: "KeyringBackend") -> str:
    """Why a Secret Service would open a prompt for the next call; empty where it would not, or for other kinds."""
    if type(backend).__module__ != "keyring.backends.SecretService":
        return ""
    secretstorage: Any = import_module("secretstorage")
    chosen = getattr(backend, "preferred_collection", None)
    with closing(secretstorage.dbus_init()) as bus:
        try:
            collection = secretstorage.Collection(bus, *([chosen] if chosen else []))
        except secretstorage.exceptions.ItemNotFoundException:
            return "the Secret Service has no collection yet, and creating one needs a desktop"
        return "it is locked, and unlocking it takes a screen" if collection.is_locked() else ""


def _load() -> "KeyringBackend":
    try:
        import keyring
    except ImportError:
        raise _unavailable("the package keyring is not installed") from None
    return keyring.get_keyring()


def _put(backend: "KeyringBackend", service: str, name: str, value: Secret) -> bool:
    backend.set_password(service, name, value.reveal())
    return backend.get_password(service, name) == value.reveal()


def _delete(backend: "KeyringBackend", service: str, name: str) -> bool:
    if backend.get_password(service, name) is None:
        return False
    backend.delete_password(service, name)
    return True


def _in_daemon_thread(work: Callable[[], T]) -> "Future[T]":
    """Start work in a thread that does not keep the process alive."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - backends are anybody's code, and raise anything
            future.set_exception(error)

    threading.Thread(target=run, name=BACKEND_THREAD, daemon=True).start()
    return future


def _words_of(error: BaseException, value: Secret | None) -> str:
    """What a backend said, on one line; a careless one may repeat the value."""
    said = str(error)
    if value is not None:
        plain = value.reveal().encode()
        for form in (plain, base64.b64encode(plain), base64.urlsafe_b64encode(plain)):
            said = said.replace(form.decode(), "***")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _unavailable(reason: str) -> StoreUnavailableError:
    return StoreUnavailableError("The keyring cannot be used.", detail=reason)
