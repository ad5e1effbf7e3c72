"""What both parsers refuse alike in a row of the deployment: names that nothing has, and tee types that do not mix."""

from collections.abc import Iterable

from cockpit.sdl.findings import Report, Side
from cockpit.sdl.nodes import Node, child
from cockpit.sdl.view import Row, View, string


def references(report: Report, view: View, row: Row, side: Side, *, needs_service: bool = True) -> None:
    """Note that a parser refuses a row whose service, placement, price or profile there is not."""
    profile, placement = child(row.node, "profile") or row.node, view.placements.get(row.placement)
    if row.profile not in view.computes:
        message = (
            f"Unknown compute profile {row.profile!r} (there are: {_known(view.computes)}); both parsers refuse that."
        )
        report.add("unknown-profile", profile, message, (side,))
    if placement is None:
        message = (
            f"Unknown placement {row.placement!r} (there are: {_known(view.placements)}); both parsers refuse that."
        )
        report.add("unknown-placement", row.key, message, (side,))
    elif row.profile not in placement.prices:
        message = (
            f"Placement {row.placement!r} sets no price for the profile {row.profile!r}; both parsers refuse that."
        )
        report.add("no-price", profile, message, (side,))
    if needs_service and row.service not in view.services:
        message = f"Unknown service {row.service!r} (there are: {_known(view.services)}); both parsers fail on that."
        report.add("unknown-service", row.key, message, (side,))


def tee_mix(report: Report, view: View, row: Row, node: Node, side: Side) -> None:
    """Note that a parser refuses a placement whose services ask for different tee types; `node` is this one's."""
    for other in view.rows:
        peer = view.services.get(other.service) if other.placement == row.placement else None
        theirs = string(child(peer.node, "params", "tee")) if peer else ""
        if theirs and theirs != string(node):
            report.add("tee-mix", node, f"Services of placement {row.placement} ask for different tee types.", (side,))


def _known(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
