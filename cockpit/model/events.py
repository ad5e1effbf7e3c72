"""What happened in a cluster: Ray's own events, and the deaths of nodes, actors and workers."""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from cockpit.model.secret_values import withhold_in


class ClusterEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened, `count` times between `first_time` and `time`, in seconds since the epoch.

    Ray writes INFO even above errors of its autoscaler: `severity` is its word, not ours.
    """

    severity: str | None = None
    time: float | None = None
    source_type: str | None = None
    message: str | None = None
    event_id: str | None = None
    custom_fields: dict[str, str] | None = None
    count: int = 1
    first_time: float | None = None
    submission_id: str | None = None
    job_id: str | None = None
    node_id: str | None = None
    actor_id: str | None = None
    worker_id: str | None = None
    pid: int | None = None

    def __post_init__(self) -> None:
        withhold_in(self, "message")

    @property
    def is_trouble(self) -> bool:
        """Whether it says that something failed, whatever its severity."""
        return self.severity in ("ERROR", "FATAL") or "Error:" in (self.message or "")


class DeadNode(msgspec.Struct, frozen=True, gc=False):
    """A node that is gone, as the state API lists it."""

    node_id: str | None = None
    node_ip: str | None = None
    state_message: str | None = None
    end_time_ms: int | None = None

    def __post_init__(self) -> None:
        withhold_in(self, "state_message")


def folded(events: Iterable[ClusterEvent]) -> tuple[ClusterEvent, ...]:
    """Equal events as one, with how many there were and since when; the latest first.

    The autoscaler repeats each demand that it cannot meet every 5 s.
    """
    latest: dict[tuple[str | None, ...], ClusterEvent] = {}
    for event in events:
        key = (event.source_type, event.severity, event.message, event.node_id, event.actor_id, event.worker_id)
        first = event.first_time if event.first_time is not None else event.time
        known = latest.get(key)
        if known is None:
            latest[key] = replace(event, first_time=first)
            continue
        times = [time for time in (known.time, event.time) if time is not None]
        begun = [time for time in (known.first_time, first) if time is not None]
        latest[key] = replace(
            known,
            count=known.count + event.count,
            time=max(times, default=None),
            first_time=min(begun, default=None),
        )
    return tuple(sorted(latest.values(), key=lambda event: event.time or 0.0, reverse=True))
