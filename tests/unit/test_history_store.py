"""The history on disk: rings, gaps, damage, two processes, kills."""

import itertools
import multiprocessing
import os
import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.feeds.history_store import (
    LARGEST_BYTES,
    ROWS,
    TIERS,
    HistoryStore,
    WriteLock,
    coarseness,
    history_path,
)
from cockpit.model.past import Holding

NOON = 1_795_000_000 // 600 * 600


def values_of(
    store: HistoryStore, name: str, *, since: float = 0, until: float = NOON * 2
) -> list[tuple[int, float | None]]:
    """The points of a series as pairs."""
    return [(point.at, point.value) for point in store.series([name], since=since, until=until)[name]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return history_path("lab", directory=tmp_path / "state")


def test_each_tier_is_the_mean_of_the_one_below(path: Path) -> None:
    with HistoryStore.open(path, now=NOON) as store:
        for minute in range(0, 1200, 60):
            store.append(
                [(NOON + at, {"x": at, "y": 1.0}) for at in range(minute, minute + 60, 5)], [], now=NOON + minute
            )
        assert values_of(store, "x", since=NOON, until=NOON + 20) == [(NOON, 2.5), (NOON + 10, 12.5)]
        rows = dict(store._rows(2, 0, NOON * 2))
        assert rows == {NOON: {"x": 297.5, "y": 1.0}, NOON + 600: {"x": pytest.approx(897.5, abs=0.3), "y": 1.0}}


def test_old_points_are_coarse_and_older_ones_are_gone(path: Path) -> None:
    with HistoryStore.open(path, now=NOON) as store:
        for hour in range(0, 3 * 86_400, 3600):
            store.append([(NOON + at, {"x": 7.0}) for at in range(hour, hour + 3600, 60)], [], now=NOON + hour + 3600)
        end = NOON + 3 * 86_400
        found = values_of(store, "x", until=end)
        assert found[0][0] == NOON
        steps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(found)]
        assert (steps[0], steps[-1]) == (600, 60)
        assert max(steps) < 1200
        assert all(value == 7.0 for _, value in found)
        store.append([], [], now=end + TIERS[-1].span)
        assert values_of(store, "x", until=end) == []
        assert store.names(since=0) == set()


def test_gaps_and_unknown_values_are_not_filled(path: Path) -> None:
    with HistoryStore.open(path, now=NOON) as store:
        store.append(
            [(NOON, {"x": 1.0, "y": 1.0}), (NOON + 10, {"y": 2.0}), (NOON + 300, {"x": 3.0})], [], now=NOON + 300
        )
        assert values_of(store, "x") == [(NOON, 1.0), (NOON + 10, None), (NOON + 300, 3.0)]
        assert values_of(store, "absent") == []


def test_series_come_and_go(path: Path) -> None:
    with HistoryStore.open(path, now=NOON) as store:
        store.append([(NOON, {"a": 1.0}), (NOON + 10, {"a": 2.0, "b": 3.0})], [], now=NOON)
        assert store.names(since=0) == {"a", "b"}
        assert values_of(store, "b") == [(NOON, None), (NOON + 10, 3.0)]
    with HistoryStore.open(path, now=NOON) as store:
        assert values_of(store, "a") == [(NOON, 1.0), (NOON + 10, 2.0)]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 7200), st.floats(0, 100)), max_size=30))
def test_a_series_never_shows_what_was_not_measured(
    tmp_path_factory: pytest.TempPathFactory, given_: list[tuple[int, float]]
) -> None:
    path = tmp_path_factory.mktemp("h") / "x.db"
    with HistoryStore.open(path, now=NOON) as store:
        half = len(given_) // 2
        for part in (given_[:half], given_[half:]):
            store.append([(NOON + at, {"x": value}) for at, value in part], [], now=NOON + 7200)
        points = values_of(store, "x")
    assert [at for at, _ in points] == sorted({at for at, _ in points})
    low, high = min((v for _, v in given_), default=0), max((v for _, v in given_), default=0)
    assert all(value is not None and low - 0.1 <= value <= high + 0.1 for _, value in points)


def test_a_hundred_gpus_take_less_than_5_mb(path: Path) -> None:
    names = [f"gpu/worker-{n // 8}:{n % 8}/{what}" for n in range(100) for what in ("use", "memory", "power")]
    names += [f"node/worker-{n}/{what}" for n in range(13) for what in ("cpu", "memory", "network")]
    chance = random.Random(1)
    with HistoryStore.open(path, now=NOON) as store:
        full = [(NOON - at, {name: chance.uniform(0, 100) for name in names}) for at in range(0, 3600, 10)]
        store.append(full, [], now=NOON)
        for tier in (1, 2):  # rows as old as they may get, without the hours of writing
            row = store._db.execute("SELECT layout, data FROM sample WHERE tier = 0 LIMIT 1").fetchone()
            step = TIERS[tier].step
            slots = range(NOON - TIERS[tier].span + step, NOON - 3600, step)
            store._db.execute("BEGIN")
            store._db.executemany(
                "INSERT OR IGNORE INTO sample VALUES (?, ?, ?, ?)", [(tier, slot, *row) for slot in slots]
            )
            store._db.execute("COMMIT")
    assert path.stat().st_size < 5e6


