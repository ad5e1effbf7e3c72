"""The journal: private, synced, without secrets, and readable after a kill anywhere."""

import os
import stat
import threading
from decimal import Decimal
from types import SimpleNamespace
from typing import cast

import pytest

from cockpit.cli.cockpit import tell_what_is_left
from cockpit.errors import UsageError
from cockpit.operations.clusters.sdl_access import SdlAccess
from cockpit.operations.deployments import journal as journals
from cockpit.operations.deployments import reaching
from cockpit.operations.deployments.flow import Step
from cockpit.operations.deployments.journal import Entry, Journal, attempt_of, attempts, provider_records, unfinished
from cockpit.operations.deployments.reaching import write_context


def _began(token: str = "abc", at: float = 1000.0) -> Journal:
    return Journal.begin(Entry(step="plan", at=at, token=token, name=f"lab {token}", file="/tmp/lab.yaml"))


def test_the_file_is_private() -> None:
    """As every other state file."""
    path = _began().path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_later_entries_keep_what_earlier_ones_said() -> None:
    """Where it stands is the newest value of each field."""
    journal = _began()
    journal.write(Entry(step="creating", at=1001.0, known_dseqs=("7",)))
    journal.write(Entry(step="created", at=1002.0, dseq="42"))
    journal.write(Entry(step="leasing", at=1003.0, providers=("akash1a",), uact_per_block=Decimal("1.5")))
    journal.write(Entry(step="leased", at=1004.0, height=500))
    (found,) = attempts()
    assert (found.step, found.dseq, found.title, found.last.known_dseqs) == ("leased", "42", "lab", ("7",))
    assert (found.leased_at, found.leased_height, found.last.uact_per_block) == (1004.0, 500, Decimal("1.5"))
    assert attempt_of("42") == found


@pytest.mark.parametrize(
    "step", ["creating", "created", "bidding", "leasing", "leased", "failed", "context", "closing"]
)
def test_whatever_may_cost_is_unfinished(step: journals.Step) -> None:
    """A plan costs nothing, and everything after it may."""
    journal = _began()
    assert unfinished() == []
    journal.write(Entry(step=step, at=1001.0))
    assert [one.step for one in unfinished()] == [step]
    journal.write(Entry(step="closed", at=1002.0))
    assert unfinished() == []


@pytest.mark.parametrize(("job", "last"), [(None, "context"), ("/job.yaml", "fetched")])
def test_what_was_finished_stays_finished(job: str | None, last: journals.Step) -> None:
    """An update or a connect goes the way to the cluster once more."""
    journal = Journal.begin(Entry(step="plan", at=1.0, token="abc", file="/lab.yaml", job_file=job))
    steps: tuple[journals.Step, ...] = ("created", "leased", "starting", "reachable")
    for step in steps:
        journal.write(Entry(step=step, at=2.0))
        assert journal.attempt.is_unfinished
    journal.write(Entry(step="context", at=3.0))
    journal.write(Entry(step=last, at=4.0))
    assert not journal.attempt.is_unfinished
    for step in ("reachable", "context"):
        journal.write(Entry(step=step, at=5.0))
    assert not journal.attempt.is_unfinished


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_line_that_a_kill_cut_off_is_ignored(cut: int) -> None:
    """What it would have announced was not done; the next entry begins on a line of its own."""
    journal = _began()
    journal.write(Entry(step="creating", at=1001.0, name="x" * 40))
    data = journal.path.read_bytes()
    journal.close()
    journal.path.write_bytes(data[: data.index(b"\n") + 1 + cut])
    assert [one.step for one in attempts()] == ["plan"]
    again = Journal.resume(journal.path)
    again.write(Entry(step="refused", at=1002.0))
    assert [one.step for one in attempts()] == ["refused"]


def test_a_file_of_something_else_is_not_overlooked() -> None:
    """It may be the only trace of a deployment that costs."""
    journal = _began()
    with journal.path.open("ab") as file:
        file.write(b'{"step": "never heard of"}\n')
    with pytest.raises(UsageError, match="cannot be read"):
        attempts()


