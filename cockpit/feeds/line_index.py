"""Where the lines of a growing log begin: newline counts per block, so that a million lines cost a few kilobytes."""

from array import array
from bisect import bisect_right
from typing import NamedTuple, Protocol

BLOCK = 64 * 1024
_BLOCKS_PER_READ = 16
_BLOCKS_KEPT = 8


class Source(Protocol):
    """Bytes that only grow at their end."""

    @property
    def size(self) -> int:
        """Bytes held."""

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`."""


class Span(NamedTuple):
    """The bytes of a line, without its newline; `number` counts from 0, None while lines are still being counted."""

    start: int
    end: int
    number: int | None = None


class LineIndex:
    """Finds lines by number and by offset; `extend` has it look at bytes that have come since."""

    def __init__(self, source: Source, *, block: int = BLOCK) -> None:
        self._source = source
        self._size = block
        # Newlines before each whole block, and before what follows the last of them.
        self._before = array("Q", [0])
        self._rest = 0
        self._ends_line = True
        self._blocks: dict[int, bytes] = {}
        self.indexed = 0
        # Counts how often the log was replaced: what was known of its lines is then void.
        self.generation = 0

    @property
    def is_complete(self) -> bool:
        """Whether every byte of the source has been looked at."""
        return self.indexed == self._source.size

    @property
    def line_count(self) -> int:
        """Lines known so far; one without a newline yet counts."""
        return self._before[-1] + self._rest + (0 if self._ends_line else 1)

    @property
    def newline_count(self) -> int:
        """Lines known so far that have their newline."""
        return self._before[-1] + self._rest

    def extend(self, most: int) -> bool:
        """Look at up to `most` bytes more, and at least at one block; say whether that was all there is."""
        if self._source.size < self.indexed:
            self._begin_again()
        end = min(self._source.size, self.indexed + max(most, self._size))
        while self.indexed < end:
            data = self._source.read(self.indexed, min(_BLOCKS_PER_READ * self._size, end - self.indexed))
            if not data:
                break
            self._count(data)
        return self.is_complete

    def _begin_again(self) -> None:
        self._before = array("Q", [0])
        self._rest, self._ends_line, self.indexed = 0, True, 0
        self.generation += 1
        self._blocks.clear()

    def _count(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            end = min(len(data), at + self._size - (self.indexed + at) % self._size)
            self._rest += data.count(b"\n", at, end)
            at = end
            if (self.indexed + at) % self._size == 0:
                self._before.append(self._before[-1] + self._rest)
                self._rest = 0
        self.indexed += len(data)
        self._ends_line = data.endswith(b"\n")

    # By number and by offset

    def start_of(self, number: int) -> int:
        """Where line `number` begins; the end of the log for lines that are not there."""
        if number <= 0:
            return 0
        if number > self.newline_count:
            return self.indexed
        # The newline before the line is the number-th of the log, and lies in the last block with fewer before it.
        block = bisect_right(self._before, number - 1) - 1
        return block * self._size + _after_newline(self._block(block), number - self._before[block])

    def number_at(self, offset: int) -> int:
        """The number of the line that holds the byte at `offset`."""
        inside = min(max(0, offset), self.indexed)
        block = min(inside // self._size, len(self._before) - 1)
        return self._before[block] + self._block(block).count(b"\n", 0, inside - block * self._size)

    def spans(self, first: int, count: int) -> list[Span]:
        """Up to `count` lines from line `first` on."""
        start, spans = self.start_of(first), []
        for number in range(first, min(first + count, self.line_count)):
            end = self._newline_from(start)
            spans.append(Span(start, end, number))
            start = end + 1
        return spans

    def last_spans(self, count: int) -> list[Span]:
        """The last lines of the source, found from its end: without their numbers, and before all are counted."""
        size = self._source.size
        end = size - 1 if size and self._source.read(size - 1, 1) == b"\n" else size
        spans: list[Span] = []
        while len(spans) < count and end >= 0 and size:
            newline = self._newline_before(end)
            spans.append(Span(newline + 1, end))
            end = newline
        return spans[::-1]

    def _newline_from(self, offset: int) -> int:
        """Where the first newline at or after `offset` is; the end of what is indexed where there is none."""
        block = offset // self._size
        while block * self._size < self.indexed:
            if not self._is_without_newline(block):
                at = self._block(block).find(b"\n", max(0, offset - block * self._size))
                if at >= 0:
                    return block * self._size + at
            block += 1
        return self.indexed

    def _newline_before(self, offset: int) -> int:
        """Where the last newline before `offset` is; -1 where there is none. Blocks that are indexed are skipped."""
        end = offset
        while end > 0:
            block = (end - 1) // self._size
            if not self._is_without_newline(block):
                data = self._source.read(block * self._size, end - block * self._size)
                at = data.rfind(b"\n")
                if at >= 0:
                    return block * self._size + at
            end = block * self._size
        return -1

    def _is_without_newline(self, block: int) -> bool:
        return block + 1 < len(self._before) and self._before[block] == self._before[block + 1]

    def _block(self, block: int) -> bytes:
        """The indexed bytes of a block; the blocks around the screen are kept."""
        length = min(self._size, self.indexed - block * self._size)
        data = self._blocks.get(block)
        if data is None or len(data) != length:
            if len(self._blocks) >= _BLOCKS_KEPT:
                self._blocks.clear()
            data = self._blocks[block] = self._source.read(block * self._size, length)
        return data


def _after_newline(data: bytes, nth: int) -> int:
    """The place behind the `nth` newline of `data`; counting by halves is faster than going from each to the next."""
    low, high = 0, len(data)
    while high - low > 1:
        middle = (low + high) // 2
        found = data.count(b"\n", low, middle)
        if found >= nth:
            high = middle
        else:
            low, nth = middle, nth - found
    return high
