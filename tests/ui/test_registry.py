"""Every pane of the registry, against whatever a cluster may say, at the sizes of odd terminals."""

import json
from collections.abc import AsyncIterator
from functools import partial
from importlib import import_module
from typing import Any

import pytest

from cockpit.errors import UnreachableError
from cockpit.operations.resources import FETCHES
from cockpit.panes.registry import PANES, table
from cockpit.panes.resources import WHOLE
from cockpit.panes.table_pane import TablePane
from cockpit.render.table import RowContext, TableSpec
from cockpit.widgets.line_view import LineView
from tests.scripted import ScriptedTransport
from tests.sim import NOON, Plan
from tests.ui.driver import Driver, cockpit, cockpit_on, simulated
from tests.ui.screen import assert_sound

SIZES = ((80, 24), (300, 80), (20, 5))
MANY = 10_000
# One of its odd start times is an hour older meanwhile; GPU-hours go on to the last answer, be it like the one before.
TELLS_AGES = ("workers", "overview", "idle")
GPUS_OF_A_NODE = 64
EMPTY = {"log": "No log yet.", "overview": "nothing wants a look"}
NODES_OF_MANY = 240  # a third of them is dead or says nothing
LOG_ID = "job-1"

HOSTILE = (
    "[red]bold[/red] [link=https://evil.example]x[/link] [",
    "\x1b[2J\x1b]0;title\x07\x9b31m\r\n\t\x00\x7f",
    "训练 モデル 👩‍👩‍👧‍👦 ％",
    "e\u0301" + "\u0301" * 40 + " Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
    "שלום עולם \u202eevil\u202c مرحبا",
    "\ud800 lone \u2028 separators \u2029",
    "python train.py " + "--very-long-option=1 " * 500,
    "",
)
STATUSES = ("RUNNING", "PENDING", "FAILED", "SUCCEEDED", "STOPPED", "PAUSED_BY_A_NEWER_RAY", "", None)
NULL_JOB = dict.fromkeys(
    ("type", "job_id", "submission_id", "driver_info", "status", "entrypoint", "message", "error_type", "start_time",
     "end_time", "metadata", "runtime_env", "driver_agent_http_address", "driver_node_id", "driver_exit_code")
)  # fmt: skip


