"""Unpacking a reply in small pieces: 64 kB off the wire may hold 64 MB, which httpx would make in one."""

import zlib
from collections.abc import AsyncIterator

from cockpit.errors import NotRayError

PIECE = 256 * 1024
ENCODINGS = ("", "identity", "gzip", "deflate")
"""Those that may be unpacked here; several one after the other may not."""
_GZIP_OR_ZLIB = zlib.MAX_WBITS + 32


async def unpacked(raw: AsyncIterator[bytes], encoding: str, *, address: object) -> AsyncIterator[bytes]:
    """The bytes of a reply, at most PIECE at a time where they were packed. Raises NotRayError for broken packing."""
    if encoding not in ("gzip", "deflate"):
        async for chunk in raw:
            yield chunk
        return
    inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
    is_first = True
    async for chunk in raw:
        while chunk:
            try:
                piece = inflater.decompress(chunk, PIECE)
            except zlib.error as error:
                if not is_first or encoding != "deflate":
                    raise NotRayError(
                        f"The reply of {address} could not be decompressed.", detail=str(error)
                    ) from error
                inflater, is_first = zlib.decompressobj(-zlib.MAX_WBITS), False  # deflate without its header
                continue
            is_first = False
            if piece:
                yield piece
            chunk = inflater.unconsumed_tail
    if rest := inflater.flush(PIECE):
        yield rest
