"""Our commands beside Ray's own, on one real head and by turns."""

from collections.abc import Callable
from functools import partial

from tests.bench.figures import Figure
from tests.bench.processes import COCKPIT, Taken, median, taken
from tests.bench.ray_head import BenchHead
from tests.live.release import ray_release

PART = "Commands, beside Ray's own on a real head (medians by turns)"
TIME, MEMORY = 1 / 10, 1 / 3
WITH_TARGETS = ("jobs", "submit --no-wait", "logs")
IMPORTS = "Two thirds of it are imports of others: httpx with anyio and h11, asyncio with ssl, msgspec, argparse."
BETWEEN = {
    "time": f"{IMPORTS} The head's own answer comes on top, which both wait for.",
    "peak memory": "Python with httpx, asyncio and ssl imported, before a line of ours, is nine tenths of it.",
}

Command = tuple[str, ...]


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
    return figures


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
