"""Large replies one after the other: two that are unpacked and decoded at once take the memory of two."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

P = ParamSpec("P")
R = TypeVar("R")

LARGE_BYTES = 2 * 1024 * 1024

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


class _Turn:
    """What one listing holds of the turns of its event loop."""

    def __init__(self) -> None:
        self._held: asyncio.Lock | None = None

    async def take(self) -> None:
        if self._held is None:
            lock = _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
            await lock.acquire()
            self._held = lock

    def give_back(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.release()


_turn: ContextVar[_Turn | None] = ContextVar("turn", default=None)


def in_turn(listing: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Have a call whose reply turns out large wait for other such calls, from there on until it is decoded."""

    @wraps(listing)
    async def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        if _turn.get() is not None:
            return await listing(*args, **kwargs)
        turn = _Turn()
        token = _turn.set(turn)
        try:
            return await listing(*args, **kwargs)
        finally:
            _turn.reset(token)
            turn.give_back()

    return alone


async def take_turn(size: int) -> None:
    """Wait, within such a call, until no other decodes a large reply; nothing to wait for below LARGE_BYTES."""
    if size > LARGE_BYTES and (turn := _turn.get()) is not None:
        await turn.take()
