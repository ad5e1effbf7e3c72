"""Saved clusters as rows and records."""

import re

from cockpit.model.cluster_rows import ClusterRow
from cockpit.render import lease_money
from cockpit.render.deployments import dollars, hours
from cockpit.render.table import Cell, Column, Fixed, Flexible, Measured, Record, Row, RowContext, TableSpec
from cockpit.render.text import visible
from cockpit.render.units import duration

CLUSTER_COLUMNS = (
    Column(key="use", title="", width=Fixed(1), priority=0),
    Column(key="name", title="NAME", width=Measured(6, 24), priority=0),
    Column(key="health", title="HEALTH", width=Fixed(9), live=True, priority=0),
    Column(key="gpus", title="GPUS", width=Measured(5, 11), align="right", live=True, priority=1),
    Column(key="running", title="RUNNING", width=Fixed(7), align="right", live=True, priority=2),
    Column(key="failed", title="FAILED", width=Fixed(6), align="right", live=True, priority=1),
    Column(key="cost", title="USD/H", width=Fixed(7), align="right", priority=2),
    Column(key="spent", title="SO FAR", width=Measured(6, 10), align="right", priority=4),
    Column(key="left", title="LEFT", width=Measured(4, 20), align="right", priority=2),
    Column(key="ray", title="RAY", width=Measured(6, 12), live=True, priority=4),
    Column(key="why", title="PROBLEM", width=Flexible(14, 200), live=True, priority=3),
    Column(key="address", title="ADDRESS", width=Measured(10, 60), priority=5),
    Column(key="notes", title="NOTES", width=Measured(9, 40), priority=6),
)

# It has a column of its own, and a sentence that begins with it would tell nothing else where there is little room.
_ADDRESS = re.compile(r"^https?://\S+ | (?:at|of) https?://[^\s,]*[^\s,.:]")

_DOWN = "The SSH tunnel is down. "  # the reason follows, and tells as much

_TONES = {"up": "", "stale": "warn", "away": "error", "refused": "error", "asking": "quiet"}


def cluster_row(row: ClusterRow, _: RowContext | None = None) -> Row:
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
            Cell("REPLAY", "warn") if row.source == "replay" else Cell(row.health, tone),
            gpus,
            None if row.running is None else Cell(str(row.running), figures, row.running),
            None if row.failed is None else Cell(str(row.failed), "error" if row.failed else figures, row.failed),
            None if row.cost is None else Cell(f"{row.cost:.2f}", "", row.cost),
            *_money_cells(row),
            Cell(row.ray_version, "quiet") if row.ray_version else None,
            Cell(why, tone or row.alarm) if why else "",
            Cell(visible(row.address if row.ssh is None else f"{row.address} via {row.ssh}"), "quiet"),
            Cell(_notes(row), "quiet"),
        ),
    )


def _money_cells(row: ClusterRow) -> tuple[Cell | None, Cell | None]:
    """What the lease cost so far and how long it lasts; only a lease has these."""
    if row.money is None:
        return None, None
    money = row.money
    spent = None if money.spent_usd is None else Cell(dollars(money.spent_usd), "", float(money.spent_usd))
    if money.ended:
        return spent, Cell("ended", "error", 0.0)
    left = money.hours_left
    return spent, None if left is None else Cell(hours(left), lease_money.tone(money), float(left))


_SOURCES = {"containers": "in containers here", "local": "this machine's own Ray", "replay": "REPLAY: a recording"}


def _notes(row: ClusterRow) -> str:
    return ", ".join(part for part in (_SOURCES.get(row.source, ""), "read-only" if row.is_read_only else "") if part)


def cluster_record(row: ClusterRow) -> Record:
    """The JSON record, of what is written down."""
    return {
        "name": row.name,
        "address": row.address,
        "source": row.source,
        "current": row.is_current,
        "ssh": row.ssh,
        "usd_per_hour": row.cost,
        "read_only": row.is_read_only,
    }


CLUSTERS: TableSpec[ClusterRow] = TableSpec(
    name="clusters",
    title="Clusters",
    columns=CLUSTER_COLUMNS,
    row=cluster_row,
    record=cluster_record,
    empty="No clusters yet. Add one with: rayakash-tui clusters add NAME ADDRESS",
    id_column="name",
)
