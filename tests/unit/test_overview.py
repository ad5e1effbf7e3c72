"""The facts of the Overview, and how its panels share the room."""

import itertools
from collections.abc import Sequence

import msgspec
import pytest

from cockpit.feeds.history_recorder import Recorder
from cockpit.feeds.history_store import HistoryStore, NoLock
from cockpit.model.cluster_curves import FINE_SECONDS, GAP_SECONDS, ClusterCurves
from cockpit.model.jobs import Job
from cockpit.model.nodes import Disk, Gpu, GpuHolder, GpuProcess, Node
from cockpit.model.overview import FREE, IDLE, UNREPORTED, ClusterOverview, Trouble
from cockpit.model.past import Curve, Point
from cockpit.model.why.verdicts import Cause
from cockpit.operations.clusters.past import Past
from cockpit.operations.clusters.recording import Known
from cockpit.operations.overview.making import OverviewMaker, Reported
from cockpit.operations.overview.running import RunningJobs
from cockpit.operations.overview.troubles import troubles_of
from cockpit.panes.overview import Room, jobs_seconds
from cockpit.render.cell_text import cell_width
from cockpit.render.frames import framed
from cockpit.render.glyphs import ASCII, UNICODE, Glyphs
from cockpit.render.overview import SPANS, curve_panels, panel_widths, speed, trouble_parts
from cockpit.render.plot import PlotLine
from cockpit.render.table import Part

NOW = 1_795_190_400.0
GIB = 1 << 30


def gpu(index: int, *, use: int | None = 90, held_by: str | None = "01", temperature: int = 60, pid: int = 7) -> Gpu:
    """A GPU with its process; held by one job, or free."""
    return Gpu(
        index=index, name="NVIDIA H100 80GB HBM3", utilization_gpu=use, memory_used=40 * GIB, memory_total=80 * GIB,
        power_mw=(60 if (use or 0) < 5 else 600) * 1000, temperature_c=temperature,
        processes_pids=(GpuProcess(pid=pid, gpu_memory_usage=GIB),) if held_by or pid != 7 else (),
        holders=(GpuHolder(pid=7, job_id=held_by, allocation=1.0),) if held_by else (),
    )  # fmt: skip


def node(
    name: str, *gpus: Gpu, state: str = "ALIVE", memory: float = 50.0, disk: float = 10.0, now: float = NOW
) -> Node:
    """A node with these GPUs."""
    return Node(
        node_id=f"id-{name}", state=state, hostname=name, ip="10.0.0.1", cpu=40.0, cpus_logical=8, mem_percent=memory,
        mem_used=50, mem_total=100, network_speed=(1e6, 1e6), gpus=gpus, now=now, disk={"/": Disk(percent=disk)},
        state_message="missed heartbeats" if state == "DEAD" else None,
    )  # fmt: skip


def job(name: str, number: str, status: str = "RUNNING", **more: object) -> Job:
    return Job(submission_id=name, job_id=number, status=status, start_time=int((NOW - 7200) * 1000), **more)  # type: ignore[arg-type]


def known(nodes: Sequence[Node], jobs: Sequence[Job], *, minutes: float, usd: float | None = None) -> ClusterOverview:
    """What the Overview says of a cluster that was like that for so long."""
    store = HistoryStore.in_memory()
    recorder = Recorder(store, NoLock(), now=NOW)
    begin = NOW - 60 * minutes
    for step in range(int(6 * minutes) + 1):
        recorder.observe(nodes, jobs, now=begin + 10 * step)
    said = Reported(
        nodes=nodes, jobs=jobs, supervised={}, causes={}, at=NOW, seconds=3600.0, usd_per_hour=usd,
    )  # fmt: skip
    return OverviewMaker().of(said)(Known(past=Past(store), recorder=recorder))


# Facts


def test_cells_say_use_free_idle_and_unreported() -> None:
    busy, idle = gpu(0), gpu(1, use=0, held_by="02")
    free, silent = gpu(2, use=0, held_by=None), gpu(3, use=None)
    foreign = gpu(4, use=70, held_by=None, pid=99)
    made = known([node("w", busy, idle, free, silent, foreign)], [job("train", "01"), job("nap", "02")], minutes=6)
    assert made.heat[0].cells == (90, IDLE, FREE, UNREPORTED, 70)
    assert (made.gpus, made.held, len(made.idle)) == (5, 3.0, 1)


def test_a_gpu_between_two_steps_is_not_idle_at_once() -> None:
    assert known([node("w", gpu(0, use=0))], [job("a", "01")], minutes=0.5).heat[0].cells == (0,)


def test_a_cluster_without_gpus_shows_the_cpu_of_its_nodes() -> None:
    made = known([node("b"), node("a")], [], minutes=1)
    assert [(one.name, one.cells, one.indexes) for one in made.heat] == [("a", (40,), ()), ("b", (40,), ())]


