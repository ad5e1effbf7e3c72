"""Finding where a read that begins at the last lines of a log lies in the local copy.

Ray's log endpoints support no byte offset and no size; a reader can only ask for the last N lines. Where N is more
than the file has, the reading begins at the first byte, which is known by its looks: so readings of a few kilobytes
bound the number of lines, and from that follows that a read began within the local copy. Which of its lines the read
began at follows from comparing, and where lines repeat, from the count alone.
"""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import msgspec

from cockpit.feeds.holding import Holding
from cockpit.feeds.position import Overlap

Open = Callable[[int], AbstractAsyncContextManager[AsyncIterator[bytes]]]

# So little is read again from its first byte, and twice as much on a connection always brings something new.
SMALL_BYTES = 32 * 1024
WINDOW_BYTES = 32 * 1024
ATTEMPTS = 4
ALL = -1
_STEP = 1024
_TELLING_BYTES = 4096
_LEAPS = 24
_QUICK_BYTES = 64
_SEARCHED_BYTES = 8 * 1024 * 1024


class Resumed(msgspec.Struct):
    """A read that continues where the local copy ends, after `overlap` has passed; `is_proven`: without doubt."""

    overlap: Overlap
    chunks: AsyncIterator[bytes]
    is_proven: bool


class LineCount:
    """Bounds the number of lines of a remote file, an unfinished last one included, by how readings of it begin."""

    def __init__(self, read: Open, holding: Holding) -> None:
        self._read = read
        self._holding = holding

    async def is_beyond(self, lines: int) -> bool:
        """Whether there are provably more than `lines` lines: a read of that many does not begin at the start."""
        head, seen = self._holding.head, bytearray()
        async with self._read(lines) as chunks:
            async for chunk in chunks:
                seen += chunk
                if len(seen) >= len(head) or not head.startswith(seen):
                    break
        if (is_beyond := seen[: len(head)] != head) and lines != ALL:
            self._holding.note_total(lines + 1)
        return is_beyond

    async def is_within(self, lines: int) -> bool:
        """Whether there are provably at most `lines` lines.

        A place that only looks like the start would have to look so from the next line too, which it does not unless
        the log grew by one line in between; and then it would have to grow by just the number that is drawn. One
        look is enough where the start is like nothing else that is held, and the count was known before: the log
        would have to have doubled since.
        """
        held = self._holding
        is_told = held.was_counted and held.begins_like_nothing_else()
        for more in (0,) if is_told else (0, 1, random.randrange(2, 200)):
            if await self.is_beyond(lines + more):
                return False
        return True

    async def bounds(self, *, precision: int) -> tuple[int, int] | None:
        """Two numbers of lines, the first too small and the second enough, not further apart than `precision`.

        There are provably as many lines as are known. None if the file does not begin as it did.
        """
        low, step = self._holding.total - 1, max(_STEP, precision)
        if await self.is_beyond(ALL):
            return None  # another file
        for _ in range(_LEAPS):
            if not await self.is_beyond(high := low + step):
                break
            low, step = high, 4 * step
        else:
            return None
        while high - low > precision:
            middle = (low + high) // 2
            if await self.is_beyond(middle):
                low = middle
            else:
                high = middle
        return low, high


class Placing:
    """Opens a log at lines that are held already. `read` opens a reading that ends, for the counts.

    If the offset of the local copy is not known (`origin` is None), lines are recognized by their text alone.
    """

    def __init__(self, read: Open, holding: Holding) -> None:
        self._holding = holding
        self._count = LineCount(read, holding)
        self._is_ambiguous = False

    @property
    def is_possible(self) -> bool:
        """Whether it is worth while: much is held, and it begins with lines that differ."""
        return self._holding.is_countable and self._holding.end > SMALL_BYTES

    async def is_all(self, read: Open) -> bool:
        """Whether the remote file ends where the local copy does; False if that cannot be proven."""
        held = self._holding
        start = held.start_of_last(count := held.lines_within(WINDOW_BYTES // 4))
        if start is None:
            return False
        async with read(count) as chunks:
            async for chunk in chunks:
                if held.from_(start, len(chunk)) != chunk:
                    return False
                start += len(chunk)
        return start == held.size and await self._count.is_within(held.lines)

    @asynccontextmanager
    async def opened(self, open_: Open) -> AsyncIterator[Resumed | None]:
        """The log from a line on that is held; None where that cannot be had."""
        held = self._holding
        async with AsyncExitStack() as stack:
            async for lines in self._attempts():
                chunks = await stack.enter_async_context(open_(lines))
                first = await _begun(chunks, min(lines, _TELLING_BYTES))
                at = await self._placed(first, lines)
                if at is not None:
                    overlap = Overlap(held.spool, base=held.base, origin=held.origin or 0)
                    overlap.skip((held.origin or 0) + at)
                    yield Resumed(overlap, _again(first, chunks), held.origin is not None)
                    return
                await stack.aclose()
                if not first:
                    break
            yield None

    async def _attempts(self) -> AsyncIterator[int]:
        """How many last lines to request, from a little before the end of the local copy if the file's end is known."""
        held = self._holding
        window = held.lines_within(WINDOW_BYTES)
        yield held.total - held.lines + window
        for attempt in range(ATTEMPTS - 1):
            most = held.total
            if held.origin is not None:
                found = await self._count.bounds(precision=1 if self._is_ambiguous else window)
                if found is None:
                    return
                most = found[1]
            yield most - held.lines + window * 4**attempt  # it may grow meanwhile, and fast

    async def _placed(self, first: bytes, lines: int) -> int | None:
        """Which held byte a reading of the last `lines` lines began at, that began with `first`."""
        held, least = self._holding, self._holding.total
        span = (
            held.lines_within(_SEARCHED_BYTES) if held.origin is None else min(held.lines, held.lines + lines - least)
        )
        start = held.start_of_last(span) if first and span > 0 else None
        if start is None:
            return None
        starts = _fitting(held, start, first)
        if held.origin is None:
            starts = [at for at in starts if held.size - at >= min(len(first), _TELLING_BYTES)]
        self._is_ambiguous = len(starts) > 1
        if starts and await self._is_first(starts, lines):
            if before := held.lines_before(starts[0]):  # else it may begin there because the file does
                held.count(before + lines)
            return starts[0]
        # Where lines repeat, the count alone tells, once it is known to the line.
        if starts[:1] == [start] and held.origin is not None and await self._count.is_within(least):
            held.count(least)
            return start
        return None

    async def _is_first(self, starts: list[int], lines: int) -> bool:
        """Whether a reading of so many lines begins at the first of these places, and neither later nor beyond."""
        held = self._holding
        if held.origin is None:
            return len(starts) == 1
        # The other may be the unfinished last line, of which too little is held to tell it from others.
        is_beside = len(starts) > 1 and held.size - starts[1] < _QUICK_BYTES
        if len(starts) > 1 and not is_beside:
            return False
        return await self._count.is_within(lines + (held.lines_before(starts[1]) if is_beside else held.lines) - 1)


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


def _fitting(held: Holding, start: int, first: bytes) -> list[int]:
    """The first two beginnings of lines from the held byte `start` on that may be where `first` begins."""
    found: list[int] = []
    for at in held.line_starts(start):
        if _agree(first[:_QUICK_BYTES], held.from_(at, _QUICK_BYTES)) and _agree(first, held.from_(at, len(first))):
            found.append(at)
            if len(found) == 2:
                break
    return found


def _agree(one: bytes, other: bytes) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]
