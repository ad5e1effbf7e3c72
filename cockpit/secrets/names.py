"""Names of secrets, the scopes they live in, and the places that hold their values."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from cockpit.errors import UsageError
from cockpit.model.secret import REFERENCE_PREFIX, reference_name

BACKEND_THREAD = "keyring"  # third-party code runs in it: what it prints is not our data

DEFAULT_SCOPE = "default"
LONGEST_SCOPE = 100
# As the gateway of the templates takes them: base64 of PEM, since an environment variable holds no lines.
CERTIFICATE_NAME, KEY_NAME = "GATEWAY_TLS_CERTIFICATE", "GATEWAY_TLS_KEY"
TOKEN_NAME = "RAY_AUTH_TOKEN"


class Place(StrEnum):
    """Where a value is; the last three can be written to."""

    ENVIRONMENT = "environment"
    COMMAND = "secret_command"
    KEYRING = "keyring"
    VAULT = "vault"
    SESSION = "session"


def checked_name(text: str) -> str:
    """The name of a secret. Raises UsageError where it is none, without repeating it: it may be the value."""
    if reference_name(REFERENCE_PREFIX + text) is None:
        raise UsageError(
            "This is not a name of a secret.",
            hint="A name is made of letters, digits and _, at most 64, and begins with no digit.",
        )
    return text


def checked_scope(text: str) -> str:
    """The name of a scope. Raises UsageError for one that is empty, long, or not printable."""
    if not text.strip() or len(text) > LONGEST_SCOPE or not text.isprintable():
        raise UsageError(
            f"{text[:LONGEST_SCOPE]!r} is not a name of a scope.",
            hint=f"A scope is the name of an SDL file without its ending, of a context, or {DEFAULT_SCOPE}.",
        )
    return text


def scopes_for(*, sdl: Path | None = None, scope: str | None = None, context: str | None = None) -> tuple[str, ...]:
    """The scopes to look in, the nearest first: `scope` or else the SDL's file stem, the context, the default.

    Raises UsageError for a name that cannot be one.
    """
    return _distinct([scope or (sdl.stem if sdl else None), context, DEFAULT_SCOPE])


def _distinct(scopes: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(checked_scope(scope) for scope in scopes if scope))
