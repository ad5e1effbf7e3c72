"""What a head is asked: our panes, the pages of Ray's web dashboard, and raytop, in requests and bytes a minute.

Ours is counted on the way to a real head. Of the others each does its round once, over the same way, and what that
took is multiplied by the rounds of a minute. The web dashboard (2.60) asks every 4 s: its overview for jobs, Serve and
the cluster's status as text, its Cluster page for all nodes and for each of them once more. raytop, 2 s after each
round, asks over new connections for nodes, status, jobs and actors, and for the metrics of every target that Prometheus
would scrape.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import NamedTuple

import httpx

from tests.bench.counting import CountingProxy
from tests.bench.figures import Figure
from tests.bench.processes import COCKPIT
from tests.bench.ray_head import BenchHead
from tests.bench.terminal import Terminal

PART = "On a real head of one node, a minute"
OVERVIEW = ("/api/jobs/", "/api/serve/applications/", "/api/cluster_status?format=1")
NODES = "/nodes?view=summary"
RAYTOP = ("/api/v0/nodes?view=summary", "/api/cluster_status", "/api/jobs/", "/api/v0/actors?view=summary")
DASHBOARD_S, RAYTOP_S = 4.0, 2.0
PANES = {"overview": b"1", "jobs": b"2", "nodes": b"4", "gpus": b"3"}
WARM_S = 10.0
RAYTOP_PART = 1 / 20
MORE_BETWEEN = "The line above each pane: usage every 5 s, the version every 15 s, and all nodes once a minute."


class Load(NamedTuple):
    """Requests and bytes of a minute."""

    requests: float
    bytes: float


def measured(bench: BenchHead, *, seconds: float, say: Callable[[str], None]) -> list[Figure]:
    """Ours, each pane in a cockpit of its own at the same time, and theirs."""
    say("what a head is asked …")
    ours = our_loads(bench, seconds)
    overview = page_load(bench, OVERVIEW)
    cluster = page_load(bench, (NODES, f"/nodes/{bench.head.node_id}"))
    raytop = raytop_load(bench)
    return [
        *_pair("jobs", "the overview page", ours["jobs"], overview),
        *_pair("nodes", "the Cluster page", ours["nodes"], cluster),
        *_pair("gpus", "the Cluster page", ours["gpus"], cluster),
        *_beside_gpus(ours["overview"], ours["gpus"]),
        _raytop("nodes", ours["nodes"], raytop),
        _raytop("gpus", ours["gpus"], raytop),
    ]


def our_loads(bench: BenchHead, seconds: float) -> dict[str, Load]:
    """A cockpit for each pane, once it has shown it for a while."""
    with ExitStack() as stack:
        ways = {name: stack.enter_context(CountingProxy(bench.head.dashboard_port)) for name in PANES}
        terminals = {
            name: stack.enter_context(Terminal(COCKPIT, _through(bench.environment, way))) for name, way in ways.items()
        }
        for name, terminal in terminals.items():
            terminal.wait_for("1 Overview")
            terminal.send(PANES["jobs"])
            terminal.wait_for(bench.job_id)
            terminal.send(PANES[name])
        _read_all(terminals, WARM_S)
        for way in ways.values():
            way.take()
        begun = time.monotonic()
        _read_all(terminals, seconds)
        minutes = (time.monotonic() - begun) / 60
        taken = {name: way.take() for name, way in ways.items()}
    return {name: Load(requests / minutes, passed / minutes) for name, (requests, passed) in taken.items()}


def _read_all(terminals: Mapping[str, Terminal], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for terminal in terminals.values():
            terminal.read_for(0.05)


def _through(environment: Mapping[str, str], way: CountingProxy) -> dict[str, str]:
    return {**environment, "RAYAKASH_ADDRESS": way.address}


def page_load(bench: BenchHead, paths: tuple[str, ...]) -> Load:
    """A page of the web dashboard, which keeps its connection."""
    with CountingProxy(bench.head.dashboard_port) as way, _client(bench, way) as client:
        client.get("/api/version")
        way.take()
        for path in paths:
            client.get(path)  # where Serve is not installed it is told so, each time
        requests, passed = way.take()
    rounds = 60 / DASHBOARD_S
    return Load(requests * rounds, passed * rounds)


def raytop_load(bench: BenchHead) -> Load:
    """raytop's round, with a connection for each request."""
    with CountingProxy(bench.head.dashboard_port) as way:
        with _client(bench, way) as client:
            targets = [address for group in client.get("/api/prometheus/sd").json() for address in group["targets"]]
        way.take()
        begun = time.monotonic()
        for path in RAYTOP:
            with _client(bench, way) as client:
                client.get(path).raise_for_status()
        requests, passed = way.take()
    scraped = sum(len(httpx.get(f"http://{target}/metrics", trust_env=False).content) for target in targets)
    rounds = 60 / (RAYTOP_S + time.monotonic() - begun)
    return Load((requests + len(targets)) * rounds, (passed + scraped) * rounds)


def _client(bench: BenchHead, way: CountingProxy) -> httpx.Client:
    headers = {"Authorization": f"Bearer {bench.head.token}"}
    return httpx.Client(base_url=way.address, headers=headers, trust_env=False, timeout=30)


def _pair(pane: str, page: str, ours: Load, theirs: Load) -> list[Figure]:
    return [
        Figure(
            PART,
            f"{pane}: requests, beside {page}",
            ours.requests,
            "",
            theirs.requests,
            at_most=1,
            between=MORE_BETWEEN,
        ),
        Figure(
            PART,
            f"{pane}: bytes, beside {page}",
            ours.bytes / 1000,
            "kB",
            theirs.bytes / 1000,
            at_most=1,
            between=MORE_BETWEEN,
        ),
    ]


def _beside_gpus(ours: Load, gpus: Load) -> list[Figure]:
    """The Overview asks a head for no more than the GPUs pane does."""
    return [
        Figure(PART, "overview: requests, beside our GPUs pane", ours.requests, "", gpus.requests, at_most=1.1),
        Figure(PART, "overview: bytes, beside our GPUs pane", ours.bytes / 1000, "kB", gpus.bytes / 1000, at_most=1),
    ]


def _raytop(pane: str, ours: Load, theirs: Load) -> Figure:
    return Figure(
        PART, f"{pane}: bytes, beside raytop", ours.bytes / 1000, "kB", theirs.bytes / 1000, at_most=RAYTOP_PART
    )
