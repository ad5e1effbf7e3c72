"""The process that finds lines: reads requests from its input until that ends, answers on its output.

It is started without the site's packages and imports next to nothing, so that it is there in 20 ms.
"""

import os
import signal
import struct
import sys
from array import array
from collections.abc import Callable
from typing import BinaryIO

from cockpit.feeds.finding.frames import FLAGS, HEADER, QUERY, SLICE, Frame, unpacked_texts
from cockpit.render.log_query import Case, Matcher, Query, QueryError, lines_between

_MOST_SPANS = 10_000
_LOOKS_AT_PARENT_EVERY = 1.0


def serve(requests: BinaryIO, answers: BinaryIO, descriptor: int) -> None:
    """Answer requests until the pipe closes; slices without bytes are read from the file `descriptor`."""
    matcher: Matcher | None = None
    while (request := _next(requests)) is not None:
        if request.kind == QUERY:
            matcher, body = _made(request)
        elif matcher is None:
            body = b""
        elif request.kind == SLICE:
            body = _searched(matcher, request, descriptor)
        else:
            body = _spans(matcher, unpacked_texts(request.body))
        answers.write(request._replace(body=body).packed())
        answers.flush()


def _next(requests: BinaryIO) -> Frame | None:
    header = requests.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    kind, query, start, end, length = HEADER.unpack(header)
    return Frame(kind, query, start, end, requests.read(length))


def _made(request: Frame) -> tuple[Matcher | None, bytes]:
    is_regex, case = FLAGS.unpack_from(request.body)
    query = Query(request.body[FLAGS.size :].decode(), bool(is_regex), Case(case))
    try:
        return Matcher(query), b""
    except QueryError as error:
        return None, str(error).encode() or b"no regex"


def _searched(matcher: Matcher, request: Frame, descriptor: int) -> bytes:
    bits = lines_between(matcher, _reader(request, descriptor), request.start, request.end)
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


def _reader(request: Frame, descriptor: int) -> Callable[[int, int], bytes]:
    if request.body:
        return lambda offset, length: request.body[offset - request.start : offset - request.start + length]
    return lambda offset, length: os.pread(descriptor, length, offset)


def _spans(matcher: Matcher, texts: list[str]) -> bytes:
    found = array("I")
    for number, text in enumerate(texts):
        for start, end in matcher.spans(text):
            found.extend((number, start, end))
    return found[: 3 * _MOST_SPANS].tobytes()


def _end_with(parent: int) -> None:
    """End when the cockpit is gone, in the midst of a search that would never end too: regexes look for signals."""

    def look(_signal: int, _frame: object) -> None:
        if os.getppid() != parent:
            os._exit(0)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _LOOKS_AT_PARENT_EVERY, _LOOKS_AT_PARENT_EVERY)


def main() -> None:
    """`worker DESCRIPTOR PARENT`: the file that holds the log (-1 for none), and the process that asks."""
    descriptor, parent = int(sys.argv[-2]), int(sys.argv[-1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with(parent)
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer, descriptor)
    except (BrokenPipeError, struct.error):
        os._exit(1)  # the cockpit is gone, so there is nothing to report to
