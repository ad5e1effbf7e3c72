"""The hub: one request for all who look, never two in flight, and none for nobody."""

import itertools
import random
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from cockpit.feeds.topics import ACTORS, JOBS, NODES, USAGE, VERSION, job_topic
from cockpit.model.job_list import JobList
from cockpit.model.snapshot import State
from tests.hub_bench import AWAY, JOBS_PATH, VERSION_PATH, WALL, Bench, Heard, count_topic, opened_bench, unheard
from tests.scripted import turns


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench() as bench:
        yield bench


def next_number() -> Callable[[], int]:
    return itertools.count(1).__next__


# One request for all


async def test_a_watcher_hears_first_that_nothing_is_known_and_then_the_answer(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    bench.jobs("a")
    bench.hub.watch(JOBS, heard)
    assert [snapshot.state(bench.clock.now()) for snapshot in heard] == [State.LOADING]
    await bench.elapse()
    assert len(heard) == 2
    assert heard.last.state(bench.clock.now()) is State.FRESH
    assert [job.id for job in (heard.last.value or JobList()).rows] == ["a"]
    assert heard.last.taken_at == WALL


async def test_one_request_serves_every_watcher(bench: Bench) -> None:
    heard: list[Heard[JobList]] = [Heard(), Heard(), Heard()]
    for watcher in heard:
        bench.hub.watch(JOBS, watcher)
    await bench.elapse(4.0)
    assert bench.moments[JOBS_PATH] == [0.0, 4.0]
    assert [len(watcher) for watcher in heard] == [2, 2, 2]


async def test_a_late_watcher_hears_at_once_what_is_known(bench: Bench) -> None:
    bench.hub.watch(JOBS, unheard)
    await bench.elapse(1.0)
    heard: Heard[JobList] = Heard()
    bench.hub.watch(JOBS, heard)
    assert heard.last.value == JobList()
    await bench.elapse()
    assert bench.transport.count(JOBS_PATH) == 1


async def test_the_catalog_asks_for_the_right_things(bench: Bench) -> None:
    envelope = {"result": True, "msg": "", "data": {}}
    bench.transport.answers |= {"/nodes": envelope, "/api/cluster_status": envelope, "/api/v0/actors": envelope}
    bench.transport.answers["/api/jobs/j1"] = {"submission_id": "j1", "status": "RUNNING"}
    for topic in (VERSION, JOBS, NODES, USAGE, ACTORS, job_topic("j1")):
        bench.hub.watch(topic, unheard)
    await bench.elapse(60.0)
    asked = {path: len(moments) for path, moments in bench.moments.items()}
    assert asked == {
        VERSION_PATH: 5,
        JOBS_PATH: 16,
        "/nodes": 13,
        "/api/cluster_status": 13,
        "/api/v0/actors": 5,
        "/api/jobs/j1": 31,
    }


# Who looks


async def test_nothing_is_asked_for_a_hidden_pane(bench: Bench) -> None:
    watch = bench.hub.watch(JOBS, unheard)
    await bench.elapse(8.0)
    watch.pause()
    await bench.elapse(600.0)
    assert bench.moments[JOBS_PATH] == [0.0, 4.0, 8.0]


async def test_a_pane_that_was_hidden_hears_what_is_known_and_asks_at_once(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    watch = bench.hub.watch(JOBS, heard)
    await bench.elapse()
    watch.pause()
    await bench.elapse(600.0)
    heard.clear()
    watch.resume()
    assert heard.last.state(bench.clock.now()) is State.STALE
    assert heard.last.age(bench.clock.now()) == 600.0
    await bench.elapse()
    assert bench.moments[JOBS_PATH] == [0.0, 600.0]
    assert heard.last.state(bench.clock.now()) is State.FRESH


async def test_showing_and_hiding_a_pane_quickly_asks_no_more_often(bench: Bench) -> None:
    watch = bench.hub.watch(JOBS, unheard)
    for _ in range(10):
        await bench.elapse(0.5)
        watch.pause()
        watch.resume()
    await bench.elapse()
    assert bench.moments[JOBS_PATH] == [0.0, 4.0]


async def test_a_hidden_watcher_hears_nothing_while_another_one_does(bench: Bench) -> None:
    hidden: Heard[JobList] = Heard()
    shown: Heard[JobList] = Heard()
    bench.hub.watch(JOBS, hidden, paused=True)
    bench.hub.watch(JOBS, shown)
    await bench.elapse()
    assert (len(hidden), len(shown)) == (0, 2)


async def test_a_closed_watch_hears_nothing_and_asks_nothing(bench: Bench) -> None:
    heard: Heard[JobList] = Heard()
    watch = bench.hub.watch(JOBS, heard)
    await bench.elapse()
    heard.clear()
    watch.close()
    watch.resume()
    bench.jobs("a")
    await bench.elapse(100.0)
    assert heard == []
    assert bench.moments[JOBS_PATH] == [0.0]


async def test_the_most_eager_active_watcher_sets_the_rate(bench: Bench) -> None:
    bench.hub.watch(JOBS, unheard, interval=60.0)
    pane = bench.hub.watch(JOBS, unheard)
    await bench.elapse(8.0)
    pane.pause()
    await bench.elapse(60.0)
    pane.resume()
    await bench.elapse(5.0)
    assert bench.moments[JOBS_PATH] == [0.0, 4.0, 8.0, 68.0, 72.0]


async def test_nobody_gets_it_more_often_than_the_server_renews_it(bench: Bench) -> None:
    bench.hub.watch(JOBS, unheard, interval=0.1)
    await bench.elapse(8.0)
    assert bench.moments[JOBS_PATH] == [0.0, 4.0, 8.0]


async def test_a_pane_that_opens_gets_a_list_that_is_due_for_it(bench: Bench) -> None:
    bench.hub.watch(JOBS, unheard, interval=60.0)
    await bench.elapse(30.0)
    bench.hub.watch(JOBS, unheard)
    await bench.elapse()
    assert bench.moments[JOBS_PATH] == [0.0, 30.0]


async def test_an_ended_job_is_asked_for_less_often(bench: Bench) -> None:
    bench.transport.answers["/api/jobs/j1"] = {"submission_id": "j1", "status": "RUNNING"}
    bench.hub.watch(job_topic("j1"), unheard)
    await bench.elapse(4.0)
    bench.transport.answers["/api/jobs/j1"] = {"submission_id": "j1", "status": "FAILED"}
    await bench.elapse(62.0)
    assert bench.moments["/api/jobs/j1"] == [0.0, 2.0, 4.0, 6.0, 36.0, 66.0]


async def test_a_topic_of_the_moment_is_forgotten_with_its_last_watcher(bench: Bench) -> None:
    bench.transport.answers["/api/jobs/j1"] = {"submission_id": "j1"}
    watch = bench.hub.watch(job_topic("j1"), unheard)
    await bench.elapse()
    watch.close()
    bench.hub.watch(JOBS, unheard)
    assert bench.hub.snapshot(job_topic("j1")).taken is None


async def test_a_topic_of_the_catalog_stays_known_for_the_next_pane(bench: Bench) -> None:
    watch = bench.hub.watch(JOBS, unheard)
    await bench.elapse()
    watch.close()
    bench.hub.watch(VERSION, unheard)
    assert bench.hub.snapshot(JOBS).value == JobList()


# Never two in flight, and kicks


async def test_an_answer_that_does_not_come_is_waited_for_not_asked_for_again(bench: Bench) -> None:
    bench.transport.hold(JOBS_PATH)
    bench.hub.watch(JOBS, unheard)
    await bench.transport.arrived(JOBS_PATH, 1)
    for _ in range(20):
        bench.clock.advance(30.0)
        bench.hub.watch(JOBS, unheard)
        await turns()
    assert bench.transport.count(JOBS_PATH) == 1
    bench.transport.release(JOBS_PATH)


async def test_a_kick_asks_at_once(bench: Bench) -> None:
    bench.hub.watch(JOBS, unheard)
    await bench.elapse(1.0)
    bench.hub.kick(JOBS)
    await bench.elapse(4.0)
    assert bench.moments[JOBS_PATH] == [0.0, 1.0, 5.0]


async def test_kicks_while_one_is_in_flight_become_one_more_request(bench: Bench) -> None:
    bench.hub.watch(JOBS, unheard)
    await bench.elapse(4.5)
    bench.transport.hold(JOBS_PATH)
    bench.hub.kick(JOBS)
    await bench.transport.arrived(JOBS_PATH, 3)
    for _ in range(5):
        bench.hub.kick(JOBS)
        await turns()
    assert bench.transport.count(JOBS_PATH) == 3
    bench.transport.release(JOBS_PATH)
    await bench.elapse(3.0)
    assert bench.transport.count(JOBS_PATH) == 4
    assert bench.transport.most_in_flight[JOBS_PATH] == 1


async def test_a_kick_does_not_wake_what_nobody_looks_at(bench: Bench) -> None:
    watch = bench.hub.watch(JOBS, unheard)
    await bench.elapse()
    watch.pause()
    bench.hub.kick(JOBS)
    bench.hub.kick(NODES)
    await bench.elapse(1.0)
    assert bench.moments[JOBS_PATH] == [0.0]
    watch.resume()
    await bench.elapse()
    assert bench.moments[JOBS_PATH] == [0.0, 1.0]


async def test_a_kick_of_nothing_in_particular_asks_for_all(bench: Bench) -> None:
    bench.hub.watch(JOBS, unheard)
    bench.hub.watch(VERSION, unheard)
    await bench.elapse(1.0)
    bench.hub.kick()
    await bench.elapse()
    assert bench.moments == {JOBS_PATH: [0.0, 1.0], VERSION_PATH: [0.0, 1.0]}


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_there_is_never_more_than_one_request_of_a_topic(bench: Bench, seed: int) -> None:
    chance = random.Random(seed)
    paths = ["/a", "/b", "/c"]
    bench.transport.answers |= {path: next_number() for path in paths}
    topics = {path: count_topic(path, interval=chance.choice([1.0, 5.0])) for path in paths}
    watches = [bench.hub.watch(topics[chance.choice(paths)], unheard) for _ in range(6)]
    held: set[str] = set()
    for _ in range(200):
        path, watch = chance.choice(paths), chance.choice(watches)
        match chance.randrange(6):
            case 0 if path in held:
                held.remove(path)
                bench.transport.release(path)
            case 0:
                held.add(path)
                bench.transport.hold(path)
            case 1:
                bench.hub.kick(topics[path])
            case 2:
                watch.pause()
            case 3:
                watch.resume()
            case 4:
                bench.transport.answers[path] = chance.choice([AWAY, next_number(), 7])
            case _:
                bench.clock.advance(chance.choice([0.1, 1.0, 30.0]))
        await turns(3)
    for path in held:
        bench.transport.release(path)
    assert set(bench.transport.most_in_flight.values()) == {1}
    # And nothing got stuck on the way: whoever is looked at is asked for again.
    for watch in watches:
        watch.resume()
    watched = {path for path in paths if bench.transport.count(path)}
    before = {path: bench.transport.count(path) for path in watched}
    await bench.elapse(60.0)
    assert all(bench.transport.count(path) > before[path] for path in watched)
