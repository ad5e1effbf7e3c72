"""A simulated dashboard of a big cluster, as a process of its own: `python -m tests.bench.big_dashboard`.

Every answer is serialised before the first request, for several moments of the cluster's time, and those follow one
another as time goes by: what is measured is the cockpit, not this server. It prints its address and the sizes of what
it serves. An empty line on standard input is answered by what was asked since the one before, as JSON; another is an
order as `python -m tests.sim` takes it, such as a fault. The log of the job `flood` grows by 150,000 lines a second
while it is read.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator

import msgspec

from tests.sim import Plan, SimCluster, SimServer
from tests.sim.__main__ import obey
from tests.sim.dashboard import Answer, Dashboard
from tests.sim.wire import Reply, Request, Stream

STEP_SECONDS = 5.0
FRAMES = 4
FLOOD_LINES_A_SECOND = 150_000
FLOOD_LINE = b"step %9d | loss 1.2345 | 41.2k tok/s | lr 2.99e-04 | gpu 0 61 C 312 W\n"
FLOOD_BLOCK = 7_500  # lines, twenty times a second
FRAMED = ("/nodes", "/api/jobs/", "/api/cluster_status")
BROWSER = {"sec-fetch-mode": "cors"}  # as our client says, so that values are withheld
LISTS = ("/api/v0/actors", "/api/v0/tasks")
QUERY = (("view", "summary"),)


class BigDashboard(Dashboard):
    """Answers the framed paths with bytes that are ready, and everything else as any simulated dashboard does."""

    def __init__(self, cluster: SimCluster) -> None:
        super().__init__(cluster)
        self.began = time.monotonic()
        self.frames: dict[str, list[bytes]] = {path: [] for path in FRAMED}
        self._lists_asked: dict[tuple[str, tuple[tuple[str, str], ...]], bytes] = {}
        self.asked: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self._flood = b"".join(FLOOD_LINE % number for number in range(FLOOD_BLOCK))

    async def prepare(self) -> None:
        """Serialise all frames."""
        for _ in range(FRAMES):
            for path in FRAMED:
                self.frames[path].append(await self._serialised(Request("GET", path, path, QUERY, BROWSER, b"")))
            self.cluster.clock.advance(STEP_SECONDS)

    async def _serialised(self, request: Request) -> bytes:
        answer = await super()._routed(request)
        assert isinstance(answer, Reply)
        return msgspec.json.encode(answer.body)

    async def handle(self, request: Request) -> Answer:
        """Count it, and answer what is ready, after what befalls it."""
        self.asked[request.path] += 1
        answer = await super().handle(request)
        if isinstance(answer, Reply):
            self.sent[request.path] += len(answer.body) if isinstance(answer.body, bytes) else 0
        return answer

    async def _routed(self, request: Request) -> Answer:
        if request.method == "GET" and (frames := self.frames.get(request.path)):
            return _json(frames[int((time.monotonic() - self.began) / STEP_SECONDS) % FRAMES])
        if request.path in LISTS:
            asked = (request.path, request.query)
            if asked not in self._lists_asked:
                self._lists_asked[asked] = await self._serialised(request)
            return _json(self._lists_asked[asked])
        if request.path == "/api/v0/logs/stream" and "flood" in request.get("filename"):
            return Stream(self._flooded())
        return await super()._routed(request)

    async def _flooded(self) -> AsyncIterator[bytes]:
        begun, blocks = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - begun) * FLOOD_LINES_A_SECOND / FLOOD_BLOCK) + 1
            for _ in range(due - blocks):
                yield self._flood
            blocks = due
            await asyncio.sleep(FLOOD_BLOCK / FLOOD_LINES_A_SECOND / 2)

    def sizes(self) -> dict[str, float]:
        """What it serves: kB for each node and each job, and the number of actors."""
        nodes, jobs = self.cluster.plan.nodes, len(self.cluster.jobs)
        return {
            "kb_per_node": len(self.frames["/nodes"][0]) / 1000 / nodes,
            "kb_per_job": len(self.frames["/api/jobs/"][0]) / 1000 / jobs,
            "nodes": nodes,
            "jobs": jobs,
            "actors": len(self.cluster.actors()),
        }

    def since(self) -> dict[str, dict[str, int]]:
        """What was asked since this was called before: requests and bytes of bodies by path."""
        found = {"requests": dict(self.asked), "bytes": dict(self.sent)}
        self.asked.clear()
        self.sent.clear()
        return found


def _json(body: bytes) -> Reply:
    return Reply(body, content_type="application/json")


def fill(cluster: SimCluster, count: int) -> None:
    """So many actors that live and tasks that run, in place of those of the jobs."""
    workloads = cluster.workloads
    workloads.is_bare = bool(count)
    node_id = cluster.machines[0].node_id
    workloads.more["actors"] = [
        workloads.actor(
            actor_id=f"{number:024x}01000000", class_name=f"sim-actor-{number}", node_id=node_id, pid=number + 1
        )
        for number in range(count)
    ]
    workloads.more["tasks"] = [workloads.task(number, name=f"sim-task-{number}") for number in range(count)]


async def serve(plan: Plan, inside: int) -> None:
    """Until standard input ends."""
    cluster = SimCluster(plan)
    fill(cluster, inside)
    async with SimServer(cluster) as server:
        dashboard = BigDashboard(cluster)
        await dashboard.prepare()
        server.dashboard = dashboard
        print(json.dumps({"url": server.url, **dashboard.sizes()}), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            if order := line.strip():
                await obey(server, json.loads(order))
            print("ok" if order else json.dumps(dashboard.since()), flush=True)


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="big_dashboard")
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--gpus", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument("--inside", type=int, default=0, help="living actors and running tasks")
    args = parser.parse_args()
    asyncio.run(serve(Plan(nodes=args.nodes, gpus=args.gpus, jobs=args.jobs, origin=time.time()), args.inside))


if __name__ == "__main__":
    main()
