"""The vault as bytes: a line of JSON in the clear, and everything else, names included, encrypted.

The key is scrypt of the passphrase; its second half is the check that tells a wrong passphrase from a changed file. The
line in the clear is the associated data of AES-256-GCM, so that no parameter in it can be exchanged unnoticed. What is
encrypted is padded with spaces, so that its length tells little.
"""

import base64
import binascii
import copy
import hmac
import os
import unicodedata
from typing import Annotated, Literal

import msgspec

from cockpit.model.secret import Secret
from cockpit.secrets.failures import DamagedVaultError, StoreUnavailableError, WrongPassphraseError

VERSION = 1
KEY_BYTES, CHECK_BYTES, SALT_BYTES, NONCE_BYTES = 32, 16, 16, 12
PADDING = 1024
LARGEST_MEMORY = 1 << 30

# scope -> name -> value
Contents = dict[str, dict[str, str]]


class Cost(msgspec.Struct, frozen=True):
    """What one guess at the passphrase costs: 128·n·r bytes, and the time to fill them p times."""

    n: Annotated[int, msgspec.Meta(ge=2, le=1 << 22)] = 1 << 17
    r: Annotated[int, msgspec.Meta(ge=1, le=32)] = 8
    p: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1

    @property
    def is_bearable(self) -> bool:
        """Whether these are parameters of scrypt, and this machine is not asked for more than a gigabyte."""
        is_scrypts = self.n & (self.n - 1) == 0 and self.n < 1 << 16 * self.r  # RFC 7914: N < 2^(128 * r / 8)
        return is_scrypts and 128 * self.n * self.r <= LARGEST_MEMORY


STRONG = Cost()


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The line in the clear."""

    format: Literal["rayakash-vault"] = "rayakash-vault"
    version: Literal[1] = 1
    kdf: Literal["scrypt"] = "scrypt"
    cost: Cost
    salt: Annotated[bytes, msgspec.Meta(min_length=SALT_BYTES, max_length=SALT_BYTES)]
    check: Annotated[bytes, msgspec.Meta(min_length=CHECK_BYTES, max_length=CHECK_BYTES)]
    cipher: Literal["aes-256-gcm"] = "aes-256-gcm"
    nonce: Annotated[bytes, msgspec.Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]


class Sealed(msgspec.Struct, frozen=True):
    """A vault as it is read: `line` holds the header's own bytes, which are authenticated."""

    header: Header
    line: bytes
    ciphertext: bytes


class VaultKey:
    """What a passphrase becomes; it opens the vaults whose header it fits."""

    __slots__ = ("check", "cipher_key", "cost", "salt")

    def __init__(self, passphrase: Secret, cost: Cost, salt: bytes) -> None:
        self.cost, self.salt = cost, salt
        derived = _derived(passphrase, cost, salt)
        self.cipher_key, self.check = derived[:KEY_BYTES], derived[KEY_BYTES:]

    def __repr__(self) -> str:
        return "***"

    def for_purpose(self, purpose: bytes) -> "VaultKey":
        """A key for something else than the vault, so that the one can never be put in the place of the other."""
        other = copy.copy(self)
        other.cipher_key = hmac.digest(self.cipher_key, purpose, "sha256")
        return other

    def fits(self, header: Header) -> bool:
        """Whether the header is of a vault that this key made."""
        same = self.salt == header.salt and self.cost == header.cost
        return same and hmac.compare_digest(self.check, header.check)


def _derived(passphrase: Secret, cost: Cost, salt: bytes) -> bytes:
    try:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    except ImportError as error:
        raise StoreUnavailableError("The vault needs the package cryptography.", detail=str(error)) from None
    # One passphrase typed on two machines is the same text, but not always the same bytes.
    text = unicodedata.normalize("NFC", passphrase.reveal())
    try:
        kdf = Scrypt(salt=salt, length=KEY_BYTES + CHECK_BYTES, n=cost.n, r=cost.r, p=cost.p)
        return kdf.derive(text.encode("utf-8", "surrogateescape"))
    except MemoryError:
        needed = 128 * cost.n * cost.r >> 20
        raise StoreUnavailableError(f"There is too little memory: the vault's key takes {needed} MiB.") from None


def new_key(passphrase: Secret, cost: Cost) -> VaultKey:
    """A key for a vault that is to be made."""
    return VaultKey(passphrase, cost, os.urandom(SALT_BYTES))


def key_for(header: Header, passphrase: Secret, *, source: str = "") -> VaultKey:
    """The key of an existing vault. Raises WrongPassphraseError, which names the `source` of the passphrase."""
    key = VaultKey(passphrase, header.cost, header.salt)
    if not key.fits(header):
        raise WrongPassphraseError(
            f"The passphrase{source} does not open the vault.",
            hint="If it is surely the right one, the first line of the vault was changed.",
        )
    return key


def seal(key: VaultKey, contents: Contents) -> bytes:
    """The bytes of a vault with these contents, under a fresh nonce."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    header = Header(cost=key.cost, salt=key.salt, check=key.check, nonce=os.urandom(NONCE_BYTES))
    line = msgspec.json.encode(header)
    plain = msgspec.json.encode(contents)
    plain += b" " * (-len(plain) % PADDING)
    return line + b"\n" + base64.b64encode(AESGCM(key.cipher_key).encrypt(header.nonce, plain, line)) + b"\n"


def parse(data: bytes) -> Sealed:
    """The contents of a vault file, still encrypted. Raises DamagedVaultError."""
    line, _, rest = data.partition(b"\n")
    _check_version(line)
    try:
        header = msgspec.json.decode(line, type=Header)
        ciphertext = base64.b64decode(rest.removesuffix(b"\n"), validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error):
        raise _damaged() from None
    if not header.cost.is_bearable:
        raise _damaged()
    return Sealed(header, line, ciphertext)


class _Version(msgspec.Struct):
    version: int


def _check_version(line: bytes) -> None:
    try:
        version = msgspec.json.decode(line, type=_Version).version
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _damaged() from None
    if version > VERSION:
        raise DamagedVaultError("The vault was written by a newer rayakash-tui.", hint="Use that one; nothing is lost.")


def unseal(key: VaultKey, sealed: Sealed) -> Contents:
    """The contents. Raises DamagedVaultError where anything in the file was changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        plain = AESGCM(key.cipher_key).decrypt(sealed.header.nonce, sealed.ciphertext, sealed.line)
    except InvalidTag:
        raise _damaged() from None
    # Authentic, and so ours.
    return msgspec.json.decode(plain, type=Contents)


def _damaged() -> DamagedVaultError:
    return DamagedVaultError(
        "The vault was changed or cut short since it was written; nothing in it can be trusted.",
        hint="Put back a copy of the file, or move it away and set the secrets again.",
    )
