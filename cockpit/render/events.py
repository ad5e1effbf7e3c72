"""Events as rows and records."""

import msgspec

from cockpit.model.events import ClusterEvent
from cockpit.render.table import Cell, Column, Fixed, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.times import clock_time, iso
from cockpit.render.units import UNKNOWN, duration

COLUMNS = (
    Column(key="time", title="TIME", width=Measured(8, 11), priority=0),
    Column(key="count", title="COUNT", width=Fixed(5), align="right", priority=1),
    Column(key="span", title="OVER", width=Measured(4, 8), align="right", priority=2),
    Column(key="source", title="SOURCE", width=Measured(4, 12), priority=0),
    Column(key="severity", title="SEVERITY", width=Measured(4, 8), priority=4),
    Column(key="message", title="MESSAGE", width=Flexible(30, 1000), priority=0),
    Column(key="node", title="NODE", width=Measured(6, 24), priority=3),
    Column(key="id", title="EVENT ID", width=Measured(8, 40), hidden=True, priority=5),
)


def event_row(event: ClusterEvent, context: RowContext) -> Row:
    """One event, with how often it came and over how long."""
    span = None if event.time is None or event.first_time is None else event.time - event.first_time
    tone = "error" if event.severity in ("ERROR", "FATAL") else ("warn" if event.is_trouble else "")
    return Row(
        key=event_key(event),
        cells=(
            Cell(clock_time(None if event.time is None else round(event.time * 1000), context.now), sort=event.time),
            Cell(str(event.count), sort=event.count, tone="quiet" if event.count == 1 else ""),
            Cell(duration(span) if event.count > 1 else "", sort=span, tone="quiet"),
            Cell(event.source_type or UNKNOWN, tone="quiet"),
            Cell(event.severity or UNKNOWN, tone="quiet"),
            Cell(" ".join((event.message or "").split()), tone=tone),
            context.node_name(event.node_id or None) or "",
            event.event_id or event.actor_id or event.worker_id or event.node_id,
        ),
    )


def event_key(event: ClusterEvent) -> str:
    """What makes it one event, however often it comes."""
    return "/".join(
        part or "" for part in (event.source_type, event.node_id, event.actor_id, event.worker_id, event.message)
    )


def event_record(event: ClusterEvent) -> Record:
    """The JSON record of an event; `time` is the last of `count`, times in ISO 8601."""
    record: Record = msgspec.to_builtins(event)
    record["time"], record["first_time"] = iso(event.time), iso(event.first_time)
    return record


EVENTS: TableSpec[ClusterEvent] = TableSpec(
    name="events",
    title="Events",
    columns=COLUMNS,
    row=event_row,
    record=event_record,
    empty="No events.",
    names_nodes=True,
)
