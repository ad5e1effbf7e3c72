"""What a failed handshake means, in words, and what to do about it."""

import ssl

from cockpit.clients.endpoint import Endpoint
from cockpit.clients.tls import PinError
from cockpit.errors import AuthenticationError, CockpitError, UnreachableError, UntrustedError

# Codes of X509_verify_cert_error_string(3).
_NOT_YET, _EXPIRED, _REVOKED, _PURPOSE = 9, 10, 23, 26
_OTHER_NAME = (62, 64)
PIN_IT = "look at its fingerprint on the server, and pin it: `--accept-certificate sha256:…`, or `pin` in the context."

# Not of TLS: nothing was there to read yet when something else went wrong, or the connection broke.
_NO_FAILURES = (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLEOFError)


def tls_error_in(error: BaseException) -> ssl.SSLError | None:
    """The failure of TLS among an error and its causes."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) and not isinstance(seen, _NO_FAILURES):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def tls_failure(endpoint: Endpoint, error: ssl.SSLError) -> CockpitError:
    """The error for a failure of TLS."""
    match error:
        case PinError():
            return changed(endpoint, error.found)
        case ssl.SSLCertVerificationError():
            return _untrusted(endpoint, error)
        case _:
            return _refused(endpoint, error)


def changed(endpoint: Endpoint, found: str) -> UntrustedError:
    """A certificate other than the pinned one: an interception, or an unannounced renewal."""
    error = UntrustedError(
        f"THE CERTIFICATE OF {endpoint.address} HAS CHANGED: pinned is {endpoint.tls.pin}, found was {found}.",
        detail="Your connection may be intercepted. Nothing was sent.",
        hint=f"Only if you know that it was replaced: `--accept-certificate {found}`; where the context has a `pin`, "
        "change it there.",
        fault="certificate-changed",
    )
    error.found = found
    return error


def _untrusted(endpoint: Endpoint, error: ssl.SSLCertVerificationError) -> UntrustedError:
    address, words = endpoint.address, error.verify_message or str(error)
    match error.verify_code:
        case code if code in _OTHER_NAME:
            fault = "certificate-name"
            title = f"The certificate of {address} is not trusted: it was made for another name."
            hint = f"Use the name that it was made for; or {PIN_IT}"
        case code if code == _EXPIRED:
            fault = "certificate-expired"
            title = f"The certificate of {address} is not trusted: it has expired."
            hint = f"Renew it on the server. If this machine's clock is right and that must wait, {PIN_IT}"
        case code if code == _NOT_YET:
            fault = "certificate-not-yet"
            title = f"The certificate of {address} is not trusted: it is not valid yet."
            hint = "Set the clock of this machine, or of the one where the certificate was made."
        case code if code in (_REVOKED, _PURPOSE):
            fault = "certificate-unusable"
            title = f"The certificate of {address} is not trusted: {words}."
            hint = "It needs a new one, made for a server."
        case _:
            fault = "certificate-unknown"
            whom = f"no authority in {endpoint.tls.ca}" if endpoint.tls.ca else "no authority known to this machine"
            title = f"The certificate of {address} is not trusted: {whom} vouches for it."
            hint = f"Name its authority's certificate as `ca` in the context; or {PIN_IT}"
    return UntrustedError(title, detail=words, hint=hint, fault=fault)


def _refused(endpoint: Endpoint, error: ssl.SSLError) -> CockpitError:
    address, reason = endpoint.address, (error.reason or str(error)).upper()
    # Alerts are what the other side says of us (RFC 8446 section 6.2).
    if "CERTIFICATE_REQUIRED" in reason:
        return AuthenticationError(
            f"{address} asks for a client certificate"
            + (", and got none." if endpoint.tls.client_cert is None else "."),
            status=0,
            detail=reason,
            hint="Name it as `client_cert`, and its key as `client_key`, in the context.",
            fault="client-certificate-wanted",
        )
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason or "ACCESS_DENIED" in reason):
        return AuthenticationError(
            f"{address} does not accept the client certificate.",
            status=0,
            detail=reason,
            hint="Look at `client_cert` in the context: is it this cluster's, and still valid?",
            fault="client-certificate-refused",
        )
    if "ALERT" in reason:
        return UnreachableError(
            f"{address} refuses the TLS handshake.",
            detail=reason,
            hint="It may need a client certificate (`client_cert` in the context), another host name or an older TLS.",
            fault="tls-refused",
        )
    return UnreachableError(
        f"{address} does not speak TLS as expected.",
        detail=reason,
        hint="Is it a plain http:// address?",
        fault="no-tls",
    )
