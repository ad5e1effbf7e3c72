"""A value that is looked for everywhere after it went through all commands, both stores, errors and crashes."""

import base64
import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.secrets.fakes import PASSPHRASE
from tests.secrets.machine import Done, Machine, processes_with, quick_vault
from tests.secrets.secret_service import secret_service

pytestmark = pytest.mark.lengthy
CANARY = "canary0b5e51f7e2a94c83"
NEXT_PHRASE = "passphrase-canary-2"
OPEN = {"RAYAKASH_VAULT_PASSPHRASE": PASSPHRASE}

# The command line with all loggers at their loudest, and a death in the middle: at the n-th file that is written out,
# or when the keyring has taken the value.
RUN = """
import logging, os, signal, sys
mode, left = sys.argv[1], int(sys.argv[2])
logging.basicConfig(level=0, filename=os.path.join(os.environ["TMPDIR"], "debug.log"))
def die():
    os.kill(os.getpid(), signal.SIGKILL)
if mode == "files":
    real = os.fsync
    def fsync(descriptor):
        global left
        left -= 1
        die() if left < 0 else real(descriptor)
    os.fsync = fsync
if mode == "keyring":
    from keyring.backends import SecretService
    real_set = SecretService.Keyring.set_password
    def set_password(*arguments):
        real_set(*arguments)
        die()
    SecretService.Keyring.set_password = set_password
if mode == "full":
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
if mode == "bug":
    from cockpit.secrets.store import SecretStore
    def bug(self, name, value, **more):
        raise RuntimeError(f"a mistake of ours with {name}, {value}, {value!r}, {[value]}")
    SecretStore.put = bug
from cockpit.cli.main import run
if mode != "many":
    sys.exit(run(["secrets", *sys.argv[3:]]))
import io, json
for expected, arguments, stdin in json.load(sys.stdin):
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    code = run(["secrets", *arguments])
    assert code == expected, (arguments[0], code)
"""

# Exit code, arguments, stdin
Command = tuple[int, list[str], str]


