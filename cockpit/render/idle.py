"""Idle GPUs as rows and records: who holds a GPU and does not use it, since when, and what that costs."""

from collections.abc import Sequence

from cockpit.model.gpu_use import IdleGpu
from cockpit.render.gpus import short_model
from cockpit.render.nodes import gib_cell, whole_cell
from cockpit.render.table import Cell, Column, Fixed, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.units import UNKNOWN, duration

COLUMNS = (
    Column(key="node", title="NODE", width=Measured(8, 24), priority=0),
    Column(key="gpu", title="GPU", width=Fixed(4), align="right", priority=0),
    Column(key="model", title="MODEL", width=Measured(8, 26), priority=5),
    Column(key="util", title="USE", width=Fixed(5), align="right", priority=3),
    Column(key="memory", title="MEMORY GiB", width=Fixed(13), align="right", priority=4),
    Column(key="power", title="W", width=Fixed(4), align="right", priority=4),
    Column(key="idle", title="IDLE", width=Measured(4, 16), align="right", priority=0),
    Column(key="wasted", title="WASTED $/h", width=Fixed(10), align="right", priority=1),
    Column(key="job", title="JOB", width=Flexible(16, 80), priority=0),
    Column(key="owner", title="OWNER", width=Measured(4, 20), priority=2),
    Column(key="actor", title="ACTOR", width=Fixed(8), priority=5),
    Column(key="pid", title="PID", width=Measured(3, 10), align="right", priority=5),
    Column(key="outside", title="OUTSIDE RAY", width=Measured(4, 40), priority=6),
)


def idle_row(gpu: IdleGpu, _: RowContext) -> Row:
    """One idle GPU."""
    return Row(
        key=f"{gpu.node}:{gpu.index}",
        cells=(
            gpu.node,
            Cell(str(gpu.index), sort=gpu.index),
            Cell(short_model(gpu.model), tone="quiet"),
            whole_cell(gpu.utilization),
            gib_cell(gpu.memory_used, gpu.memory_total),
            whole_cell(gpu.power_w),
            _idle(gpu),
            Cell(UNKNOWN if gpu.cost_per_hour is None else f"{gpu.cost_per_hour:.2f}", sort=gpu.cost_per_hour),
            gpu.submission_id or gpu.job_id,
            gpu.owner,
            (gpu.actor_id or "")[:8] or None,
            Cell(UNKNOWN if gpu.pid is None else str(gpu.pid), sort=gpu.pid),
            ", ".join(f"pid {pid}" for pid in gpu.foreign_pids),
        ),
    )


def _idle(gpu: IdleGpu) -> Cell:
    if gpu.known_for is not None:
        return Cell(f"known for {duration(gpu.known_for)}", tone="quiet", sort=gpu.seconds)
    return Cell(duration(gpu.seconds), tone="warn", sort=gpu.seconds)


def idle_sentence(job: str, gpus: Sequence[IdleGpu]) -> str:
    """That a job holds GPUs without using them, and what that costs where it is known."""
    costs = [gpu.cost_per_hour for gpu in gpus if gpu.cost_per_hour is not None]
    count = "1 GPU" if len(gpus) == 1 else f"{len(gpus)} GPUs"
    price = f", ${sum(costs):,.2f}/h wasted" if costs else ""
    seconds = min(gpu.seconds for gpu in gpus)
    return f"{job or 'An unknown job'} holds {count} idle for {duration(seconds)}{price}. Press i in Overview to see."


def idle_record(gpu: IdleGpu) -> Record:
    """The JSON record of an idle GPU; seconds, bytes, watts, USD per hour."""
    return {
        "node": gpu.node,
        "index": gpu.index,
        "name": gpu.model,
        "utilization_gpu": gpu.utilization,
        "memory_used": gpu.memory_used,
        "memory_total": gpu.memory_total,
        "power_w": gpu.power_w,
        "share": gpu.share,
        "submission_id": gpu.submission_id,
        "job_id": gpu.job_id,
        "owner": gpu.owner,
        "actor_id": gpu.actor_id,
        "pid": gpu.pid,
        "foreign_pids": list(gpu.foreign_pids),
        "idle_seconds": round(gpu.seconds),
        "known_for_seconds": None if gpu.known_for is None else round(gpu.known_for),
        "wasted_usd_per_hour": None if gpu.cost_per_hour is None else round(gpu.cost_per_hour, 4),
        "counts": gpu.counts,
    }


IDLE_GPUS: TableSpec[IdleGpu] = TableSpec(
    name="gpus",
    title="Idle GPUs",
    columns=COLUMNS,
    row=idle_row,
    record=idle_record,
    noun="idle GPUs",
    empty="No idle GPUs.",
    id_column="job",
)
