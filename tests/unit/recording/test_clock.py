"""The clock of a recording, and the hub on top of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cockpit.errors import (
    UnreachableError,
)
from cockpit.feeds.clock import ManualClock
from cockpit.feeds.hub import Hub
from cockpit.feeds.recording import ReplayClock, still
from cockpit.feeds.topics import JOBS, job_topic
from cockpit.model.job_list import JobList
from cockpit.model.snapshot import Moment, Snapshot, State
from tests.scripted import turns
from tests.unit.recording.session import JOBS_PATH, WALL, Session


def test_the_clock_of_a_recording_begins_when_it_was_recorded_and_runs_as_fast_as_told() -> None:
    ours = ManualClock(5.0, steady=70.0)
    clock = ReplayClock(WALL, speed=2.0, clock=ours)
    assert clock.now() == Moment(WALL, 0.0)
    called: list[float] = []
    clock.call_later(10.0, lambda: called.append(ours.now().steady))
    ours.advance(4.0)
    assert clock.now() == Moment(WALL + 8.0, 8.0)
    assert called == []
    ours.advance(1.0)
    assert called == [75.0]


async def test_one_can_sleep_by_that_clock() -> None:
    ours = ManualClock()
    sleeping = asyncio.ensure_future(ReplayClock(WALL, speed=4.0, clock=ours).sleep(8.0))
    await turns()
    ours.advance(1.9)
    await turns()
    assert not sleeping.done()
    ours.advance(0.1)
    await sleeping


async def replayed_hub(path: Path) -> AsyncIterator[tuple[Hub, ManualClock]]:
    played, clock = still(path, at=0.0)
    crashes: list[BaseException] = []
    hub = Hub(played.client, on_crash=crashes.append, clock=clock, chance=lambda: 0.0)
    yield hub, clock
    await hub.close()
    assert crashes == []


async def test_a_hub_shows_an_outage_and_its_end_as_they_were(session: Session) -> None:
    await session.client.version()
    await session.jobs(0.0, "a")
    session.transport.answers[JOBS_PATH] = UnreachableError("No cluster answers.")
    session.at(8.0)
    with pytest.raises(UnreachableError):
        await session.client.jobs.list()
    await session.jobs(40.0, "a", "b")
    session.recorder.close()
    states: list[tuple[float, State]] = []
    async for hub, clock in replayed_hub(session.path):

        def note(snapshot: Snapshot[JobList], clock: ManualClock = clock) -> None:
            states.append((clock.now().steady, snapshot.state(clock.now())))

        hub.watch(JOBS, note)
        await clock.run(80.0, hub.settled)
        last = hub.snapshot(JOBS)
    assert [state for _, state in states] == [State.LOADING, State.FRESH, State.STALE, State.FRESH]
    assert [at for at, _ in states][:3] == [0.0, 0.0, 8.0]
    assert last.value is not None
    assert [job.id for job in last.value.rows] == ["a", "b"]
    assert last.taken_at is not None
    assert WALL + 40.0 <= last.taken_at <= WALL + 80.0


async def test_a_hub_can_watch_a_job_that_was_only_listed(session: Session) -> None:
    await session.client.version()
    await session.jobs(0.0, "a", status="RUNNING")
    session.recorder.close()
    async for hub, clock in replayed_hub(session.path):
        hub.watch(job_topic("a"), lambda _: None)
        await clock.run(0.0, hub.settled)
        snapshot = hub.snapshot(job_topic("a"))
        assert snapshot.state(clock.now()) is State.FRESH
        assert hub.cost.requests == 1
