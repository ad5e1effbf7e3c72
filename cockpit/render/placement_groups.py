"""Placement groups as rows and records."""

from collections.abc import Iterable

import msgspec

from cockpit.model.placement_groups import PlacementGroup
from cockpit.render.needs import needs
from cockpit.render.table import Cell, Column, Fixed, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.times import iso
from cockpit.render.units import UNKNOWN, coarse

COLUMNS = (
    Column(key="state", title="STATE", width=Measured(8, 14), priority=0),
    Column(key="name", title="NAME", width=Flexible(8, 60), priority=0),
    Column(key="job", title="JOB ID", width=Fixed(8), priority=3),
    Column(key="bundles", title="PLACED", width=Measured(4, 10), align="right", priority=0),
    Column(key="needs", title="NEEDS", width=Measured(6, 48), priority=1),
    Column(key="scheduling", title="SCHEDULING", width=Measured(6, 30), priority=1),
    Column(key="nodes", title="NODES", width=Flexible(6, 80), priority=4),
    Column(key="requested", title="AGE", width=Measured(4, 8), align="right", priority=2),
    Column(key="id", title="PLACEMENT GROUP ID", width=Measured(8, 36), priority=2),
)
_ORDER = ("PENDING", "RESCHEDULING", "PREPARED", "CREATED", "REMOVED")


def group_row(group: PlacementGroup, context: RowContext) -> Row:
    """One placement group."""
    state, requested = group.state or UNKNOWN, group.requested_at
    nodes = dict.fromkeys(context.node_name(bundle.node_id) for bundle in group.bundles or () if bundle.node_id)
    return Row(
        key=group.placement_group_id or "?",
        cells=(
            Cell(f"{context.glyphs.state(state)} {state}", tone=_tone(group), sort=_rank(group)),
            group.name or "",
            Cell(group.creator_job_id or UNKNOWN, tone="quiet"),
            Cell(f"{group.placed}/{len(group.bundles or ())}", sort=group.placed),
            needs(group.demand),
            _scheduling(group),
            Cell(", ".join(name for name in nodes if name), tone="quiet"),
            Cell(
                coarse(None if requested is None else context.now - requested),
                sort=None if requested is None else -requested,
            ),
            group.placement_group_id,
        ),
    )


def _scheduling(group: PlacementGroup) -> Cell:
    stats = group.stats
    if stats is None or stats.scheduling_state is None:
        return Cell(UNKNOWN)
    if stats.scheduling_state == "FINISHED":
        return Cell("done", tone="quiet")
    tries = f", {stats.scheduling_attempt} attempts" if stats.scheduling_attempt else ""
    return Cell(f"{stats.scheduling_state}{tries}", tone="error" if stats.scheduling_state == "INFEASIBLE" else "warn")


def _tone(group: PlacementGroup) -> str:
    return {"CREATED": "", "REMOVED": "quiet"}.get(group.state or "", "warn")


def _rank(group: PlacementGroup) -> int:
    return _ORDER.index(group.state) if group.state in _ORDER else len(_ORDER)


def ordered(groups: Iterable[PlacementGroup], _context: RowContext) -> list[PlacementGroup]:
    """What waits first, of each state the newest."""
    return sorted(groups, key=lambda group: (_rank(group), -(group.requested_at or 0), group.placement_group_id or ""))


def group_record(group: PlacementGroup) -> Record:
    """The JSON record of a placement group."""
    record: Record = msgspec.to_builtins(group)
    record["bundles"] = [
        {**bundle, "bundle_index": (bundle.pop("bundle_id") or {}).get("bundle_index")}
        for bundle in record["bundles"] or ()
    ]
    record["requested_at"] = iso(group.requested_at)
    return record


PLACEMENT_GROUPS: TableSpec[PlacementGroup] = TableSpec(
    name="placement_groups",
    title="Placement groups",
    columns=COLUMNS,
    row=group_row,
    record=group_record,
    order=ordered,
    empty="No placement groups.",
    noun="placement groups",
    names_nodes=True,
)
