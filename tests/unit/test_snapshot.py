"""Snapshots: which state they are in, and from when on their age is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UnreachableError
from cockpit.model.snapshot import Moment, Snapshot, State, overdue_after

START = Moment(1_795_000_000.0, 100.0)
AWAY = UnreachableError("No cluster answers.")


def later(seconds: float, *, wall: float | None = None) -> Moment:
    return Moment(START.wall + (seconds if wall is None else wall), START.steady + seconds)


@pytest.mark.parametrize(
    ("interval", "limit"),
    [(1.0, 3.0), (4.0, 12.0), (5.0, 15.0), (10.0, 30.0), (15.0, 35.0), (30.0, 50.0), (60.0, 80.0)],
)
def test_data_is_old_after_three_intervals_or_20_s_beyond_the_due_poll(interval: float, limit: float) -> None:
    assert overdue_after(interval) == limit


@given(st.floats(0.1, 600.0))
def test_data_is_never_old_before_its_poll_was_due(interval: float) -> None:
    assert interval < overdue_after(interval) <= interval + 20.0


def test_nothing_yet_is_loading() -> None:
    assert Snapshot[int]().state(START) is State.LOADING
    assert Snapshot[int]().age(START) is None


def test_an_error_without_any_value_is_failed() -> None:
    assert Snapshot[int](error=AWAY).state(START) is State.FAILED


def test_a_value_is_fresh_until_it_is_old() -> None:
    snapshot = Snapshot(value=1, taken=START, interval=5.0)
    assert snapshot.state(later(15.0)) is State.FRESH
    assert snapshot.shown_age(later(15.0)) is None
    assert snapshot.state(later(15.5)) is State.STALE
    assert snapshot.shown_age(later(15.5)) == 15.5


def test_a_value_that_could_not_be_renewed_is_stale_at_once_but_its_age_is_told_later() -> None:
    snapshot = Snapshot(value=1, taken=START, interval=5.0, error=AWAY)
    assert snapshot.state(later(1.0)) is State.STALE
    assert snapshot.shown_age(later(1.0)) is None
    assert snapshot.age(later(1.0)) == 1.0


def test_none_can_be_a_value() -> None:
    assert Snapshot[int | None](value=None, taken=START, interval=5.0).state(START) is State.FRESH


def test_a_wall_clock_that_is_set_back_does_not_make_data_young() -> None:
    snapshot = Snapshot(value=1, taken=START, interval=5.0)
    assert snapshot.age(later(48.0, wall=-3600.0)) == 48.0
    assert snapshot.state(later(48.0, wall=-3600.0)) is State.STALE


def test_a_machine_that_slept_knows_that_its_data_is_old() -> None:
    asleep = Moment(START.wall + 3600.0, START.steady + 1.0)
    assert Snapshot(value=1, taken=START, interval=5.0).age(asleep) == 3600.0


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_an_age_is_never_below_zero(wall: float, steady: float) -> None:
    assert Moment(START.wall + wall, START.steady + steady).since(START) >= 0.0


def test_the_next_try_is_counted_down_by_the_steady_clock() -> None:
    snapshot = Snapshot[int](due=104.0)
    assert snapshot.next_try_in(later(0.0, wall=-500.0)) == 4.0
    assert snapshot.next_try_in(later(9.0)) == 0.0
    assert Snapshot[int]().next_try_in(START) is None


def test_the_moment_it_was_taken_is_told_by_the_wall_clock() -> None:
    assert Snapshot(value=1, taken=START).taken_at == START.wall
    assert Snapshot[int]().taken_at is None
