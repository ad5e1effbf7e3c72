"""What the requests of one task cost, noted by the transport."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec


class Meter(msgspec.Struct):
    """Requests sent, bytes of their bodies, and the seconds until the first byte of each answer, added up."""

    requests: int = 0
    bytes: int = 0
    first_byte_seconds: float = 0.0


_METER: ContextVar[Meter | None] = ContextVar("meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Measure the requests that this task, and tasks it starts, send inside the block."""
    meter = Meter()
    token = _METER.set(meter)
    try:
        yield meter
    finally:
        _METER.reset(token)


@contextmanager
def asking() -> Iterator[None]:
    """Note a request, and that its answer begins where the block ends without an error."""
    note_request()
    begun = time.monotonic()
    yield
    note_first_byte(time.monotonic() - begun)


def note_request() -> None:
    """Note that a request is sent."""
    if (meter := _METER.get()) is not None:
        meter.requests += 1


def note_first_byte(seconds: float) -> None:
    """Note how long an answer took to begin."""
    if (meter := _METER.get()) is not None:
        meter.first_byte_seconds += seconds


def note_bytes(count: int) -> None:
    """Note the size of a body."""
    if (meter := _METER.get()) is not None:
        meter.bytes += count