def test_large_clusters_are_sampled_less_often() -> None:
    assert coarseness(363) == 1
    for series in (5_000, 27_000, 100_000):
        assert 2 * series * ROWS / coarseness(series) <= LARGEST_BYTES


def test_the_file_is_private(path: Path) -> None:
    HistoryStore.open(path, now=NOON).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribbled(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)


def of_another_version(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")


def of_the_future(path: Path) -> None:
    with HistoryStore.open(path, now=NOON * 2) as store:
        store.append([(NOON + 10**8, {"x": 1.0})], [], now=NOON)


@pytest.mark.parametrize("harm", [damaged, scribbled, of_another_version, of_the_future])
def test_an_unusable_file_is_kept_aside_and_said(path: Path, harm: object) -> None:
    with HistoryStore.open(path, now=NOON) as store:
        store.append([(NOON, {f"x{n}": 1.0 for n in range(3000)})], [], now=NOON)
    harm(path)  # type: ignore[operator]
    with HistoryStore.open(path, now=NOON) as store:
        assert "a new one begins" in store.notice
        assert values_of(store, "x1") == []
        store.append([(NOON, {"x": 1.0})], [], now=NOON)
    assert path.with_suffix(".aside.db").exists()
    with HistoryStore.open(path, now=NOON) as store:
        assert store.notice == ""


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(UsageError):
        HistoryStore.open(history_path("lab", directory=tmp_path / "state"), now=NOON)


def test_a_full_disk_loses_nothing_that_was_there(path: Path) -> None:
    with HistoryStore.open(path, now=NOON) as store:
        store.append([(NOON, {"x": 1.0})], [], now=NOON)
        store._db.execute(f"PRAGMA max_page_count = {store._db.execute('PRAGMA page_count').fetchone()[0]}")
        with pytest.raises(UsageError, match="Cannot use the history"):
            store.append([(NOON + n, {f"x{k}": 1.0 for k in range(9000)}) for n in range(60)], [], now=NOON)
        assert values_of(store, "x") == [(NOON, 1.0)]


def test_one_process_writes_and_another_takes_over(path: Path) -> None:
    first, second = WriteLock(path), WriteLock(path)
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def test_holdings_are_replaced_and_forgotten(path: Path) -> None:
    one = Holding(gpu="a:0", job="j", owner=None, share=1, begin=NOON, end=NOON + 60)
    longer = Holding(gpu="a:0", job="j", owner=None, share=1, begin=NOON, end=NOON + 120, idle=60, idle_since=NOON)
    with HistoryStore.open(path, now=NOON) as store:
        store.append([], [one], now=NOON)
        store.append([], [longer], now=NOON)
        assert store.holdings(since=NOON) == [longer]
        assert store.holdings(since=NOON + 121) == []
        store.append([], [], now=NOON + 121 + TIERS[-1].span)
        assert store.holdings(since=0) == []


def test_names_of_files_are_distinct_and_harmless(tmp_path: Path) -> None:
    names = ["lab", "Lab", "http://h:1", "http://h/1", "../../etc", "", "ä" * 300]
    paths = {history_path(name, directory=tmp_path) for name in names}
    assert len(paths) == len(names)
    assert all(path.parent == tmp_path and len(path.name) < 64 for path in paths)


def _write_for_ever(path: Path, ready: "multiprocessing.synchronize.Event") -> None:
    with HistoryStore.open(path, now=NOON) as store:
        at = int(store.begin() or NOON)
        newest = store._db.execute("SELECT max(slot) FROM sample WHERE tier = 0").fetchone()[0] or at
        while True:
            newest += 10
            store.append([(newest, {"x": 1.0, "y": 2.0})], [], now=newest)
            ready.set()


@pytest.mark.slow
def test_killed_a_hundred_times_it_loses_at_most_what_was_not_written(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    written = 0
    chance = random.Random(7)
    for _ in range(100):
        ready = context.Event()
        process = context.Process(target=_write_for_ever, args=(path, ready))
        process.start()
        assert ready.wait(30)
        time.sleep(chance.uniform(0, 0.02))  # the moment of the kill is the test's own chance
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        with HistoryStore.open(path, now=NOON * 2) as store:
            assert store.notice == ""
            rows = [slot for slot, _ in store._rows(2, 0, NOON * 2)]
            newest = store._db.execute("SELECT max(slot) FROM sample WHERE tier = 0").fetchone()[0]
            assert newest > written
            assert newest // 600 * 600 == rows[-1]
            written = newest
