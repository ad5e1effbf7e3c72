"""What looking inside a cluster costs, beside the web dashboard's own pages; and how it feels with 10,000 rows.

A real head remembers 10,000 tasks and 10,000 actors that ended, and one job with some that run. Each of our views is
open for a while in a cockpit of its own; what the head's own processes (GCS, dashboard, raylet, agent) took meanwhile
is compared with what they took before, and the requests and bytes on the way are counted. What the pages of the web
dashboard (2.60) ask for goes over the same way. The 10,000 living actors and running tasks are simulated.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.bench.counting import CountingProxy
from tests.bench.figures import Figure
from tests.bench.processes import COCKPIT, ROOT, private_home
from tests.bench.ray_head import BenchHead, ray_head
from tests.bench.terminal import TICKS, Terminal
from tests.bench.web_dashboard import BYTES_OF, MINUTE, PAGE_OF, PAGES
from tests.live.processes import ProcessTree
from tests.live.release import ray_release

PART = "Inside a real head that remembers 10,000 ended tasks and 10,000 ended actors, a minute"
MANY_PART = "10,000 actors alive and 10,000 tasks running (simulated)"
TASKS = 10_000
HEAD_PERCENT, FIRST_ROWS_MS, KEY_MS = 1.0, 300.0, 50.0
ROUNDS = 3
WARM_S = 6.0
KEYS = (b"\x1b[B", b"\x1b[6~", b"\x1b[A", b"\x1b[5~")
MANY = {"actors": "sim-actor-", "tasks": "sim-task-"}
PRESSES, PAUSE_S = 60, 0.05
OURS = ("gcs_server", "raylet", "dashboard", "agent.py", "monitor.py")
WORKERS = ("ray::",)
BETWEEN = "Above it the header asks for the version every 15 s, usage every 30 s and the jobs once a minute."

PROGRAM = """
import time, ray
ray.init()
@ray.remote(num_cpus=1)
def noop(): pass
@ray.remote(num_cpus=0)
def hold():
    time.sleep(3600)
