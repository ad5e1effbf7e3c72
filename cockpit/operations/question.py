"""What a face asks its user on behalf of an operation."""

from collections.abc import Awaitable, Callable

import msgspec


class Question(msgspec.Struct, frozen=True):
    """What must be agreed to: the sentence to ask, what it is about, and what to look at before answering."""

    text: str
    about: str
    lines: tuple[str, ...] = ()


Ask = Callable[[Question], Awaitable[bool]]
