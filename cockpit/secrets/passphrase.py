"""How the vault comes to its passphrase: a face says how it asks, the library never touches a terminal."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from cockpit.model.secret import Secret


class PassphraseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted: the passphrase of an existing vault, or one for a vault to be made (to be typed twice).

    `problem` says what was wrong with the last answer.
    """

    vault: Path
    is_new: bool = False
    problem: str = ""


# None where the user gave up.
Ask = Callable[[PassphraseRequest], Secret | None]

_ask: Ask | None = None
_here = threading.local()


def ask_with(ask: Ask | None) -> None:
    """Say how this process asks; None for not at all."""
    global _ask
    _ask = ask


def current_ask() -> Ask | None:
    """How this process asks; None where it cannot ask."""
    return None if getattr(_here, "is_unasked", False) else _ask


@contextmanager
def unasked() -> Iterator[None]:
    """Nobody is asked for what this thread does meanwhile: it was not begun by a person."""
    _here.is_unasked = True
    try:
        yield
    finally:
        _here.is_unasked = False
