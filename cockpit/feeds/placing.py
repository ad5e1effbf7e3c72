"""Finding where a reading that begins at the last lines of a log lies in what is held of it.

Ray's log endpoints know no byte offset and tell no size; a reader may only ask for the last N lines. Where N is more
than the file has, the reading begins at the first byte, which is known by its looks: so readings of a few kilobytes
bound the number of lines, and from that follows that a reading began within what is held. Which of the held lines it
began at is told by comparing, and where lines repeat, by the count alone.
"""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import msgspec

from cockpit.feeds.holding import Holding
from cockpit.feeds.position import Overlap

Open = Callable[[int], AbstractAsyncContextManager[AsyncIterator[bytes]]]

SMALL_BYTES = 256 * 1024  # so little is read anew from its first byte, which proves everything
WINDOW_BYTES = 128 * 1024
LARGEST_WINDOW = 8 * 1024 * 1024
ATTEMPTS = 3
BISECTED_BYTES = 8 * 1024 * 1024  # below that to bisect costs more than to read it all
ALL = -1
_STEP = 1024
_TELLING_BYTES = 4096
_LEAPS = 24


class Resumed(msgspec.Struct):
    """A reading that goes on where what is held ends, once `overlap` has been passed."""

    overlap: Overlap
    chunks: AsyncIterator[bytes]


class LineCount:
    """Bounds the number of lines of a remote file, an unfinished last one included, by how readings of it begin."""

    def __init__(self, read: Open, holding: Holding) -> None:
        self._read = read
        self._holding = holding

    async def is_beyond(self, lines: int) -> bool:
        """Whether there are more than `lines` lines for certain: a reading of so many does not begin at the start."""
        head, seen = self._holding.head, bytearray()
        async with self._read(lines) as chunks:
            async for chunk in chunks:
                seen += chunk
                if len(seen) >= len(head):
                    break
        return seen[: len(head)] != head

    async def is_within(self, lines: int) -> bool:
        """Whether there are at most `lines` lines for certain.

        A place that only looks like the start would have to look so from the next line too, which it does not unless
        the log grew by one line in between; and then it would have to grow by just the number that is drawn.
        """
        for more in (0, 1, random.randrange(2, 200)):
            if await self.is_beyond(lines + more):
                return False
        return True

    async def bounds(self, more_than: int, *, precision: int) -> tuple[int, int] | None:
        """Two numbers of lines, the first too small and the second enough, about as close as `precision`.

        There are `more_than` lines and more for certain. None where the file does not begin as it did.
        """
        low, step = more_than, max(_STEP, precision)
        if await self.is_beyond(ALL):
            return None  # another file
        for _ in range(_LEAPS):
            if not await self.is_beyond(high := low + step):
                break
            low, step = high, 4 * step
        else:
            return None
        while high - low > max(precision, _STEP, (high - more_than) // 8):
            middle = (low + high) // 2
            if await self.is_beyond(middle):
                low = middle
            else:
                high = middle
        return low, high


class Placing:
    """Opens a log at lines that are held already. `read` opens a reading that ends, for the counts."""

    def __init__(self, read: Open, holding: Holding) -> None:
        self._holding = holding
        self._count = LineCount(read, holding)

    @property
    def is_possible(self) -> bool:
        """Whether it is worth while: much is held, and it begins with lines that differ."""
        return self._holding.is_countable and self._holding.end > SMALL_BYTES

    async def is_all(self, read: Open) -> bool:
        """Whether the remote file ends where what is held does; False where that cannot be proven."""
        held = self._holding
        tail = held.last_lines(count := held.lines_within(WINDOW_BYTES // 4), most=LARGEST_WINDOW)
        if tail is None:
            return False
        seen = bytearray()
        async with read(count) as chunks:
            async for chunk in chunks:
                seen += chunk
                if len(seen) > len(tail):
                    return False
        return seen == tail and await self._count.is_within(held.lines)

    @asynccontextmanager
    async def opened(self, open_: Open) -> AsyncIterator[Resumed | None]:
        """The log from a line on that is held for certain; None where that cannot be had or proven."""
        async with AsyncExitStack() as stack:
            async for lines, at_least in self._attempts():
                chunks = await stack.enter_async_context(open_(lines))
                first = await _begun(chunks, min(lines, _TELLING_BYTES))
                at = await self._placed(first, lines, at_least)
                if at is not None:
                    overlap = Overlap(self._holding.spool, base=self._holding.base, origin=self._holding.origin or 0)
                    overlap.skip(at)
                    yield Resumed(overlap, _again(first, chunks))
                    return
                await stack.aclose()
                if not first:
                    break
            yield None

    async def _attempts(self) -> AsyncIterator[tuple[int, int]]:
        """How many last lines to ask for, and how many lines the file has at least."""
        held = self._holding
        window = held.lines_within(WINDOW_BYTES)
        yield window, held.lines
        for attempt in range(1, ATTEMPTS if held.end > BISECTED_BYTES else 1):
            found = await self._count.bounds(held.lines - 1, precision=window)
            if found is None:
                return
            low, high = found
            yield high - held.lines + window * attempt, low + 1

    async def _placed(self, first: bytes, lines: int, at_least: int) -> int | None:
        """Which remote offset a reading of the last `lines` lines began at, that began with `first`."""
        held = self._holding
        span = min(held.lines, held.lines - max(0, at_least - lines))
        window = held.last_lines(span, most=LARGEST_WINDOW) if first and span > 0 else None
        if window is None:
            return None
        starts = _fitting(window, first)
        if len(starts) == 1 and await self._count.is_within(lines + held.lines - 1):
            return held.end - len(window) + starts[0]
        if len(starts) > 1 and lines <= held.lines and await self._count.is_within(held.lines):
            exact = held.last_lines(lines, most=LARGEST_WINDOW)
            return None if exact is None else held.end - len(exact)
        return None


async def _begun(chunks: AsyncIterator[bytes], least: int) -> bytes:
    """The first bytes of a reading; so many are there, for a line has at least one."""
    first = bytearray()
    while len(first) < least and (chunk := await anext(chunks, b"")):
        first += chunk
    return bytes(first)


async def _again(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in chunks:
        yield chunk


def _fitting(window: bytes, first: bytes) -> list[int]:
    """The first two beginnings of lines of `window` that may be where `first` begins."""
    found: list[int] = []
    at = 0
    while at < len(window) and len(found) < 2:
        length = min(len(first), len(window) - at)
        if window.startswith(first[:64][:length], at) and window.startswith(first[:length], at):
            found.append(at)
        at = window.find(b"\n", at) + 1 or len(window)
    return found
