"""The lines of a growing log that match a query, found in another process, those near the reader first."""

import asyncio
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple, Protocol, runtime_checkable

from cockpit.feeds.finding.frames import FLAGS, QUERY, SLICE, SPANS, Frame, packed_texts
from cockpit.feeds.finding.line_set import LineSet
from cockpit.feeds.finding.process import FinderGoneError, FinderProcess
from cockpit.feeds.line_index import LineIndex, Source
from cockpit.render.log_query import Query, Spans

SLICE_BYTES = 960 * 1024  # with the rest of its last line a little less than what the process reads at once
_IN_FLIGHT = 3  # slices that the process has before it, so that it never waits for us
_UNFINISHED_PACE = 20  # the last line, while it grows, is looked at again after so many times what that took
_SPANS_KEPT = 2000


@runtime_checkable
class Filed(Protocol):
    """A source whose bytes lie in a file, up to a size."""

    @property
    def size_on_disk(self) -> int:
        """Bytes that lie in the file; later ones must be read from the source."""

    def fileno(self) -> int:
        """The file's descriptor."""


class _Asked(NamedTuple):
    """A slice that the process has been asked for: its lines, and where it begins and ends."""

    first: int
    lines: int
    start: int
    end: int
    unfinished: bool = False
    since: float = 0.0


