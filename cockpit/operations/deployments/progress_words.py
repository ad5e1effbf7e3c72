"""A deployment under way in words and rows: bids, services that start, and how it ended."""

from cockpit.operations.deployments.bids import BidRow, key_of
from cockpit.operations.deployments.ending import Ended
from cockpit.operations.deployments.news import StartNews
from cockpit.operations.deployments.telling import bid_cells
from cockpit.render import plain
from cockpit.render.deployments import dollars
from cockpit.render.table import Cell, Row, text_column

_SERVICE_COLUMNS = [
    text_column(" "),
    text_column("SERVICE", shrink=True),
    text_column("READY", right=True),
    text_column("LAST EVENT", shrink=True),
]


def bid_table_row(row: BidRow, group: str = "") -> Row:
    """A bid in a table that is chosen from; `group` names what it is for, where there are several."""
    provider, *rest = bid_cells(row)
    record = row.record
    has_failed = len(record.failures) > record.reached
    cells = [f"{group}: {provider}" if group else provider, *rest]
    # Our own record is the sixth cell of `bid_cells`, the seconds are the last.
    return Row(
        key=key_of(row.bid),
        cells=tuple(Cell(text, "warn") if at == 6 and has_failed else text for at, text in enumerate(cells)),
    )


def service_lines(start: StartNews, shown: str = "", width: int | None = None) -> list[str]:
    """The services with their replicas; a sign marks the one whose events and log are shown."""
    rows = [
        [
            ">" if one.name == shown else " ", one.name, f"{one.available}/{one.total}",
            one.events[-1] if one.events else "ready" if one.is_ready else "",
        ]
        for one in start.services
    ]  # fmt: skip
    return plain.text_lines(_SERVICE_COLUMNS, rows, width=width)


def end_words(ended: Ended) -> str:
    """That a deployment is closed, with what it cost, what came back, and whether its port is dead."""
    if not ended.dseq:
        return "Nothing is left of it, so it costs nothing."
    parts = [f"Deployment {ended.dseq} is closed with its data"]
    parts += [f"it cost {dollars(ended.spent_usd)}"] if ended.spent_usd is not None else []
    parts += [f"{dollars(ended.refund_usd)} came back"] if ended.refund_usd is not None else []
    parts += ["its port is dead"] if ended.port_is_dead else []
    sentences = [f"{', '.join(parts)}."]
    if ended.port_is_dead is False:
        sentences.append("Its port still answers; the provider may take a moment, and is not paid any more.")
    if ended.context is not None:
        sentences.append(f"Removed the cluster {ended.context}.")
    return " ".join(sentences)
