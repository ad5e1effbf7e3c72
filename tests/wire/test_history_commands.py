"""`history` and `usage`, and the history that a cluster on the screen writes."""

import asyncio
import csv
import io
import time
from pathlib import Path

import pytest

from cockpit.cli import history as command
from cockpit.clients.address import parse_address
from cockpit.clients.ray import RayClient
from cockpit.clients.transport import Endpoint
from cockpit.feeds.history_recorder import Recorder
from cockpit.feeds.history_store import HistoryStore, WriteLock, history_path
from cockpit.feeds.topics import NODES
from cockpit.model.jobs import Job
from cockpit.operations.clusters.connect import Selection, Target, choose, history_of
from cockpit.operations.clusters.live import LiveCluster
from tests.unit.test_history_recorder import JOBS, gpu, node
from tests.wire.commands import here, home, write_contexts
from tests.wire.fake_ray import FakeRay, serve
from tests.wire.server import until
from tests.wire.test_submit_sources import have
from tests.wire.test_submit_sources import node as reported

__all__ = ["home"]


@pytest.fixture
def recorded(home: Path) -> float:
    """Twenty minutes of a context with two GPUs that costs $4/h; returns when they ended."""
    write_contexts(home, '[contexts.lab]\naddress = "http://127.0.0.1:9"\ncost = 4.0\n')
    path, end = history_path("lab"), time.time()
    recorder = Recorder(HistoryStore.open(path, now=end), WriteLock(path), now=end - 1200)
    for at in range(1200, -1, -10):
        nodes = [node(gpu(0, use=80, held_by=["01"]), gpu(1, use=0, power=60, held_by=["02"]))]
        recorder.observe(nodes, JOBS, now=end - at)
    recorder.close(now=end)
    return end


@pytest.mark.usefixtures("recorded")
async def test_curves_of_the_cluster_a_node_a_gpu_and_a_job() -> None:
    for words, names in (
        ([], ["gpu", "gpu_memory", "cpu", "memory", "network", "gpus", "held", "idle", "nodes"]),
        (["--node", "work"], ["cpu", "memory", "network"]),
        (["--gpu", "worker-1:0"], ["use", "memory", "power"]),
        (["--job", "tra"], ["use"]),
    ):
        done = await here("history", *words, "--json", "-c", "lab")
        assert done.code == 0
        assert [series["name"] for series in done.data["series"]] == names
        assert all(series["points"] for series in done.data["series"])
    use = done.data["series"][0]
    assert (use["unit"], {point["value"] for point in use["points"]}) == ("percent", {80.0})


@pytest.mark.usefixtures("recorded")
async def test_since_and_csv() -> None:
    done = await here("history", "--gpu", "worker-1:0", "--since", "5m", "--csv", "-c", "lab")
    rows = list(csv.DictReader(io.StringIO(done.text)))
    assert list(rows[0]) == ["time", "name", "value", "unit"]
    assert 28 <= sum(row["name"] == "use" for row in rows) <= 31
    assert {row["value"] for row in rows if row["name"] == "power"} == {"400.0"}


@pytest.mark.usefixtures("recorded")
async def test_a_curve_as_text() -> None:
    done = await here("history", "--gpu", "worker-1:0", "-c", "lab")
    use = done.text.splitlines()[0]
    assert use.startswith("use ")
    assert "▇▇▇" in use
    assert use.endswith("min 80  mean 80  last 80 %")


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--gpu", "worker-1"], 2, "NODE:INDEX"),
        (["--gpu", "worker-1:7"], 0, ""),
        (["--gpu", "nowhere:0"], 1, "worker-1"),
        (["--node", "nowhere"], 1, "worker-1"),
        (["--job", "absent"], 1, "sweep, train"),
        (["--job", "x", "--node", "y"], 2, "not allowed with"),
        (["--since", "soon"], 2, "30s, 5m"),
    ],
)
async def test_what_is_not_there(words: list[str], code: int, said: str) -> None:
    done = await here("history", *words, "-c", "lab")
    assert done.code == code
    assert said in done.err


@pytest.mark.usefixtures("home")
async def test_no_history_yet_is_an_empty_series() -> None:
    for words in ([], ["--job", "x"], ["--gpu", "a:0"], ["--node", "a"]):
        done = await here("history", *words, "--json", "--address", "http://127.0.0.1:9")
        assert (done.code, "No history of this cluster yet." in done.err) == (0, True)
        assert all(series["points"] == [] for series in done.data["series"])
    done = await here("usage", "--json", "--address", "http://127.0.0.1:9")
    assert (done.code, done.data["usage"]) == (0, [])


