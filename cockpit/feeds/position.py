"""Where the bytes that we hold lie in the remote file, by comparing them with it."""

import msgspec

from cockpit.feeds.spool import Spool

ANCHOR_BYTES = 64 * 1024


class LogReplacedError(Exception):
    """The remote file is not the one that was read before: it was rotated, truncated or written again."""


class Overlap:
    """Passes over the bytes of a file that are in the spool already, and gives back the rest.

    `origin` is the offset, in the remote file, of the spool's byte `base`. The reader is fed from the first byte of the
    file; bytes before `origin` were never asked for, those after it are compared.
    """

    def __init__(self, spool: Spool, *, base: int, origin: int) -> None:
        self._spool = spool
        self._base = base
        self._origin = origin
        self._held_to = origin + spool.size - base
        self._at = 0

    def skip(self, offset: int) -> None:
        """Be fed from this offset of the file instead."""
        self._at = offset

    @property
    def is_passed(self) -> bool:
        """Whether every byte that we hold has been seen again."""
        return self._at >= self._held_to

    def feed(self, chunk: bytes) -> bytes:
        """The part of `chunk` that is new. Raises LogReplacedError where it differs from what we hold."""
        start = self._at
        self._at += len(chunk)
        if start >= self._held_to:
            return chunk
        begin, end = max(start, self._origin), min(self._at, self._held_to)
        if end > begin and not self._spool.holds(self._base + begin - self._origin, chunk[begin - start : end - start]):
            raise LogReplacedError
        return chunk[max(0, self._held_to - start) :]


class Found(msgspec.Struct, frozen=True):
    """Where an anchor was found: the offset behind its last occurrence, the newlines before that, and whether it is
    the only one.
    """

    end: int
    is_only: bool
    newlines: int = 0


class AnchorSearch:
    """Looks for the end of what we hold in a file that is read from its first byte."""

    def __init__(self, anchor: bytes) -> None:
        self._anchor = anchor
        self._carry = b""
        self._at = 0
        self._newlines = 0
        self._first = -1
        self._last = -1
        self._newlines_to_last = 0

    def feed(self, chunk: bytes) -> None:
        """Search the next bytes of the file."""
        window = self._carry + chunk
        offset = self._at - len(self._carry)
        place = window.find(self._anchor)
        if place >= 0:
            # Not one by one: in a log of one repeated line there is an occurrence at each of them. And backwards by
            # find, which is linear; rfind takes the square of the time over repetitions.
            behind = window[::-1].find(self._anchor[::-1])
            self._first = offset + place if self._first < 0 else self._first
            self._last = offset + len(window) - behind - len(self._anchor)
            self._newlines_to_last = self._newlines + window.count(b"\n", 0, len(window) - behind)
        self._at += len(chunk)
        self._carry = window[max(0, len(window) - len(self._anchor) + 1) :]
        self._newlines += window.count(b"\n", 0, len(window) - len(self._carry))

    def found(self) -> Found | None:
        """The result after the last byte; None where the anchor is not in the file."""
        if self._last < 0:
            return None
        end = self._last + len(self._anchor)
        return Found(end=end, is_only=self._first == self._last, newlines=self._newlines_to_last)


def anchor_of(spool: Spool, base: int) -> bytes:
    """The last bytes held of the present file, enough to find their place again."""
    length = min(ANCHOR_BYTES, spool.size - base)
    return spool.read(spool.size - length, length)


def is_shiftable(tail: bytes) -> bool:
    """Whether `tail` looks the same moved by some lines, so that finding it proves nothing about its place."""
    at = tail.find(b"\n") + 1
    while 0 < at < len(tail):
        if tail.startswith(tail[at:]):
            return True
        at = tail.find(b"\n", at) + 1
    return False
