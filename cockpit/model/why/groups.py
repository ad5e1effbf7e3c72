"""Why a placement group waits: each of its bundles against each node, then all of them by its strategy."""

from collections.abc import Sequence

from cockpit.model.placement_groups import Bundle, PlacementGroup
from cockpit.model.why.amounts import EPSILON, lowered, needs_text
from cockpit.model.why.facts import Demand, Offer
from cockpit.model.why.placement import fit, place
from cockpit.model.why.verdicts import Cause, NodeFit


def of_group(group: PlacementGroup, offers: Sequence[Offer], *, strategy: str | None = None) -> Cause:
    """Why a placement group is not placed; `strategy` is None where Ray did not report it.

    Ray itself says INFEASIBLE of groups alone, and is believed.
    """
    if group.state in ("CREATED", "REMOVED"):
        return Cause(verdict="not-pending", reason=f"The placement group is {group.state.lower()}.", short="")
    bundles = [bundle for bundle in group.bundles or () if not bundle.node_id]
    demands = _distinct(bundles)
    nodes = tuple(fit(offer, demand) for demand in demands.values() for offer in offers)
    causes = [(index, cause) for index, demand in demands.items() if (cause := place(demand, offers))]
    never = next(((index, cause) for index, cause in causes if cause.verdict != "busy"), None)
    if never is not None:
        return _of_bundle(*never, nodes, len(bundles))
    said = group.stats.scheduling_state if group.stats else None
    together = _impossible_together(bundles, offers, strategy)
    if together or said == "INFEASIBLE":
        short = together or "Ray finds no way to place all of its bundles on these nodes"
        named = f" (strategy {strategy})" if strategy and not together else ""
        return Cause(verdict="infeasible", reason=f"{short}{named}.", short=lowered(short), nodes=nodes)
    if causes:
        return _of_bundle(*causes[0], nodes, len(bundles))
    if said == "NO_RESOURCES":
        reason = f"Each bundle fits by itself; the {len(bundles)} bundles do not fit at once{_attempts(group)}."
        return Cause(verdict="busy", reason=reason, short="its bundles do not fit at once", nodes=nodes)
    reason = "Its bundles have room; Ray decides within seconds."
    return Cause(verdict="unknown", reason=reason, short="being placed", nodes=nodes)


def _distinct(bundles: Sequence[Bundle]) -> dict[int, Demand]:
    """The different demands, each by the index of the first bundle that has it."""
    found: dict[int, Demand] = {}
    for position, bundle in enumerate(bundles):
        demand = Demand(resources=bundle.unit_resources or {}, labels=bundle.label_selector or {})
        if demand not in found.values():
            index = bundle.bundle_id.bundle_index if bundle.bundle_id else None
            found[position if index is None else index] = demand
    return found


def _of_bundle(index: int, cause: Cause, nodes: tuple[NodeFit, ...], count: int) -> Cause:
    if count == 1:
        return Cause(verdict=cause.verdict, reason=cause.reason, short=cause.short, nodes=nodes)
    reason = lowered(cause.reason)
    return Cause(
        verdict=cause.verdict,
        reason=f"Bundle {index} of {count} {reason}" if reason.startswith("needs") else f"Bundle {index}: {reason}",
        short=f"bundle {index}: {cause.short}",
        nodes=nodes,
    )


def _impossible_together(bundles: Sequence[Bundle], offers: Sequence[Offer], strategy: str | None) -> str:
    """Why the strategy cannot be kept with these nodes, whatever is free on them; empty where it can be."""
    if strategy == "STRICT_SPREAD" and len(bundles) > len(offers):
        return f"STRICT_SPREAD needs {len(bundles)} nodes, one for each bundle; {len(offers)} are alive"
    if strategy == "STRICT_PACK":
        whole = _summed(bundles)
        if not any(
            all(need <= offer.total.get(name, 0.0) + EPSILON for name, need in whole.items()) for offer in offers
        ):
            return f"STRICT_PACK needs {needs_text(whole)} on one node for all {len(bundles)} bundles; no node has it"
    return ""


def _has(offer: Offer, needs: dict[str, float]) -> bool:
    return all(need <= offer.total.get(name, 0.0) + EPSILON for name, need in needs.items())


def _summed(bundles: Sequence[Bundle]) -> dict[str, float]:
    total: dict[str, float] = {}
    for bundle in bundles:
        for name, amount in (bundle.unit_resources or {}).items():
            total[name] = total.get(name, 0.0) + amount
    return total


def _attempts(group: PlacementGroup) -> str:
    count = group.stats.scheduling_attempt if group.stats else None
    return f", after {count} attempts" if count else ""
