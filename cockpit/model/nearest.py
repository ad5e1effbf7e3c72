"""The nearest matches of a name that was not found."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST_MATCHES = 3


def nearest_hint(given: str, known: Iterable[str], otherwise: str) -> str:
    """Names that begin with the one given or look like it, as a question; without any, what to do otherwise."""
    names = list(dict.fromkeys(known))
    begins = [name for name in names if given and name.startswith(given)][:MOST_MATCHES]
    near = begins or get_close_matches(given, names, n=MOST_MATCHES)
    return f"Did you mean {' or '.join(near)}?" if near else otherwise
