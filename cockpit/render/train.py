"""Train runs and their workers as rows and records of one table."""

import msgspec

from cockpit.model.log_paths import below_logs
from cockpit.model.train import TrainRow
from cockpit.model.training_reports import Report
from cockpit.render.table import Cell, Column, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.times import iso
from cockpit.render.units import UNKNOWN, coarse

COLUMNS = (
    Column(key="name", title="NAME", width=Measured(10, 40), priority=0, sortable=False),
    Column(key="status", title="STATUS", width=Measured(7, 14), priority=0),
    Column(key="workers", title="WORKERS", width=Measured(4, 9), align="right", priority=1),
    Column(key="node", title="NODE", width=Measured(6, 24), priority=1),
    Column(key="gpus", title="GPUS", width=Measured(4, 12), priority=2),
    Column(key="pid", title="PID", width=Measured(5, 9), align="right", priority=3),
    Column(key="job", title="JOB ID", width=Measured(8, 10), priority=3),
    Column(key="started", title="STARTED", width=Measured(4, 12), align="right", priority=2),
    Column(key="duration", title="DURATION", width=Measured(4, 10), align="right", priority=2),
    Column(key="metrics", title="METRICS (FROM THE LOG)", width=Measured(8, 60), priority=1),
    Column(key="detail", title="DETAIL", width=Flexible(10, 300), priority=1),
    Column(key="id", title="ID", width=Measured(8, 60), hidden=True, priority=5),
)
MOST_SHOWN = 4
_TONES = {"RUNNING": "", "ALIVE": "", "FINISHED": "quiet", "ERRORED": "error", "ABORTED": "error", "DEAD": "error"}


def train_row(row: TrainRow, context: RowContext) -> Row:
    """A run, or a worker set in below it."""
    return Row(key=row.key, cells=_run(row, context) if row.worker is None else _worker(row, context))


def _run(row: TrainRow, context: RowContext) -> tuple[Cell | str | None, ...]:
    run = row.run
    begun, ended = _seconds(run.start_time_ns), _seconds(run.end_time_ns)
    alive = sum(1 for worker in run.workers if worker.status == "ALIVE")
    attempts = len(run.attempts or ())
    detail = " ".join((run.status_detail or "").split()) or (f"attempt {attempts}" if attempts > 1 else "")
    lived = None if begun is None else (ended or context.now) - begun
    return (
        run.name or run.id,
        _status(run.status),
        Cell(f"{alive}/{len(run.workers)}", sort=len(run.workers)),
        "",
        Cell(str(sum(len(worker.gpu_ids or ()) for worker in run.workers))),
        "",
        Cell(run.job_id or UNKNOWN, tone="quiet"),
        Cell("" if begun is None else f"{coarse(context.now - begun)} ago", sort=None if begun is None else -begun),
        Cell(coarse(lived), sort=lived),
        report_text(row.report),
        Cell(detail, tone=_TONES.get(run.status or "", "warn")),
        run.id,
    )


def _worker(row: TrainRow, context: RowContext) -> tuple[Cell | str | None, ...]:
    worker = row.worker
    assert worker is not None
    rank = UNKNOWN if worker.world_rank is None else worker.world_rank
    gpus = ", ".join(map(str, worker.gpu_ids or ())) or "none"
    return (
        f"  rank {rank}",
        _status(worker.status),
        "",
        context.node_name(worker.node_id or None),
        Cell(gpus, tone="quiet"),
        Cell(str(worker.pid), sort=worker.pid) if worker.pid else None,
        "",
        "",
        "",
        report_text(row.report),
        Cell(below_logs(worker.log_file_path or ""), tone="quiet"),
        row.key,
    )


def report_text(report: Report | None) -> str:
    """The figures of the last report, such as `loss 0.1667  epoch 5  (report 6)`."""
    if report is None:
        return ""
    shown = [f"{name} {value:.4g}" for name, value in list(report.metrics.items())[:MOST_SHOWN]]
    return "  ".join([*shown, f"(report {report.number})"])


def _status(word: str | None) -> Cell:
    return Cell(word or UNKNOWN, tone=_TONES.get(word or "", "warn"))


def _seconds(nanoseconds: int | None) -> float | None:
    return nanoseconds / 1e9 if nanoseconds else None


def train_record(row: TrainRow) -> Record:
    """The JSON record of a run with its attempts, or of a worker with the ID of its run; `kind` tells which."""
    metrics = None if row.report is None else row.report.metrics
    reported = {"reports": row.report.number if row.report else None, "metrics_from_log": metrics}
    if row.worker is not None:
        return {"kind": "worker", "run_id": row.run.id, **msgspec.to_builtins(row.worker), **reported}
    record: Record = {"kind": "run", **msgspec.to_builtins(row.run), **reported}
    for name in ("start_time", "end_time"):
        record[name] = iso(_seconds(record.pop(f"{name}_ns")))
    return record


TRAIN: TableSpec[TrainRow] = TableSpec(
    name="train",
    title="Train",
    columns=COLUMNS,
    row=train_row,
    record=train_record,
    empty="No Train runs.",
    noun="Train runs",
    names_nodes=True,
)
