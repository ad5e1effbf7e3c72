"""What is held of a remote log: which of its bytes lie where in the spool, and how many lines they are."""

from cockpit.feeds.position import Found
from cockpit.feeds.spool import Spool

HEAD_BYTES = 16 * 1024
_BLOCK = 64 * 1024


class Holding:
    """The bytes from `base` of the spool on are those of one remote file, from its offset `origin` on.

    `origin` is None until it is known, where reading began at the last lines. `head` is the beginning of the remote
    file, as far as it was seen.
    """

    def __init__(self, spool: Spool, *, from_start: bool) -> None:
        self.spool = spool
        self.base = spool.size
        self.origin: int | None = 0 if from_start else None
        self.head = b""
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
        """How many lines the remote file has up to there, an unfinished one included; its origin must be known."""
        return self._newlines_before + self._newlines + (not self._ends_line)

    def add(self, fresh: bytes) -> None:
        """Keep bytes that come next."""
        if self.origin == 0 and len(self.head) < HEAD_BYTES:
            self.head += fresh[: HEAD_BYTES - len(self.head)]
        self.spool.append(fresh)
        self._newlines += fresh.count(b"\n")
        self._ends_line = fresh.endswith(b"\n")

    def place(self, found: Found, head: bytes) -> None:
        """Learn where in the remote file the held bytes are, from where they end in it."""
        self.origin = found.end - self.size
        self._newlines_before = found.newlines - self._newlines
        self.head = head[:HEAD_BYTES]

    @property
    def is_countable(self) -> bool:
        """Whether the beginning of the file is known by its looks: it is not one line again and again."""
        at = self.head.find(b"\n") + 1
        return self.origin is not None and at > 0 and self.head[at:] != self.head[: len(self.head) - at]

    def last_lines(self, count: int, *, most: int) -> bytes | None:
        """The last so many lines; None where they are more than `most` bytes, or more than is held."""
        wanted = count + self._ends_line  # the newline before the first of them is one more
        data = b""
        while (seen := data.count(b"\n")) < wanted and len(data) < self.size:
            if len(data) >= most:
                return None
            length = min(max(_BLOCK, len(data)), self.size - len(data))
            data = self.spool.read(self.spool.size - len(data) - length, length) + data
        if seen < wanted:
            return data if self.origin == 0 or seen == wanted - 1 else None
        return data.split(b"\n", seen - wanted + 1)[-1]

    def lines_within(self, most: int) -> int:
        """How many of the last lines there are in so many bytes, at least 1."""
        length = min(most, self.size)
        data = self.spool.read(self.spool.size - length, length)
        if length == self.size and self.origin == 0:
            return max(1, data.count(b"\n") + (not self._ends_line))
        return max(1, data.count(b"\n") - self._ends_line)
