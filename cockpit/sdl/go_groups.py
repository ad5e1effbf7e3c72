"""What Go refuses of placement groups: currencies, counts, totals; and the reclamation window.

Source: chain-sdk `go/node/deployment` (groupspec, resourceunits.go, validation_config.go), `go/sdl/reclamation.go`.
"""

from collections import Counter, defaultdict

from cockpit.sdl import quantities
from cockpit.sdl.findings import GO, Report, refuser
from cockpit.sdl.go_limits import GROUP_FACTOR, MAX_CPU, MAX_GPU, MAX_MEMORY, MAX_STORAGE
from cockpit.sdl.nodes import Scalar, Sequence, child, resolved
from cockpit.sdl.view import Row, View, string

_refuse = refuser(GO)


def groups(report: Report, view: View) -> None:
    """Note what Go refuses of the placement groups."""
    denoms: dict[str, str] = {}
    for placement, rows in _by_placement(view).items():
        _group_denoms(report, view, placement, rows, denoms)
        _counts(report, view, rows)
        _totals(report, view, placement, rows)


def _by_placement(view: View) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in view.rows:
        groups[row.placement].append(row)
    return dict(sorted(groups.items()))


def _group_denoms(report: Report, view: View, placement: str, rows: list[Row], denoms: dict[str, str]) -> None:
    for row in rows:
        price = view.price(row)
        if price is None or not price.denom:
            continue
        first = next(iter(denoms.values()), price.denom)
        if denoms.setdefault(placement, price.denom) != price.denom or first != price.denom:
            node = child(price.node, "denom") or price.node
            message = f"Prices in {first} and {price.denom} in one file: Go crashes on or refuses that."
            _refuse(report, "mixed-denom", node, message)


def _counts(report: Report, view: View, rows: list[Row]) -> None:
    """2.1 adds up the rows that share a profile, so that a count of 0 may hide behind another."""
    total: Counter[str] = Counter()
    for row in rows:
        total[row.profile if view.version >= (2, 1, 0) else row.service] += row.count or 0
    for row in rows:
        if total[row.profile if view.version >= (2, 1, 0) else row.service] < 1:
            node = child(row.node, "count")
            message = f"{row.service} runs 0 times; both parsers want a count of 1 or more."
            _refuse(report, "missing-count" if node is None else "out-of-range", node or row.node, message)


def _totals(report: Report, view: View, placement: str, rows: list[Row]) -> None:
    total: Counter[str] = Counter()
    for row in rows:
        compute = view.computes.get(row.profile)
        if compute is not None:
            count = row.count or 0
            total.update(cpu=count * (compute.cpu or 0), memory=count * (compute.memory or 0), GPUs=count * compute.gpu)
            for volume in compute.volumes:
                total["storage"] = max(total["storage"], count * (volume.size or 0))
    limits = {"cpu": MAX_CPU, "memory": MAX_MEMORY, "GPUs": MAX_GPU, "storage": MAX_STORAGE}
    for name, most in limits.items():
        if total[name] > most * GROUP_FACTOR:
            message = f"All replicas of {placement} together ask for more {name} than a group may; Go refuses that."
            _refuse(report, f"group-{name.lower()}", rows[0].key, message)


def reclamation(report: Report, view: View) -> None:
    """Note what Go refuses of the reclamation window."""
    section = view.section().get("reclamation")
    if section is None:
        return
    key, value = section
    window = child(resolved(value), "min_window")
    if isinstance(resolved(value), Sequence) or (window is not None and not isinstance(window, Scalar)):
        return
    seconds = quantities.go_seconds(string(window))
    if seconds is None or seconds <= 0:
        message = f"Go takes a duration above 0 such as 24h for min_window and refuses {string(window) or 'nothing'!r}."
        _refuse(report, "bad-form", window or key, message)