def job(number: int) -> dict[str, Any]:
    """A job; hostile in what it says, with times from the past, the future and no calendar."""
    text = HOSTILE[number % len(HOSTILE)]
    times = (1_795_000_000_000, 0, None, 4_000_000_000_000, -5, 10**17)
    if number % 50 == 3:
        return NULL_JOB | {"submission_id": f"null-{number}"}
    return NULL_JOB | {
        "type": ("SUBMISSION", "DRIVER", None)[number % 3],
        "job_id": f"{number:08x}",
        "submission_id": f"job-{number}" + (text[:40] if number > 5 else ""),
        "status": STATUSES[number % len(STATUSES)],
        "entrypoint": text,
        "message": f"first {text}\nlast {text}",
        "start_time": times[number % 6],
        "end_time": times[number // 6 % 6],
        "metadata": {text[:30]: text, "n": None} if number % 2 else None,
        "runtime_env": {"env_vars": {"SECRET": "sim-secret"}},
        "driver_exit_code": number % 4 - 1,
        "driver_node_id": "node-0",
    }


def gpu(number: int) -> dict[str, Any]:
    """A GPU: some know nothing of themselves."""
    if number % 13 == 5:
        return {"index": number, "name": None, "uuid": None, "utilizationGpu": None, "memoryUsed": None,
                "memoryTotal": None, "processesPids": None, "powerMw": None, "temperatureC": None}  # fmt: skip
    return {
        "index": number,
        "name": HOSTILE[number % len(HOSTILE)][:60],
        "uuid": f"GPU-{number}",
        "utilizationGpu": (-1, 0, 55, 100, 999)[number % 5],
        "memoryUsed": number * 1000,
        "memoryTotal": (81920, 0, None)[number % 3],
        "processesPids": [{"pid": 100 + number, "gpuMemoryUsage": 512}],
        "powerMw": number * 10_000,
        "temperatureC": 20 + number,
    }


def node(number: int, *, gpus: int) -> dict[str, Any]:
    """A node of the wire's shape; every fifth is dead, every seventh says nothing but its id."""
    raylet: dict[str, Any] = {
        "nodeId": f"node-{number}",
        "state": "DEAD" if number % 5 == 4 else "ALIVE",
        "stateMessage": HOSTILE[number % len(HOSTILE)],
        "isHeadNode": number == 0,
        "coreWorkersStats": [
            {"pid": 100 + slot, "jobId": f"{slot:08x}", "actorId": "a" * 32,
             "usedResources": {"GPU": {"resourceSlots": [{"slot": str(slot), "allocation": 0.5}]}}}
            for slot in range(min(gpus, 5))
        ],
    }  # fmt: skip
    if number % 7 == 6:
        return {"raylet": {"nodeId": f"node-{number}", "state": None}, "hostname": None, "ip": None, "cpu": None,
                "mem": None, "disk": None, "gpus": None}  # fmt: skip
    return {
        "raylet": raylet,
        "now": NOON,
        "hostname": HOSTILE[number % len(HOSTILE)][:50],
        "ip": f"10.0.{number // 250}.{number % 250}",
        "cpu": number % 120,
        "cpus": [96, 48],
        "mem": [10**12, 10**11, 90.0, 9 * 10**11],
        "disk": {"/": {"total": 100, "used": 91, "free": 9, "percent": 91.0}},
        "networkSpeed": [1e9, -1.0],
        "gpus": [gpu(slot) for slot in range(gpus)],
    }


def envelope(data: Any) -> dict[str, Any]:
    return {"result": True, "msg": "", "data": data}


def nodes(count: int, *, gpus: int = 2) -> dict[str, Any]:
    return envelope({"summary": [node(number, gpus=gpus) for number in range(count)], "nodeLogicalResources": None})


def usage(total: dict[str, list[float]] | None) -> dict[str, Any]:
    return envelope({"clusterStatus": {"loadMetricsReport": {"usage": total, "usageByNode": None}}})


def actor(number: int) -> dict[str, Any]:
    text = HOSTILE[number % len(HOSTILE)]
    cause = {"actor_died_error_context": {"reason": "WORKER_DIED", "error_message": text}}
    return {"actor_id": f"a{number}", "job_id": "00000000", "class_name": text, "name": text,
            "state": ("ALIVE", "DEAD", None)[number % 3],
            "node_id": f"node-{number % 20}", "pid": number, "num_restarts": str(number), "death_cause": cause,
            "required_resources": {text[:40]: 1.5, "memory": 2**30}}  # fmt: skip


def task(number: int) -> dict[str, Any]:
    text = HOSTILE[number % len(HOSTILE)][:200]
    events = [{"state": "RUNNING", "created_ms": (None, 1e12, -5.0)[number % 3]}]
    return {"task_id": f"t{number}", "attempt_number": 0, "name": text, "error_message": text, "events": events,
            "state": ("RUNNING", "FAILED", text)[number % 3]}  # fmt: skip


def group(number: int) -> dict[str, Any]:
    text = HOSTILE[number % len(HOSTILE)][:200]
    bundles = [{"unit_resources": {text: 1.0}, "node_id": text}, None]
    return {"placement_group_id": f"g{number}", "name": text, "state": ("CREATED", "PENDING", None)[number % 3],
            "bundles": bundles, "stats": {"scheduling_state": text}}  # fmt: skip


def worker(number: int) -> dict[str, Any]:
    text = HOSTILE[number % len(HOSTILE)][:200]
    return {"worker_id": f"w{number}", "is_alive": (True, False, None)[number % 3], "exit_detail": text,
            "exit_type": ("SYSTEM_ERROR", None, text)[number % 3], "node_id": text, "pid": number,
            "start_time_ms": 10 ** (number % 18)}  # fmt: skip


def event(number: int) -> dict[str, Any]:
    text = HOSTILE[number % len(HOSTILE)][:200]
    return {"severity": text, "time": ("2026-11-20 21:40:29", text, None)[number % 3], "source_type": "JOBS",
            "message": f"{number} {text}", "event_id": f"e{number}", "custom_fields": {text: text}}  # fmt: skip


def application(number: int, replicas: int) -> dict[str, Any]:
    text = HOSTILE[number % len(HOSTILE)][:200]
    rows = [{"replica_id": f"r{at}", "state": text, "node_id": text, "start_time_s": 1e9} for at in range(replicas)]
    deployment = {"name": text, "status": "HEALTHY", "message": text, "target_num_replicas": 1, "replicas": rows}
    return {"name": f"app{number}", "status": ("RUNNING", "DEPLOY_FAILED", None)[number % 3], "message": text,
            "deployments": {"D": deployment}}  # fmt: skip


def run(number: int) -> dict[str, Any]:
    text = HOSTILE[number % len(HOSTILE)][:200]
    return {"id": f"run{number}", "name": text, "status": ("RUNNING", "ERRORED", None)[number % 3],
            "status_detail": text, "attempts": [{"workers": [{"world_rank": 0, "node_id": text}]}]}  # fmt: skip


def dataset(number: int) -> dict[str, Any]:
    text = HOSTILE[number % len(HOSTILE)][:200]
    return {"dataset": f"d{number}", "state": text, "progress": number, "total": (0, None, 7)[number % 3],
            "start_time": 1e9, "operators": [{"operator": "o", "name": text, "progress": None}]}  # fmt: skip


def state_list(rows: list[dict[str, Any]]) -> dict[str, Any]:
    counts = {"total": len(rows), "num_after_truncation": len(rows), "num_filtered": len(rows)}
    return envelope({"result": {"result": rows, **counts}})


def inside(count: int) -> dict[str, Any]:
    """What the dashboard says of what is inside the cluster; a third of the rows knows little."""
    makers = {"actors": actor, "tasks": task, "placement_groups": group, "workers": worker, "cluster_events": event}
    lists = {f"/api/v0/{kind}": state_list([make(number) for number in range(count)]) for kind, make in makers.items()}
    return lists | {
        "/api/v0/nodes": state_list([]),
        "/timezone": {"offset": "+00:00"},
        "/api/serve/applications/": {
            "applications": {f"app{number}": application(number, count // 40) for number in range(min(count, 40))}
        },
        "/api/train/v2/runs/v1": {"train_runs": [run(number) for number in range(count)]},
        "/api/data/datasets/00000000": {"datasets": [dataset(number) for number in range(count)]},
    }


def answers(jobs: int, node_count: int, *, gpus: int = 2, rows: int | None = None) -> dict[str, Any]:
    """What the dashboard says, by path; as bytes, since Ray's JSON may hold half of a surrogate pair."""
    said = {
        "/api/jobs/": [job(number) for number in range(jobs)],
        f"/api/jobs/{LOG_ID}": job(1) | {"type": "SUBMISSION", "status": "RUNNING"},
        "/nodes": nodes(node_count, gpus=gpus),
        "/api/cluster_status": usage({"CPU": [3, 0], "GPU": [99, 64], "memory": [1e12, 2e12]}),
        "/api/authentication_mode": {"authentication_mode": "disabled"},
    }
    said |= inside(jobs if rows is None else rows)
    # Ray Data is asked job by job.
    data = said.pop("/api/data/datasets/00000000")
    said |= {f"/api/data/datasets/{number:08x}": data if number == 0 else {"datasets": []} for number in range(jobs)}
    log = [f"{text}\n".encode("utf-8", "surrogatepass") for text in HOSTILE] * 20
    logs = {"/api/v0/logs/stream": log, "/api/v0/logs/file": log}
    return {path: json.dumps(body).encode() for path, body in said.items()} | logs


FEW = {"jobs": 40, "node_count": 20}
GONE = UnreachableError("No cluster answers at [red]x[/red] \x1b[2J.", hint="Check \x07 host and port.")


class Bench:
    """A cockpit with one pane in front, over a transport that answers as a test says."""

    def __init__(self, driver: Driver, transport: ScriptedTransport, name: str) -> None:
        self.driver, self.transport, self.name = driver, transport, name

    @property
    def shown(self) -> list[str]:
        """What the pane has on its own lines, from the cluster; without what it says about itself."""
        pane = self.driver.pane(self.name)
        if self.name == "overview":
            return [view.render_line(y).text for view in pane.query(LineView) for y in range(view.size.height)]
        view = pane.table if hasattr(pane, "table") else pane.view
        lines = [view.render_line(y).text for y in range(view.size.height)]
        return lines[1 : len(lines) - view.foot_height] if hasattr(pane, "table") else lines

    def answer(self, **counts: int) -> None:
        self.transport.answers.update(answers(**counts))

    def keep_on(self) -> None:
        """Answer as before."""

    def break_off(self) -> None:
        for path in list(self.transport.answers):
            self.transport.answers[path] = GONE

    async def each_size(self) -> AsyncIterator[None]:
        """At one size after the other."""
        for width, height in SIZES:
            await self.driver.resize(width, height)
            assert_sound(self.driver.app)
            yield

    async def go(self, seconds: float = 30.0) -> None:
        """Let the cluster be asked for everything, and look at what came of it."""
        await self.driver.elapse(seconds)
        assert_sound(self.driver.app)


async def in_front(driver: Driver, name: str) -> None:
    """Bring the pane to the front; what follows a job gets one to follow."""
    driver.app.action_show_pane(name)
    await driver.settle()
    if name == "log":
        driver.pane(name).follow(LOG_ID)
    await driver.settle()


# Of the panes that are one class with other columns two stand for all in the everyday run.
ALIKE = {"placement_groups", "workers", "events", "train", "tune", "data", "tasks"}


def each_pane(*, needs_cluster: bool = False, slow: frozenset[str] = frozenset()) -> list[Any]:
    names = [entry.name for entry in PANES if entry.load().NEEDS_CLUSTER or not needs_cluster]
    return [pytest.param(name, marks=pytest.mark.slow if name in ALIKE | slow else ()) for name in names]


@pytest.fixture(params=each_pane(needs_cluster=True))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def is_table(name: str) -> bool:
    return name != "log"


async def test_a_pane_shows_what_comes_keeps_it_when_it_grows_old_and_tells_its_age(name: str) -> None:
    transport = ScriptedTransport()
    transport.answers.update(answers(**FEW))
    async with cockpit(transport.client, size=SIZES[0], settled=False) as driver:
        bench = Bench(driver, transport, name)
        await in_front(driver, name)
        await driver.wait_until(lambda: any(line.strip() for line in bench.shown), "anything on the screen")
        await bench.go()
        fresh = [bench.shown async for _ in bench.each_size()]
        bench.break_off()
        await bench.go(25.0)
        aged = [bench.shown async for _ in bench.each_size()]
        assert name == "log" or all(any(line.strip() for line in lines) for lines in aged)
        assert name in TELLS_AGES or aged == fresh
        await driver.resize(*SIZES[0])
        await driver.wait_until(lambda: " ago" in driver.text or "Next try" in driver.text, "an age or an attempt")


async def test_a_pane_of_an_empty_cluster_says_so(name: str) -> None:
    transport = ScriptedTransport()
    transport.answers.update(answers(0, 0) | {"/api/cluster_status": usage(None)})
    async with cockpit(transport.client, size=SIZES[0]) as driver:
        bench = Bench(driver, transport, name)
        driver.app.action_show_pane(name)
        await driver.settle()
        await bench.go()
        said = EMPTY.get(name) or driver.pane(name).EMPTY
        async for _ in bench.each_size():
            assert said.split()[0] in driver.text
        await driver.resize(*SIZES[0])
        assert said in driver.text


async def test_a_pane_that_waits_for_its_first_answer_says_so_and_one_that_got_none_says_why(name: str) -> None:
    transport = ScriptedTransport()
    transport.answers.update(answers(**FEW))
    for path in transport.answers:
        transport.hold(path)
    async with cockpit(transport.client, size=SIZES[0], settled=False) as driver:
        bench = Bench(driver, transport, name)
        driver.app.action_show_pane(name)
        said = "asking" if is_table(name) else "log"
        await driver.wait_until(lambda: said in driver.text.lower(), said, settled=False)
        async for _ in bench.each_size():
            assert said in driver.text.lower()
        bench.break_off()
        for path in list(transport.answers):
            transport.release(path)
        await driver.settle()
        await bench.go(5.0)
        async for _ in bench.each_size():
            if is_table(name):
                assert "No cluster" in driver.text


# Actors are asked for state by state: four times as many rows.
@pytest.mark.parametrize("name", each_pane(needs_cluster=True, slow=frozenset({"actors"})))
async def test_a_pane_with_ten_thousand_rows_is_drawn_moved_and_filtered(name: str) -> None:
    transport = ScriptedTransport()
    jobs, node_count = {"jobs": (MANY, 4), "gpus": (40, NODES_OF_MANY), "overview": (40, NODES_OF_MANY)}.get(
        name, (40, 4)
    )
    rows = MANY if name not in ("overview", "idle", "jobs", "gpus", "nodes", "log") else 0
    transport.answers.update(answers(jobs, node_count, gpus=GPUS_OF_A_NODE, rows=rows))
    if name == "nodes":
        transport.answers["/nodes"] = json.dumps(nodes(MANY, gpus=0)).encode()
    async with cockpit(transport.client, size=SIZES[0], settled=False) as driver:
        bench = Bench(driver, transport, name)
        await in_front(driver, name)
        await bench.go(5.0)
        for key in ("end", "pageup", "home", "pagedown", "right", "w", "o", "O"):
            await driver.pilot.press(key)
        assert_sound(driver.app)
        if hasattr(driver.pane(name), "table") and name != "idle":
            assert driver.pane(name).table.counts.total >= MANY
            driver.pane(name).table.filter = "7"
            await driver.pause()
            assert 0 < driver.pane(name).table.counts.shown < driver.pane(name).table.counts.total
        async for _ in bench.each_size():
            assert driver.lines


@pytest.mark.parametrize("pane", each_pane())
async def test_every_pane_is_sound_at_every_size_whatever_becomes_of_the_cluster(pane: str) -> None:
    transport = ScriptedTransport()
    transport.answers.update(answers(**FEW))
    async with cockpit(transport.client, size=SIZES[0], settled=False) as driver:
        bench = Bench(driver, transport, pane)
        await in_front(driver, pane)
        fates = (bench.keep_on, partial(bench.answer, jobs=0, node_count=0), bench.break_off)
        for fate in fates:
            fate()
            await bench.go()
            async for _ in bench.each_size():
                assert any(line.strip() for line in driver.lines)


@pytest.mark.parametrize("pane", each_pane())
async def test_every_pane_is_sound_without_any_cluster(pane: str) -> None:
    async with cockpit_on(None, size=SIZES[0]) as driver:
        await driver.pause()
        await driver.pilot.press("escape")
        driver.app.action_show_pane(pane)
        for size in SIZES:
            await driver.resize(*size)
            assert_sound(driver.app)
            assert any(line.strip() for line in driver.lines)


async def test_a_table_needs_no_class_of_its_own() -> None:
    made = table("nodes", "Nodes", "cockpit.render.nodes:NODES", "cockpit.feeds.topics:NODES").load()
    async with simulated(Plan(nodes=2)) as server, cockpit(server) as driver:
        pane = made()
        await driver.app.screen.mount(pane)
        assert isinstance(pane, TablePane)
        assert (pane.NAME, pane.TITLE, pane.ROW, pane.EMPTY) == ("nodes", "Nodes", "Node", "No nodes.")
        pane.attach(driver.cluster)
        pane.wake()
        await driver.settle()
        assert server.cluster.jobs
        assert pane.table.cell_text("node") == "head"


@pytest.mark.parametrize(("name", "path"), [("jobs", "/api/jobs/"), ("nodes", "/nodes")])
async def test_rows_that_cannot_be_read_are_counted_below_the_others(name: str, path: str) -> None:
    transport = ScriptedTransport()
    transport.answers.update(answers(**FEW))
    async with cockpit(transport.client, size=SIZES[0]) as driver:
        await in_front(driver, name)
        assert "unreadable" not in driver.text
        whole = transport.answers[path]
        assert isinstance(whole, bytes)
        said = json.loads(whole)
        (said if name == "jobs" else said["data"]["summary"]).append("not an object")
        transport.answers[path] = json.dumps(said).encode()
        await driver.elapse(10.0)
        rows = 41 if name == "jobs" else 21
        assert f"1 of {rows} rows unreadable" in driver.text


@pytest.mark.parametrize("count", [0, 1, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", FETCHES)
async def test_every_resource_with_no_row_with_one_and_with_ten_thousand(name: str, count: int) -> None:
    transport = ScriptedTransport()
    transport.answers.update(answers(1, 1, rows=count))
    found = await FETCHES[name](transport.client, WHOLE)
    spec: TableSpec[Any] = getattr(import_module(f"cockpit.render.{name}"), name.upper())
    rows = spec.rows(found.rows, RowContext(now=NOON))
    assert bool(rows) == bool(found.rows) == bool(count)
    assert len(rows) >= min(count, 40), "applications of Serve are 40 at most, with 250 replicas each"
    assert all(len(row.cells) == len(spec.columns) for row in rows)
    assert len(json.loads(json.dumps([spec.record(item) for item in found.rows]))) == len(found.rows)
