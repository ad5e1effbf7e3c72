"""The header says how old its counts of jobs are."""

import pytest

from cockpit.model.job_list import JobList
from cockpit.model.jobs import Job
from cockpit.model.snapshot import Moment, Snapshot
from cockpit.panes.header import _job_counts
from cockpit.render.times import clock_time


@pytest.mark.parametrize(
    ("interval", "seconds", "is_marked"), [(5, 0, False), (5, 14, False), (5, 15, True), (60, 1, True), (60, 59, True)]
)
def test_counts_that_are_not_of_now_say_so(interval: float, seconds: float, is_marked: bool) -> None:
    jobs = JobList(rows=(Job(submission_id="a", status="RUNNING"),))
    snapshot = Snapshot(value=jobs, taken=Moment(wall=1000.0, steady=50.0), interval=interval)
    now = Moment(wall=1000.0 + seconds, steady=50.0 + seconds)
    shown = f"at {clock_time(1_000_000, now.wall)}"
    pieces = _job_counts(snapshot, now)
    assert [piece.text for piece in pieces if piece.text] == ["1 running", *([shown] if is_marked else [])]


def test_what_has_never_come_has_no_age() -> None:
    assert _job_counts(None, Moment(wall=1.0, steady=1.0)) == []
