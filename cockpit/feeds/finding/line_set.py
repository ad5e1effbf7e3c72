"""A set of line numbers, as bits: a million lines take an eighth of a megabyte, however many of them are in it."""

from array import array
from bisect import bisect_right

CHUNK = 4096
_ALL = (1 << CHUNK) - 1


class LineSet:
    """Line numbers, counted from 0, in order."""

    def __init__(self) -> None:
        self._chunks: list[int] = []
        # How many lines there are before each chunk; correct up to `_counted` chunks.
        self._before = array("Q", [0])
        self._counted = 0

    @property
    def count(self) -> int:
        """How many lines are in the set."""
        self._recount()
        return self._before[-1]

    def put(self, first: int, number: int, bits: int) -> None:
        """Of `number` lines from `first` on, have those in the set whose bit is set, and no others."""
        at, end = first, first + number
        while at < end:
            chunk, offset = divmod(at, CHUNK)
            length = min(CHUNK - offset, end - at)
            mask = (1 << length) - 1
            self._put_chunk(chunk, offset, mask, (bits >> (at - first)) & mask)
            at += length

    def _put_chunk(self, chunk: int, offset: int, mask: int, bits: int) -> None:
        while len(self._chunks) <= chunk:
            self._chunks.append(0)
        self._chunks[chunk] = (self._chunks[chunk] & ~(mask << offset)) | bits << offset
        self._counted = min(self._counted, chunk)

    def _recount(self) -> None:
        if self._counted == len(self._chunks):
            return
        del self._before[self._counted + 1 :]
        for chunk in self._chunks[self._counted :]:
            self._before.append(self._before[-1] + chunk.bit_count())
        self._counted = len(self._chunks)

    def __contains__(self, line: object) -> bool:
        if not isinstance(line, int) or line < 0:
            return False
        chunk, offset = divmod(line, CHUNK)
        return chunk < len(self._chunks) and bool(self._chunks[chunk] >> offset & 1)

    def rank(self, line: int) -> int:
        """How many lines of the set come before `line`."""
        self._recount()
        chunk, offset = divmod(max(0, line), CHUNK)
        if chunk >= len(self._chunks):
            return self._before[-1]
        return self._before[chunk] + (self._chunks[chunk] & ((1 << offset) - 1)).bit_count()

    def select(self, rank: int) -> int:
        """The line that has `rank` others of the set before it. Raises IndexError."""
        if not 0 <= rank < self.count:
            raise IndexError(rank)
        chunk = bisect_right(self._before, rank) - 1
        return chunk * CHUNK + _nth(self._chunks[chunk], rank - self._before[chunk])

    def next(self, line: int) -> int | None:
        """The first line of the set that is at or after `line`."""
        rank = self.rank(line)
        return self.select(rank) if rank < self.count else None

    def last(self, line: int) -> int | None:
        """The last line of the set that is at or before `line`."""
        rank = self.rank(line + 1) - 1
        return self.select(rank) if rank >= 0 else None

    def common(self, other: "LineSet") -> "LineSet":
        """The lines that are in both."""
        both = LineSet()
        both._chunks = [one & another for one, another in zip(self._chunks, other._chunks, strict=False)]
        return both

    def widened(self, first: int, end: int, *, inverse: bool = False, context: int = 0) -> "LineSet":
        """The lines from `first` to before `end` that are in the set (`inverse`: that are not), with others around."""
        chosen = LineSet()
        chosen._chunks = [self._chosen(chunk, first, end, inverse) for chunk in range(-(-end // CHUNK))]
        if not context:
            return chosen
        widened, chunks = LineSet(), [0, *chosen._chunks, 0]
        for chunk in range(len(chosen._chunks)):
            around = _widened(chunks[chunk] | chunks[chunk + 1] << CHUNK | chunks[chunk + 2] << 2 * CHUNK, context)
            widened._chunks.append((around >> CHUNK) & _range(chunk, first, end))
        return widened

    def _chosen(self, chunk: int, first: int, end: int, inverse: bool) -> int:
        bits = self._chunks[chunk] if chunk < len(self._chunks) else 0
        return (~bits if inverse else bits) & _range(chunk, first, end)


def _range(chunk: int, first: int, end: int) -> int:
    """The bits of a chunk that stand for lines from `first` to before `end`."""
    low = min(max(first - chunk * CHUNK, 0), CHUNK)
    high = min(max(end - chunk * CHUNK, low), CHUNK)
    return ((1 << (high - low)) - 1) << low


def _widened(bits: int, context: int) -> int:
    """Bits with as many others below and above each of them."""
    for _ in range(context):
        bits |= bits << 1 | bits >> 1
    return bits


def _nth(bits: int, rank: int) -> int:
    """The place of the bit that has `rank` others below it, found by halving."""
    place, width = 0, CHUNK
    while width > 1:
        width //= 2
        low = bits & ((1 << width) - 1)
        below = low.bit_count()
        if rank < below:
            bits = low
        else:
            rank, place, bits = rank - below, place + width, bits >> width
    return place
