"""How the connection to a cluster is protected, and what that means for its owner."""

import msgspec

from cockpit.clients.transport import Endpoint
from cockpit.operations.clusters.exposure import Exposure, Reach, reach_of

NOT_VERIFIED = "NOT VERIFIED"

# What the cluster's owner can do about it.
_BEHIND_GATEWAY = (
    "Start Ray with RAY_AUTH_MODE=token behind a TLS gateway, as the SDLs of `sdl new` do, or close the port."
)
_NEWER = "Use Ray 2.52 or newer with RAY_AUTH_MODE=token behind a TLS gateway, or close the port."


class Protection(msgspec.Struct, frozen=True):
    """A few words for the header, their tone (`error`, `warn` or none), and a sentence where something is wrong.

    `fault` names it for programs.
    """

    words: str
    tone: str = ""
    sentence: str = ""
    fault: str = ""


def protection_of(endpoint: Endpoint, exposure: Exposure | None) -> Protection:
    """What protects the dashboard; `exposure` is None while it is not known.

    A dashboard without authentication runs every command that is sent to it (CVE-2023-48022).
    """
    transport = transport_words(endpoint)
    words = f"{transport} · {_secured(endpoint, exposure)}"
    return (
        _open_to_all(endpoint, exposure, transport)
        or _not_verified(endpoint, words)
        or _readable(endpoint, exposure, words)
        or _ignored(endpoint, exposure, words)
        or Protection(words)
    )


def _secured(endpoint: Endpoint, exposure: Exposure | None) -> str:
    if exposure is not None and exposure.is_guarded:
        return "behind a login"
    if exposure is not None and exposure.mode == "none":
        return "too old for tokens"
    if exposure is not None and exposure.mode == "disabled":
        return "no token"
    return "token" if endpoint.token is not None else "no token sent"


def _open_to_all(endpoint: Endpoint, exposure: Exposure | None, transport: str) -> Protection | None:
    """Nobody is turned away at an address that anybody may find."""
    if exposure is None or not exposure.is_open or exposure.reach in (Reach.LOOPBACK, Reach.PRIVATE):
        return None
    if exposure.reach is Reach.UNKNOWN and endpoint.passage is not None:
        return None  # a name that only the bastion knows
    words = f"OPEN TO ALL · {transport}"
    what = "anyone who finds it can run commands on your machines (CVE-2023-48022)."
    if exposure.mode == "none":
        version = f" {exposure.ray_version}" if exposure.ray_version else ""
        sentence = f"{endpoint.address} runs Ray{version}, which does not support tokens: {what} {_NEWER}"
        return Protection(words, "error", sentence, "too-old-for-tokens")
    sentence = f"{endpoint.address} answers without a token: {what} {_BEHIND_GATEWAY}"
    return Protection(words, "error", sentence, "open-to-all")


def _not_verified(endpoint: Endpoint, words: str) -> Protection | None:
    if transport_words(endpoint) != NOT_VERIFIED:
        return None
    sentence = (
        f"The certificate of {endpoint.address} is not verified: anyone on the path can read and change traffic. "
        "Remove verify = false from the context; the certificate is then asked about once, and pinned."
    )
    return Protection(words, "error", sentence, "not-verified")


def _readable(endpoint: Endpoint, exposure: Exposure | None, words: str) -> Protection | None:
    """A token that crosses a network unencrypted; the way through a bastion ends at its own loopback or goes on."""
    address = endpoint.address
    shows = "token" if endpoint.token is not None else "password" if not _shows_nothing(endpoint) else ""
    reach = exposure.reach if exposure is not None else reach_of(address, ())
    if not shows or address.is_encrypted or reach is Reach.LOOPBACK:
        return None
    sentence = (
        f"The {shows} crosses the network to {address} unencrypted, for everyone on the way to read and use. "
        "Put TLS in front of Ray, or connect over ssh."
    )
    return Protection(words, "error" if reach is Reach.PUBLIC else "warn", sentence, "token-in-clear")


def _shows_nothing(endpoint: Endpoint) -> bool:
    return not (endpoint.headers or endpoint.cookies or endpoint.basic)


def _ignored(endpoint: Endpoint, exposure: Exposure | None, words: str) -> Protection | None:
    """A token that protects nothing; harmless where only this machine reaches it."""
    if exposure is None or exposure.reach is Reach.LOOPBACK or endpoint.token is None:
        return None
    if exposure.mode != "none" or exposure.is_guarded:
        return None
    sentence = f"Ray {exposure.ray_version or ''} at {endpoint.address} has no tokens: anyone can use it. {_NEWER}"
    return Protection(words, "warn", sentence, "too-old-for-tokens")


def transport_words(endpoint: Endpoint) -> str:
    """How the way to the cluster is protected, in two words."""
    if not endpoint.address.is_encrypted:
        return "plain http"
    if not endpoint.is_verified:
        return NOT_VERIFIED
    return "TLS pinned" if endpoint.tls.pin is not None else "TLS verified"
