"""What a face asks its user on behalf of an operation."""

from collections.abc import Awaitable, Callable

import msgspec


class Question(msgspec.Struct, frozen=True):
    """What must be agreed to: the sentence to ask, what it is about, and what to look at before answering.

    `alarms` are those of the lines that are shown in red.
    """

    text: str
    about: str
    lines: tuple[str, ...] = ()
    alarms: frozenset[str] = frozenset()


Ask = Callable[[Question], Awaitable[bool]]
