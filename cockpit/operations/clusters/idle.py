"""The idle-GPU radar: GPUs that are held and not used, since when, and what that costs."""

from collections.abc import Mapping, Sequence

import msgspec

from cockpit.feeds.history_recorder import gpu_key
from cockpit.feeds.history_store import RESUME_SECONDS
from cockpit.model.gpu_use import IdleGpu, foreign_processes, is_idle, stable_names
from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, Node
from cockpit.model.past import Holding

DEFAULT_MIN_SECONDS = 300.0
START_SLACK_SECONDS = 60.0
"""Samples have a time that is rounded down to their step: idle from the first one on is idle from the start."""


def idle_gpus(
    nodes: Sequence[Node],
    jobs: Sequence[Job],
    holdings: Sequence[Holding],
    *,
    covered_since: float | None,
    now: float,
    min_seconds: float = DEFAULT_MIN_SECONDS,
    cost_per_hour: float | None = None,
) -> list[IdleGpu]:
    """The idle GPUs of the living nodes, the greatest waste first; those known to be idle for less time are left out.

    A GPU whose known past is shorter than `min_seconds` stays, with `known_for` set: whether it counts is not known.
    `holdings` are those of the history, and `covered_since` is since when it is without a gap; None without a
    history. With 0 the present sample alone decides.
    """
    names = stable_names(nodes)
    by_id = {name: job for job in jobs for name in (job.job_id, job.submission_id) if name}
    latest = {(one.gpu, one.job): one for one in holdings if now - one.end <= RESUME_SECONDS}
    gpus = [(node, gpu) for node in nodes if node.is_alive for gpu in node.gpus]
    price = None if cost_per_hour is None or not gpus else cost_per_hour / len(gpus)
    found = []
    for node, gpu in gpus:
        if gpu.holders and gpu.index is not None and is_idle(gpu):
            row = _row(names[node.node_id or ""], gpu, by_id, price)
            row = _judged(row, _holding(row, latest), covered_since, now, min_seconds)
            if row.known_for is not None or row.seconds >= min_seconds:
                found.append(row)
    return sorted(found, key=lambda row: (-row.seconds * row.share * (row.cost_per_hour or 1.0), row.node, row.index))


def waste_per_hour(rows: Sequence[IdleGpu]) -> float | None:
    """What the rows that count cost in USD per hour; None where no cost is known."""
    costs = [row.cost_per_hour for row in rows if row.counts and row.cost_per_hour is not None]
    return sum(costs) if costs else None


def _row(node: str, gpu: Gpu, jobs: Mapping[str, Job], price: float | None) -> IdleGpu:
    held = max(gpu.holders, key=lambda one: one.allocation or 0.0)
    job = jobs.get(held.submission_id or "") or jobs.get(held.job_id or "")
    share = min(1.0, sum(one.allocation or 0.0 for one in gpu.holders))
    return IdleGpu(
        node=node,
        index=gpu.index or 0,
        model=gpu.name,
        utilization=gpu.utilization_gpu,
        power_w=None if gpu.power_mw is None else gpu.power_mw / 1000,
        memory_used=gpu.memory_used,
        memory_total=gpu.memory_total,
        share=share,
        submission_id=held.submission_id or (job.submission_id if job else None),
        job_id=held.job_id,
        owner=job.owner if job else None,
        actor_id=held.actor_id,
        pid=held.pid,
        foreign_pids=tuple(foreign_processes(gpu)),
        seconds=0.0,
        known_for=None,
        cost_per_hour=None if price is None else price * share,
    )


def _holding(row: IdleGpu, latest: Mapping[tuple[str, str], Holding]) -> Holding | None:
    key = gpu_key(row.node, row.index)
    names = (row.submission_id, row.job_id)
    return next((latest[key, name] for name in names if name and (key, name) in latest), None)


def _judged(row: IdleGpu, held: Holding | None, covered_since: float | None, now: float, min_seconds: float) -> IdleGpu:
    """The row with how long it has been idle, as far as the history knows."""
    since = held.idle_since if held is not None and held.idle_since is not None else now
    seconds = max(0.0, now - since)
    is_from_the_start = covered_since is None or since <= covered_since + START_SLACK_SECONDS
    return msgspec.structs.replace(
        row, seconds=seconds, known_for=seconds if seconds < min_seconds and is_from_the_start else None
    )
