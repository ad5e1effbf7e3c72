"""Serve's applications, deployments and replicas as rows and records of one table."""

import re

import msgspec

from cockpit.model.serve import FAILED_STATUSES, ServeRow
from cockpit.render.needs import needs
from cockpit.render.table import Cell, Column, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.times import iso
from cockpit.render.units import UNKNOWN, coarse

COLUMNS = (
    Column(key="name", title="NAME", width=Measured(12, 40), priority=0, sortable=False),
    Column(key="status", title="STATUS", width=Measured(7, 18), priority=0),
    Column(key="replicas", title="REPLICAS", width=Measured(4, 12), align="right", priority=1),
    Column(key="route", title="ROUTE", width=Measured(4, 30), priority=3),
    Column(key="needs", title="NEEDS", width=Measured(4, 30), priority=5),
    Column(key="node", title="NODE", width=Measured(4, 24), priority=2),
    Column(key="pid", title="PID", width=Measured(4, 9), align="right", priority=4),
    Column(key="since", title="AGE", width=Measured(3, 8), align="right", priority=3),
    Column(key="message", title="MESSAGE", width=Flexible(12, 300), priority=1),
    Column(key="id", title="ID", width=Measured(8, 80), hidden=True, priority=6),
)
_INDENTS = {"application": "", "deployment": "  ", "replica": "    "}
_TONES = {"RUNNING": "", "HEALTHY": "", "DEAD": "quiet"}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def serve_row(row: ServeRow, context: RowContext) -> Row:
    """One application, deployment or replica, set in below what it belongs to."""
    name = row.replica or row.deployment or row.application
    status = row.status or UNKNOWN
    tone = "error" if status in FAILED_STATUSES else _TONES.get(status, "warn")
    counts = "" if row.running is None else f"{row.running}/{UNKNOWN if row.target is None else row.target}"
    return Row(
        key=row.key,
        cells=(
            _INDENTS.get(row.kind, "") + name,
            Cell(status, tone=tone),
            Cell(counts, sort=row.running, tone="warn" if row.running != row.target else ""),
            row.route_prefix or "",
            Cell(needs(row.required_resources) if row.kind == "deployment" else "", tone="quiet"),
            context.node_name(row.node_id) if row.kind == "replica" else "",
            str(row.pid) if row.pid else "",
            Cell("" if row.since is None else coarse(context.now - row.since), sort=row.since),
            Cell(summary(row.message), tone=tone),
            row.key,
        ),
    )


def summary(message: str | None) -> str:
    """The line of a message that matters: of a traceback the last that names an exception."""
    lines = [line.strip() for line in plain(message).splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    return named[-1] if named else " ".join(lines)


def plain(message: str | None) -> str:
    """The message without the colors that Ray puts into tracebacks."""
    return _ANSI.sub("", message or "")


def serve_record(row: ServeRow) -> Record:
    """The JSON record of a row, by Ray's names; `kind` is application, deployment or replica."""
    record: Record = msgspec.to_builtins(row)
    record["replica_id"] = record.pop("replica")
    record["running_replicas"], record["target_num_replicas"] = record.pop("running"), record.pop("target")
    record["message"] = plain(row.message) if row.message is not None else None
    since = "last_deployed_time" if row.kind == "application" else "start_time"
    record.pop("since")
    record |= {"last_deployed_time": None, "start_time": None, since: iso(row.since), "id": row.key}
    return record


SERVE: TableSpec[ServeRow] = TableSpec(
    name="serve",
    title="Serve",
    columns=COLUMNS,
    row=serve_row,
    record=serve_record,
    empty="No Serve applications.",
    noun="Serve applications",
    names_nodes=True,
)
