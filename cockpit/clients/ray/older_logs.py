"""Log files on releases of Ray that do not serve them as 2.60 does.

Measured: 2.40 marks every chunk with an extra byte unless it is asked for `format=text`, and reports a failure in
the body of a 200. 2.52 with tokens serves none at all, since its dashboard passes no token on to its agents when a
reply is streamed (2.53 does, by its source); it still gives the log of a job as one text.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from cockpit.errors import RejectedError, ServerError

# A newer Ray ignores the parameter and sends the bytes unchanged.
PLAIN = {"format": "text"}

TEXT_ONLY = (
    "Ray 2.52 cannot serve log files with token authentication on; the log came as text, where a carriage return is a "
    "new line. Ray 2.53 fixes that."
)

_FAILURE = b"[get_logs] Fetch log error: "
_JOB_LOG = re.compile(r"job-driver-(.+)\.log")

POLL_SECONDS = 1.0
LONGEST_POLL_SECONDS = 30.0
COST_FACTOR = 20  # the head reads the whole log for every answer

Fetch = Callable[[], Awaitable[bytes]]


async def without_failures(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """`chunks` as they are. Raises ServerError where they are 2.40's message for a missing log."""
    held: bytes | None = b""
    async for chunk in chunks:
        if held is None:
            yield chunk
            continue
        held += chunk
        if held.startswith(_FAILURE):
            reason = held[len(_FAILURE) :].decode("utf-8", "replace")
            raise ServerError(f"Ray failed to answer: {reason}", detail=reason)
        if not _FAILURE.startswith(held):
            yield held
            held = None
    if held:
        yield held


def job_of_withheld(filename: str, error: ServerError) -> str | None:
    """The job whose log has to be asked for as text, since `error` says that its file is withheld; None otherwise."""
    found = _JOB_LOG.fullmatch(filename)
    return found[1] if found and is_withheld(error) else None


def is_withheld(error: ServerError) -> bool:
    """Whether 2.52 has failed to let itself in."""
    return "StatusCode.UNAUTHENTICATED" in error.detail


async def as_text(fetch: Fetch, *, lines: int, endless: bool) -> AsyncGenerator[bytes, None]:
    """The log that `fetch` gets whole each time, from its last `lines` lines (-1: all); an `endless` one goes on.

    Raises RejectedError where Ray cannot make a text of it.
    """
    clock = asyncio.get_running_loop().time
    seen = 0
    while True:
        begun = clock()
        text = await _fetched(fetch)
        fresh = text[seen:] if seen else _last_lines(text, lines)
        seen = max(seen, len(text))
        if fresh:
            yield fresh
        if not endless:
            return
        await asyncio.sleep(min(LONGEST_POLL_SECONDS, max(POLL_SECONDS, COST_FACTOR * (clock() - begun))))


async def _fetched(fetch: Fetch) -> bytes:
    try:
        return await fetch()
    except ServerError as error:
        # A half-written character does not end the log.
        if "codec can't decode" not in error.detail or "unexpected end of data" in error.detail:
            raise
        raise RejectedError(
            "The log contains invalid UTF-8, and this release of Ray cannot serve such a log.",
            detail=error.title,
            hint="It lies on the head, in the logs directory of Ray's session.",
        ) from error


def _last_lines(text: bytes, lines: int) -> bytes:
    at = len(text) - text.endswith(b"\n")
    for _ in range(lines):
        at = text.rfind(b"\n", 0, at)
        if at < 0:
            return text
    return text if lines < 0 else text[at + 1 :]