def test_one_process_works_on_an_attempt() -> None:
    """A second one would send calls that the first one's journal does not know."""
    journal = _began()
    with pytest.raises(UsageError, match="Another"):
        Journal.resume(journal.path)
    journal.close()
    Journal.resume(journal.path).close()


def test_an_entry_is_synced_before_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that only a cache holds is lost with the machine."""
    journal = _began()
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(journal.path.read_bytes()))
    journal.write(Entry(step="creating", at=1001.0))
    assert b"creating" in synced[-1]


def test_what_cannot_be_written_stops_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that nothing was sent."""
    journal = _began()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(UsageError) as caught:
        journal.write(Entry(step="creating", at=1001.0))
    assert "Nothing was sent" in caught.value.hint


def test_our_own_record_with_a_provider() -> None:
    """Leases, those that were reached, and why others were not."""
    for number, (provider, reached) in enumerate([("akash1a", True), ("akash1a", False), ("akash1b", True)]):
        journal = _began(str(number), 1000.0 + number)
        journal.write(Entry(step="created", at=1.0, dseq=str(number)))
        journal.write(Entry(step="leasing", at=1.0, providers=(provider,)))
        journal.write(Entry(step="leased", at=1.0, height=1))
        if reached:
            journal.write(Entry(step="reachable", at=2.0, address="https://h:1"))
        else:
            journal.write(Entry(step="failed", at=2.0, providers=(provider,), reason="never reachable"))
        journal.write(Entry(step="closed", at=3.0))
        journal.close()
    records = provider_records()
    assert (records["akash1a"].words, records["akash1b"].words) == ("1 of 2 reached", "1 of 1 reached")
    assert [one.reason for one in records["akash1a"].failures] == ["never reachable"]


def test_a_deployment_whose_cluster_was_not_saved_is_unfinished(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is known already, so that a close takes away what may have been saved."""
    journal = _began("0", 1000.0)
    journal.write(Entry(step="created", at=1.0, dseq="1"))
    journal.write(Entry(step="leased", at=1.0, providers=("akash1a",), height=1))
    journal.write(Entry(step="reachable", at=2.0, address="https://h:1"))
    step = cast(Step, SimpleNamespace(journal=journal, say=print, write=journal.write, now=lambda: 3.0))

    def full(*_: object, **__: object) -> None:
        raise UsageError("The disk is full.")

    monkeypatch.setattr(reaching, "add_context", full)
    with pytest.raises(UsageError, match="disk is full"):
        write_context(step, "https://h:1", SdlAccess(scope="lab"), Decimal(1))
    journal.close()
    (attempt,) = attempts()
    assert attempt.is_unfinished
    assert attempt.last.context == "lab"


def test_a_lease_on_its_way_is_no_miss_yet() -> None:
    """The provider of an interrupted deployment is judged once its lease was reached or is over."""
    journal = _began("0", 1000.0)
    journal.write(Entry(step="created", at=1.0, dseq="1"))
    journal.write(Entry(step="leasing", at=1.0, providers=("akash1a",)))
    journal.write(Entry(step="leased", at=1.0, height=1))
    assert provider_records()["akash1a"].words == "–"
    journal.write(Entry(step="reachable", at=2.0, address="https://h:1"))
    assert provider_records()["akash1a"].words == "1 of 1 reached"
    journal.close()


def test_a_reader_never_waits_for_a_writer() -> None:
    """`deployments` lists while `deploy` works."""
    journal = _began()
    found: list[journals.Attempt] = []
    thread = threading.Thread(target=lambda: found.extend(attempts()))
    thread.start()
    thread.join(5)
    assert [one.path for one in found] == [journal.path]


def test_the_end_of_the_cockpit_tells_what_is_left_and_that_nobody_works_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A job on a rented cluster that is followed elsewhere goes on there."""
    journal = _began()
    journal.write(Entry(step="created", at=1.0, dseq="1790000000999"))
    tell_what_is_left()
    assert capsys.readouterr().err == ""
    journal.close()
    tell_what_is_left()
    assert "1790000000999 holds $0.50 and has no lease. Go on:" in capsys.readouterr().err
