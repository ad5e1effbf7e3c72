"""Whether a log ends where its local copy does."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from cockpit.feeds.holding import Holding
from cockpit.feeds.placing import SMALL_BYTES, Placing
from cockpit.feeds.position import is_shiftable

Read = Callable[[int], AbstractAsyncContextManager[AsyncIterator[bytes]]]

CHECK_LINES = 100
CHECK_BYTES = 1024 * 1024


async def ends_there(read: Read, held: Holding) -> bool:
    """Whether the log ends where the local copy does; False if a short read cannot prove it."""
    if held.origin is None:
        return await _ends_alike(read, held)
    placing = Placing(read, held)
    if placing.is_possible:
        return await placing.is_all(read)
    return held.end <= SMALL_BYTES and await _is_whole(read, held)


async def _is_whole(read: Read, held: Holding) -> bool:
    log = await _read(read, -1, most=SMALL_BYTES)
    return log is not None and len(log) == held.end and held.spool.holds(held.base, log[held.origin or 0 :])


async def _ends_alike(read: Read, held: Holding) -> bool:
    """By its last lines alone: a read that began at a tail does not know its offset in the file."""
    lines = min(CHECK_LINES, held.lines_within(CHECK_BYTES)) + 1
    tail = await _read(read, lines, most=CHECK_BYTES)
    if not tail or not held.size:
        return tail is not None and len(tail) == held.size
    if is_shiftable(tail):
        return False
    common = min(len(tail), held.size)
    return held.spool.holds(held.spool.size - common, tail[-common:])


async def _read(read: Read, lines: int, *, most: int) -> bytes | None:
    """The last lines of the log; None where they are more than `most` bytes."""
    log = bytearray()
    async with read(lines) as chunks:
        async for chunk in chunks:
            log += chunk
            if len(log) > most:
                return None
    return bytes(log)
