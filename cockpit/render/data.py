"""Datasets and their operators as rows and records of one table."""

import msgspec

from cockpit.model.datasets import DataRow, Dataset, Operator
from cockpit.render.table import Cell, Column, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.times import iso
from cockpit.render.units import UNKNOWN, coarse

COLUMNS = (
    Column(key="name", title="NAME", width=Flexible(14, 60), priority=0, sortable=False),
    Column(key="state", title="STATE", width=Measured(7, 12), priority=0),
    Column(key="progress", title="BLOCKS", width=Measured(4, 15), align="right", priority=0),
    Column(key="percent", title="DONE", width=Measured(4, 6), align="right", priority=1),
    Column(key="rows", title="ROWS", width=Measured(4, 14), align="right", priority=2),
    Column(key="queued", title="QUEUED", width=Measured(4, 8), align="right", priority=1),
    Column(key="job", title="JOB ID", width=Measured(8, 10), priority=3),
    Column(key="started", title="STARTED", width=Measured(4, 12), align="right", priority=2),
    Column(key="duration", title="DURATION", width=Measured(4, 10), align="right", priority=2),
    Column(key="id", title="ID", width=Measured(8, 80), hidden=True, priority=4),
)
_TONES = {"RUNNING": "", "FINISHED": "quiet", "FAILED": "error"}


def data_row(row: DataRow, context: RowContext) -> Row:
    """A dataset, or an operator set in below it."""
    one, step = row.dataset, row.operator
    shown: Dataset | Operator = one if step is None else step
    ratio = None if shown.progress is None or not shown.total else shown.progress / shown.total
    lived = None if one.start_time is None else (one.end_time or context.now) - one.start_time
    name = f"  {step.name or step.operator or UNKNOWN}" if step else one.dataset
    return Row(
        key=row.key,
        cells=(
            name,
            Cell(shown.state or UNKNOWN, tone=_TONES.get(shown.state or "", "warn")),
            Cell(f"{_count(shown.progress)}/{_count(shown.total)}", sort=shown.progress),
            Cell(UNKNOWN if ratio is None else f"{100 * ratio:.0f} %", sort=ratio),
            Cell(_count(shown.total_rows), sort=shown.total_rows),
            "" if step is None else Cell(_count(step.queued_blocks), sort=step.queued_blocks),
            Cell(one.job_id or UNKNOWN, tone="quiet") if step is None else "",
            Cell(f"{coarse(context.now - one.start_time)} ago" if step is None and one.start_time else ""),
            Cell(coarse(lived) if step is None else "", sort=lived),
            row.key,
        ),
    )


def _count(number: int | None) -> str:
    return UNKNOWN if number is None else str(number)


def data_record(row: DataRow) -> Record:
    """The JSON record of a dataset with its operators, or of one operator; `kind` tells which."""
    if row.operator is not None:
        return {
            "kind": "operator",
            "job_id": row.dataset.job_id,
            "dataset": row.dataset.dataset,
            **msgspec.to_builtins(row.operator),
        }
    record: Record = {"kind": "dataset", **msgspec.to_builtins(row.dataset)}
    record["start_time"], record["end_time"] = iso(row.dataset.start_time), iso(row.dataset.end_time)
    return record


DATA: TableSpec[DataRow] = TableSpec(
    name="data",
    title="Data",
    columns=COLUMNS,
    row=data_row,
    record=data_record,
    empty="No datasets.",
    noun="datasets",
)
