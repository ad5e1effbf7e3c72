"""Worker processes as rows and records."""

from collections.abc import Iterable

import msgspec

from cockpit.model.workers import UNWANTED_EXITS, Worker
from cockpit.render.table import Cell, Column, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.times import iso_ms
from cockpit.render.units import UNKNOWN, coarse

COLUMNS = (
    Column(key="state", title="STATE", width=Measured(6, 10), priority=0),
    Column(key="type", title="TYPE", width=Measured(6, 14), priority=2),
    Column(key="node", title="NODE", width=Measured(6, 24), priority=0),
    Column(key="pid", title="PID", width=Measured(5, 9), align="right", priority=0),
    Column(key="started", title="STARTED", width=Measured(4, 12), align="right", priority=1),
    Column(key="duration", title="DURATION", width=Measured(4, 10), align="right", priority=2),
    Column(key="exit", title="EXIT", width=Measured(4, 24), priority=1),
    Column(key="reason", title="REASON", width=Flexible(10, 200), priority=2),
    Column(key="id", title="WORKER ID", width=Measured(8, 56), priority=3),
)


def worker_row(worker: Worker, context: RowContext) -> Row:
    """One process."""
    state = worker.state or UNKNOWN
    begun = None if worker.start_time_ms is None else worker.start_time_ms / 1000
    end = context.now if worker.is_alive else (worker.end_time_ms / 1000 if worker.end_time_ms else None)
    lived = None if begun is None or end is None else end - begun
    is_unwanted = worker.exit_type in UNWANTED_EXITS
    return Row(
        key=worker.worker_id or f"{worker.node_id}/{worker.pid}",
        cells=(
            Cell(f"{context.glyphs.state(state)} {state}", tone="error" if is_unwanted else ""),
            Cell((worker.worker_type or UNKNOWN).lower(), tone="quiet"),
            context.node_name(worker.node_id or None),
            Cell(str(worker.pid), sort=worker.pid) if worker.pid else None,
            Cell("" if begun is None else f"{coarse(context.now - begun)} ago", sort=None if begun is None else -begun),
            Cell(coarse(lived), sort=lived),
            Cell(worker.exit_type or "", tone="error" if is_unwanted else "quiet"),
            Cell(" ".join((worker.exit_detail or "").split()), tone="error" if is_unwanted else "quiet"),
            worker.worker_id,
        ),
    )


def ordered(workers: Iterable[Worker], _context: RowContext) -> list[Worker]:
    """The living first; of both the last to begin or end first."""
    return sorted(
        workers, key=lambda one: (not one.is_alive, -(one.end_time_ms or one.start_time_ms or 0), one.worker_id or "")
    )


def worker_record(worker: Worker) -> Record:
    """The JSON record of a process; times in ISO 8601."""
    record: Record = msgspec.to_builtins(worker)
    for name in ("worker_launch_time", "start_time", "end_time"):
        record[name] = iso_ms(record.pop(f"{name}_ms"))
    return record


WORKERS: TableSpec[Worker] = TableSpec(
    name="workers",
    title="Workers",
    columns=COLUMNS,
    row=worker_row,
    record=worker_record,
    order=ordered,
    empty="No workers.",
    names_nodes=True,
)
