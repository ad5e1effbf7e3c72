"""The key and certificate of a cluster's TLS gateway, made here so that its fingerprint is known beforehand."""

import base64
import ipaddress
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from cockpit.errors import UsageError
from cockpit.model.certificates import fingerprint_of
from cockpit.model.secret import Secret
from cockpit.secrets.certificates import MadeCertificate, made_certificates, note_certificate
from cockpit.secrets.names import CERTIFICATE_NAME, DEFAULT_SCOPE, KEY_NAME, Place, checked_scope
from cockpit.secrets.store import WRITABLE, SecretStore, Stored

if TYPE_CHECKING:
    from cryptography import x509

USUAL_NAMES = ("gateway", "localhost", "127.0.0.1", "::1")
VALID = timedelta(days=3650)
# Clocks of providers are not exact.
EARLIER = timedelta(days=1)

_LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$)(\*\.)?{_LABEL}(\.{_LABEL})*")


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate and its key as PEM, and what everybody may know of it."""

    certificate: str
    key: Secret
    made: MadeCertificate


class MadeTls(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, and where key and certificate are kept, by name."""

    certificate: MadeCertificate
    stored: dict[str, Stored]


def generate_tls(
    store: SecretStore,
    *,
    scope: str = DEFAULT_SCOPE,
    hosts: Sequence[str] = (),
    replace: bool = False,
    places: Sequence[Place] = WRITABLE,
) -> MadeTls:
    """Make a key and a certificate, and keep both, and the fingerprint with the scope.

    Raises UsageError for invalid names, and where there is one already, unless `replace` is set.
    """
    checked_scope(scope)
    if not replace and (names := existing(store, scope)):
        raise UsageError(
            f"The scope {scope} has {' and '.join(names)} already.",
            hint="A cluster may run with it, and its new certificate would have to be approved again; use --replace to "
            "make another.",
        )
    pair = make_pair(scope, hosts)
    # The key first: a certificate whose key was not kept would be of no use.
    texts = {KEY_NAME: pair.key.reveal(), CERTIFICATE_NAME: pair.certificate}
    stored = {
        name: store.put(name, Secret(base64.b64encode(text.encode()).decode()), scope=scope, places=places)
        for name, text in texts.items()
    }
    note_certificate(pair.made)
    return MadeTls(certificate=pair.made, stored=stored)


def existing(store: SecretStore, scope: str) -> list[str]:
    """Which of key and certificate the scope has already."""
    in_session = store.session_names()
    return [
        name for name in (CERTIFICATE_NAME, KEY_NAME) if store.index.rows_of(name, scope) or (scope, name) in in_session
    ]


def certificate_of(scope: str) -> MadeCertificate | None:
    """What is known of the certificate that was made for a scope; None where none was."""
    return next(iter(made_certificates((scope,))), None)


def make_pair(scope: str, hosts: Sequence[str] = (), *, now: datetime | None = None) -> Pair:
    """A P-256 key and a certificate signed by itself, for the gateway's usual names and the given ones.

    Raises UsageError for an invalid host name.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    names = tuple(dict.fromkeys([*USUAL_NAMES, *map(_checked_host, hosts)]))
    now = now or datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rayakash gateway")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = MadeCertificate(
        scope=scope,
        fingerprint=fingerprint_of(certificate.public_bytes(serialization.Encoding.DER)),
        names=names,
        made=now.replace(microsecond=0),
        expires=certificate.not_valid_after_utc,
    )
    return Pair(
        certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key=Secret(private.decode()),
        made=made,
    )


def _checked_host(text: str) -> str:
    host = text.strip().lower()
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    if not _HOST.fullmatch(host):
        raise UsageError(
            f"{text[:100]!r} is not a valid host name.", hint="Give names such as ray.example.com, not a URL."
        )
    return host


def _general_name(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