class LineFinder:
    """Finds the lines that match one query after another; `changed` is called whenever more is known.

    `hits` are the lines found between `low` and `high`, which is what has been looked at so far; `error` says why a
    query cannot be used. The process is started by the first query, and is gone after `close`.
    """

    def __init__(self, source: Source, index: LineIndex, changed: Callable[[], None]) -> None:
        self._source, self._index, self._changed = source, index, changed
        self._process: FinderProcess | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._more = asyncio.Event()
        self._number = 0
        self._is_closed = False
        self._forget(0)

    def _forget(self, near: int) -> None:
        self.query: Query | None = None
        self.error = ""
        self.hits = LineSet()
        self.low = self.high = near
        self._has_query = False
        self._asked: deque[_Asked | tuple[str, ...]] = deque()
        self._spans: dict[str, Spans] = {}
        self._generation = self._index.generation
        self._next_low = self._next_high = near
        self._low_at = self._high_at = self._index.start_of(near)
        self._unfinished_at, self._unfinished_due = -1, 0.0

    # What is known

    @property
    def is_done(self) -> bool:
        """Whether every line that the index knows has been looked at."""
        return self.query is None or bool(self.error) or (self.low == 0 and self.high >= self._index.line_count)

    @property
    def progress(self) -> float:
        """How much of the log has been looked at, from 0 to 1."""
        return (self.high - self.low) / max(1, self._index.line_count)

    # What is wanted

    def start(self, query: Query | None, *, near: int = 0) -> None:
        """Look for a query from line `near` on, to the end of the log, and then back to its beginning; None: for none.

        Whatever is being looked for is given up, in the middle of a regex too.
        """
        if self._is_closed:
            return
        self._give_up()
        self._forget(near)
        self.query = query
        self._number += 1
        if query is not None:
            self._task = asyncio.create_task(self._run(query))

    def prepare(self) -> None:
        """Start the process while the user types what to search for."""
        if self._task is None and self._process is None and not self._is_closed:
            self._task = asyncio.create_task(self._prepare())

    async def _prepare(self) -> None:
        with suppress(FinderGoneError):  # reported by the next search
            await self._started()

    def _give_up(self) -> None:
        """End what is being done; a process that is idle is kept."""
        if self._task is not None:
            self._task.cancel()
            self._let_end(self._task)
            self._task = None
        if self._asked and self._process is not None:
            self._process.kill()
            self._let_end(asyncio.create_task(self._process.close()))
            self._process = None

    def _let_end(self, task: "asyncio.Task[None]") -> None:
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def extend(self) -> None:
        """The index knows more lines than before, or others: the log was replaced."""
        if self._generation != self._index.generation:
            self.start(self.query)
        self._more.set()

    def pause(self) -> None:
        """Give up what is not known yet, for now."""
        self._give_up()
        self._asked.clear()
        self._has_query = False
        self._next_low, self._next_high = self.low, min(self.high, self._index.newline_count)
        self._low_at, self._high_at = (self._index.start_of(line) for line in (self._next_low, self._next_high))

    def resume(self) -> None:
        """Go on where `pause` left it."""
        if self._task is None and self.query is not None and not self._is_closed:
            self._task = asyncio.create_task(self._run(self.query))

    async def close(self) -> None:
        """End the process; nothing is found any more."""
        self._is_closed = True
        self._give_up()
        if self._process is not None:
            self._let_end(asyncio.create_task(self._process.close()))
            self._process = None
        if self._ending:
            await asyncio.wait(set(self._ending))

    def spans_in(self, texts: Iterable[str]) -> dict[str, Spans]:
        """Where the matches are in texts, if already known; the others are requested."""
        wanted = tuple(dict.fromkeys(text for text in texts if text))
        known = {text: self._spans[text] for text in wanted if text in self._spans}
        missing = tuple(text for text in wanted if text not in known)
        is_asking = any(not isinstance(asked, _Asked) for asked in self._asked)
        if missing and not is_asking and self._has_query and self._process is not None:
            self._ask(missing, Frame(SPANS, self._number, body=packed_texts(list(missing))))
            self._more.set()
        return known

    # The conversation

    async def _run(self, query: Query) -> None:
        try:
            process = await self._started()
            flags = FLAGS.pack(query.is_regex, query.case)
            process.send(Frame(QUERY, self._number, body=flags + query.text.encode("utf-8", "replace")))
            # A query that is made ready for ever must be given up like one that searches for ever.
            self._asked.append(())
            self.error = (await process.receive()).body.decode()
            self._asked.popleft()
            self._has_query = not self.error
            self._changed()
            while not self.error:
                await self._step(process)
        except FinderGoneError as error:
            if self._process is not None:
                self._let_end(asyncio.create_task(self._process.close()))
            self._process, self._has_query = None, False
            self._asked.clear()
            self.error = str(error)
            self._changed()

    async def _started(self) -> FinderProcess:
        if self._process is None:
            descriptor = self._source.fileno() if isinstance(self._source, Filed) else None
            starting = asyncio.ensure_future(FinderProcess.start(descriptor))
            try:
                self._process = await asyncio.shield(starting)
            except asyncio.CancelledError:
                await (await starting).close()
                raise
        return self._process

    async def _step(self, process: FinderProcess) -> None:
        while sum(isinstance(asked, _Asked) for asked in self._asked) < _IN_FLIGHT and (asked := self._next_slice()):
            self._ask(asked, self._frame(asked))
        if not self._asked:
            await self._more.wait()
        self._more.clear()
        if self._asked:
            self._take(self._asked[0], (await process.receive()).body)
            self._asked.popleft()
            self._changed()

    def _ask(self, asked: "_Asked | tuple[str, ...]", frame: Frame) -> None:
        assert self._process is not None
        self._asked.append(asked)
        self._process.send(frame)

    def _frame(self, asked: _Asked) -> Frame:
        source = self._source
        is_filed = isinstance(source, Filed) and asked.end <= source.size_on_disk
        body = b"" if is_filed else source.read(asked.start, asked.end - asked.start)
        return Frame(SLICE, self._number, asked.start, asked.end, body)

    def _take(self, asked: "_Asked | tuple[str, ...]", body: bytes) -> None:
        if not isinstance(asked, _Asked):
            self._take_spans(asked, body)
            return
        self.hits.put(asked.first, asked.lines, int.from_bytes(body, "little"))
        self.low = min(self.low, asked.first)
        self.high = max(self.high, asked.first + asked.lines)
        if asked.unfinished:
            self._unfinished_due = time.monotonic() + _UNFINISHED_PACE * (time.monotonic() - asked.since)

    def _take_spans(self, texts: tuple[str, ...], body: bytes) -> None:
        if len(self._spans) > _SPANS_KEPT:
            self._spans.clear()
        found: dict[str, list[tuple[int, int]]] = {text: [] for text in texts}
        numbers = array("I", body)
        for at in range(0, len(numbers), 3):
            found[texts[numbers[at]]].append((numbers[at + 1], numbers[at + 2]))
        self._spans.update((text, tuple(spans)) for text, spans in found.items())

    # What to look at next

    def _next_slice(self) -> _Asked | None:
        return self._forward() or self._unfinished() or self._backward()

    def _forward(self) -> _Asked | None:
        first, whole = self._next_high, self._index.newline_count
        if first >= whole:
            return None
        last = min(whole, self._index.number_at(self._high_at + SLICE_BYTES) + 1)
        start, end = self._high_at, self._index.start_of(last)
        self._next_high, self._high_at = last, end
        return _Asked(first, last - first, start, end)

    def _unfinished(self) -> _Asked | None:
        """The last line, while it lacks a newline."""
        start, end = self._high_at, self._index.indexed
        if end <= max(start, self._unfinished_at) or self._index.line_count == self._index.newline_count:
            return None
        now = time.monotonic()
        if (wait := self._unfinished_due - now) > 0:
            asyncio.get_running_loop().call_later(wait, self._more.set)
            return None
        self._unfinished_at = end
        return _Asked(self._next_high, 1, start, end, unfinished=True, since=now)

    def _backward(self) -> _Asked | None:
        last, end = self._next_low, self._low_at
        if last == 0:
            return None
        first = min(last - 1, self._index.number_at(max(0, end - SLICE_BYTES)))
        start = self._index.start_of(first)
        self._next_low, self._low_at = first, start
        return _Asked(first, last - first, start, end)
