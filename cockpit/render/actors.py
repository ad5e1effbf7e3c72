"""Actors as rows and records."""

from collections.abc import Iterable

import msgspec

from cockpit.model.actors import Actor, DeathCause
from cockpit.render.needs import needs
from cockpit.render.table import Cell, Column, Fixed, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.units import UNKNOWN

COLUMNS = (
    Column(key="state", title="STATE", width=Measured(8, 22), priority=0),
    Column(key="class", title="CLASS", width=Flexible(12, 60, weight=2), priority=0),
    Column(key="name", title="NAME", width=Measured(6, 40), priority=3),
    Column(key="job", title="JOB ID", width=Fixed(8), priority=4),
    Column(key="node", title="NODE", width=Measured(6, 24), priority=1),
    Column(key="pid", title="PID", width=Measured(5, 9), align="right", priority=2),
    Column(key="restarts", title="RESTARTS", width=Fixed(8), align="right", priority=6),
    Column(key="needs", title="NEEDS", width=Measured(6, 40), priority=5),
    Column(key="reason", title="REASON", width=Flexible(10, 200, weight=2), priority=3),
    Column(key="id", title="ACTOR ID", width=Measured(8, 32), priority=2),
)
# What waits first, since it is looked for; the dead last.
_ORDER = ("DEPENDENCIES_UNREADY", "PENDING_CREATION", "RESTARTING", "ALIVE", "DEAD")


def actor_row(actor: Actor, context: RowContext) -> Row:
    """One actor."""
    state = actor.state or UNKNOWN
    return Row(
        key=actor.actor_id or "?",
        cells=(
            Cell(f"{context.glyphs.state(state)} {state}", tone=_tone(actor), sort=_rank(actor)),
            actor.class_name,
            actor.name or "",
            Cell(actor.job_id or UNKNOWN, tone="quiet"),
            context.node_name(actor.node_id or None),
            Cell(str(actor.pid), sort=actor.pid) if actor.pid else None,
            Cell(str(actor.num_restarts or 0), sort=actor.num_restarts, tone="warn" if actor.num_restarts else "quiet"),
            Cell(needs(actor.required_resources), tone="quiet"),
            Cell(reason(actor), tone="error" if actor.is_over else "quiet"),
            actor.actor_id,
        ),
    )


def reason(actor: Actor) -> str:
    """Why it is dead, in one line; empty for the living."""
    cause = actor.death_cause
    if cause is None:
        return ""
    lines = (cause.message or "").strip().splitlines()
    # Of a traceback the last line names the exception; Ray's own texts begin with what matters.
    line = (lines[-1] if lines and lines[0].startswith("Traceback") else lines[0]) if lines else ""
    return ": ".join(part for part in (cause.reason, line.strip()) if part)


def _tone(actor: Actor) -> str:
    if actor.state == "ALIVE":
        return ""
    if actor.is_over:
        return "quiet" if (actor.death_cause or DeathCause()).is_wanted else "error"
    return "warn"


def _rank(actor: Actor) -> float:
    return _ORDER.index(actor.state) if actor.state in _ORDER else len(_ORDER)


def ordered(actors: Iterable[Actor], _context: RowContext) -> list[Actor]:
    """By state, then by class and ID."""
    return sorted(actors, key=lambda actor: (_rank(actor), actor.class_name or "", actor.actor_id or ""))


def actor_record(actor: Actor) -> Record:
    """The JSON record of an actor."""
    record: Record = msgspec.to_builtins(actor)
    cause = actor.death_cause
    record["death_cause"] = None if cause is None else {"reason": cause.reason, "message": cause.message}
    return record


ACTORS: TableSpec[Actor] = TableSpec(
    name="actors",
    title="Actors",
    columns=COLUMNS,
    row=actor_row,
    record=actor_record,
    order=ordered,
    empty="No actors.",
    names_nodes=True,
)
