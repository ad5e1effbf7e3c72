"""What comes of asking why something waits."""

from typing import Literal

import msgspec

from cockpit.model.why.facts import Demand, Offer

Verdict = Literal[
    "infeasible",
    "busy",
    "label-mismatch",
    "waiting-for-arguments",
    "initializing",
    "runtime-env",
    "downloading",
    "unknown",
    "not-pending",
]
NodeVerdict = Literal["fits", "busy", "infeasible", "label-mismatch"]
Kind = Literal["job", "actor", "task", "placement-group", "replica"]

NEVER: tuple[Verdict, ...] = ("infeasible", "label-mismatch")


class NodeFit(msgspec.Struct, frozen=True, kw_only=True):
    """One node against one demand."""

    offer: Offer
    demand: Demand
    verdict: NodeVerdict
    lacking: tuple[str, ...] = ()
    """Resources of which the node has too few, ever or now."""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict with its sentence, the few words that a table has room for, and the nodes looked at."""

    verdict: Verdict
    reason: str
    short: str
    nodes: tuple[NodeFit, ...] = ()


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why one thing waits; `gives_up_at` is in seconds since the epoch, None where Ray goes on for ever."""

    id: str
    kind: Kind
    state: str | None
    cause: Cause
    gives_up_at: float | None = None

    @property
    def can_start(self) -> bool:
        """False where the thing cannot start as the cluster stands."""
        return self.cause.verdict not in NEVER