def test_money_is_by_share_and_absent_without_a_cost() -> None:
    nodes = [node("w", gpu(0), gpu(1), gpu(2, held_by="02"), gpu(3, use=0, held_by=None))]
    jobs = [job("small", "02"), job("large", "01")]
    large, small = known(nodes, jobs, minutes=30, usd=8.0).running
    assert [large.gpus, large.hours, large.usd_per_hour, large.usd] == pytest.approx([2.0, 1.0, 4.0, 2.0])
    assert [large.id, small.id] == ["large", "small"]
    assert small.usd == pytest.approx(1.0)
    assert not large.is_whole, "the history begins after the job"
    assert [value for value in large.past if value is not None] == [90.0] * 6
    without = known(nodes, jobs, minutes=30).running
    assert {(one.usd, one.usd_per_hour) for one in without} == {(None, None)}


def test_hours_go_on_over_what_was_written_and_are_not_counted_twice() -> None:
    store = HistoryStore.in_memory()
    recorder = Recorder(store, NoLock(), now=NOW)
    making, jobs = RunningJobs(), [job("train", "01")]
    for step in range(361):
        recorder.observe([node("w", gpu(0))], jobs, now=NOW + 10 * step)
        made = making.at(jobs, recorder, Past(store), usd_per_hour=1.0, gpus=1, now=NOW + 10 * step)
    assert made[0].hours == pytest.approx(1.0)
    assert made[0].usd == pytest.approx(1.0)


def test_use_is_apart_from_reservation() -> None:
    made = known([node("w", gpu(0, use=3), gpu(1, use=97))], [job("a", "01")], minutes=1)
    assert made.curves["gpu"][-1] == (NOW, 50.0)
    assert made.held == 2.0


# Attention


def test_every_kind_of_trouble_is_told_with_where_it_leads() -> None:
    nodes = [
        node("gone", state="DEAD", now=NOW - 360),
        node("full", disk=91.0, memory=96.0),
        node("hot", gpu(0, temperature=86), gpu(1, use=70, held_by=None, pid=99)),
        node("lazy", gpu(0, use=0, held_by="02")),
    ]
    jobs = [
        job("never", "05", "PENDING"), job("slow", "06", "PENDING"), job("nap", "02"), job("train", "01"),
        job("broke", "03", "FAILED", end_time=int((NOW - 60) * 1000), message="Traceback\nValueError: no"),
        job("long-ago", "04", "FAILED", end_time=int((NOW - 4000) * 1000)),
    ]  # fmt: skip
    causes = {"never": Cause(verdict="infeasible", reason="", short="needs 9 GPUs, largest node has 8")}
    idle = known(nodes, jobs, minutes=10, usd=6.0).idle
    names = {one.node_id or "": one.hostname or "" for one in nodes}
    found = troubles_of(nodes, jobs, idle, causes, names=names, now=NOW)
    said = [("".join(part.text for part in trouble_parts(one)[0]), one.pane, one.key) for one in found]
    assert said == [
        ("✖ gone died 6m ago: missed heartbeats", "nodes", "id-gone"),
        ("✖ never can never start: needs 9 GPUs, largest node has 8", "jobs", "never"),
        ("! 1 GPU held and idle for 10m: nap", "idle", "lazy:0"),
        ("✖ broke failed 1m ago: ValueError: no", "jobs", "broke"),
        ("! hot GPU 0 is at 86 °C", "gpus", "id-hot/0"),
        ("! / of full is 91 % full", "nodes", "id-full"),
        ("! memory of full is 96 % full", "nodes", "id-full"),
        ("! hot GPU 1: pid 99 is not Ray's, 1.0 GiB", "gpus", "id-hot/1"),
        ("○ slow waits for 2h 00m", "jobs", "slow"),
    ]
    assert trouble_parts(found[2])[1][0].text == "$2.00/h wasted"


def test_a_certificate_about_to_end_is_told_with_the_time_that_is_left() -> None:
    trouble = Trouble(kind="certificate", name="https://h:8265", pane="clusters", key="lab", seconds=6 * 86_400 + 5.0)
    sign, text = trouble_parts(trouble)[0]
    assert (sign.tone, text.text) == ("warn", "the certificate of https://h:8265 ends in 6d 00h")
    ended = trouble_parts(msgspec.structs.replace(trouble, seconds=-7200.0))[0]
    assert (ended[0].tone, ended[1].text) == ("error", "the certificate of https://h:8265 ended 2h 00m ago")


def test_no_money_is_said_where_none_is_known() -> None:
    assert trouble_parts(Trouble(kind="idle", name="a", pane="idle", key="k", amount=1.0, seconds=60.0))[1] == (
        Part("", "warn"),
    )


