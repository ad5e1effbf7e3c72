"""The header says how old its counts of jobs are."""

import pytest

from cockpit.model.job_list import JobList
from cockpit.model.jobs import Job
from cockpit.model.snapshot import Moment, Snapshot
from cockpit.panes.header import _job_counts


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, ""), (14, ""), (15, "15s ago"), (29.9, "15s ago"), (31, "30s ago"), (61, "1m ago")]
)
def test_counts_that_are_not_of_now_say_so(seconds: float, shown: str) -> None:
    jobs = JobList(rows=(Job(submission_id="a", status="RUNNING"),))
    snapshot = Snapshot(value=jobs, taken=Moment(wall=1000.0, steady=50.0), interval=60.0)
    pieces = _job_counts(snapshot, Moment(wall=1000.0 + seconds, steady=50.0 + seconds))
    assert [piece.text for piece in pieces if piece.text] == ["1 running", *([shown] if shown else [])]


def test_what_has_never_come_has_no_age() -> None:
    assert _job_counts(None, Moment(wall=1.0, steady=1.0)) == []