class Witness:
    """Runs commands and keeps all that they said."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.said = ""

    def run(self, *arguments: str, mode: str = "", left: str = "0", stdin: str = "", **environment: str) -> Done:
        done = self.machine.python("-c", RUN, mode, left, *arguments, stdin=stdin, **environment)
        self.said += done.said
        return done

    def while_it_reads(self, *arguments: str, **environment: str) -> None:
        """Look at all command lines while the process has the value and waits for more."""
        command = [sys.executable, "-c", RUN, "", "0", *arguments]
        with self.machine.started(command, **environment) as process:
            assert process.stdin is not None
            process.stdin.write(CANARY)
            process.stdin.flush()
            if Path("/proc/self/cmdline").exists():
                assert _is_seen(arguments[1]), "this is how it would be seen"
                assert not processes_with(CANARY)
            out, err = process.communicate(timeout=60)
            self.said += out + err
        assert process.returncode == 0, err

    def run_all(self, commands: list[Command], **environment: str) -> None:
        """Run commands in one process, each of which must end as it should."""
        done = self.run(mode="many", stdin=json.dumps(commands), **environment)
        assert done.code == 0, done.err

    def everything_but_killing(self, store: str) -> None:
        """Each command, with and without success; errors of users, of the disk and of ours."""
        self.while_it_reads("set", "SEEN_IN_ARGV", "--store", store, **OPEN)
        self.run_all([*_good(store), *_bad(), (0, ["delete", "NAME"], "")], RAYAKASH_SECRET_NAME=CANARY, **OPEN)
        assert self.run("set", "ON_A_FULL_DISK", "--store", store, mode="full", stdin=CANARY, **OPEN).code == 2
        bug = self.run("set", "NAME", mode="bug", stdin=CANARY, **OPEN)
        assert "a mistake of ours with NAME, ***" in bug.err


def _is_seen(word: str) -> bool:
    """Whether a command line holds the word, as soon as the system shows it: a process has none while it is loaded."""
    deadline = time.monotonic() + 60
    while not processes_with(word) and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(processes_with(word))


def _good(store: str) -> list[Command]:
    looking = [[command, *more] for command in ("list", "status") for more in ([], ["--json"])]
    return [
        (0, ["set", "NAME", "--store", store], CANARY),
        (0, ["set", "NAME", "--scope", "lab", "--store", store], CANARY + "\n"),
        *((0, arguments, "") for arguments in looking),
        (0, ["delete", "NAME", "--scope", "lab"], ""),
        (0, ["list", "--json"], ""),
    ]


def _bad() -> list[Command]:
    return [
        (2, ["set", "NAME", CANARY], CANARY),
        (2, ["set", "NAME", "--", CANARY], CANARY),
        (2, ["set", f"NAME={CANARY}"], ""),
        (2, ["set", CANARY + "-"], CANARY),
        (2, ["set", "NAME", "--scope", "x" * 200], CANARY),
        (2, ["set", "NAME"], CANARY + "\0"),
        (2, ["set", "NAME"], "ac-secret://" + CANARY),
        (1, ["delete", "NAME", "--scope", "elsewhere"], ""),
    ]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path / "machine")
    quick_vault(made.data / "vault")
    return made


@pytest.fixture
def vault_only(machine: Machine) -> Iterator[Witness]:
    witness = Witness(machine)
    yield witness
    _nowhere(witness)


@pytest.fixture
def with_keyring(machine: Machine) -> Iterator[Witness]:
    with secret_service(machine) as service:
        witness = Witness(machine)
        yield witness
        assert PASSPHRASE not in service.stored()
        _nowhere(witness)
    _nowhere(witness)


def _nowhere(witness: Witness) -> None:
    for value in (CANARY, PASSPHRASE, NEXT_PHRASE):
        assert witness.machine.files_with(value) == []
        assert value not in witness.said


def test_the_looking_finds_it(machine: Machine) -> None:
    """A search that finds nothing proves nothing before it has found something."""
    (machine.data / "plain").write_text(f"xx{CANARY}")
    (machine.home / "encoded").write_bytes(base64.b64encode(f"x{CANARY}y".encode()))
    assert sorted(path.name for path in machine.files_with(CANARY)) == ["encoded", "plain"]


@pytest.mark.lengthy
def test_in_the_vault(vault_only: Witness) -> None:
    vault_only.everything_but_killing("vault")
    assert vault_only.run("set", "NAME", stdin=CANARY, RAYAKASH_VAULT_PASSPHRASE=NEXT_PHRASE).code == 2
    vault_only.run_all([(2, ["set", "NAME"], CANARY), (2, ["generate", "NAME"], "")])  # no passphrase
    vault_only.run_all([(2, ["set", "X", "--store", "keyring"], CANARY), (0, ["passphrase"], NEXT_PHRASE)], **OPEN)
    vault = vault_only.machine.data / "vault"
    vault.write_bytes(vault.read_bytes()[:-30])
    assert vault_only.run("set", "NAME", stdin=CANARY, **OPEN).code == 2, "damaged"


@pytest.mark.parametrize(("left", "rows"), [("0", 0), ("1", 1)])
def test_killed_while_the_vault_is_written(vault_only: Witness, left: str, rows: int) -> None:
    """At the index, which is written first, and at the vault."""
    killed = vault_only.run("set", "NAME", mode="files", left=left, stdin=CANARY, **OPEN)
    assert killed.code == -signal.SIGKILL
    listed = vault_only.run("list", **OPEN).out
    assert listed.count("missing") == rows
    assert vault_only.run("set", "NAME", stdin=CANARY, **OPEN).code == 0
    assert not list(vault_only.machine.data.glob(".*.tmp")), "what the killed one left is gone"
    assert "stored" in vault_only.run("list", **OPEN).out


@pytest.mark.lengthy
def test_in_the_keyring(with_keyring: Witness) -> None:
    with_keyring.everything_but_killing("keyring")


def test_killed_while_the_keyring_takes_it(with_keyring: Witness) -> None:
    killed = with_keyring.run("set", "NAME", mode="keyring", stdin=CANARY)
    assert killed.code == -signal.SIGKILL
    assert "stored" in with_keyring.run("list").out, "it is listed, and can be deleted"
    assert with_keyring.run("delete", "NAME").code == 0


def test_a_value_moves_from_one_to_the_other(with_keyring: Witness) -> None:
    stores = ("keyring", "vault", "keyring")
    with_keyring.run_all([(0, ["set", "NAME", "--store", store], CANARY) for store in stores], **OPEN)


def test_a_job_gets_it_and_nobody_else(vault_only: Witness) -> None:
    """The reference resolves where a job is made ready, and stays a reference where it is remembered."""
    assert vault_only.run("set", "NAME", "--scope", "lab", stdin=CANARY, **OPEN).code == 0
    script = (
        "import asyncio; from cockpit.operations.jobs.submit import SubmitForm, prepare; "
        "form = SubmitForm(entrypoint='true', environment={'KEY': 'ac-secret://NAME'}); "
        "done = asyncio.run(prepare(form, scopes=('lab', 'default'))); "
        f"assert done.request.runtime_env == {{'env_vars': {{'KEY': {CANARY[::-1]!r}[::-1]}}}}; "
        "print(done.request.metadata, done.secrets)"
    )
    done = vault_only.machine.python("-c", script, **OPEN)
    assert done.code == 0, done.err
    assert "ac-secret://NAME" in done.out
    vault_only.said += done.said
    missing = vault_only.machine.python("-c", script.replace("NAME", "OTHER"), **OPEN)
    assert "The secret OTHER has no value" in missing.err
    vault_only.said += missing.said