for _ in range({tasks} // 500):
    ray.get([noop.remote() for _ in range(500)])
@ray.remote(num_gpus=1000)
class Never: pass
for _ in range({tasks} // 500):
    never = [Never.remote() for _ in range(500)]  # never placed: it is dead without having had a process
    for actor in never:
        ray.kill(actor)
    del never
held = [hold.remote() for _ in range(2)]
time.sleep(3)
print("READY", ray.get_runtime_context().get_job_id(), flush=True)
time.sleep(3600)
"""


class View(NamedTuple):
    """A view of ours: its name, the keys that open it, and a text that is on it."""

    name: str
    keys: tuple[bytes, ...]
    seen: str


VIEWS = (
    View("tasks", (b":tasks\r",), "hold"),
    View("actors", (b":actors\r",), "No actors"),
    View("placement_groups", (b":pg\r",), "No placement groups"),
    View("workers", (b":workers\r",), "driver"),
    View("events", (b":events\r",), "AUTOSCALER"),
    View("serve", (b":serve\r",), "Serve is not installed"),
    View("train", (b":train\r",), "Train"),
    View("data", (b":data\r",), "Data"),
    View("tune", (b":tune\r",), "Tune"),
    View("job page", (b"2", b"\r"), "Environment"),
)


class Cost(NamedTuple):
    """Of a minute: requests, bytes, and percent of a core of the head's own processes."""

    requests: float
    bytes: float
    head: float


def measured(home: Path, *, seconds: float, say: Callable[[str], None]) -> list[Figure]:
    """Our views of a real head, and the pages that they are compared with."""
    say("inside a real head …")
    with ray_head(home) as bench, program(bench) as job:
        pids = head_processes(bench)
        rest = head_share(pids, seconds)
        ours = {view.name: our_cost(bench, view, pids, rest, seconds) for view in VIEWS}
        theirs = {page: page_cost(bench, page, job, pids, rest) for page in PAGES}
    return [figure for view in VIEWS for figure in _beside(view, ours[view.name], theirs)]


@contextmanager
def program(bench: BenchHead) -> Iterator[str]:
    """A driver whose tasks have ended, but for two; its job ID."""
    path = bench.head.site.directory / "inside.py"
    path.write_text(PROGRAM.format(tasks=TASKS))
    command = [ray_release().python, "-u", str(path)]
    tree = ProcessTree(command, environment=dict(bench.environment), log=path.with_suffix(".log"))
    try:
        end = time.monotonic() + 180
        while "READY" not in tree.output():
            if time.monotonic() > end:
                raise TimeoutError(f"the tasks did not end: {tree.output()[-500:]}")
            time.sleep(0.2)
        yield tree.output().rpartition("READY ")[2].split()[0]
    finally:
        tree.close()


def head_processes(bench: BenchHead) -> list[int]:
    """The processes of Ray itself on the head's node, the dashboard's modules among them; no workers, no drivers.

    The modules rename themselves, so that only their parents tell whose they are.
    """
    lines = {int(path.parent.name): _read(path) for path in Path("/proc").glob("[0-9]*/cmdline")}
    mine = str(bench.head.site.directory)
    found = {pid for pid, line in lines.items() if mine in line and any(word in line for word in OURS)}
    parents = {pid: _parent(pid) for pid in lines}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    found = {pid for pid in found if not lines[pid].startswith(WORKERS)}
    if not found:
        raise RuntimeError("the processes of the head were not found")
    return sorted(found)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _parent(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def cpu(pids: list[int]) -> float:
    """Seconds of the processor that they took up to now."""
    total = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def head_share(pids: list[int], seconds: float) -> float:
    """Seconds of the processor a second that the head takes with nobody asking."""
    before, begun = cpu(pids), time.monotonic()
    time.sleep(seconds)
    return (cpu(pids) - before) / (time.monotonic() - begun)


def our_cost(bench: BenchHead, view: View, pids: list[int], rest: float, seconds: float) -> Cost:
    """One view, once it has been open for a while."""
    with CountingProxy(bench.head.dashboard_port) as way:
        environment = {**bench.environment, "RAYAKASH_ADDRESS": way.address}
        with Terminal(COCKPIT, environment) as terminal:
            terminal.wait_for("CPU")
            for keys in view.keys:
                terminal.settle(1.0)
                start = len(terminal.written)
                terminal.send(keys)
            terminal.wait_for(view.seen, start=start)
            terminal.read_for(WARM_S)
            way.take()
            before, begun = cpu(pids), time.monotonic()
            terminal.read_for(seconds)
            took = time.monotonic() - begun
            requests, passed = way.take()
            share = max(0.0, (cpu(pids) - before) / took - rest)
    return Cost(requests * 60 / took, passed * 60 / took, 100 * share)


def page_cost(bench: BenchHead, page: str, job: str, pids: list[int], rest: float) -> Cost:
    """A page of the web dashboard: each of its requests a few times, for as often as it makes it in a minute."""
    headers = {"Authorization": f"Bearer {bench.head.token}"}
    asked = passed = spent = 0.0
    with (
        CountingProxy(bench.head.dashboard_port) as way,
        httpx.Client(base_url=way.address, headers=headers, trust_env=False, timeout=60) as client,
    ):
        client.get("/api/version")
        for poll in PAGES[page]:
            way.take()
            before, begun = cpu(pids), time.monotonic()
            for _ in range(ROUNDS):
                client.get(poll.path.format(job=job))
            a_minute = MINUTE / poll.seconds / ROUNDS  # it does not wait longer where an answer takes longer
            spent += max(0.0, cpu(pids) - before - rest * (time.monotonic() - begun)) * a_minute
            requests, size = way.take()
            asked, passed = asked + requests * a_minute, passed + size * a_minute
    return Cost(asked, passed, 100 * spent / MINUTE)


def _beside(view: View, ours: Cost, pages: Mapping[str, Cost]) -> list[Figure]:
    page, whole = PAGE_OF[view.name], BYTES_OF[view.name]
    return [
        _figure(f"{view.name}: requests, beside the page of {page}", ours.requests, "", pages[page].requests),
        _figure(f"{view.name}: bytes, beside the page of {whole}", ours.bytes / 1000, "kB", pages[whole].bytes / 1000),
        Figure(PART, f"{view.name}: processor of the head", ours.head, "%", at_most=HEAD_PERCENT, between=BETWEEN),
        Figure(PART, f"  the page of {page}: processor of the head", pages[page].head, "%"),
    ]


def _figure(name: str, ours: float, unit: str, theirs: float) -> Figure:
    return Figure(PART, name, ours, unit, theirs, at_most=1, between=BETWEEN)


def many(home: Path, say: Callable[[str], None]) -> list[Figure]:
    """First rows and keys with 10,000 rows."""
    say("10,000 rows …")
    command = [sys.executable, "-m", "tests.bench.big_dashboard", "--nodes", "40", "--jobs", "100", "--inside", "10000"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = json.loads(process.stdout.readline())["url"]
        environment = private_home(home) | {"RAYAKASH_ADDRESS": url, "PATH": os.environ["PATH"]}
        for name in MANY:  # the simulated head makes its lists of 10,000 when they are asked for first
            subprocess.run([*COCKPIT, name], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        figures: list[Figure] = []
        with Terminal(COCKPIT, environment) as terminal:
            terminal.wait_for("CPU")
            terminal.read_for(WARM_S)
            for name, seen in MANY.items():
                figures += _watched(terminal, name, seen)
        return figures
    finally:
        process.kill()
        process.communicate()


def _watched(terminal: Terminal, name: str, seen: str) -> list[Figure]:
    terminal.send(f":{name}".encode())
    terminal.settle(1.0)
    start, begun = len(terminal.written), time.monotonic()
    terminal.send(b"\r")
    terminal.wait_for(seen, start=start)
    first = 1000 * (time.monotonic() - begun)
    terminal.settle(1.5)
    delays = []
    for number in range(PRESSES):
        delay = terminal.key(KEYS[number % len(KEYS)])
        delays += [1000 * delay] if delay is not None else []
        terminal.read_for(PAUSE_S)
    p99 = statistics.quantiles(delays, n=100)[-1]
    between = "The screen of the pane is composed, and the bytes of the whole answer have come, before its first row."
    return [
        Figure(MANY_PART, f"{name}: first rows", first, "ms", at_most=FIRST_ROWS_MS, between=between),
        Figure(MANY_PART, f"{name}: key to paint, p99", p99, "ms", at_most=KEY_MS),
    ]
