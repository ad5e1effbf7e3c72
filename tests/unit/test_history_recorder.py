"""From reports of a cluster to its past: curves, GPU-hours, money, and GPUs held in disuse."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from cockpit.feeds.history_recorder import FLUSH_SECONDS, Recorder
from cockpit.feeds.history_store import RESUME_SECONDS, HistoryStore, WriteLock, history_path
from cockpit.model.board_power import board_power_w
from cockpit.model.gpu_use import foreign_processes, is_idle, stable_names
from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, GpuHolder, GpuProcess, Node
from cockpit.operations.clusters.idle import idle_gpus, waste_per_hour
from cockpit.operations.clusters.past import Past, open_past

NOON = 1_795_000_000 // 600 * 600


def gpu(
    index: int = 0, *, use: int | None = 90, power: int | None = 400, held_by: Sequence[str] = (), share: float = 1.0
) -> Gpu:
    """A GPU; power in watts."""
    return Gpu(
        index=index,
        name="NVIDIA H100 80GB HBM3",
        utilization_gpu=use,
        memory_used=40,
        memory_total=80,
        power_mw=None if power is None else power * 1000,
        holders=tuple(GpuHolder(pid=10 + n, job_id=job, allocation=share) for n, job in enumerate(held_by)),
    )


def node(*gpus: Gpu, name: str = "worker-1", state: str = "ALIVE", ip: str = "10.0.0.1") -> Node:
    """A node with these GPUs."""
    return Node(
        node_id=f"id-of-{name}-{ip}", state=state, hostname=name, ip=ip, cpu=50.0, cpus_logical=4, mem_percent=25.0,
        mem_used=25, mem_total=100, network_speed=(1e6, 2e6), gpus=gpus,
    )  # fmt: skip


JOBS = (
    Job(job_id="01", submission_id="train", metadata={"owner": "ann"}),
    Job(job_id="02", submission_id="sweep", metadata={"owner": "bob"}),
)


class Day:
    """A cluster that reports what a test says, at times of its own."""

    def __init__(self, directory: Path) -> None:
        self.path = history_path("lab", directory=directory)
        self.now = float(NOON)
        self.recorder = self.begin()

    def begin(self) -> Recorder:
        """A cockpit is opened."""
        self.recorder = Recorder(HistoryStore.open(self.path, now=self.now), WriteLock(self.path), now=self.now)
        return self.recorder

    def goes_by(self, seconds: float, *nodes: Node, step: float = 5.0) -> None:
        """The cluster is like that for so long."""
        end = self.now + seconds
        while self.now < end:
            self.recorder.observe(nodes, JOBS, now=self.now)
            self.now += step

    def past(self) -> Past:
        """What was written, after the cockpit is closed."""
        self.recorder.close(now=self.now)
        return Past(HistoryStore.open(self.path, now=self.now))


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return Day(tmp_path)


def test_curves_are_the_truth(day: Day) -> None:
    day.goes_by(600, node(gpu(0, use=20), gpu(1, use=60)), node(name="worker-2", state="DEAD"))
    past = day.past()
    curves = {curve.name: {point.value for point in curve.points} for curve in past.cluster(since=NOON, until=day.now)}
    assert curves == {
        "gpu": {40.0}, "gpu_memory": {50.0}, "cpu": {50.0}, "memory": {25.0}, "network": {3.0},
        "gpus": {2.0}, "held": {0.0}, "idle": {0.0}, "nodes": {1.0},
    }  # fmt: skip
    use, memory, power = past.gpu("worker-1:1", since=NOON, until=day.now)
    assert [{p.value for p in curve.points} for curve in (use, memory, power)] == [{60.0}, {50.0}, {400.0}]
    assert len(use.points) == 60
    assert [curve.name for curve in past.node("worker", since=NOON, until=day.now)] == ["cpu", "memory", "network"]


def test_a_gap_stays_a_gap(day: Day) -> None:
    day.goes_by(60, node(gpu()))
    day.now += 7200
    day.goes_by(60, node(gpu()))
    points = day.past().gpu("worker-1:0", since=NOON, until=day.now)[0].points
    assert max(later.at - earlier.at for earlier, later in itertools.pairwise(points)) > 6000


def test_money_to_the_cent(day: Day) -> None:
    """8 GPUs for $16/h: train holds 4 for two hours, sweep 2 for one, half of that in disuse."""
    train = [gpu(n, held_by=["01"]) for n in range(4)]
    free = [gpu(n, use=0, power=60) for n in range(4, 8)]
    busy = [gpu(n, held_by=["02"]) for n in (4, 5)] + free[2:]
    idle = [gpu(n, use=0, power=60, held_by=["02"]) for n in (4, 5)] + free[2:]
    for others, seconds in ((free, 3600), (busy, 1800), (idle, 1800)):
        day.goes_by(seconds, node(*train, *others), step=10)
    day.goes_by(10, node(*train, *free), step=10)
    past = day.past()
    first, second = past.use(by="job", since=NOON, until=day.now, cost_per_hour=16.0)
    assert (first.name, first.owner, second.name) == ("train", "ann", "sweep")
    assert first.gpu_hours == pytest.approx(8, abs=0.003)
    assert first.cost == pytest.approx(16.00, abs=0.005)
    assert second.gpu_hours == pytest.approx(2, abs=0.01)
    assert second.idle_gpu_hours == pytest.approx(1, abs=0.01)
    assert second.idle_cost == pytest.approx(2, abs=0.02)
    owners = past.use(by="owner", since=NOON, until=day.now, cost_per_hour=None)
    assert [(use.name, use.jobs, use.cost) for use in owners] == [("ann", 1, None), ("bob", 1, None)]


def test_shares_of_a_gpu_count_as_shares(day: Day) -> None:
    day.goes_by(3600, node(gpu(held_by=["01", "02"], share=0.5)), step=10)
    found = day.past().use(by="job", since=NOON, until=day.now, cost_per_hour=None)
    assert [use.gpu_hours for use in found] == pytest.approx([0.5, 0.5], abs=0.002)


def test_a_cron_line_builds_a_past(day: Day) -> None:
    for _ in range(13):
        day.begin()
        day.recorder.observe([node(gpu(use=0, power=60, held_by=["01"]))], JOBS, now=day.now)
        day.recorder.close(now=day.now)
        day.now += 300
    day.begin()
    day.now -= 300
    past = day.past()
    (use,) = past.use(by="job", since=NOON, until=day.now, cost_per_hour=None)
    assert [use.gpu_hours, use.idle_gpu_hours] == pytest.approx([1, 1])
    assert past.covered_since(since=NOON, now=day.now) == NOON


def test_time_without_a_cockpit_is_not_counted(day: Day) -> None:
    held = node(gpu(held_by=["01"]))
    day.goes_by(600, held)
    day.recorder.close(now=day.now)
    day.now += RESUME_SECONDS + 60
    day.begin()
    day.goes_by(600, held)
    past = day.past()
    (use,) = past.use(by="job", since=NOON, until=day.now, cost_per_hour=None)
    assert use.gpu_hours == pytest.approx(1190 / 3600, abs=0.003)
    assert past.covered_since(since=NOON, now=day.now) == pytest.approx(day.now - 600, abs=10)


def test_only_one_of_two_cockpits_writes(day: Day) -> None:
    other = Recorder(HistoryStore.open(day.path, now=day.now), WriteLock(day.path), now=day.now)
    day.goes_by(FLUSH_SECONDS * 2, node(gpu(use=10)))
    other.observe([node(gpu(use=90))], JOBS, now=day.now)
    other.flush(now=day.now)
    day.recorder.close(now=day.now)
    other.observe([node(gpu(use=90))], JOBS, now=day.now + 10)
    other.close(now=day.now + 10)
    with HistoryStore.open(day.path, now=day.now) as store:
        found = store.series(["gpu/worker-1:0/use"], since=NOON, until=day.now + 60)["gpu/worker-1:0/use"]
    assert [point.value for point in found if point.at >= day.now] == [90.0]
    assert {point.value for point in found if point.at < day.now} == {10.0}


def test_nothing_is_written_more_than_once_a_minute(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[float] = []
    monkeypatch.setattr(HistoryStore, "append", lambda *_, now: written.append(now))
    day.goes_by(300, node(gpu()))
    assert len(written) == 4
    assert min(later - earlier for earlier, later in itertools.pairwise(written)) >= FLUSH_SECONDS


def test_a_clock_that_is_set_back_ends_nothing(day: Day) -> None:
    day.goes_by(120, node(gpu(held_by=["01"])))
    day.now -= 3600
    day.goes_by(120, node(gpu(held_by=["01"])))
    past = day.past()
    assert past.use(by="job", since=0, until=day.now + 7200, cost_per_hour=None)[0].gpu_hours < 0.1


def test_a_disk_that_is_full_is_said_and_the_rest_is_kept(day: Day) -> None:
    day.goes_by(70, node(gpu()))
    store = day.recorder._store
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    many = [node(*[gpu(n) for n in range(8)], name=f"n{k}") for k in range(60)]
    day.goes_by(70, *many)
    assert "Cannot use the history" in day.recorder.problem
    store._db.execute("PRAGMA max_page_count = 100000")
    day.goes_by(70, *many)
    assert day.recorder.problem == ""


# The radar


def radar(day: Day, *nodes: Node, minutes: float, cost: float | None = None) -> list[tuple[str, float, float | None]]:
    """Node and index, seconds idle, and known_for."""
    past = day.past()
    rows = idle_gpus(
        nodes,
        JOBS,
        past.holdings(since=day.now - 3600),
        covered_since=past.covered_since(since=day.now - 3600, now=day.now),
        now=day.now,
        min_seconds=minutes * 60,
        cost_per_hour=cost,
    )
    return [
        (f"{row.node}:{row.index}", round(row.seconds, -1), row.known_for and round(row.known_for, -1)) for row in rows
    ]


IDLE = gpu(0, use=0, power=60, held_by=["01"])
BUSY = gpu(1, use=97, power=650, held_by=["01"])
HOT = gpu(2, use=3, power=300, held_by=["02"])  # few units, much power
FREE = gpu(3, use=0, power=60)


def test_the_radar_finds_what_is_held_and_does_nothing(day: Day) -> None:
    day.goes_by(30, node(gpu(0, held_by=["01"]), BUSY, HOT, FREE))
    day.goes_by(600, node(IDLE, BUSY, HOT, FREE))
    assert radar(day, node(IDLE, BUSY, HOT, FREE), minutes=5) == [("worker-1:0", 600, None)]


def test_a_past_that_is_too_short_is_said(day: Day) -> None:
    day.goes_by(180, node(IDLE))
    assert radar(day, node(IDLE), minutes=10) == [("worker-1:0", 180, 180)]


def test_a_job_that_has_just_come_is_not_idle_for_long(day: Day) -> None:
    day.goes_by(900, node(gpu(0, use=0, power=60)))
    day.goes_by(180, node(IDLE))
    assert radar(day, node(IDLE), minutes=10) == []


def test_without_a_past_one_sample_decides_only_where_it_may() -> None:
    found = idle_gpus([node(IDLE)], JOBS, [], covered_since=None, now=NOON, min_seconds=300)
    assert [row.counts for row in found] == [False]
    found = idle_gpus([node(IDLE)], JOBS, [], covered_since=None, now=NOON, min_seconds=0, cost_per_hour=2.5)
    assert [row.counts for row in found] == [True]
    assert (found[0].submission_id, found[0].owner, waste_per_hour(found)) == ("train", "ann", 2.5)


def test_the_greatest_waste_comes_first(day: Day) -> None:
    one = node(IDLE, name="a")
    two = node(gpu(0, use=0, power=60, held_by=["02"], share=0.5), name="b", ip="10.0.0.2")
    day.goes_by(600, one, two)
    assert [name for name, *_ in radar(day, one, two, minutes=5)] == ["a:0", "b:0"]


@pytest.mark.parametrize(
    ("use", "power", "model", "idle"),
    [
        (0, 60, "NVIDIA H100 80GB HBM3", True),
        (0, 175, "NVIDIA H100 80GB HBM3", False),
        (4, 174, "NVIDIA H100 80GB HBM3", True),
        (5, 60, "NVIDIA H100 80GB HBM3", False),
        (0, 9999, "Unheard-of 1", True),
        (0, None, "NVIDIA H100 80GB HBM3", True),
        (None, 60, "NVIDIA H100 80GB HBM3", None),
    ],
)
def test_idle_is_little_use_and_little_power(use: int | None, power: int | None, model: str, idle: bool | None) -> None:
    assert is_idle(msgspec.structs.replace(gpu(use=use, power=power), name=model)) is idle


@pytest.mark.parametrize(
    ("model", "watts"),
    [
        ("NVIDIA H100 80GB HBM3", 700),
        ("NVIDIA H100 PCIe", 350),
        ("NVIDIA A100-SXM4-80GB", 400),
        ("NVIDIA A100 80GB PCIe", 300),
        ("NVIDIA A100-PCIE-40GB", 250),
        ("NVIDIA GeForce RTX 4090", 450),
        ("NVIDIA L40S", 350),
        ("NVIDIA L4", 72),
        ("Tesla T4", 70),
        ("Tesla V100-SXM2-16GB", 300),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 600),
        ("NVIDIA RTX 4000 SFF Ada Generation", None),
        ("NVIDIA GeForce GTX 10800", None),
        (None, None),
    ],
)
def test_board_power(model: str | None, watts: int | None) -> None:
    assert board_power_w(model) == watts


def test_processes_that_ray_did_not_start() -> None:
    processes = (GpuProcess(pid=10), GpuProcess(pid=99), GpuProcess())
    assert foreign_processes(msgspec.structs.replace(gpu(held_by=["01"]), processes_pids=processes)) == [99]


def test_nodes_of_one_host_name_are_told_apart() -> None:
    one, two = node(name="h", ip="10.0.0.1"), node(name="h", ip="10.0.0.2")
    assert sorted(stable_names([one, two]).values()) == ["h@10.0.0.1", "h@10.0.0.2"]
    assert list(stable_names([one]).values()) == ["h"]


def test_a_cluster_without_a_past(tmp_path: Path) -> None:
    with open_past("new", directory=tmp_path) as past:
        assert past.begin is None
        assert all(curve.points == () for curve in past.cluster(since=0, until=NOON))
        assert past.use(by="job", since=0, until=NOON, cost_per_hour=1) == []
    assert list(tmp_path.iterdir()) == []
