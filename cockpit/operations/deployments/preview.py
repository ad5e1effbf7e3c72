"""The preview of a deployment: its money, then its services and where they are reached."""

from collections.abc import Iterable

from cockpit.model.akash.deployments import Deployment, LeaseStatus, ServiceStatus
from cockpit.operations.deployments.looking import Look
from cockpit.operations.deployments.register import Row
from cockpit.operations.deployments.telling import SECOND_HAND, detail_lines, notes
from cockpit.render import plain
from cockpit.render.preview import Line, Preview, fact_lines, text_line, wrapped
from cockpit.render.table import text_column
from cockpit.render.units import UNKNOWN

_COLUMNS = (text_column("SERVICE"), text_column("READY", right=True), text_column("REACHED AT", shrink=True))
# Said in the title, in the sentence above, or of no use beside the list.
_ELSEWHERE = ("dseq", "name", "state", "note", "made here")


def deployment_preview(row: Row, seen: Look | None, width: int) -> Preview:
    """A deployment in so many columns; `seen` is None until more was said than the list does."""
    facts = [(label, text) for label, text in detail_lines(row) if label not in _ELSEWHERE]
    title = " · ".join(text for text in (row.name, row.dseq) if text)
    said = wrapped(notes(row), width, "warn")
    old = wrapped(SECOND_HAND, width, "warn") if seen is not None and seen.is_second_hand else []
    services = _services(seen.deployment if seen is not None else None, width)
    return Preview(title, row.state, [*said, *fact_lines(facts, width), *services, *old])


def _services(found: Deployment | None, width: int) -> list[Line]:
    statuses = [lease.status for lease in found.leases if lease.status is not None] if found is not None else []
    cells = [
        (name, f"{service.available}/{service.total}", ", ".join(_addresses(service, status)) or UNKNOWN)
        for status in statuses
        for name, service in status.services.items()
    ]
    if not cells:
        silent = "The provider does not say how its services are."
        return [text_line(silent, "quiet")] if found is not None and found.leases else []
    lines = plain.text_lines(_COLUMNS, cells, width=width)
    tones = ["quiet", *("" if ready.split("/")[0] == ready.split("/")[1] else "warn" for _, ready, _ in cells)]
    return [text_line(line, tone) for line, tone in zip(lines, tones, strict=True)]


def _addresses(service: ServiceStatus, status: LeaseStatus) -> Iterable[str]:
    """Host names, forwarded ports and leased addresses, as one would open them."""
    yield from service.uris
    for port in status.forwarded_ports.get(service.name, ()):
        yield f"{port.host}:{port.external_port} → {port.port}"
    for leased in status.ips.get(service.name, ()):
        yield f"{leased.ip}:{leased.external_port} → {leased.port}"