@pytest.mark.usefixtures("recorded")
async def test_gpu_hours_and_money() -> None:
    done = await here("usage", "--json", "-c", "lab")
    by_job = {row["job"]: row for row in done.data["usage"]}
    assert by_job["train"]["gpu_hours"] == pytest.approx(1 / 3, abs=0.01)
    assert (by_job["train"]["owner"], by_job["train"]["idle_gpu_hours"]) == ("ann", 0)
    assert by_job["sweep"]["idle_cost_usd"] == pytest.approx(2 / 3, abs=0.02)
    done = await here("usage", "--by", "owner", "-c", "lab")
    header, *rows = done.text.splitlines()
    assert header.split() == ["NAME", "OWNER", "JOBS", "GPU-HOURS", "IDLE", "COST", "IDLE", "COST"]
    assert [row.split()[0] for row in rows] == ["ann", "bob"]


def test_a_value_is_written_as_exactly_as_it_is_kept() -> None:
    assert [command._short(value) for value in (80.0, 33.34375, 0.123456, None)] == [80.0, 33.34, 0.1235, None]


@pytest.mark.usefixtures("home")
async def test_a_cluster_on_the_screen_writes_its_history() -> None:
    ray = FakeRay()
    have(ray, reported("a"), reported("b"))
    async with serve(ray) as server:
        address = parse_address(server.url)
        client = RayClient.at(Endpoint(address=address))
        target = Target(name="lab", address=address)
        async with LiveCluster(client, name="lab", on_crash=_raise, target=target) as cluster:
            await until(lambda: cluster.hub.snapshot(NODES).value is not None)
        assert cluster.recording is not None
        assert cluster.recording.problem == ""
    done = await here("history", "--json", "--address", server.url)
    assert done.data["series"][0]["points"] == []  # kept under the name of the context
    with HistoryStore.open(history_path("lab"), now=time.time()) as store:
        found = store.series(["cluster/nodes"], since=0, until=time.time() + 60)["cluster/nodes"]
    assert [point.value for point in found] == [2.0]


@pytest.mark.usefixtures("home")
async def test_a_history_that_cannot_be_written_is_said_and_nothing_ends() -> None:
    from cockpit import settings

    await asyncio.to_thread(settings.private_directory, settings.state_directory())
    await asyncio.to_thread((settings.state_directory() / "history").write_text, "a file")
    ray = FakeRay()
    have(ray, reported("a"))
    async with serve(ray) as server:
        address = parse_address(server.url)
        client = RayClient.at(Endpoint(address=address))
        async with LiveCluster(
            client, name="lab", on_crash=_raise, target=Target(name="lab", address=address)
        ) as cluster:
            await until(lambda: bool(cluster.recording.problem))
            assert "history" in cluster.recording.problem


def _raise(error: BaseException) -> None:
    raise error


def holding(ray: FakeRay, *, use: int) -> None:
    """One GPU that the entrypoint of the job `train` holds, and a busy one."""
    slots = [{"slot": 0, "allocation": 1.0}]
    supervisor = {
        "pid": 7,
        "jobId": "01000000",
        "actorId": "ab" * 16,
        "usedResources": {"GPU": {"resourceSlots": slots}},
    }
    ray.add("train", metadata={"owner": "ann"})
    have(ray, reported("worker-1"))
    ray.nodes["summary"][0] |= {
        "hostname": "worker-1",
        "gpus": [
            {"index": 0, "name": "NVIDIA H100 80GB HBM3", "utilizationGpu": use, "memoryUsed": 1, "memoryTotal": 2}
        ],
    }
    ray.nodes["summary"][0]["raylet"]["coreWorkersStats"] = [supervisor]
    rows = [{"actor_id": "ab" * 16, "name": "_ray_internal_job_actor_train"}]
    ray.overrides["GET", "/api/v0/actors"] = lambda exchange: exchange.reply(
        {"result": True, "msg": "", "data": {"result": {"total": 1, "num_filtered": 1, "result": rows}}}
    )


@pytest.mark.usefixtures("home")
async def test_idle_gpus_by_one_sample() -> None:
    ray = FakeRay()
    holding(ray, use=0)
    async with serve(ray) as server:
        done = await here("gpus", "--idle", "--min", "0s", "--json", "--address", server.url)
        assert done.code == 1
        (row,) = done.data["gpus"]
        assert (row["node"], row["index"], row["submission_id"], row["owner"]) == ("worker-1", 0, "train", "ann")
        assert (row["counts"], row["wasted_usd_per_hour"], done.data["wasted_usd_per_hour"]) == (True, None, None)
        ray.nodes["summary"][0]["gpus"][0]["utilizationGpu"] = 60
        done = await here("gpus", "--idle", "--min", "0s", "--address", server.url)
        assert (done.code, done.text, done.err) == (0, "", "No idle GPUs.\n")


