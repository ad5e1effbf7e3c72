"""The vault as bytes: whatever is changed or cut off is noticed."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.model.secret import Secret
from cockpit.secrets import vault_format
from cockpit.secrets.failures import DamagedVaultError, WrongPassphraseError
from tests.secrets.fakes import PASSPHRASE, QUICK, User, vault

VALUE = Secret("a value that is seen nowhere")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "vault"


@pytest.fixture
def filled(path: Path) -> Path:
    vault(path, User(PASSPHRASE)).put("default", "NAME", VALUE)
    return path


def _with_header(data: bytes, change: Callable[[dict[str, object]], None]) -> bytes:
    line, rest = data.split(b"\n", 1)
    header = json.loads(line)
    change(header)
    return json.dumps(header, separators=(",", ":")).encode() + b"\n" + rest


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda header: header.update(nonce=base64.b64encode(b"x" * 12).decode()), DamagedVaultError),
        (lambda header: header.update(salt=base64.b64encode(b"x" * 16).decode()), WrongPassphraseError),
        (lambda header: header.update(check=base64.b64encode(b"x" * 16).decode()), WrongPassphraseError),
        (lambda header: header["cost"].update(n=4), WrongPassphraseError),
        (lambda header: header["cost"].update(n=3), DamagedVaultError),
        (lambda header: header["cost"].update(n=1 << 22, r=32), DamagedVaultError),
        (lambda header: header.update(salt=""), DamagedVaultError),
        (lambda header: header.update(cipher="none"), DamagedVaultError),
        (lambda header: header.update(kdf="md5"), DamagedVaultError),
        (lambda header: header.update(more=1), DamagedVaultError),
        (lambda header: header.pop("nonce"), DamagedVaultError),
    ],
)
def test_a_changed_header(filled: Path, change: Callable[[dict[str, object]], None], error: type[UsageError]) -> None:
    filled.write_bytes(_with_header(filled.read_bytes(), change))
    with pytest.raises(error):
        vault(filled, User(*[PASSPHRASE] * 3)).get("default", "NAME")


def test_even_white_space_in_the_header_is_noticed(filled: Path) -> None:
    filled.write_bytes(filled.read_bytes().replace(b",", b", ", 1))
    with pytest.raises(DamagedVaultError):
        vault(filled, User(PASSPHRASE)).get("default", "NAME")


def test_a_newer_vault_is_called_newer(filled: Path) -> None:
    filled.write_bytes(_with_header(filled.read_bytes(), lambda header: header.update(version=2, cipher="new")))
    with pytest.raises(DamagedVaultError, match="newer"):
        vault(filled, User(PASSPHRASE)).get("default", "NAME")


def test_a_damaged_vault_is_not_written_over(filled: Path) -> None:
    damaged = filled.read_bytes()[:-40]
    filled.write_bytes(damaged)
    with pytest.raises(DamagedVaultError):
        vault(filled, User(PASSPHRASE)).put("default", "OTHER", VALUE)
    assert filled.read_bytes() == damaged


@pytest.mark.parametrize("data", [b"", b"\n", b"{}", b"[]\n", b"\xff\xfe", b"null\n\n", b'{"version":1}\n'])
def test_what_is_no_vault(path: Path, data: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    with pytest.raises(DamagedVaultError):
        vault(path, User(PASSPHRASE)).get("default", "NAME")


KEY = vault_format.new_key(Secret(PASSPHRASE), QUICK)
CONTENTS = {"default": {"NAME": "value", "OTHER": "ünïcode\n"}}
SEALED = vault_format.seal(KEY, CONTENTS)


def _opened(data: bytes) -> vault_format.Contents:
    sealed = vault_format.parse(data)
    return vault_format.unseal(vault_format.key_for(sealed.header, Secret(PASSPHRASE)), sealed)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_no_changed_byte_gives_other_contents(position: int, flip: int) -> None:
    changed = bytearray(SEALED)
    changed[position] ^= flip
    with suppress(DamagedVaultError, WrongPassphraseError):
        assert _opened(bytes(changed)) == CONTENTS  # the newline at the end, and bits that base64 ignores


@given(st.integers(0, len(SEALED) - 2))
def test_no_cut_gives_other_contents(length: int) -> None:
    with pytest.raises((DamagedVaultError, WrongPassphraseError)):
        _opened(SEALED[:length])


@settings(max_examples=50)
@given(st.dictionaries(st.text(), st.dictionaries(st.text(), st.text(st.characters(codec="utf-8")))))
def test_all_contents_come_back(contents: vault_format.Contents) -> None:
    key = vault_format.new_key(Secret(PASSPHRASE), QUICK)
    assert vault_format.unseal(key, vault_format.parse(vault_format.seal(key, contents))) == contents
