"""The hub: what watchers are told, and how often the cluster is asked."""

import itertools
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from cockpit.errors import ServerError
from cockpit.feeds.topics import JOBS, VERSION, Topic, Visit
from cockpit.model.job_list import JobList
from cockpit.model.snapshot import State
from tests.hub_bench import AWAY, JOBS_PATH, WALL, Bench, Heard, count_topic, opened_bench, unheard
from tests.scripted import turns


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench() as bench:
        yield bench


# What is news


async def test_equal_values_are_silent_and_change_nothing_but_the_age(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    bench.jobs("a", "b", status="RUNNING")
    watch = bench.hub.watch(JOBS, heard)
    await bench.elapse()
    told = len(heard)
    value = heard.last.value
    await bench.elapse(40.0)
    assert bench.transport.count(JOBS_PATH) == 11
    assert len(heard) == told
    assert watch.snapshot.value is value
    assert watch.snapshot.taken_at == WALL + 40.0


async def test_learning_which_session_it_is_from_is_no_news(bench: Bench) -> None:
    heard: Heard[int] = Heard()
    bench.transport.answers["/count"] = 7
    watch = bench.hub.watch(count_topic(), heard)
    await bench.elapse()
    bench.hub.watch(VERSION, unheard)
    await bench.elapse(5.0)
    assert (heard.last.session, watch.snapshot.session) == (None, "session_a")
    assert len(heard) == 2


async def test_a_change_is_told_once(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    bench.jobs("a", status="RUNNING")
    bench.hub.watch(JOBS, heard)
    await bench.elapse()
    told = len(heard)
    bench.jobs("a", status="SUCCEEDED")
    await bench.elapse(12.0)
    assert len(heard) == told + 1
    assert [job.status for job in (heard.last.value or JobList()).rows] == ["SUCCEEDED"]


async def test_a_failure_keeps_the_value_and_its_end_is_told_though_the_value_is_equal(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    bench.jobs("a")
    watch = bench.hub.watch(JOBS, heard)
    await bench.elapse()
    jobs, bench.transport.answers[JOBS_PATH] = bench.transport.answers[JOBS_PATH], AWAY
    told = len(heard)
    await bench.elapse(10.0)
    assert len(heard) == told + 1, "the same failure is told once"
    assert heard.last.state(bench.clock.now()) is State.STALE
    assert heard.last.error is AWAY
    assert [job.id for job in (heard.last.value or JobList()).rows] == ["a"]
    bench.transport.answers[JOBS_PATH] = jobs
    await bench.elapse(30.0)
    assert len(heard) == told + 2
    assert watch.snapshot.error is None
    assert watch.snapshot.state(bench.clock.now()) is State.FRESH


async def test_another_failure_is_told(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    bench.transport.answers[JOBS_PATH] = AWAY
    bench.hub.watch(JOBS, heard)
    await bench.elapse()
    assert heard.last.state(bench.clock.now()) is State.FAILED
    bench.transport.answers[JOBS_PATH] = ServerError("Ray failed to answer: busy")
    await bench.elapse(1.0)
    assert [snapshot.error.title for snapshot in heard if snapshot.error] == [
        "No cluster answers.",
        "Ray failed to answer: busy",
    ]


async def test_data_that_grows_old_while_an_answer_hangs_is_told(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    bench.hub.watch(JOBS, heard)
    await bench.elapse()
    bench.transport.hold(JOBS_PATH)
    told = len(heard)
    bench.clock.advance(4.0)
    await bench.transport.arrived(JOBS_PATH, 2)
    bench.clock.advance(7.9)
    await turns()
    assert len(heard) == told
    bench.clock.advance(0.2)
    await turns()
    assert len(heard) == told + 1
    assert heard.last.state(bench.clock.now()) is State.STALE
    assert heard.last.error is None
    bench.transport.release(JOBS_PATH)
    await bench.elapse()
    assert len(heard) == told + 2, "the same value again, but it is fresh now"
    assert heard.last.state(bench.clock.now()) is State.FRESH


async def test_a_wall_clock_that_runs_backwards_changes_no_rate_and_hides_no_age(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    watch = bench.hub.watch(JOBS, heard)
    await bench.elapse(4.0)
    bench.clock.set_wall(WALL - 86_400.0)
    await bench.elapse(8.0)
    assert bench.moments[JOBS_PATH] == [0.0, 4.0, 8.0, 12.0]
    assert watch.snapshot.taken_at == WALL - 86_400.0 + 8.0
    bench.transport.answers[JOBS_PATH] = AWAY
    await bench.elapse(4.0)
    bench.clock.set_wall(WALL - 2 * 86_400.0)
    await bench.elapse(44.0)
    assert watch.snapshot.age(bench.clock.now()) == 48.0
    assert watch.snapshot.shown_age(bench.clock.now()) == 48.0


async def test_a_wall_clock_that_leaps_ahead_asks_at_the_next_turn_at_most(bench: Bench) -> None:
    watch = bench.hub.watch(JOBS, unheard)
    await bench.elapse(1.0)
    bench.clock.set_wall(WALL + 86_400.0)
    assert watch.snapshot.state(bench.clock.now()) is State.STALE
    await bench.elapse(3.0)
    assert watch.snapshot.state(bench.clock.now()) is State.FRESH


# How often


@pytest.mark.parametrize(
    ("first_byte", "interval", "gap"),
    [(0.001, None, 4.0), (0.216, None, 4.32), (0.985, None, 19.7), (5.0, None, 30.0), (0.985, 60.0, 60.0)],
)
async def test_the_next_poll_waits_20_times_what_the_first_byte_took(
    bench: Bench, first_byte: float, interval: float | None, gap: float
) -> None:
    watch = bench.hub.watch(VERSION, unheard)  # so that the jobs need no request of their own for it
    await bench.elapse()
    watch.close()
    bench.transport.first_byte_seconds = first_byte
    bench.hub.watch(JOBS, unheard, interval=interval)
    await bench.elapse(gap * 2)
    assert bench.moments[JOBS_PATH] == pytest.approx([0.0, gap, gap * 2])


async def test_a_kick_does_not_wait_for_that(bench: Bench) -> None:
    bench.transport.first_byte_seconds = 2.0
    bench.hub.watch(JOBS, unheard)
    await bench.elapse(1.0)
    bench.hub.kick(JOBS)
    await bench.elapse()
    assert bench.moments[JOBS_PATH] == [0.0, 1.0]


async def test_failures_are_spaced_further_and_further_and_a_success_ends_that(bench: Bench) -> None:
    bench.hub.watch(JOBS, unheard)
    await bench.elapse(4.0)
    bench.transport.answers[JOBS_PATH] = AWAY
    await bench.elapse(100.0)
    tries = bench.moments[JOBS_PATH][2:]
    assert [later - earlier for earlier, later in itertools.pairwise(tries)] == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    bench.transport.answers[JOBS_PATH] = []
    await bench.elapse(60.0)
    bench.transport.answers[JOBS_PATH] = AWAY
    begun = len(bench.moments[JOBS_PATH])
    await bench.elapse(8.0)
    tries = bench.moments[JOBS_PATH][begun:]
    assert [later - earlier for earlier, later in itertools.pairwise(tries)][:2] == [1.0, 2.0]


async def test_chance_shortens_the_delays_so_that_not_all_come_back_at_once(bench: Bench) -> None:
    bench.chance = 1.0
    bench.transport.answers[JOBS_PATH] = AWAY
    bench.hub.watch(JOBS, unheard)
    await bench.elapse(60.0)
    gaps = [later - earlier for earlier, later in itertools.pairwise(bench.moments[JOBS_PATH])]
    assert gaps[:6] == pytest.approx([0.7, 1.4, 2.8, 5.6, 11.2, 21.0])


async def test_a_snapshot_says_when_the_next_attempt_is_due(bench: Bench) -> None:
    watch = bench.hub.watch(JOBS, unheard)
    assert watch.snapshot.next_try_in(bench.clock.now()) is None
    await bench.elapse(1.0)
    assert watch.snapshot.next_try_in(bench.clock.now()) == 3.0
    watch.pause()
    assert watch.snapshot.next_try_in(bench.clock.now()) is None


async def test_when_the_first_answer_comes_after_an_outage_the_rest_is_asked_at_once(bench: Bench) -> None:
    for path in ("/a", "/b"):
        bench.transport.answers[path] = AWAY
    first, second = count_topic("/a"), count_topic("/b")
    bench.hub.watch(first, unheard)
    bench.hub.watch(second, unheard)
    await bench.elapse(20.0)
    bench.transport.answers |= {"/a": 1, "/b": 2}
    bench.hub.kick(first)
    await bench.elapse()
    assert bench.moments["/a"][-1] == bench.moments["/b"][-1] == 20.0


async def test_an_endpoint_that_fails_alone_keeps_its_backoff(bench: Bench) -> None:
    bench.transport.answers |= {"/a": 1, "/b": AWAY}
    bench.hub.watch(count_topic("/a"), unheard)
    bench.hub.watch(count_topic("/b"), unheard)
    await bench.elapse(60.0)
    assert bench.moments["/b"] == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]


async def test_a_costly_topic_rests_a_hundred_times_its_answer_and_a_key_asks_at_once(bench: Bench) -> None:
    costly = msgspec.structs.replace(count_topic(), is_costly=True)
    bench.transport.answers["/count"] = 1
    bench.transport.first_byte_seconds = 1.3
    bench.hub.watch(costly, unheard)
    await bench.elapse(140.0)
    assert bench.moments["/count"] == [0.0, 130.0]
    bench.hub.kick(costly)
    await bench.elapse(1.0)
    assert bench.moments["/count"] == [0.0, 130.0, 140.0]


async def test_a_topic_of_several_requests_rests_for_each_of_them(bench: Bench) -> None:
    async def fetch(visit: Visit[int]) -> int:
        for _ in range(4):
            await visit.client.transport.request("GET", "/count")
        return 4

    bench.transport.answers["/count"] = 1
    bench.hub.watch(Topic(name="four", fetch=fetch, interval=5.0, request_seconds=5.0), unheard)
    await bench.elapse(39.0)
    assert bench.moments["/count"] == [0.0] * 4 + [20.0] * 4


async def test_a_value_is_not_stale_where_those_who_look_now_ask_for_it_less_often(bench: Bench) -> None:
    bench.transport.answers["/count"] = 1
    topic = count_topic(interval=5.0)
    often = bench.hub.watch(topic, unheard)
    seldom = bench.hub.watch(topic, unheard, interval=60.0)
    await bench.elapse(5.0)
    often.pause()
    await bench.elapse(30.0)
    assert bench.moments["/count"] == [0.0, 5.0]
    assert seldom.snapshot.state(bench.clock.now()) is State.FRESH


async def test_the_beginning_of_the_first_answer_is_told_and_of_later_ones_not(bench: Bench) -> None:
    async def fetch(visit: Visit[int]) -> int:
        visit.early(-1)
        return int((await visit.client.transport.request("GET", "/count")).body)

    bench.transport.answers["/count"] = 7
    heard: Heard[int] = Heard()
    bench.hub.watch(Topic(name="long", fetch=fetch, interval=5.0), heard)
    await bench.elapse(5.0)
    bench.transport.answers["/count"] = 8
    await bench.elapse(5.0)
    assert [snapshot.value for snapshot in heard] == [None, -1, 7, 8]
    assert heard[1].state(bench.clock.now()) is State.FRESH


async def test_where_the_rest_of_an_answer_fails_its_beginning_is_stale(bench: Bench) -> None:
    async def fetch(visit: Visit[int]) -> int:
        visit.early(-1)
        return int((await visit.client.transport.request("GET", "/count")).body)

    bench.transport.answers["/count"] = AWAY
    heard: Heard[int] = Heard()
    bench.hub.watch(Topic(name="long", fetch=fetch, interval=5.0), heard)
    await bench.elapse()
    assert (heard.last.value, heard.last.state(bench.clock.now())) == (-1, State.STALE)