async def test_idle_gpus_and_what_they_cost(home: Path) -> None:
    ray = FakeRay()
    holding(ray, use=0)
    async with serve(ray) as server:
        write_contexts(
            home, f'[contexts.new]\naddress = "{server.url}"\n[contexts.lab]\naddress = "{server.url}"\ncost = 2.4\n'
        )
        done = await here("gpus", "--idle", "-c", "new")
        assert done.code == 0  # the known past is shorter than 5 minutes
        assert "known for 0s" in done.text
        end = time.time()
        path = history_path("lab")
        recorder = Recorder(HistoryStore.open(path, now=end), WriteLock(path), now=end - 900)
        for at in range(900, 0, -60):
            held = node(gpu(0, use=0, power=60, held_by=["train"]))
            recorder.observe([held], (Job(submission_id="train", job_id="train"),), now=end - at)
        recorder.close(now=end)
        done = await here("gpus", "--idle", "-c", "lab")
    assert done.code == 1
    assert done.text.splitlines()[1].split() == [
        *["worker-1", "0", "H100", "80GB", "HBM3", "0", "0.0/0.0", "–", "15m", "2.40", "train", "ann", "ab" * 4, "7"]
    ]
    assert "1 idle GPU, $2.40/h wasted." in done.err


@pytest.mark.usefixtures("home")
async def test_min_belongs_to_idle() -> None:
    assert (await here("gpus", "--min", "5m", "--address", "http://127.0.0.1:9")).code == 2


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", ["nodes", "gpus"])
async def test_a_command_that_reads_gpus_adds_a_sample(command: str) -> None:
    ray = FakeRay()
    holding(ray, use=40)
    async with serve(ray) as server:
        assert (await here(command, "--address", server.url)).code == 0
        done = await here("history", "--gpu", "worker-1:0", "--json", "--address", server.url)
        assert [point["value"] for point in done.data["series"][0]["points"]] == [40.0]
        done = await here("usage", "--json", "--address", server.url)
        assert [row["job"] for row in done.data["usage"]] == (["train"] if command == "gpus" else [])


@pytest.mark.usefixtures("home")
async def test_the_screen_learns_whose_entrypoint_holds_a_gpu() -> None:
    ray = FakeRay()
    holding(ray, use=40)
    async with serve(ray) as server:
        address = parse_address(server.url)
        client = RayClient.at(Endpoint(address=address))
        async with LiveCluster(client, name="x", on_crash=_raise, target=Target(name="x", address=address)) as cluster:
            await until(lambda: cluster.supervised)
            assert cluster.supervised == {"ab" * 16: "train"}
            assert len(server.seen("GET", "/api/v0/actors")) == 1


@pytest.mark.parametrize("words", [("history",), ("usage",)])
async def test_no_token_is_looked_up_for_the_past(home: Path, words: tuple[str, ...]) -> None:
    write_contexts(home, '[contexts.lab]\naddress = "http://127.0.0.1:9"\ntoken = "ac-secret://ABSENT"\n')
    assert (await here(*words, "-c", "lab")).code == 0
    assert (await here("jobs", "-c", "lab")).code == 2  # which needs it


def test_one_address_behind_two_bastions_is_two_clusters(home: Path) -> None:
    write_contexts(home, '[contexts.lab]\naddress = "http://127.0.0.1:8265"\nssh = "c"\ncost = 2.0\n')
    address = "http://127.0.0.1:8265"
    names = {history_of(Selection(address=address, ssh=bastion))[0] for bastion in (None, "a", "b")}
    assert len(names) == 3
    assert history_of(Selection(context="lab")) == ("lab", 2.0)
    for selection in (Selection(address=address, ssh="a"), Selection(address=address), Selection(context="lab")):
        assert choose(selection).history_name == history_of(selection)[0]


@pytest.mark.usefixtures("home")
async def test_idle_gpus_cost_each_list_once() -> None:
    ray = FakeRay()
    holding(ray, use=0)
    async with serve(ray) as server:
        await here("gpus", "--idle", "--address", server.url)
        assert [len(server.seen("GET", path)) for path in ("/nodes", "/api/jobs/", "/api/v0/actors")] == [1, 1, 1]


@pytest.mark.usefixtures("home")
async def test_a_history_in_which_no_gpu_was_held() -> None:
    ray = FakeRay()
    have(ray, reported("a"))
    async with serve(ray) as server:
        assert (await here("nodes", "--address", server.url)).code == 0
        done = await here("usage", "--address", server.url)
    assert (done.code, done.out, done.err) == (0, b"", "No job held a GPU in this time.\n")
