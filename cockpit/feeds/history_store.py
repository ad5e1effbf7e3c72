"""The past of one cluster on disk: rings of samples in SQLite, and who held which GPU when.

A row holds the values of all series at one time as 16-bit floats, so that a cluster of 100 GPUs takes about 3 MB for
14 days. Every row of a coarser tier is the mean of the rows below it and is written again whenever one of these is: a
process that is killed loses what it had not written, and nothing else.
"""

import contextlib
import fcntl
import hashlib
import math
import os
import re
import sqlite3
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol, Self

import msgspec

from cockpit import settings
from cockpit.errors import UsageError
from cockpit.model.past import Holding, Point

VERSION = 1
APPLICATION_ID = 0x52414B48
BUSY_SECONDS = 5.0

LARGEST_BYTES = 14 << 20
"""What all rows together may take; a cluster with more series is sampled less often."""

RESUME_SECONDS = 900.0
"""A GPU that the same job holds before and after a gap this long was held in between."""

CLOCK_SLACK_SECONDS = 86_400.0


class Tier(msgspec.Struct, frozen=True):
    """One ring: a row per `step` seconds, kept for `span` seconds."""

    step: int
    span: int


TIERS = (Tier(10, 3600), Tier(60, 86_400), Tier(600, 14 * 86_400))
ROWS = sum(tier.span // tier.step for tier in TIERS)

Values = Mapping[str, float]
"""Values by the name of their series; a series that is missing is unknown."""


_SCHEMA = """
CREATE TABLE layout (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, names BLOB NOT NULL);
CREATE TABLE sample (tier INTEGER NOT NULL, slot INTEGER NOT NULL, layout INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (tier, slot));
CREATE TABLE holding (gpu TEXT NOT NULL, job TEXT NOT NULL, owner TEXT, share REAL NOT NULL, begin REAL NOT NULL,
  end REAL NOT NULL, idle REAL NOT NULL, idle_since REAL, PRIMARY KEY (gpu, job, begin)) WITHOUT ROWID;
CREATE INDEX holding_end ON holding (end);
"""


def history_path(cluster: str, *, directory: Path | None = None) -> Path:
    """The file of a cluster, by the name of its context or its address."""
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", cluster).strip("-.")[:40] or "cluster"
    digest = hashlib.sha256(cluster.encode("utf-8", "backslashreplace")).hexdigest()[:8]
    return (directory or settings.state_directory() / "history") / f"{readable}-{digest}.db"


class HistoryStore:
    """One cluster's file. `notice` is a sentence where an unusable file was set aside.

    Every method raises UsageError where the disk is full or the file cannot be used.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, notice: str = "") -> None:
        self.path = path
        self.notice = notice
        self._db = connection
        self._layouts: dict[int, tuple[str, ...]] = {}

    @classmethod
    def open(cls, path: Path, *, now: float) -> Self:
        """Open or make the file. One that is damaged, of another version or of another time is set aside, not lost."""
        notice = ""
        if path.exists() and (reason := _unusable(path, now)):
            aside = path.with_suffix(".aside.db")
            try:
                path.replace(aside)
            except OSError as error:
                raise UsageError(f"Cannot set {path} aside.", detail=str(error)) from error
            notice = f"The history {path} {reason}. It is kept as {aside.name}; a new one begins."
        with _failures(path):
            settings.private_directory(path.parent)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            connection = _connect(path)
            if not connection.execute("PRAGMA user_version").fetchone()[0]:
                marks = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
                connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {marks} COMMIT;")
        return cls(path, connection, notice)

    @classmethod
    def in_memory(cls) -> Self:
        """A store that is gone when it is closed, for a cluster whose past is not kept."""
        path = Path(":memory:")
        with _failures(path):
            connection = _connect(path)
            connection.executescript(_SCHEMA)
        return cls(path, connection)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, samples: Sequence[tuple[float, Values]], holdings: Iterable[Holding], *, now: float) -> None:
        """Add samples (seconds since the epoch, values) and holdings, and forget what is too old, all or nothing."""
        with _failures(self.path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._append_samples(samples)
            self._db.executemany(
                "INSERT OR REPLACE INTO holding VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (one.gpu, one.job, one.owner, one.share, one.begin, one.end, one.idle, one.idle_since)
                    for one in holdings
                ],
            )
            self._forget(now)

    def _append_samples(self, samples: Sequence[tuple[float, Values]]) -> None:
        if not samples:
            return
        factor = coarseness(max(len(values) for _, values in samples))
        slots: dict[int, list[Values]] = {}
        for at, values in samples:
            slots.setdefault(_slot(at, TIERS[0].step * factor), []).append(values)
        for slot, given in slots.items():
            self._put(0, slot, _mean([*given, *self._at(0, slot)]))
        below = sorted(slots)
        for index, tier in enumerate(TIERS[1:], 1):
            step = tier.step * factor
            coarse = sorted({_slot(slot, step) for slot in below})
            for slot in coarse:
                self._put(index, slot, _mean([values for _, values in self._rows(index - 1, slot, slot + step)]))
            below = coarse

    def _at(self, tier: int, slot: int) -> list[Values]:
        """What the row says already, where another process or an earlier call wrote it."""
        return [values for _, values in self._rows(tier, slot, slot + 1)]

    def _put(self, tier: int, slot: int, values: Values) -> None:
        names = tuple(values)
        data = struct.pack(f"<{len(names)}e", *(_half(value) for value in values.values()))
        layout = self._layout(names)
        self._db.execute("INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?)", (tier, slot, layout, data))

    def _layout(self, names: tuple[str, ...]) -> int:
        packed = msgspec.json.encode(names)
        digest = hashlib.sha256(packed).digest()
        self._db.execute("INSERT OR IGNORE INTO layout (digest, names) VALUES (?, ?)", (digest, zlib.compress(packed)))
        found: int = self._db.execute("SELECT id FROM layout WHERE digest = ?", (digest,)).fetchone()[0]
        self._layouts[found] = names
        return found

    def _names(self, layout: int) -> tuple[str, ...]:
        if layout not in self._layouts:
            row = self._db.execute("SELECT names FROM layout WHERE id = ?", (layout,)).fetchone()
            self._layouts[layout] = tuple(msgspec.json.decode(zlib.decompress(row[0]), type=list[str])) if row else ()
        return self._layouts[layout]

    def _rows(self, tier: int, since: float, until: float) -> Iterator[tuple[int, Values]]:
        query = "SELECT slot, layout, data FROM sample WHERE tier = ? AND slot >= ? AND slot < ? ORDER BY slot"
        for slot, layout, data in self._db.execute(query, (tier, since, until)).fetchall():
            names = self._names(layout)
            values = struct.unpack(f"<{len(data) // 2}e", data)
            yield slot, {name: value for name, value in zip(names, values, strict=True) if not math.isnan(value)}

    def _forget(self, now: float) -> None:
        for index, tier in enumerate(TIERS):
            self._db.execute("DELETE FROM sample WHERE tier = ? AND slot < ?", (index, now - tier.span))
        self._db.execute("DELETE FROM holding WHERE end < ?", (now - TIERS[-1].span,))
        self._db.execute("DELETE FROM layout WHERE id NOT IN (SELECT DISTINCT layout FROM sample)")

    def series(self, names: Sequence[str], *, since: float, until: float) -> dict[str, list[Point]]:
        """The points of each series, oldest first, the finest that are there; a name without any has an empty list.

        `since` and `until` are seconds since the epoch. A point whose series was unknown then has the value None, so
        that a gap differs from a short step.
        """
        found: dict[str, list[Point]] = {name: [] for name in names}
        end = until
        with _failures(self.path):
            for index, tier in enumerate(TIERS):
                # A row that reaches into the finer ones is made of them.
                rows = [
                    (slot, values)
                    for slot, values in self._rows(index, since, end)
                    if index == 0 or slot + tier.step * coarseness(len(values)) <= end
                ]
                for name, points in found.items():
                    points[:0] = [Point(slot, values.get(name)) for slot, values in rows]
                end = min(end, rows[0][0]) if rows else end
        known = {name for name, points in found.items() if any(point.value is not None for point in points)}
        return {name: points if name in known else [] for name, points in found.items()}

    def names(self, *, since: float) -> set[str]:
        """Names of the series that have points since then."""
        with _failures(self.path):
            query = "SELECT DISTINCT layout FROM sample WHERE slot >= ?"
            return {name for (layout,) in self._db.execute(query, (since,)).fetchall() for name in self._names(layout)}

    def begin(self) -> float | None:
        """When the history begins, in seconds since the epoch; None while it is empty."""
        with _failures(self.path):
            found: float | None = self._db.execute("SELECT min(slot) FROM sample").fetchone()[0]
            return found

    def holdings(self, *, since: float, jobs: Sequence[str] | None = None) -> list[Holding]:
        """Holdings that ended after `since`, oldest first: all, or those of some jobs."""
        query = "SELECT gpu, job, owner, share, begin, end, idle, idle_since FROM holding WHERE end >= ?"
        if jobs is not None:
            query += " AND job IN (SELECT value FROM json_each(?))"
        values = (since,) if jobs is None else (since, msgspec.json.encode(jobs).decode())
        names = Holding.__struct_fields__
        with _failures(self.path):
            rows = self._db.execute(f"{query} ORDER BY begin", values).fetchall()
        return [Holding(**dict(zip(names, row, strict=True))) for row in rows]


def coarseness(series: int) -> int:
    """How many times longer than usual the steps of a cluster with so many series are."""
    return max(1, math.ceil(2 * series * ROWS / LARGEST_BYTES))


class Lock(Protocol):
    """What decides whether this process writes."""

    def acquire(self) -> bool:
        """Whether this process writes. Raises UsageError."""

    def release(self) -> None:
        """Let another process write."""


class NoLock:
    """The lock of a store that no other process uses."""

    def acquire(self) -> bool:
        """Always."""
        return True

    def release(self) -> None:
        """Nothing is held."""


class WriteLock:
    """Which of several processes writes a cluster's history; the lock dies with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_suffix(".lock")
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Whether this process writes; another may have stopped in the meantime. Raises UsageError."""
        if self._descriptor is not None:
            return True
        settings.private_directory(self._path.parent)
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UsageError(f"Cannot open {self._path}.", detail=str(error)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # held by another process, or a file system without locks: do not write there
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let another process write."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _unusable(path: Path, now: float) -> str:
    """What is wrong with an existing file; empty where it can be used."""
    try:
        with closing(_connect(path)) as connection:
            version, application = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")
            )
            if not version and not application and not path.stat().st_size:
                return ""
            if application != APPLICATION_ID:
                return "is not a history"
            if version != VERSION:
                return f"has version {version}; this program writes version {VERSION}"
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                return "is damaged"
            newest = connection.execute("SELECT max(slot) FROM sample").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return ""
        return f"cannot be read ({error})"
    except sqlite3.DatabaseError:
        return "is damaged"
    if newest is not None and newest > now + CLOCK_SLACK_SECONDS:
        return "is of a later time than the clock shows"
    return ""


@contextlib.contextmanager
def _failures(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise UsageError(f"Cannot use the history {path}.", detail=str(error)) from error


def _slot(at: float, step: int) -> int:
    return int(at // step) * step


def _mean(rows: Sequence[Values]) -> Values:
    """The mean of the known values of each series."""
    if len(rows) == 1:
        return rows[0]
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for values in rows:
        for name, value in values.items():
            sums[name] = sums.get(name, 0.0) + value
            counts[name] = counts.get(name, 0) + 1
    return {name: total / counts[name] for name, total in sums.items()}


def _half(value: float) -> float:
    """The nearest that a 16-bit float can hold."""
    return max(-65504.0, min(65504.0, value))
