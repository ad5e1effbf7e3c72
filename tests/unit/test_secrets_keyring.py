"""The system's keyring: which ones are used, and what becomes of those that hang, fail or lock."""

import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from keyring import errors
from keyring.backend import KeyringBackend
from keyring.backends.chainer import ChainerBackend

from cockpit.model.secret import Secret
from cockpit.secrets import system_keyring as module
from cockpit.secrets.failures import StoreUnavailableError
from cockpit.secrets.system_keyring import SystemKeyring, has_screen
from tests.secrets.fakes import (
    FailingKeyring,
    ForgetfulKeyring,
    HangingKeyring,
    Keyring,
    PlaintextKeyring,
    WeakKeyring,
    real_backend,
    system_keyring,
)

VALUE = Secret("canary-4711")


def _chain(*members: object) -> ChainerBackend:
    kind: type[ChainerBackend] = type("Chain", (ChainerBackend,), {"backends": list(members)})
    # keyring keeps every class for the search that other tests of this process make.
    KeyringBackend._classes.discard(kind)
    return kind()


def _alt(module_name: str) -> object:
    return type("EncryptedKeyring", (Keyring,), {"__module__": module_name})()


def test_values_by_scope_and_name() -> None:
    backend = Keyring()
    keyring = system_keyring(backend)
    keyring.put("lab", "NAME", VALUE)
    assert backend.values == {("rayakash-tui/lab", "NAME"): VALUE.reveal()}
    assert keyring.get("lab", "NAME") == VALUE
    assert keyring.get("default", "NAME") is None
    assert keyring.delete("lab", "NAME")
    assert not keyring.delete("lab", "NAME")


def test_it_says_which_it_is() -> None:
    state = system_keyring(Keyring()).state()
    assert state.is_usable
    assert state.backend == "tests.secrets.fakes.Keyring"
    assert state.reason == ""


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        (real_backend("fail"), "no keyring on this machine"),
        (real_backend("null"), "keeps nothing"),
        (PlaintextKeyring(), "plain text"),
        (WeakKeyring(), "recommends"),
        (_alt("keyrings.alt.file"), "does not protect"),
        (_alt("keyrings.cryptfile.cryptfile"), "on the terminal by itself"),
        (_chain(), "empty"),
        (
            _chain(real_backend("fail"), real_backend("null"), PlaintextKeyring()),
            "no keyring on this machine; the null keyring",
        ),
    ],
)
def test_backends_that_count_as_none(backend: object, reason: str) -> None:
    keyring = system_keyring(backend)
    state = keyring.state()
    assert not state.is_usable
    assert reason in state.reason
    with pytest.raises(StoreUnavailableError) as caught:
        keyring.put("default", "X", VALUE)
    assert reason in caught.value.detail


def test_in_a_chain_the_first_that_protects_is_used() -> None:
    good, plain = Keyring(), PlaintextKeyring()
    system_keyring(_chain(plain, good)).put("default", "NAME", VALUE)
    assert good.values
    assert not plain.values


def test_one_that_forgets_is_found_out() -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        system_keyring(ForgetfulKeyring()).put("default", "NAME", VALUE)
    assert "does not give it back" in caught.value.detail


@pytest.mark.parametrize(
    "error",
    [errors.KeyringLocked, errors.InitError, errors.NoKeyringError, errors.PasswordSetError, OSError, ValueError],
)
def test_whatever_a_backend_raises_is_a_reason(error: type[Exception]) -> None:
    keyring = system_keyring(FailingKeyring(error, "Failed to unlock the collection!"))
    for call in (
        lambda: keyring.get("default", "X"),
        lambda: keyring.put("default", "X", VALUE),
        lambda: keyring.delete("default", "X"),
    ):
        with pytest.raises(StoreUnavailableError) as caught:
            call()
        assert f"{error.__name__}: Failed to unlock the collection!" in caught.value.detail
        assert VALUE.reveal() not in caught.value.detail, "even where the backend repeats it"
        assert caught.value.__cause__ is None


def test_a_system_exit_of_a_backend_is_not_ours() -> None:
    class Leaving(Keyring):
        def get_password(self, service: str, name: str) -> str | None:
            raise SystemExit(3)

    with pytest.raises(StoreUnavailableError):
        system_keyring(Leaving()).get("default", "X")


def test_one_that_cannot_be_loaded() -> None:
    def load() -> KeyringBackend:
        raise ImportError("No module named 'gi'")

    state = SystemKeyring(load=load, environment={}).state()
    assert state.reason == "ImportError: No module named 'gi'"


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert SystemKeyring(environment={}).state().reason == "the package keyring is not installed"


def test_one_that_hangs_is_left_alone() -> None:
    backend = HangingKeyring()
    keyring = system_keyring(backend, patience_s=0.05)
    with pytest.raises(StoreUnavailableError) as caught:
        keyring.get("default", "X")
    assert "did not answer" in caught.value.detail
    with pytest.raises(StoreUnavailableError) as caught:
        keyring.get("default", "X")
    assert "has not come back" in caught.value.detail, "and no second thread is lost to it"
    backend.released.set()


def test_one_that_comes_back_is_used_again() -> None:
    backend = HangingKeyring()
    keyring = system_keyring(backend, patience_s=0.05)
    with pytest.raises(StoreUnavailableError):
        keyring.get("default", "X")
    pending = keyring._pending
    assert pending is not None
    backend.released.set()
    pending.result(60)
    keyring._patience_s = 60
    assert keyring.get("default", "X") is None


HANG = """
from cockpit.secrets.failures import StoreUnavailableError
from tests.secrets.fakes import HangingKeyring, system_keyring
try:
    system_keyring(HangingKeyring(), patience_s=0.05).get("default", "X")
except StoreUnavailableError as error:
    print(error.detail)
"""


def test_a_hang_does_not_keep_the_process_from_ending() -> None:
    assert "did not answer" in _python(HANG)


PROBE = """
from cockpit.secrets.system_keyring import SystemKeyring
state = SystemKeyring().state()
print(state.backend, state.reason)
"""


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        (None, "no keyring on this machine"),
        ("keyring.backends.fail.Keyring", "no keyring on this machine"),
        ("keyring.backends.null.Keyring", "the null keyring keeps nothing"),
        ("no.such.Keyring", "No module named 'no'"),
    ],
)
def test_a_machine_without_any(backend: str | None, reason: str) -> None:
    chosen = {} if backend is None else {"PYTHON_KEYRING_BACKEND": backend}
    assert reason in _python(PROBE, **chosen)


@pytest.mark.skipif(sys.platform == "darwin", reason="needs Linux: a Mac always has a screen to ask on")
def test_patience_depends_on_whether_a_prompt_is_seen() -> None:
    assert not has_screen({})
    assert has_screen({"DISPLAY": ":0"})
    assert has_screen({"WAYLAND_DISPLAY": "wayland-0"})
    assert SystemKeyring(environment={})._patience_s == module.PATIENCE_S
    assert SystemKeyring(environment={"DISPLAY": ":0"})._patience_s == module.PATIENCE_AT_A_SCREEN_S


def test_only_a_secret_service_is_asked_whether_it_would_prompt() -> None:
    assert module.why_it_would_prompt(cast(KeyringBackend, Keyring())) == ""


def _python(script: str, **environment: str) -> str:
    # Whatever bus and screen the machine has are not this test's.
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env={**inherited, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout
