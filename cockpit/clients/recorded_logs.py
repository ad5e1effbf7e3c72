"""The logs in a recording: what was known of each file, and when."""

from collections.abc import Mapping, Sequence

from cockpit.clients.recording_file import Chunk, Entry, Open, content

LOG_PATHS = ("/api/v0/logs/file", "/api/v0/logs/stream")


class RecordedLog:
    """The bytes of one log file in the order in which they became known; times are seconds of the recording."""

    def __init__(self) -> None:
        self._pieces: list[tuple[float, bytes]] = []
        self._size = 0

    @property
    def is_known(self) -> bool:
        """Whether a single byte of it was seen."""
        return bool(self._pieces)

    def learn(self, at: float, offset: int, data: bytes) -> None:
        """Note bytes that were seen at an offset of the file, not beyond what is known; those known add nothing."""
        fresh = data[self._size - offset :]
        if fresh:
            self._pieces.append((at, fresh))
            self._size += len(fresh)

    def tail(self, at: float, lines: int) -> bytes:
        """The last so many lines (-1: all) of what was known at a time; at least what was known first."""
        known = self._pieces[:1] + [piece for piece in self._pieces[1:] if piece[0] <= at]
        text = b"".join(data for _, data in known)
        if lines < 0:
            return text
        return b"".join(text.splitlines(keepends=True)[-lines:]) if lines else b""

    def after(self, at: float) -> list[tuple[float, bytes]]:
        """The pieces that became known later than `tail` of the same time."""
        return [piece for piece in self._pieces[1:] if piece[0] > at]


class RecordedLogs:
    """The log files of a recording, by node and name.

    A file that was read several times, by streams that were cut say, is put together from all of them. Where only its
    last lines were read, they are taken for the whole.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._logs: dict[tuple[str, str], RecordedLog] = {}
        streams: dict[int, tuple[RecordedLog, int]] = {}
        openings = [entry for entry in entries if isinstance(entry, Open) and entry.path in LOG_PATHS]
        wanted = _most_complete(openings)
        for entry in entries:
            if isinstance(entry, Open) and entry.stream in wanted:
                streams[entry.stream] = (self._logs.setdefault(_file_of(entry), RecordedLog()), 0)
            elif isinstance(entry, Chunk) and entry.stream in streams:
                log, offset = streams[entry.stream]
                data = content(entry)
                log.learn(entry.at, offset, data)
                streams[entry.stream] = (log, offset + len(data))

    def find(self, node_id: str, filename: str) -> RecordedLog | None:
        """The log with this name on this node; None where nothing of it was read."""
        log = self._logs.get((node_id, filename))
        return log if log is not None and log.is_known else None


def _most_complete(openings: list[Open]) -> set[int]:
    """The streams that begin where a file's best one begins: at its first byte, or else at the same line as the first.

    Streams that begin elsewhere cannot be placed.
    """
    best: dict[tuple[str, str], int] = {}
    for opening in openings:
        lines = _lines(opening)
        known = best.setdefault(_file_of(opening), lines)
        if lines < 0 <= known:
            best[_file_of(opening)] = lines
    wanted: set[int] = set()
    taken: set[tuple[str, str]] = set()
    for opening in openings:
        file = _file_of(opening)
        if _lines(opening) == best[file] and (best[file] < 0 or file not in taken):
            wanted.add(opening.stream)
            taken.add(file)
    return wanted


def _file_of(opening: Open) -> tuple[str, str]:
    fields = dict(opening.params)
    return fields.get("node_id", ""), fields.get("filename", "")


def _lines(opening: Open) -> int:
    return line_count(dict(opening.params))


def line_count(fields: Mapping[str, str]) -> int:
    """How many last lines a request asks for; -1 for all, and for anything but a number."""
    try:
        return int(fields.get("lines", "-1"))
    except ValueError:
        return -1
