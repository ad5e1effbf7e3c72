"""Whether a demand fits on a node, and if not, what it lacks: the part of Ray's scheduler that can be recomputed.

Ray shows the same state for what is busy and what can never be placed (ray-depth section 0.7): this tells them apart.
"""

from collections.abc import Sequence

from cockpit.model.why import labels
from cockpit.model.why.amounts import EPSILON, amount_text, joined, needs_text, number_text, ordered
from cockpit.model.why.facts import Demand, Holder, Offer, in_group
from cockpit.model.why.verdicts import Cause, NodeFit

MOST_NAMES = 3


def fit(offer: Offer, demand: Demand) -> NodeFit:
    """One node: labels first, then what it has at all, then what is free."""
    needs = demand.needs
    if not any(labels.match(offer.labels, selector) for selector in (demand.labels, *demand.other_labels)):
        return NodeFit(offer=offer, demand=demand, verdict="label-mismatch")
    never = tuple(name for name, need in needs.items() if need > offer.total.get(name, 0.0) + EPSILON)
    if never:
        return NodeFit(offer=offer, demand=demand, verdict="infeasible", lacking=never)
    busy = tuple(name for name, need in needs.items() if need > offer.free(name) + EPSILON)
    if busy:
        return NodeFit(offer=offer, demand=demand, verdict="busy", lacking=busy)
    return NodeFit(offer=offer, demand=demand, verdict="fits")


def place(demand: Demand, offers: Sequence[Offer]) -> Cause | None:
    """Why the demand fits on no node; None where one has room for it."""
    fits = tuple(fit(offer, demand) for offer in offers)
    if any(one.verdict == "fits" for one in fits):
        return None
    if not fits:
        return Cause(verdict="infeasible", reason="No node of the cluster is alive.", short="no living node")
    if any(one.verdict == "busy" for one in fits):
        return _busy(demand, fits)
    if all(one.verdict == "label-mismatch" for one in fits):
        return _no_label(demand, fits)
    return _infeasible(demand, fits)


def _no_label(demand: Demand, fits: tuple[NodeFit, ...]) -> Cause:
    wanted = _labels_text(demand)
    what = "label" if len(demand.labels) == 1 else "labels"
    return Cause(
        verdict="label-mismatch", reason=f"No node has the {what} {wanted}.", short=f"no node has {wanted}", nodes=fits
    )


def _labels_text(demand: Demand) -> str:
    return " or ".join(labels.text(selector) for selector in (demand.labels, *demand.other_labels))


def _infeasible(demand: Demand, fits: tuple[NodeFit, ...]) -> Cause:
    near = [one for one in fits if one.verdict == "infeasible"]
    elsewhere = [one for one in fits if one.verdict == "label-mismatch" and _has_all(one.offer, demand)]
    if elsewhere:
        wanted = f"{_labels_text(demand)} and {needs_text(demand.needs)}"
        reason = f"No node has both {wanted}: {_closest(near, demand)}; {elsewhere[0].offer.label} lacks the label."
        return Cause(verdict="infeasible", reason=reason, short=f"no node has both {wanted}", nodes=fits)
    lacking = _lacked_everywhere(near)
    if lacking is None:
        wanted = needs_text(demand.needs)
        return Cause(
            verdict="infeasible",
            reason=f"No node has {wanted} together: {_closest(near, demand)}.",
            short=f"no node has {wanted}",
            nodes=fits,
        )
    place = in_group(lacking)
    need, most = demand.needs[lacking], max(one.offer.total.get(lacking, 0.0) for one in near)
    wanted = amount_text(lacking, need)
    if place is not None:
        where = f"bundle {place.bundle}" if place.bundle is not None else "a bundle"
        has = f"{where} of placement group {place.group_id[:12]} has {number_text(lacking, most)}"
        reason, short = f"Needs {wanted}; {has}.", f"needs {wanted}, {where} has {number_text(lacking, most)}"
    elif most <= 0:
        reason, short = f"Needs {wanted}; no node has any.", f"needs {wanted}, no node has any"
    else:
        whose = "with these labels " if len(near) < len(fits) else ""
        reason = f"Needs {wanted} on one node; the largest node {whose}has {number_text(lacking, most)}."
        short = f"needs {wanted}, largest node has {number_text(lacking, most)}"
    return Cause(verdict="infeasible", reason=reason, short=short, nodes=fits)


def _has_all(offer: Offer, demand: Demand) -> bool:
    return all(offer.total.get(name, 0.0) + EPSILON >= need for name, need in demand.needs.items())


def _lacked_everywhere(fits: Sequence[NodeFit]) -> str | None:
    """A resource of which every node has too few."""
    common = set(fits[0].lacking).intersection(*(one.lacking for one in fits))
    return ordered({name: fits[0].demand.needs[name] for name in common})[0] if common else None


def _closest(fits: Sequence[NodeFit], demand: Demand) -> str:
    """The node that lacks the fewest resources, in words."""
    best = min(fits, key=lambda one: len(one.lacking))
    had = [
        f"{number_text(name, best.offer.total.get(name, 0.0))} of {amount_text(name, demand.needs[name])}"
        for name in best.lacking
    ]
    return f"{best.offer.label} has {joined(had)}"


def _busy(demand: Demand, fits: tuple[NodeFit, ...]) -> Cause:
    busy = [one for one in fits if one.verdict == "busy"]
    lacking = _lacked_everywhere(busy) or min(busy, key=lambda one: len(one.lacking)).lacking[0]
    short_of = [one for one in busy if lacking in one.lacking]
    best = max(short_of, key=lambda one: one.offer.free(lacking))
    need = amount_text(lacking, demand.needs[lacking])
    free, total = best.offer.free(lacking), best.offer.total[lacking]
    numbers = f"{number_text(lacking, free)} of {number_text(lacking, total)}"
    group = in_group(lacking)
    if group is not None:
        bundle = f"bundle {group.bundle}" if group.bundle is not None else "the bundles"
        where = f"{bundle} of placement group {group.group_id[:12]} on {best.offer.label}"
        reason = f"Needs {need}; {numbers} free in {where}"
        short = f"{need}: {numbers} free in its placement group"
    else:
        reason = f"Needs {need} on one node; {numbers} free on {best.offer.label}"
        if len(short_of) > 1:
            reason += ", the most of any node"
        short = f"{need}: {numbers} free"
    reason += _holders_text(holders(best))
    spread = sum(one.offer.free(lacking) for one in fits if one.verdict != "label-mismatch")
    if group is None and spread + EPSILON >= demand.needs[lacking] > 0:
        reason += f". {amount_text(lacking, spread)} are free in all, but not on one node"
    return Cause(verdict="busy", reason=f"{reason}.", short=short, nodes=fits)


def holders(one: NodeFit) -> tuple[Holder, ...]:
    """Who holds what the demand needs on a node."""
    needs = one.demand.needs
    return tuple(holder for holder in one.offer.held if any(name in holder.resources for name in needs))


def _holders_text(found: Sequence[Holder]) -> str:
    if not found:
        return ""
    names = list(dict.fromkeys(holder.label for holder in found))
    more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return f", held by {joined(names[:MOST_NAMES] + more)}"
