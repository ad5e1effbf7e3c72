"""Clusters as rows of a table."""

import re

import msgspec

from cockpit.operations.clusters.overview import ClusterRow
from cockpit.render.table import Cell, Column, Fixed, Flexible, Measured, Row, TableSpec
from cockpit.render.text import visible
from cockpit.render.units import duration

CLUSTER_COLUMNS = (
    Column(key="use", title="", width=Fixed(1), priority=0),
    Column(key="name", title="NAME", width=Measured(6, 24), priority=0),
    Column(key="health", title="HEALTH", width=Fixed(9), priority=0),
    Column(key="gpus", title="GPUS", width=Measured(5, 11), align="right", priority=1),
    Column(key="running", title="RUNNING", width=Fixed(7), align="right", priority=2),
    Column(key="failed", title="FAILED", width=Fixed(6), align="right", priority=1),
    Column(key="cost", title="USD/H", width=Fixed(7), align="right", priority=2),
    Column(key="ray", title="RAY", width=Measured(6, 12), priority=4),
    Column(key="why", title="WHAT IS WRONG", width=Flexible(14, 200), priority=3),
    Column(key="address", title="ADDRESS", width=Measured(10, 44), priority=5),
)

# It has a column of its own, and a sentence that begins with it would tell nothing else where there is little room.
_ADDRESS = re.compile(r"^https?://\S+ | (?:at|of) https?://[^\s,]*[^\s,.:]")

_DOWN = "The SSH tunnel is down. "  # the reason follows, and tells as much

_TONES = {"up": "", "stale": "warn", "away": "error", "refused": "error", "asking": "quiet"}


def cluster_row(row: ClusterRow) -> Row:
    """One cluster."""
    sign = "*" if row.is_current else ""
    tone = _TONES[row.health]
    age = f"{duration(row.age)} ago" if row.age is not None and row.health == "stale" else ""
    why = " · ".join(part for part in (age, visible(_ADDRESS.sub("", row.why.removeprefix(_DOWN)))) if part)
    # The same figures mean less once the cluster does not answer.
    figures = "" if row.health == "up" else "quiet"
    gpus = None if row.gpus is None else Cell(f"{row.gpus.used:g}/{row.gpus.total:g}", figures, row.gpus.total)
    return Row(
        key=row.name,
        cells=(
            Cell(sign, "accent"),
            Cell(row.name, "strong" if row.is_open else ""),
            Cell(row.health, tone),
            gpus,
            None if row.running is None else Cell(str(row.running), figures, row.running),
            None if row.failed is None else Cell(str(row.failed), "error" if row.failed else figures, row.failed),
            None if row.cost is None else Cell(f"{row.cost:.2f}", "", row.cost),
            Cell(row.ray_version, "quiet") if row.ray_version else None,
            Cell(why, tone or row.alarm) if why else "",
            Cell(visible(row.address), "quiet"),
        ),
    )


CLUSTERS: TableSpec[ClusterRow] = TableSpec(
    name="clusters",
    title="Clusters",
    columns=CLUSTER_COLUMNS,
    row=lambda row, _: cluster_row(row),
    record=msgspec.to_builtins,
    empty="No clusters.",
    id_column="name",
)
