"""Long work in slices: between them the event loop runs other tasks, such as the handling of a key."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

SLICE_SECONDS = 0.004
# A key goes through several tasks until it is painted: each of them would wait for a slice without a rest.
REST_SECONDS = 0.006


def some_of(work: Iterator[T], least: int = 1) -> tuple[list[T], bool]:
    """What comes of `work` within a slice, however long `least` items take; and whether that was the end of it."""
    end = time.perf_counter() + SLICE_SECONDS
    found = list(islice(work, least))
    if len(found) < least:
        return found, True
    for item in work:
        found.append(item)
        if time.perf_counter() >= end:
            return found, False
    return found, True


async def in_slices(work: Iterable[T], *, rest: float) -> list[T]:
    """What comes of `work`, made in slices with so many seconds for others after each."""
    going_on = iter(work)
    found, is_done = some_of(going_on)
    while not is_done:
        await asyncio.sleep(rest)
        more, is_done = some_of(going_on)
        found += more
    return found