# The curves in memory


def filled(*times: float) -> ClusterCurves:
    curves = ClusterCurves()
    for at in times:
        curves.append(at, {"gpu": at})
    return curves


def test_a_silence_is_kept_as_a_gap() -> None:
    found = filled(0, 10, 10 + GAP_SECONDS, 20 + 2 * GAP_SECONDS + 1).samples("gpu", since=0)
    assert [value is None for _, value in found] == [False, False, False, True, False]


def test_the_last_hour_is_fine_and_the_day_before_coarse() -> None:
    curves = filled(*range(0, 30_000, 10))
    found = curves.samples("gpu", since=0)
    steps = {later[0] - earlier[0] for earlier, later in itertools.pairwise(found)}
    assert steps <= {10, 20, 30, 40, 50, 60}
    assert len(found) < 30_000 / 60 + FINE_SECONDS / 10 + 2
    first = found[0]
    assert list(first) == [0, 25.0], "the mean of its minute"
    assert curves.samples("gpu", since=29_000)[0][0] <= 29_000


def test_a_clock_that_is_set_back_drops_what_is_later() -> None:
    curves = filled(1000, 1010, 1020)
    curves.append(1005, {"gpu": 1.0})
    assert [at for at, _ in curves.samples("gpu", since=0)] == [1000, 1005]


def test_an_earlier_past_goes_before_with_its_own_steps_and_gaps() -> None:
    curves = filled(10_000, 10_010)
    points = tuple(Point(at, 5.0) for at in (*range(0, 3000, 600), *range(8400, 10_600, 600)))
    curves.seed([Curve("gpu", "percent", points)])
    found = curves.samples("gpu", since=0)
    assert [at for at, value in found if value is None] == [2401]
    assert [at for at, value in found if value is not None] == [*range(0, 3000, 600), 8400, 9000, 9600, 10_000, 10_010]


# Room


@pytest.mark.parametrize("width", range(20, 200))
@pytest.mark.parametrize("has_gpus", [True, False])
def test_panels_fill_the_width_and_fold_in_one_order(width: int, has_gpus: bool) -> None:
    order = (
        ["gpu", "jobs", "gpu_memory", "cpu", "memory", "network"] if has_gpus else ["cpu", "jobs", "memory", "network"]
    )
    found = panel_widths(width, has_gpus=has_gpus)
    assert sum(columns for _, columns in found) == (width if found else 0)
    assert {name for name, _ in found} == set(order[: len(found)])


@pytest.mark.parametrize(("width", "height"), [(160, 40), (110, 27), (80, 19), (80, 12), (40, 8), (20, 3), (200, 60)])
def test_lines_are_shared_out_whole(width: int, height: int) -> None:
    room = Room(width, height)
    beside = room.heat + room.attention if room.is_narrow else room.attention
    assert room.curves + beside + room.running == height
    assert room.attention >= min(height, 3)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("span", range(len(SPANS)))
def test_curves_are_exactly_as_large_as_their_room(glyphs: Glyphs, span: int) -> None:
    made = known([node("w", gpu(0))], [job("a", "01")], minutes=3)
    for width, height in ((160, 12), (110, 8), (80, 6), (60, 4)):
        lines = curve_panels(made, width, height, span=span, glyphs=glyphs)
        assert [sum(cell_width(part.text) for part in line) for line in lines] == [width] * height
        assert glyphs is UNICODE or all(part.text.isascii() for line in lines for part in line)


def test_frames_keep_their_title_longest() -> None:
    line: PlotLine = (Part("content"),)
    wide = framed([line], 30, 3, title="GPU use", state=[Part("83 %")])
    assert ["".join(part.text for part in one) for one in wide] == [
        "╭ GPU use ───────────── 83 % ╮", "│content                     │", "╰────────────────────────────╯",
    ]  # fmt: skip
    narrow = "".join(part.text for part in framed([line], 14, 3, title="GPU use", state=[Part("83 %")])[0])
    assert "GPU use" in narrow
    assert len(narrow) == 14


def test_jobs_are_asked_for_seldom_where_there_are_many() -> None:
    assert jobs_seconds(nodes=13, jobs=60) == 10.0
    assert jobs_seconds(nodes=1, jobs=5000) == 60.0


@pytest.mark.parametrize(
    ("megabytes", "text"),
    [(0.0, "0 B/s"), (6.56e-6, "7 B/s"), (0.0012, "1.2 kB/s"), (0.9996, "1 MB/s"), (12.34, "12.3 MB/s"),
     (999.4, "999 MB/s"), (2500.0, "2.5 GB/s")],
)  # fmt: skip
def test_a_speed_is_said_in_the_unit_that_it_has_most_of(megabytes: float, text: str) -> None:
    assert speed(megabytes) == text
