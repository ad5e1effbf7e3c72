"""`secrets generate tls` as a user runs it."""

import base64
import re

import pytest

from cockpit.secrets.names import CERTIFICATE_NAME, KEY_NAME
from cockpit.secrets.tls import certificate_of
from tests.secrets.machine import Machine, terminal
from tests.secrets.test_commands import OPEN, Here, here, machine

__all__ = ["here", "machine"]

FINGERPRINT = re.compile(r"sha256:[0-9a-f]{64}\n")


def test_made_kept_and_told(here: Here) -> None:
    done = here.secrets("generate", "tls", "--scope", "lab", "--host", "Ray.Example.com", **OPEN)
    assert done.code == 0, done.err
    assert FINGERPRINT.fullmatch(done.out)
    known = certificate_of("lab")
    assert known is not None
    assert known.fingerprint == done.out.strip()
    assert known.names[-1] == "ray.example.com"
    for name in (CERTIFICATE_NAME, KEY_NAME):
        assert f"Stored {name} in the vault, scope lab." in done.err
    assert "PRIVATE KEY" not in done.out + done.err
    assert base64.b64encode(b"-----BEGIN").decode()[:12] not in done.out + done.err


def test_another_one_only_on_request(here: Here) -> None:
    first = here.secrets("generate", "tls", **OPEN)
    again = here.secrets("generate", "tls", **OPEN)
    assert (again.code, again.out) == (2, "")
    assert "--replace" in again.err
    assert certificate_of("default") is not None
    replaced = here.secrets("generate", "tls", "--replace", **OPEN)
    assert replaced.code == 0
    assert replaced.out != first.out


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("\n", 2)])
def test_another_one_is_asked_about_on_a_terminal(machine: Machine, typed: str, code: int) -> None:
    with terminal(machine, "generate", "tls", **OPEN) as user:
        user.read_until("sha256:")
        assert user.end() == 0
    with terminal(machine, "generate", "tls", **OPEN) as user:
        user.read_until("Make another? [y/N] ")
        user.type(typed)
        assert user.end() == code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tls", "--reveal"), "--reveal do not apply"),
        (("tls", "--length", "40"), "--length and --reveal do not apply"),
        (("tls", "--host", "https://ray:8265"), "not a valid host name"),
        (("TOKEN", "--host", "ray"), "Only a certificate has hosts"),
    ],
)
def test_what_makes_no_sense(here: Here, arguments: tuple[str, ...], words: str) -> None:
    done = here.secrets("generate", *arguments, **OPEN)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert certificate_of("default") is None
