"""Placement groups, as Ray's state API lists them; every field may be missing."""

import msgspec

GROUP_STATES = ("PENDING", "PREPARED", "CREATED", "RESCHEDULING", "REMOVED")


class BundleId(msgspec.Struct, frozen=True, gc=False):
    """Which bundle of its group it is."""

    bundle_index: int | None = None


class Bundle(msgspec.Struct, frozen=True, gc=False):
    """Resources that are reserved together on one node; `node_id` is empty until they are."""

    bundle_id: BundleId | None = None
    unit_resources: dict[str, float] | None = None
    node_id: str | None = None
    label_selector: dict[str, str] | None = None


class SchedulingStats(msgspec.Struct, frozen=True, gc=False):
    """How often Ray tried to place the group, and what came of it last: `INFEASIBLE`, `NO_RESOURCES`, `FINISHED`."""

    scheduling_state: str | None = None
    scheduling_attempt: int | None = None
    creation_request_received_ns: int | None = None
    end_to_end_creation_latency_us: int | None = None


class PlacementGroup(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A placement group; Ray does not list its strategy here."""

    placement_group_id: str | None = None
    name: str | None = None
    creator_job_id: str | None = None
    state: str | None = None
    is_detached: bool | None = None
    bundles: tuple[Bundle, ...] | None = None
    stats: SchedulingStats | None = None

    @property
    def requested_at(self) -> float | None:
        """When it was asked for, in seconds since the epoch."""
        nanoseconds = self.stats.creation_request_received_ns if self.stats else None
        return nanoseconds / 1e9 if nanoseconds else None

    @property
    def demand(self) -> dict[str, float]:
        """What all of its bundles need together."""
        total: dict[str, float] = {}
        for bundle in self.bundles or ():
            for name, amount in (bundle.unit_resources or {}).items():
                total[name] = total.get(name, 0.0) + amount
        return total

    @property
    def placed(self) -> int:
        """How many bundles have a node."""
        return sum(1 for bundle in self.bundles or () if bundle.node_id)
