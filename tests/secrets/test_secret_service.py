"""A real Secret Service: unlocked, locked, not answering, and dying in the middle."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.secrets.fakes import PASSPHRASE
from tests.secrets.machine import GUARD_S, Done, Machine, quick_vault
from tests.secrets.secret_service import SecretService, secret_service

pytestmark = pytest.mark.lengthy

OPEN = {"RAYAKASH_VAULT_PASSPHRASE": PASSPHRASE}
VALUE = "canary-of-the-service"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[SecretService]:
    machine = Machine(tmp_path / "machine")
    quick_vault(machine.data / "vault")
    with secret_service(machine) as running:
        yield running


def _list(machine: Machine, **environment: str) -> list[tuple[str, str, bool | None]]:
    rows = json.loads(machine.secrets("list", "--json", **environment).out)["secrets"]
    return [(row["name"], row["store"], row["present"]) for row in rows]


def test_unlocked(service: SecretService) -> None:
    machine = service.machine
    status = json.loads(machine.secrets("status", "--json").out)
    assert status["store"] == "keyring"
    assert status["keyring"] == {"usable": True, "backend": "SecretService.Keyring", "reason": None}
    done = machine.secrets("set", "NAME", "--scope", "lab", stdin=VALUE)
    assert (done.code, done.err) == (0, "Stored NAME in the keyring, scope lab.\n")
    witness = service.stored()
    assert VALUE in witness
    assert "rayakash-tui/lab" in witness
    assert _list(machine) == [("NAME", "keyring", True)]
    assert machine.secrets("delete", "NAME", "--scope", "lab").code == 0
    assert VALUE not in service.stored()


def test_what_another_program_deleted_is_missing(service: SecretService) -> None:
    machine = service.machine
    assert machine.secrets("set", "NAME", stdin=VALUE).code == 0
    clear = ["secret-tool", "clear", "service", "rayakash-tui/default", "username", "NAME"]
    subprocess.run(clear, env=machine.environment, check=True, timeout=GUARD_S)
    assert _list(machine) == [("NAME", "keyring", False)]


def test_locked(service: SecretService) -> None:
    machine = service.machine
    assert machine.secrets("set", "NAME", stdin=VALUE).code == 0
    service.lock()
    status = json.loads(machine.secrets("status", "--json", **OPEN).out)
    assert status["store"] == "vault"
    assert status["keyring"]["reason"] == "it is locked, and unlocking it takes a screen"
    assert _list(machine) == [("NAME", "keyring", None)]
    done = machine.secrets("set", "OTHER", stdin=VALUE, **OPEN)
    assert done.code == 0
    assert "Stored OTHER in the vault" in done.err
    refused = machine.secrets("set", "THIRD", "--store", "keyring", stdin=VALUE, **OPEN)
    assert refused.code == 2
    assert "it is locked" in refused.err


def test_locked_where_a_prompt_could_be_seen(service: SecretService) -> None:
    """The prompt is asked for, and here nobody can draw it."""
    service.lock()
    done = service.machine.secrets("set", "NAME", stdin=VALUE, DISPLAY=":4711", **OPEN)
    assert done.code == 0
    assert "The keyring cannot be used" in done.err
    assert "Stored NAME in the vault" in done.err


SET = """
import sys
from pathlib import Path
from cockpit.model.secret import Secret
from cockpit.secrets.failures import StoreUnavailableError
from cockpit.secrets.system_keyring import SystemKeyring
keyring = SystemKeyring(patience_s=float(sys.argv[1]))
value = Secret(sys.stdin.read())
try:
    keyring.put("default", "NAME", value)
    print("kept")
except StoreUnavailableError as error:
    print(error.detail)
"""


def test_not_answering(service: SecretService) -> None:
    service.stop()
    done = service.machine.python("-c", SET, "0.3", stdin=VALUE)
    service.go_on()
    assert done.code == 0
    assert "did not answer within 0.3 s" in done.out


def test_a_command_survives_one_that_does_not_answer(service: SecretService) -> None:
    service.stop()
    done = service.machine.secrets("set", "NAME", stdin=VALUE, **OPEN)
    service.go_on()
    assert done.code == 0
    assert "Stored NAME in the vault" in done.err


def test_dying_in_the_middle(service: SecretService) -> None:
    service.stop()  # so that the call cannot come to its end before
    with service.witness() as was_asked, service.machine.started([sys.executable, "-c", SET, str(GUARD_S)]) as process:
        assert process.stdin is not None
        process.stdin.write(VALUE)
        process.stdin.close()
        process.stdin = None
        was_asked()
        service.kill()
        out, err = process.communicate(timeout=GUARD_S)
    done = Done(process.returncode, out, err)
    assert done.code == 0, done.err
    assert "disconnected" in done.out
    assert VALUE not in done.said


def test_dead_and_back_again(service: SecretService) -> None:
    machine = service.machine
    assert machine.secrets("set", "NAME", stdin=VALUE).code == 0
    service.kill()
    assert _list(machine) == [("NAME", "keyring", None)]
    gone = machine.secrets("delete", "NAME")
    assert gone.code == 2
    assert "The keyring cannot be used" in gone.err
    service.start()
    assert _list(machine) == [("NAME", "keyring", True)]
