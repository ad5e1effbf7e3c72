"""What may be stored as a secret, and tokens made here."""

import secrets

from cockpit.errors import UsageError
from cockpit.model.secret import REFERENCE_PREFIX, Secret

LARGEST_BYTES = 64 * 1024
SHORTEST_TOKEN = 32
USUAL_TOKEN = 43  # 256 bits
LONGEST_TOKEN = 512
# The start commands of our templates take a token that begins so for an unresolved reference.
REFERENCE_MARK = "ac-"


def checked_value(value: Secret) -> Secret:
    """A value that can be kept and put into an environment.

    Raises UsageError for an empty or very long one, one with a NUL in it, and a reference.
    """
    text = value.reveal()
    if not text.strip():
        raise UsageError("The value is empty.", hint="Nothing was stored.")
    if "\0" in text:
        raise UsageError("The value holds a NUL, which no environment variable can.")
    if len(text.encode()) > LARGEST_BYTES:
        raise UsageError(f"The value is larger than {LARGEST_BYTES // 1024} KiB, which no environment variable takes.")
    if text.startswith(REFERENCE_PREFIX):
        raise UsageError("The value is a reference to a secret, not a secret.")
    return value


def generated(length: int = USUAL_TOKEN) -> Secret:
    """A random token of letters, digits, `-` and `_` that begins with a letter or a digit, never with `ac-`.

    Raises UsageError for a length that Ray's start commands would refuse.
    """
    if not SHORTEST_TOKEN <= length <= LONGEST_TOKEN:
        raise UsageError(f"The length of a token is {SHORTEST_TOKEN} to {LONGEST_TOKEN} characters.")
    while True:
        token = secrets.token_urlsafe(length)[:length]
        if token[0].isalnum() and not token.startswith(REFERENCE_MARK):
            return Secret(token)


def advice_on(name: str, value: Secret) -> str | None:
    """Why a value will not do what its known name promises; None if it is fine."""
    text = value.reveal()
    if name != "RAY_AUTH_TOKEN" or (len(text) >= SHORTEST_TOKEN and not text.startswith(REFERENCE_MARK)):
        return None
    return (
        f"the clusters of our templates refuse a token shorter than {SHORTEST_TOKEN} characters "
        f"or beginning with {REFERENCE_MARK}; make one with: rayakash-tui secrets generate {name} --replace"
    )
