"""What the cockpit and the process that finds lines tell each other, over two pipes.

A frame is a header (kind, query number, two numbers, length) and so many bytes. The process answers each request by
one frame of the same kind, in order:

    QUERY  flags and text                       -> empty, or why it is not a regex
    SLICE  from, to; the bytes, if in no file   -> lines looked at; which of them match, as bits, the lowest first
    SPANS  texts, each behind its length        -> the matches: number of the text, from, to, as uint32
"""

import struct
from typing import NamedTuple

QUERY, SLICE, SPANS = 1, 2, 3
HEADER = struct.Struct("<BIQQI")
LENGTH = struct.Struct("<I")
FLAGS = struct.Struct("<BB")


class Frame(NamedTuple):
    """One request or answer."""

    kind: int
    query: int
    start: int = 0
    end: int = 0
    body: bytes = b""

    def packed(self) -> bytes:
        """The frame as it goes through the pipe."""
        return HEADER.pack(self.kind, self.query, self.start, self.end, len(self.body)) + self.body


def packed_texts(texts: list[str]) -> bytes:
    """Texts for a SPANS request."""
    encoded = [text.encode("utf-8", "backslashreplace") for text in texts]
    return b"".join(LENGTH.pack(len(one)) + one for one in encoded)


def unpacked_texts(body: bytes) -> list[str]:
    """The texts of a SPANS request."""
    texts, at = [], 0
    while at < len(body):
        (length,) = LENGTH.unpack_from(body, at)
        at += LENGTH.size
        texts.append(body[at : at + length].decode())
        at += length
    return texts
