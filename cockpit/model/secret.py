"""Values that must never be shown, and the references that stand for them in files."""

import re

_REFERENCE = re.compile(r"ac-secret://([A-Za-z_][A-Za-z0-9_]{0,63})")

REFERENCE_PREFIX = "ac-secret://"


class Secret:
    """A secret value for the moment of its use; `repr`, `str` and formatting show `***`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: only for the place that sends or stores it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))


def reference_name(text: str) -> str | None:
    """The NAME of an `ac-secret://NAME` reference; None where `text` is not one.

    The scheme is Akash's own; a text that starts with it but does not follow it is not a reference.
    """
    match = _REFERENCE.fullmatch(text)
    return match.group(1) if match else None
