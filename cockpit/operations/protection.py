"""How the connection to a cluster is protected, and what that means for its owner."""

import ipaddress

import msgspec

from cockpit.clients.address import Address
from cockpit.clients.transport import Endpoint

NOT_VERIFIED = "NOT VERIFIED"


class Protection(msgspec.Struct, frozen=True):
    """A few words for the header, their tone (`error`, `warn` or none), and a sentence where something is wrong."""

    words: str
    tone: str = ""
    sentence: str = ""


def is_private(address: Address) -> bool:
    """Whether only this machine or a private network can be meant; a host name may lead anywhere."""
    if address.is_loopback:
        return True
    try:
        return ipaddress.ip_address(address.host).is_private
    except ValueError:
        return False


def protection_of(endpoint: Endpoint, mode: str | None) -> Protection:
    """What protects the dashboard; `mode` is Ray's authentication mode, None where it is not known.

    A dashboard without authentication runs every command that is sent to it (CVE-2023-48022).
    """
    address, transport = endpoint.address, transport_words(endpoint)
    if mode == "disabled" and not is_private(address):
        return Protection(
            f"OPEN TO ALL · {transport}",
            "error",
            f"{address} answers without a token: whoever finds it can run commands on your machines. Start Ray with "
            "RAY_AUTH_MODE=token.",
        )
    secured = "no token" if mode == "disabled" else "token" if endpoint.token is not None else "no token sent"
    if transport == NOT_VERIFIED:
        return Protection(
            f"{transport} · {secured}",
            "error",
            f"The certificate of {address} is not verified: anybody on the way can read and change what is sent.",
        )
    if endpoint.token is not None and not address.is_encrypted and not address.is_loopback:
        return Protection(
            f"{transport} · {secured}",
            "warn",
            f"The token crosses the network to {address} for everyone on the way to read.",
        )
    return Protection(f"{transport} · {secured}")


def transport_words(endpoint: Endpoint) -> str:
    """How the way to the cluster is protected, in two words."""
    if not endpoint.address.is_encrypted:
        return "plain http"
    if not endpoint.is_verified:
        return NOT_VERIFIED
    return "TLS pinned" if endpoint.tls.pin is not None else "TLS verified"
