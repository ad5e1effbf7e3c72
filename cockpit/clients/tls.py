"""What a TLS connection trusts: authorities, one pinned certificate, or any certificate.

A pin is checked at the end of the handshake of every connection, so that no byte of a request goes to anybody else.
"""

import ssl
from pathlib import Path
from typing import Any

import msgspec

from cockpit.errors import UsageError
from cockpit.model.certificates import fingerprint_of
from cockpit.settings import read_file


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """How to know the other side, and how to be known there.

    `pin` is the fingerprint of the only accepted certificate, no matter who issued it; `ca` names a PEM file of the
    authorities that are trusted instead of the usual ones, and with a pin both must hold. `verify=False` accepts
    everyone. `client_cert` and `client_key` are PEM files; the key may be in the certificate's file.
    """

    pin: str | None = None
    ca: Path | None = None
    verify: bool = True
    client_cert: Path | None = None
    client_key: Path | None = None

    @property
    def asks_authorities(self) -> bool:
        """Whether name, validity and issuer of the certificate are checked."""
        return self.ca is not None or (self.pin is None and self.verify)


class PinError(ssl.SSLCertVerificationError):
    """The handshake was made with another certificate than the pinned one; `found` is its fingerprint."""

    def __init__(self, found: str) -> None:
        super().__init__(1, f"certificate is {found}")
        self.found = found


def context_of(tls: Tls) -> ssl.SSLContext:
    """The settings of a client's connections. Raises UsageError for files that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.asks_authorities:
        _trust(context, tls.ca)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.pin is not None:
        context.sslobject_class = _pinned(tls.pin)  # asyncio and anyio make theirs by wrap_bio, which asks for this
    if tls.client_cert is not None:
        _introduce(context, tls.client_cert, tls.client_key)
    return context


def asking_context(tls: Tls) -> ssl.SSLContext:
    """Settings with which a good handshake ends in PinError: what the other side shows is seen, and nothing is sent."""
    context = context_of(msgspec.structs.replace(tls, pin=None))
    context.sslobject_class = _pinned("")
    return context


def _trust(context: ssl.SSLContext, ca: Path | None) -> None:
    if ca is None:
        import certifi  # only this needs it, and it takes a part of every start

        context.load_default_certs()
        context.load_verify_locations(certifi.where())  # a bare container ships without authorities
        return
    try:
        read_file(ca)  # OpenSSL itself would wait for a FIFO, and read /dev/zero for ever
        context.load_verify_locations(ca)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"The CA file {ca} cannot be used.", detail=str(error)) from error


def _pinned(pin: str) -> type[ssl.SSLObject]:
    class Pinned(ssl.SSLObject):
        """Ends a handshake with anybody but the owner of the pinned certificate."""

        def do_handshake(self) -> None:
            super().do_handshake()
            found = fingerprint_of(self.getpeercert(binary_form=True) or b"")
            if found != pin:
                raise PinError(found)

    return Pinned


def _introduce(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    def no_password(*_: Any) -> str:  # OpenSSL would ask on the terminal
        raise UsageError(
            f"The key in {key or certificate} is encrypted.",
            hint="Give a file that only you can read, without a passphrase: `openssl pkey -in OLD -out NEW`.",
        )

    try:
        context.load_cert_chain(certificate, key, password=no_password)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"The client certificate {certificate} cannot be used" + (f" with the key {key}." if key else "."),
            detail=str(error),
        ) from error
