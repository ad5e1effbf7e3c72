"""Who a provider's gateway is: verified by the usual authorities, or known by a self-signed certificate of its address.

A provider shows a certificate of a public authority where it has one, else a self-signed one whose common name is its
address on the chain (akash-network/provider, gateway/utils). Nothing is sent before one of both holds.
"""

import asyncio
import ssl

from cockpit.clients.address import Address
from cockpit.clients.endpoint import Endpoint
from cockpit.clients.tls import Tls, context_of
from cockpit.clients.tls_failures import tls_failure
from cockpit.errors import UnreachableError, UntrustedError
from cockpit.model.certificates import fingerprint_of

CONNECT_S = 10.0


async def trust(address: Address, provider: str, *, pin: str | None = None, pins: str = "") -> Tls:
    """How to know the gateway of `provider` (its chain address) from now on.

    `pin` is the fingerprint that it showed before: then no other self-signed one will do. `pins` says where the user
    can forget it. Raises UntrustedError for anybody else, UnreachableError where nothing answers.
    """
    try:
        await _certificate(address, Tls())
    except UntrustedError:
        pass
    else:
        return Tls()
    shown = await _certificate(address, Tls(verify=False))
    found = fingerprint_of(shown)
    if pin is not None and found != pin:
        raise _changed(address, provider, pin, found, pins)
    if (problem := _problem(shown, provider)) is not None:
        raise UntrustedError(
            f"The gateway at {address} did not prove to be provider {provider}: {problem}.",
            detail=f"Its certificate is {found}. Nothing was sent.",
            hint="Choose another provider, or close the deployment.",
            fault="provider-certificate",
        )
    return Tls(pin=found)


def _changed(address: Address, provider: str, pin: str, found: str, pins: str) -> UntrustedError:
    error = UntrustedError(
        f"THE CERTIFICATE OF PROVIDER {provider} HAS CHANGED: expected {pin}, found {found}.",
        detail=f"Your connection to {address} may be intercepted. Nothing was sent.",
        hint="Ask the provider whether it was renewed; if so, remove its line" + (f" from {pins}." if pins else "."),
        fault="certificate-changed",
    )
    error.found = found
    return error


async def _certificate(address: Address, tls: Tls) -> bytes:
    """The certificate of a TLS handshake, in DER; no request is sent."""
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(
                address.host, address.port, ssl=context_of(tls), server_hostname=address.host
            )
    except ssl.SSLError as error:
        raise tls_failure(Endpoint(address=address, tls=tls), error) from error
    except (OSError, TimeoutError, UnicodeError) as error:
        raise UnreachableError(
            f"The provider's gateway at {address} does not answer.",
            detail=str(error) or "no answer in time",
            hint="The provider may be down; if it stays so, close the deployment and take another bid.",
            fault="provider-down",
        ) from error
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
    writer.transport.abort()
    return bytes(found)


def _problem(certificate: bytes, provider: str) -> str | None:
    """Why a certificate is not the provider's own; None where it is, which its signature shows too."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.x509.oid import NameOID

    try:
        found = x509.load_der_x509_certificate(certificate)
        names = [name.value for name in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if found.issuer != found.subject:
            return "its certificate is neither self-signed nor signed by a trusted authority"
        if names != [provider]:
            return f"its certificate names {', '.join(map(str, names)) or 'nothing'}"
        found.verify_directly_issued_by(found)
    except (ValueError, TypeError, InvalidSignature) as error:
        return f"its certificate cannot be read ({type(error).__name__})"
    return None
