"""Tasks as rows and records."""

from collections.abc import Iterable

import msgspec

from cockpit.model.tasks import Task
from cockpit.render.needs import needs
from cockpit.render.table import Cell, Column, Fixed, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.times import iso
from cockpit.render.units import UNKNOWN, coarse

COLUMNS = (
    Column(key="state", title="STATE", width=Measured(8, 30), priority=0),
    Column(key="name", title="NAME", width=Flexible(12, 80, weight=2), priority=0),
    Column(key="type", title="TYPE", width=Measured(4, 14), priority=5),
    Column(key="job", title="JOB ID", width=Fixed(8), priority=4),
    Column(key="node", title="NODE", width=Measured(6, 24), priority=1),
    Column(key="pid", title="PID", width=Measured(5, 9), align="right", priority=2),
    Column(key="since", title="IN STATE", width=Measured(4, 8), align="right", priority=1),
    Column(key="attempt", title="ATTEMPT", width=Fixed(7), align="right", priority=6),
    Column(key="needs", title="NEEDS", width=Measured(6, 40), priority=5),
    Column(key="error", title="ERROR", width=Flexible(8, 200, weight=2), priority=3),
    Column(key="id", title="TASK ID", width=Measured(8, 48), priority=3),
)
_TYPES = {"NORMAL_TASK": "task", "ACTOR_TASK": "method", "ACTOR_CREATION_TASK": "constructor", "DRIVER_TASK": "driver"}
_ORDER = {"FAILED": 2, "FINISHED": 3}


def task_row(task: Task, context: RowContext) -> Row:
    """One attempt of a task."""
    state = task.state or UNKNOWN
    since = None if task.since_ms is None else task.since_ms / 1000
    return Row(
        key=f"{task.task_id}/{task.attempt_number}",
        cells=(
            Cell(f"{context.glyphs.state('RUNNING' if task.is_running else _sign(task))} {state}", tone=_tone(task)),
            task.name or task.func_or_class_name,
            Cell(_TYPES.get(task.type or "", task.type or UNKNOWN), tone="quiet"),
            Cell(task.job_id or UNKNOWN, tone="quiet"),
            context.node_name(task.node_id or None),
            Cell(str(task.worker_pid), sort=task.worker_pid) if task.worker_pid else None,
            Cell(coarse(None if since is None else context.now - since), sort=None if since is None else -since),
            Cell(UNKNOWN if task.attempt_number is None else str(task.attempt_number), sort=task.attempt_number),
            Cell(needs(task.required_resources), tone="quiet"),
            Cell(error(task), tone="error"),
            task.task_id,
        ),
    )


def error(task: Task) -> str:
    """Its error in one line; empty without one."""
    lines = [line.strip() for line in (task.error_message or "").strip().splitlines() if line.strip()]
    return ": ".join(part for part in (task.error_type, lines[-1] if lines else "") if part)


def _sign(task: Task) -> str:
    return (task.state or "") if task.is_over else "PENDING"


def _tone(task: Task) -> str:
    return {"FAILED": "error", "FINISHED": "quiet"}.get(task.state or "", "" if task.is_running else "warn")


def ordered(tasks: Iterable[Task], _context: RowContext) -> list[Task]:
    """What waits first, then what runs, then the failed and the finished; of each the longest in its state first."""
    return sorted(tasks, key=lambda task: (_rank(task), task.since_ms or float("inf"), task.task_id or ""))


def _rank(task: Task) -> int:
    return _ORDER.get(task.state or "", 1 if task.is_running else 0)


def task_record(task: Task) -> Record:
    """The JSON record of an attempt; times in ISO 8601."""
    record: Record = msgspec.to_builtins(task)
    for name in ("creation_time", "start_time", "end_time"):
        moment = record.pop(f"{name}_ms")
        record[name] = iso(None if moment is None else moment / 1000)
    record["events"] = [
        {"state": event.state, "time": iso(None if event.created_ms is None else event.created_ms / 1000)}
        for event in task.events or ()
    ]
    return record


TASKS: TableSpec[Task] = TableSpec(
    name="tasks",
    title="Tasks",
    columns=COLUMNS,
    row=task_row,
    record=task_record,
    order=ordered,
    empty="No tasks.",
    names_nodes=True,
)
