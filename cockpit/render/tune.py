"""Sweeps of Ray Tune with their trials as rows and records of one table."""

import msgspec

from cockpit.model.tune import TRIAL_STATES, Printed, TuneRow
from cockpit.render.needs import needs
from cockpit.render.table import Cell, Column, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.units import UNKNOWN

COLUMNS = (
    Column(key="name", title="NAME", width=Measured(14, 48), priority=0, sortable=False),
    Column(key="state", title="STATE", width=Measured(7, 16), priority=0),
    Column(key="iteration", title="ITER", width=Measured(4, 8), align="right", priority=1),
    Column(key="values", title="TRIALS AND RESULTS (FROM THE LOG)", width=Flexible(16, 300), priority=0),
    Column(key="needs", title="NEEDS", width=Measured(4, 30), priority=2),
    Column(key="node", title="NODE", width=Measured(4, 24), priority=2),
    Column(key="pid", title="PID", width=Measured(4, 9), align="right", priority=3),
    Column(key="job", title="JOB ID", width=Measured(8, 10), priority=3),
    Column(key="id", title="ID", width=Measured(8, 80), hidden=True, priority=4),
)
_TONES = {"RUNNING": "", "ALIVE": "", "TERMINATED": "quiet", "SUCCEEDED": "quiet", "ERROR": "error", "FAILED": "error"}
_ITERATION = "iter"


def tune_row(row: TuneRow, context: RowContext) -> Row:
    """A sweep, or a trial or trial actor set in below it."""
    actor = row.actor
    values = row.trial.values if row.trial else {}
    return Row(
        key=row.key,
        cells=(
            _name(row),
            Cell(state(row) or UNKNOWN, tone=_TONES.get(state(row) or "", "warn")),
            values.get(_ITERATION, ""),
            Cell(_text(row), tone="" if row.trial else "quiet"),
            "" if actor is None else needs(row.asked),
            "" if actor is None else context.node_name(actor.node_id or None),
            "" if actor is None or not actor.pid else str(actor.pid),
            "" if row.kind != "sweep" else row.job.job_id or UNKNOWN,
            row.key,
        ),
    )


def _name(row: TuneRow) -> str:
    if row.trial is not None:
        return f"  {row.trial.name}"
    return "  (trial actor)" if row.actor is not None else row.job.id or UNKNOWN


def state(row: TuneRow) -> str | None:
    """The state of a trial or its actor; of a sweep that of its job."""
    if row.trial is not None:
        return row.trial.status
    return row.actor.state if row.actor is not None else row.job.status


def _text(row: TuneRow) -> str:
    if row.trial is not None:
        return "  ".join(f"{name} {value}" for name, value in row.trial.values.items() if value and name != _ITERATION)
    if row.actor is not None:
        return ""
    return "no trial table in the log yet" if row.printed is None else summary(row.printed)


def summary(printed: Printed) -> str:
    """How many trials are in which state, for how long it has run, the best of them, and what the table leaves out."""
    counts = ", ".join(f"{printed.counts[state]} {state}" for state in TRIAL_STATES if state in printed.counts)
    parts = [counts, f"ran {printed.running_time}" if printed.running_time else ""]
    parts += [
        f"best {printed.best}" if printed.best else "",
        f"not in the table: {printed.hidden}" * bool(printed.hidden),
    ]
    return " · ".join(part for part in parts if part)


def tune_record(row: TuneRow) -> Record:
    """The JSON record of a sweep, a trial of its table, or a trial actor; `kind` tells which."""
    job = row.job
    record: Record = {
        "kind": row.kind, "submission_id": job.submission_id, "job_id": job.job_id, "state": state(row),
    }  # fmt: skip
    if row.trial is not None:
        return record | {"trial": row.trial.name, "values_from_log": row.trial.values}
    if row.actor is not None:
        names = ("actor_id", "class_name", "node_id", "pid", "placement_group_id")
        return record | {name: getattr(row.actor, name) for name in names} | {"required_resources": row.asked}
    printed = msgspec.to_builtins(row.printed) if row.printed else {}
    printed.pop("trials", None)
    return record | {"printed_in_log": printed or None}


TUNE: TableSpec[TuneRow] = TableSpec(
    name="tune",
    title="Tune",
    columns=COLUMNS,
    row=tune_row,
    record=tune_record,
    empty="No Tune sweeps.",
    noun="Tune sweeps",
    names_nodes=True,
)
