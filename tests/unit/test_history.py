"""Rings of samples, and GPUs that are held and idle."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.model.history import ClusterHistory, History, IdleWatch
from cockpit.model.nodes import Gpu, GpuHolder, Node

KEY = ("node-1", 3)


def test_values_come_oldest_first_and_no_more_than_asked_for() -> None:
    history = History()
    for at in range(10):
        history.append("a", at, at * 10)
    assert history.values("a", 3) == [70, 80, 90]
    assert history.values("a", 100) == [at * 10 for at in range(10)]
    assert history.values("a", 0) == []
    assert history.values("nobody", 5) == []


def test_unknown_is_kept_as_unknown() -> None:
    history = History()
    history.append("a", 0, 5.0)
    history.append("a", 5, None)
    assert history.values("a", 2) == [5.0, None]


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 1000), st.floats(0, 100)), max_size=200))
def test_it_never_outgrows_its_bounds(samples: list[tuple[int, float, float]]) -> None:
    history = History(samples=4, keys=5, forget_after=100.0)
    for key, at, value in samples:
        history.append(key, at, value)
        assert len(history) <= 5
        assert key in history
        assert len(history.values(key, 100)) <= 4


def test_the_key_that_was_seen_longest_ago_makes_room() -> None:
    history = History(keys=2)
    for at, key in enumerate(["a", "b", "a", "c"]):
        history.append(key, at, 1.0)
    assert list(history) == ["a", "c"]


def test_a_key_that_is_not_seen_any_more_is_dropped() -> None:
    history = History(forget_after=60.0)
    history.append("gone", 0.0, 1.0)
    history.append("here", 59.0, 1.0)
    assert "gone" in history
    history.append("here", 61.0, 1.0)
    assert list(history) == ["here"]


def test_a_clock_that_runs_backwards_stands_still_for_it() -> None:
    history = History()
    history.append("a", 100.0, 1.0)
    history.append("a", 40.0, 2.0)
    assert [sample.at for sample in history.samples("a", 2)] == [100.0, 100.0]
    assert history.values("a", 2) == [1.0, 2.0]


def test_memory_stays_where_it_is_once_the_rings_are_full() -> None:
    history = History(samples=20, keys=50)
    for at in range(2_000):
        history.append(at % 50, at * 0.01, float(at))
    tracemalloc.start()
    try:
        for at in range(2_000, 40_000):
            history.append(at % 50, at * 0.01, float(at))
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # All 1,000 samples were replaced while the memory was traced; 38,000 would be some 4 MB.
    assert grown < 300_000


def idle_after(*samples: tuple[float, str | None, float | None]) -> float | None:
    watch = IdleWatch()
    for at, holder, utilization in samples:
        watch.observe(KEY, at, holder=holder, utilization=utilization)
    return watch.since(KEY)


@pytest.mark.parametrize(
    ("samples", "since"),
    [
        ([(0, "job", 0), (30, "job", 4), (60, "job", 0)], 0),
        ([(0, "job", 0), (55, "job", 0)], None),
        ([(0, "job", 0), (30, "job", 5), (60, "job", 0), (90, "job", 0)], None),
        ([(0, "job", 50), (10, "job", 0), (70, "job", 0)], 10),
        ([(0, None, 0), (60, None, 0)], None),
        ([(0, "job", None), (60, "job", None)], None),
        ([(0, "job", 0), (60, "job", None), (120, "job", 0)], None),
        ([(0, "job", 0), (40, "other", 0), (80, "other", 0)], None),
        ([(0, "job", 0), (40, "other", 0), (100, "other", 0)], 40),
        ([(0, "job", 0), (60, "job", 0), (200, "job", 0)], None),
        ([(0, "job", 0), (60, "job", 0), (10, "job", 0)], None),
        ([(0, "job", 0), (60, "job", 0), (70, None, 0)], None),
    ],
    ids=[
        "idle from its first sample",
        "not long enough",
        "used in between",
        "idle once it stopped working",
        "free",
        "unknown",
        "unknown in between",
        "another holder begins anew",
        "the other holder has been idle for long enough",
        "a gap says nothing",
        "a clock that runs backwards says nothing",
        "given back",
    ],
)
def test_a_gpu_is_idle_once_it_was_held_and_hardly_used_for_60_s(
    samples: list[tuple[float, str | None, float | None]], since: float | None
) -> None:
    assert idle_after(*samples) == since


def node(now: float, *, state: str = "ALIVE", utilization: int | None = 0, held: bool = True) -> Node:
    holders = (GpuHolder(pid=11, job_id="02000000", allocation=1.0),) if held else ()
    gpu = Gpu(index=0, utilization_gpu=utilization, memory_used=40, memory_total=80, holders=holders)
    return Node(node_id="n1", state=state, now=now, cpu=12.5, mem_percent=61.0, gpus=(gpu,))


def test_a_cluster_is_noted_node_by_node_and_gpu_by_gpu() -> None:
    history = ClusterHistory()
    history.observe((node(1.0, utilization=90),), 0.0)
    history.observe((node(6.0, utilization=95),), 5.0)
    assert history.cpu.values("n1", 9) == [12.5, 12.5]
    assert history.memory.values("n1", 9) == [61.0, 61.0]
    assert history.gpu.values(("n1", 0), 9) == [90, 95]


def test_a_sample_that_was_seen_before_is_not_noted_again() -> None:
    history = ClusterHistory()
    for at in (0.0, 2.0, 4.0):
        history.observe((node(1.0),), at)
    assert len(history.cpu.values("n1", 9)) == 1


def test_the_last_words_of_a_dead_node_are_no_news() -> None:
    history = ClusterHistory()
    history.observe((node(1.0),), 0.0)
    history.observe((node(61.0),), 60.0)
    assert history.idle.since(("n1", 0)) == 0.0
    history.observe((node(66.0, state="DEAD"),), 65.0)
    assert len(history.cpu.values("n1", 9)) == 2
    assert history.idle.since(("n1", 0)) is None


def test_a_held_gpu_that_does_nothing_is_found() -> None:
    history = ClusterHistory()
    for at in range(0, 91, 15):
        history.observe((node(float(at)),), float(at))
    assert history.idle.since(("n1", 0)) == 0.0
    history.observe((node(91.0, held=False),), 95.0)
    assert history.idle.since(("n1", 0)) is None


def test_nulls_everywhere_are_unknown() -> None:
    history = ClusterHistory()
    history.observe((Node(), Node(node_id="n1", state="ALIVE", gpus=(Gpu(), Gpu(index=1)))), 0.0)
    assert history.gpu.values(("n1", 1), 1) == [None]


def many(now: float, utilization: int) -> tuple[Node, ...]:
    gpus = tuple(Gpu(index=index, utilization_gpu=utilization) for index in range(8))
    return tuple(Node(node_id=f"n{number}", state="ALIVE", now=now, gpus=gpus) for number in range(1000))


def test_eight_thousand_gpus_keep_their_past() -> None:
    history = ClusterHistory()
    history.observe(many(1.0, 10), 0.0)
    history.observe(many(6.0, 20), 5.0)
    assert len(history.gpu) == 8000
    assert all(history.gpu.values((f"n{number}", 0), 9) == [10, 20] for number in range(1000))


def test_a_node_that_was_noted_before_its_turn_is_noted_once() -> None:
    history = ClusterHistory()
    steps = history.observing((node(1.0), node(1.0)), 0.0)
    history.observe_node(node(1.0), 0.0)
    next(steps)
    history.observe_node(node(1.0), 0.0)
    list(steps)
    assert history.gpu.values(("n1", 0), 9) == [0]


def test_a_node_without_a_time_of_its_own_is_noted_once_for_each_answer() -> None:
    history = ClusterHistory()
    timeless = Node(node_id="n1", state="ALIVE", cpu=5.0)
    for at in (0.0, 0.0, 5.0):
        history.observe_node(timeless, at)
    assert history.cpu.values("n1", 9) == [5.0, 5.0]
