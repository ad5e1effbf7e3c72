"""The hub: failures, clusters that one has left, restarted heads, and what all of it costs."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cockpit.clients import meter
from cockpit.errors import AuthenticationError, JobLostError, NotFoundError, RejectedError
from cockpit.feeds.hub import Hub
from cockpit.feeds.topics import JOBS, VERSION, Topic, Visit, job_topic
from cockpit.model.cluster import Rows
from cockpit.model.job_list import JobList, after_restart
from cockpit.model.jobs import Job
from cockpit.model.snapshot import Snapshot, State
from tests.hub_bench import AWAY, JOBS_PATH, VERSION_PATH, Bench, Heard, count_topic, opened_bench, unheard
from tests.scripted import turns


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench() as bench:
        yield bench


# Failures


async def test_a_refused_token_is_not_tried_again_until_asked_to(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    bench.transport.answers[JOBS_PATH] = AuthenticationError("requires a token", status=401)
    watch = bench.hub.watch(JOBS, heard)
    await bench.elapse(600.0)
    watch.pause()
    watch.resume()
    bench.hub.watch(JOBS, unheard)
    await bench.elapse(600.0)
    assert bench.moments[JOBS_PATH] == [0.0]
    assert isinstance(heard.last.error, AuthenticationError)
    bench.transport.answers[JOBS_PATH] = []
    bench.hub.kick(JOBS)
    await bench.elapse(4.0)
    assert bench.moments[JOBS_PATH] == [0.0, 1200.0, 1204.0]
    assert watch.snapshot.state(bench.clock.now()) is State.FRESH


async def test_what_this_ray_does_not_have_is_asked_for_again_on_a_key_and_of_another_head(bench: Bench) -> None:
    bench.transport.answers["/count"] = RejectedError("Ray 2.40.0 has no count.", fault="unsupported")
    topic = count_topic()
    bench.hub.watch(topic, unheard)
    bench.hub.watch(VERSION, unheard)
    await bench.elapse(599.0)
    assert bench.moments["/count"] == [0.0]
    bench.hub.kick(topic)
    await bench.elapse()
    bench.restart()
    await bench.elapse(15.0)
    assert bench.moments["/count"] == [0.0, 599.0, 600.0]


async def test_a_bug_in_a_fetch_surfaces_and_leaves_the_other_topics_alone(bench: Bench) -> None:
    async def broken(_: Visit[int]) -> int:
        raise ZeroDivisionError("a bug")

    heard: Heard[JobList] = Heard()
    bench.hub.watch(Topic(name="broken", fetch=broken, interval=1.0), unheard)
    bench.hub.watch(JOBS, heard)
    await bench.elapse(8.0)
    assert [str(crash) for crash in bench.crashes] == ["a bug"]
    assert bench.transport.count(JOBS_PATH) == 3
    bench.crashes.clear()


async def test_a_bug_in_a_callback_surfaces_and_the_other_watchers_still_hear(bench: Bench) -> None:
    def broken(snapshot: Snapshot[JobList]) -> None:
        if snapshot.taken is not None:
            raise ZeroDivisionError("a bug")

    before: Heard[JobList] = Heard()
    after: Heard[JobList] = Heard()
    for callback in (before, broken, after):
        bench.hub.watch(JOBS, callback)
    await bench.elapse(4.0)
    assert [str(crash) for crash in bench.crashes] == ["a bug"]
    assert len(before) == len(after) == 2
    assert bench.moments[JOBS_PATH] == [0.0, 4.0]
    bench.crashes.clear()


# A cluster that one has left


async def test_after_close_nothing_is_asked_and_nobody_is_called(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    watch = bench.hub.watch(JOBS, heard)
    bench.transport.hold(JOBS_PATH)
    await bench.transport.arrived(JOBS_PATH, 1)
    heard.clear()
    await bench.hub.close()
    bench.transport.release(JOBS_PATH)
    watch.resume()
    bench.hub.kick()
    bench.clock.advance(600.0)
    await turns()
    assert heard == []
    assert bench.transport.count(JOBS_PATH) == 1
    with pytest.raises(RuntimeError, match="closed"):
        bench.hub.watch(JOBS, heard)


async def test_an_answer_that_cannot_be_called_back_is_dropped_when_it_comes(bench: Bench) -> None:
    arrived = asyncio.Event()
    finished: list[int] = []

    async def stubborn(_: Visit[int]) -> int:
        try:
            arrived.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            finished.append(1)
        return 7

    heard: Heard[int] = Heard()
    bench.hub.watch(Topic(name="stubborn", fetch=stubborn, interval=1.0), heard)
    await arrived.wait()
    heard.clear()
    await bench.hub.close()
    assert finished == [1]
    assert heard == []


async def test_every_hub_has_another_generation_and_its_snapshots_carry_it(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    bench.hub.watch(JOBS, heard)
    await bench.elapse()
    other = Hub(bench.transport.client, on_crash=bench.crashes.append, clock=bench.clock)
    assert {snapshot.generation for snapshot in heard} == {bench.hub.generation}
    assert other.snapshot(JOBS).generation == other.generation != bench.hub.generation
    await other.close()


# A head that was restarted


async def watched_jobs(bench: Bench, *ids: str) -> Heard[JobList]:
    heard: Heard[JobList] = Heard()
    bench.jobs(*ids, status="RUNNING")
    bench.hub.watch(JOBS, heard)
    await bench.elapse()
    return heard


def shown(heard: Heard[JobList]) -> tuple[list[str | None], list[str | None]]:
    value = heard.last.value
    assert value is not None
    return [job.id for job in value.rows], [job.id for job in value.previous]


async def test_what_the_old_head_knew_stays_as_previous(bench: Bench) -> None:
    heard = await watched_jobs(bench, "a", "b")
    assert heard.last.session == "session_a"
    bench.restart()
    bench.jobs("c")
    await bench.elapse(4.0)
    assert shown(heard) == (["c"], ["a", "b"])
    assert heard.last.session == "session_b"
    await bench.elapse(60.0)
    assert shown(heard) == (["c"], ["a", "b"])


async def test_no_list_without_the_lost_jobs_is_ever_shown(bench: Bench) -> None:
    heard = await watched_jobs(bench, "a", "b")
    bench.restart()
    bench.jobs()
    bench.transport.hold(VERSION_PATH)
    bench.clock.advance(4.0)
    await bench.transport.arrived(VERSION_PATH, 2)
    assert shown(heard) == (["a", "b"], [])
    bench.transport.release(VERSION_PATH)
    await bench.elapse()
    assert [len(known.rows) + len(known.previous) for known in (s.value for s in heard) if known] == [2, 2]


async def test_while_it_is_not_known_whether_the_head_is_another_the_old_list_stays(bench: Bench) -> None:
    heard = await watched_jobs(bench, "a")
    bench.jobs()
    bench.transport.answers[VERSION_PATH] = AWAY
    await bench.elapse(4.0)
    assert shown(heard) == (["a"], [])
    assert heard.last.error is AWAY
    bench.restart()
    await bench.elapse(1.0)
    assert shown(heard) == ([], ["a"])


async def test_a_list_is_good_without_the_session_that_it_is_from(bench: Bench) -> None:
    bench.transport.answers[VERSION_PATH] = AWAY
    heard = await watched_jobs(bench, "a")
    assert shown(heard) == (["a"], [])
    assert (heard.last.error, heard.last.session) == (None, None)


def test_of_previous_jobs_the_newest_thousand_are_kept() -> None:
    known = JobList(rows=tuple(Job(submission_id=f"j{number}") for number in range(1500)))
    kept = after_restart(known, Rows(rows=(Job(submission_id="new"),))).previous
    assert [job.id for job in kept] == [f"j{number}" for number in range(1000)]


async def test_a_deleted_job_is_gone(bench: Bench) -> None:
    heard = await watched_jobs(bench, "a", "b")
    bench.jobs("b", status="RUNNING")
    await bench.elapse(4.0)
    assert shown(heard) == (["b"], [])


async def test_a_job_that_was_submitted_again_is_not_shown_twice(bench: Bench) -> None:
    heard = await watched_jobs(bench, "a", "b")
    bench.restart()
    bench.jobs()
    await bench.elapse(4.0)
    bench.jobs("a", status="PENDING")
    await bench.elapse(4.0)
    assert shown(heard) == (["a"], ["b"])


async def test_a_second_restart_keeps_both_sessions(bench: Bench) -> None:
    heard = await watched_jobs(bench, "a")
    for session, job in (("session_b", "b"), ("session_c", "c")):
        bench.restart(session)
        bench.jobs(job)
        await bench.elapse(4.0)
    assert shown(heard) == (["c"], ["b", "a"])


async def test_a_list_that_nobody_watched_during_the_restart_knows_it_afterwards(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    bench.jobs("a")
    bench.hub.watch(VERSION, unheard)
    watch = bench.hub.watch(JOBS, heard)
    await bench.elapse()
    watch.pause()
    bench.restart()
    bench.jobs()
    await bench.elapse(60.0)
    watch.resume()
    await bench.elapse()
    assert shown(heard) == ([], ["a"])


async def test_the_version_alone_makes_everything_be_asked_again(bench: Bench) -> None:
    bench.hub.watch(VERSION, unheard)
    bench.hub.watch(JOBS, unheard, interval=60.0)
    await bench.elapse(10.0)
    bench.restart()
    await bench.elapse(10.0)
    assert bench.hub.session == "session_b"
    assert bench.moments[JOBS_PATH] == [0.0, 15.0]


async def test_a_watched_job_that_the_head_forgot_is_lost_and_not_merely_unknown(bench: Bench) -> None:
    heard: Heard[Job] = Heard()
    path = "/api/jobs/j1"
    bench.transport.answers[path] = {"submission_id": "j1", "status": "RUNNING"}
    bench.hub.watch(VERSION, unheard)
    watch = bench.hub.watch(job_topic("j1"), heard)
    await bench.elapse(2.0)
    assert watch.snapshot.session == "session_a"
    bench.restart()
    bench.transport.answers[path] = NotFoundError("Job j1 does not exist.")
    await bench.elapse(2.0)
    assert isinstance(heard.last.error, JobLostError)
    assert heard.last.value is not None
    assert heard.last.value.status == "RUNNING"


async def test_a_watched_job_that_was_deleted_is_not_found(bench: Bench) -> None:
    heard: Heard[Job] = Heard()
    path = "/api/jobs/j1"
    bench.transport.answers[path] = {"submission_id": "j1", "status": "RUNNING"}
    bench.hub.watch(VERSION, unheard)
    bench.hub.watch(job_topic("j1"), heard)
    await bench.elapse(2.0)
    bench.transport.answers[path] = NotFoundError("Job j1 does not exist.")
    await bench.elapse(2.0)
    assert type(heard.last.error) is NotFoundError


async def test_the_version_is_asked_for_once_however_many_want_to_know(bench: Bench) -> None:
    bench.transport.hold(VERSION_PATH)
    bench.hub.watch(VERSION, unheard)
    bench.hub.watch(JOBS, unheard)
    await bench.transport.arrived(VERSION_PATH, 1)
    await turns()
    bench.transport.release(VERSION_PATH)
    await bench.elapse()
    assert bench.transport.count(VERSION_PATH) == 1


# What it costs


async def test_requests_and_bytes_are_counted_failures_too(bench: Bench) -> None:
    bench.transport.answers["/count"] = b"123456"
    bench.hub.watch(count_topic("/count"), unheard)
    await bench.elapse(5.0)
    bench.transport.answers["/count"] = AWAY
    await bench.elapse(5.0)
    assert (bench.hub.cost.requests, bench.hub.cost.bytes) == (3, 12)


async def test_what_others_ask_for_is_not_counted(bench: Bench) -> None:
    await bench.transport.client.version()
    assert bench.hub.cost.requests == 0
    with meter.metered() as own:
        await bench.transport.client.version()
    assert own.requests == 1
    assert own.bytes > 0
