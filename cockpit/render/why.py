"""Why something waits, as text: sentences, a table of nodes, and the JSON object."""

from collections.abc import Mapping
from typing import Any

import msgspec

from cockpit.model.why import labels
from cockpit.model.why.amounts import amount_text, joined, needs_text, number_text, ordered, resource_text
from cockpit.model.why.facts import Demand, Holder, in_group
from cockpit.model.why.placement import holders
from cockpit.model.why.verdicts import Explanation, NodeFit
from cockpit.render.table import text_column
from cockpit.render.times import iso
from cockpit.render.units import UNKNOWN, age, duration

COLUMNS = (
    text_column("NODE"),
    text_column("NEEDS"),
    text_column("FREE"),
    text_column("VERDICT"),
    text_column("HELD BY", shrink=True),
)

NODE_LABEL = "ray.io/node-id"

_WORDS = {
    "infeasible": "can never start on this cluster",
    "busy": "waits for resources that are held",
    "label-mismatch": "can never start: no node has the labels",
    "waiting-for-arguments": "waits for arguments",
    "initializing": "is starting",
    "runtime-env": "waits for its runtime environment",
    "downloading": "waits for a download",
    "unknown": "waits",
    "not-pending": "does not wait",
}


def headline(found: Explanation) -> str:
    """What it is and its state, in one line."""
    kind = found.kind.capitalize().replace("-", " ")
    return f"{kind} {found.id} ({found.state or UNKNOWN}) {_WORDS[found.cause.verdict]}."


def countdown(found: Explanation, now: float) -> str:
    """When Ray will give up; empty where it will not. `now` is in seconds since the epoch."""
    if found.gives_up_at is None:
        return ""
    left = found.gives_up_at - now
    return f"Ray gives up in {duration(left)}, by its default timeout of 15 min." if left > 0 else "Ray gives up now."


def row(one: NodeFit, now: float) -> tuple[str, ...]:
    """A node against a demand; `now` is in seconds since the epoch."""
    needs, offer = one.demand.needs, one.offer
    free = [
        f"{number_text(name, offer.free(name))} of {amount_text(name, offer.total.get(name, 0.0))}"
        for name in ordered(needs)
    ]
    return (
        offer.label,
        demand_text(one.demand),
        ", ".join(free) or UNKNOWN,
        _verdict(one),
        ", ".join(_holder(holder, needs, now) for holder in holders(one) if one.verdict == "busy") or UNKNOWN,
    )


def demand_text(demand: Demand) -> str:
    """What it asked for, labels too; the label by which Ray pins a job to the head is the node's ID."""
    pinned = demand.labels.get(NODE_LABEL)
    others = {name: value for name, value in demand.labels.items() if name != NODE_LABEL}
    where = [*([f"node {pinned[:8]}"] if pinned else []), *([labels.text(others)] if others else [])]
    return ", ".join(where + ([needs_text(demand.needs)] if demand.needs or not where else []))


def _verdict(one: NodeFit) -> str:
    match one.verdict:
        case "fits":
            return "has room"
        case "busy":
            return "busy"
        case "infeasible" if all(in_group(name) for name in one.lacking):
            return "no bundle of its placement group"
        case "infeasible":
            return f"too few {joined([resource_text(name) for name in one.lacking])}"
        case "label-mismatch":
            return "lacks a label"


def _holder(holder: Holder, needs: Mapping[str, float], now: float) -> str:
    held = joined([amount_text(name, holder.resources[name]) for name in ordered(holder.resources) if name in needs])
    since = f", {age(holder.since, now=now)}" if holder.since is not None else ""
    return f"{holder.label} ({held}{since})"


def record(found: Explanation) -> dict[str, Any]:
    """The object of `why --json`."""
    return {
        "id": found.id,
        "kind": found.kind,
        "state": found.state,
        "verdict": found.cause.verdict,
        "reason": found.cause.reason,
        "gives_up_at": iso(found.gives_up_at),
        "nodes": [_node_record(one) for one in found.cause.nodes],
    }


def _node_record(one: NodeFit) -> dict[str, Any]:
    needs, offer = one.demand.needs, one.offer
    return {
        "node_id": offer.node_id,
        "hostname": offer.hostname,
        "needs": needs,
        "total": {name: offer.total.get(name, 0.0) for name in needs},
        "free": {name: offer.free(name) for name in needs},
        "held_by": [_holder_record(holder) for holder in holders(one)],
        "verdict": one.verdict,
    }


def _holder_record(holder: Holder) -> dict[str, Any]:
    record: dict[str, Any] = msgspec.to_builtins(holder)
    record["since"] = iso(holder.since)
    return record
