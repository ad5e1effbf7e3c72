"""What is held of a remote log: which of its bytes lie where in the spool, and how many lines they are."""

from collections.abc import Iterator

from cockpit.feeds.position import Found
from cockpit.feeds.spool import Spool

HEAD_BYTES = 16 * 1024
_BLOCK = 64 * 1024
_BEGINNING_BYTES = 1024
_SEARCH_BLOCK = 1024 * 1024
_UNCOUNTED_BYTES = 128 * 1024 * 1024  # to count the lines of so much takes 0.1 s
_SOUGHT_BYTES = 64 * 1024 * 1024


class Holding:
    """The bytes from `base` of the spool on are those of one remote file, from its offset `origin` on.

    `origin` is None until it is known, where reading began at the last `tail` lines: lines and offsets are then those
    behind that place. `head` is the beginning of the remote file, as far as it was seen.
    """

    def __init__(self, spool: Spool, *, tail: int | None = None) -> None:
        self.spool = spool
        self.base = spool.size
        self.origin: int | None = 0 if tail is None else None
        self.head = b""
        self._total = tail or 0
        self.was_counted = False
        self._sought = 0
        self._head_recurs = False
        self._first_line = -1  # how long it is, its newline included; only where reading began with it
        self._counted = 0  # bytes, whose newlines were counted
        self._newlines = 0
        self._newlines_before = 0
        self._ends_line = True

    @property
    def size(self) -> int:
        """Bytes held."""
        return self.spool.size - self.base

    @property
    def end(self) -> int:
        """The offset in the remote file of the first byte that is not held; its origin must be known."""
        return (self.origin or 0) + self.size

    @property
    def lines(self) -> int:
        """How many lines the remote file has up to there, an unfinished one included."""
        self._count()
        return self._newlines_before + self._newlines + (not self._ends_line)

    def _count(self) -> None:
        while block := self.from_(self._counted, _BLOCK):
            self._newlines += block.count(b"\n")
            self._counted += len(block)

    @property
    def total(self) -> int:
        """So many lines the remote file has at least, the unfinished one included.

        A file may have fewer than `tail`, whose first lines are then all of them.
        """
        return max(self._total, self.lines)

    def add(self, fresh: bytes, *, is_bulk: bool = False) -> None:
        """Keep the next bytes; the lines of a bulk are counted on demand, which may be never."""
        if self.origin == 0 and len(self.head) < HEAD_BYTES:
            self.head += fresh[: HEAD_BYTES - len(self.head)]
        if self._first_line < 0 and (at := fresh.find(b"\n")) >= 0:
            self._first_line = self.size + at + 1
        if self._counted == self.size and not (is_bulk and self.size < _UNCOUNTED_BYTES):
            self._newlines += fresh.count(b"\n")
            self._counted += len(fresh)
        self.spool.append(fresh)
        self._ends_line = fresh.endswith(b"\n")
        if self.size - self._counted >= _UNCOUNTED_BYTES:
            self._count()

    def place(self, found: Found, head: bytes) -> None:
        """Learn where in the remote file the held bytes are, from where they end in it."""
        self._newlines_before = 0
        self.origin = found.end - self.size
        self._newlines_before = found.newlines - (self.lines - (not self._ends_line))
        self.head = head[:HEAD_BYTES]
        self._total = 0

    def note_total(self, lines: int) -> None:
        """Learn that the remote file has so many lines at least."""
        self._total = max(self._total, lines)

    def count(self, lines: int) -> None:
        """Learn that the remote file had so many lines at one time."""
        self.was_counted = True
        self.note_total(lines)

    @property
    def is_countable(self) -> bool:
        """Whether the beginning of the file is known by its looks: it is not one line again and again."""
        if self.origin == 0 and self._first_line > 0:
            second = self.spool.read(self.base + self._first_line, len(self.head))
        else:
            second = self.head[self.head.find(b"\n") + 1 :]
        return self.origin is not None and b"" != second != self.head[: len(second)]

    def begins_like_nothing_else(self) -> bool:
        """Whether the beginning of the file occurs only once in the part of the local copy that was searched.

        Looks through at most `_SOUGHT_BYTES` at a time, and False until it has got to the end.
        """
        if self.origin != 0 or self._head_recurs or self.size - self._sought > _SOUGHT_BYTES:
            return False
        beginning = self.head[:_BEGINNING_BYTES]
        while self._sought + len(beginning) < self.size:
            block = self.from_(self._sought + 1, _SEARCH_BLOCK + len(beginning) - 1)
            self._head_recurs = self._head_recurs or beginning in block
            self._sought = min(self._sought + _SEARCH_BLOCK, self.size - len(beginning))
        return not self._head_recurs

    def start_of_last(self, count: int) -> int | None:
        """Where the last so many lines begin, in bytes from the first that is held; None where that is before it."""
        wanted = count + self._ends_line  # the newline before the first of them is one more
        at = self.size
        while at > 0:
            begin = max(0, at - _BLOCK)
            data = self.spool.read(self.base + begin, at - begin)
            seen = data.count(b"\n")
            if seen >= wanted:
                return at - len(data.split(b"\n", seen - wanted + 1)[-1])
            wanted, at = wanted - seen, begin
        return 0 if self.origin == 0 or wanted == 1 else None

    def line_starts(self, start: int) -> Iterator[int]:
        """Where lines begin, from such a place on, in bytes from the first that is held."""
        yield start
        while block := self.from_(start, _BLOCK):
            at = block.find(b"\n") + 1
            while at > 0 and start + at < self.size:
                yield start + at
                at = block.find(b"\n", at) + 1
            start += len(block)

    def lines_before(self, start: int) -> int:
        """How many lines the remote file has before the one that begins at the held byte `start`."""
        count = self.lines - (not self._ends_line)
        while block := self.from_(start, _BLOCK):
            count -= block.count(b"\n")
            start += len(block)
        return count

    def from_(self, start: int, length: int) -> bytes:
        """Held bytes, from so many behind the first on."""
        return self.spool.read(self.base + start, min(length, self.size - start))

    def lines_within(self, most: int) -> int:
        """How many of the last lines there are in so many bytes, at least 1."""
        length = min(most, self.size)
        data = self.spool.read(self.spool.size - length, length)
        if length == self.size and self.origin == 0:
            return max(1, data.count(b"\n") + (not self._ends_line))
        return max(1, data.count(b"\n") - self._ends_line)
