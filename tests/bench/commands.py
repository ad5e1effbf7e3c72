"""Our commands beside Ray's own, on one real head and by turns."""

import sys
from collections.abc import Callable
from functools import partial

from tests.bench.figures import Figure
from tests.bench.processes import COCKPIT, Taken, median, taken
from tests.bench.ray_head import BenchHead
from tests.live.release import ray_release

PART = "Commands, beside Ray's own on a real head (medians by turns)"
TIME, MEMORY, BARE_TIME = 1 / 4, 1 / 3, 0.85
WITH_TARGETS = ("jobs", "submit --no-wait", "logs")
IMPORTS = "Two thirds of it are imports of others: httpx with anyio and h11, asyncio with ssl, msgspec, argparse."
BETWEEN = {
    "time": f"{IMPORTS} The head's own answer comes on top, which both wait for.",
    "peak memory": "Python with httpx, asyncio and ssl imported, before a line of ours, is nine tenths of it.",
}

Command = tuple[str, ...]

# The list of jobs as bytes, by the least that asyncio and httpx can be asked with.
BARE_GET = """
import asyncio, os, httpx
async def main():
    headers = {"Authorization": "Bearer " + os.environ["RAY_AUTH_TOKEN"]}
    async with httpx.AsyncClient(headers=headers) as client:
        (await client.get(os.environ["RAYAKASH_ADDRESS"] + "/api/jobs/")).raise_for_status()
asyncio.run(main())
"""


def pairs(job_id: str) -> dict[str, tuple[Command, Command]]:
    """Ours and theirs, by what they do."""
    ray = ray_release().command
    return {
        "jobs": (("jobs",), (ray, "job", "list")),
        "submit --no-wait": (("submit", "--no-wait", "--", "true"), (ray, "job", "submit", "--no-wait", "--", "true")),
        "logs": (("logs", job_id), (ray, "job", "logs", job_id)),
        "logs -f": (("logs", "-f", job_id), (ray, "job", "logs", "-f", job_id)),
        "nodes": (("nodes",), (ray, "list", "nodes")),
    }


def measured(bench: BenchHead, *, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Each pair so many times, and once before that which does not count."""
    figures: list[Figure] = []
    for name, (ours, theirs) in pairs(bench.job_id).items():
        say(f"{name} …")
        run = partial(taken, environment=bench.environment)
        run((*COCKPIT, *ours))
        runs = [(run((*COCKPIT, *ours)), run(theirs)) for _ in range(rounds)]
        figures += _figures(name, [mine for mine, _ in runs], [other for _, other in runs])
    return [*figures, _beside_a_bare_get(bench, rounds)]


def _beside_a_bare_get(bench: BenchHead, rounds: int) -> Figure:
    run = partial(taken, environment=bench.environment)
    bare = (sys.executable, "-c", BARE_GET)
    runs = [(run((*COCKPIT, "jobs")), run(bare)) for _ in range(2 * rounds + 1)][1:]
    numbers = median((mine for mine, _ in runs), "wall"), median((other for _, other in runs), "wall")
    return Figure(
        PART, "jobs: time, beside a bare asyncio and httpx GET", numbers[0], "s", numbers[1], BARE_TIME, between=IMPORTS
    )


def _figures(name: str, ours: list[Taken], theirs: list[Taken]) -> list[Figure]:
    def figure(what: str, field: str, unit: str, most: float | None = None) -> Figure:
        most = most if name in WITH_TARGETS else None
        numbers = median(ours, field), median(theirs, field)
        return Figure(PART, f"{name}: {what}", numbers[0], unit, numbers[1], most, between=BETWEEN.get(what, ""))

    return [
        figure("time", "wall", "s", TIME),
        figure("processor", "cpu", "s"),
        figure("peak memory", "peak", "MiB", MEMORY),
    ]
