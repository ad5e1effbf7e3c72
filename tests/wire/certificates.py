"""Authorities and certificates of every kind, made anew for each test that wants them."""

import datetime
import ipaddress
import ssl
from pathlib import Path
from typing import Any

import pytest

from cockpit.model.certificates import fingerprint_of

DAY = datetime.timedelta(days=1)


class Issued:
    """A certificate with its key, in files: `both` holds key and certificate, `file` the certificate alone."""

    def __init__(self, certificate: Any, key: Any, directory: Path, name: str) -> None:
        from cryptography.hazmat.primitives import serialization

        pem = serialization.Encoding.PEM
        self.certificate, self.key = certificate, key
        self.fingerprint = fingerprint_of(certificate.public_bytes(serialization.Encoding.DER))
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.file, self.both, self.key_file = (directory / f"{name}{end}.pem" for end in ("", "-both", "-key"))
        self.file.write_bytes(certificate.public_bytes(pem))
        for path in (self.both, self.key_file):
            path.touch(mode=0o600)
        self.key_file.write_bytes(private)
        self.both.write_bytes(private + self.file.read_bytes())

    def server(self, *, client_ca: "Issued | None" = None, newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """The server's side of TLS; with `client_ca` it lets in only whom that authority vouches for."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.both)
        if newest is not None:
            context.maximum_version = newest
        if client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca.file)
        return context


def issue(
    directory: Path,
    name: str = "server",
    *,
    by: Issued | None = None,
    hosts: tuple[str, ...] = ("127.0.0.1",),
    starts: datetime.timedelta = -DAY,
    ends: datetime.timedelta = DAY,
    is_authority: bool = False,
) -> Issued:
    """A certificate signed by `by`, or by itself; it is valid from `starts` to `ends`, counted from now.

    Skips where `cryptography` is missing.
    """
    pytest.importorskip("cryptography", reason="install cryptography to test TLS")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    signer = by.certificate.public_key() if by else key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + starts)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
        .sign(by.key if by else key, hashes.SHA256())
    )
    return Issued(certificate, key, directory, name)


def _general_name(host: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
