"""What decides where something can be placed: nodes, what is taken on them and by whom, and what waits.

Three of Ray's replies are put together, each for what the others lack (ray-depth section 3): `/api/v0/nodes` has
totals and labels by their exact names, `/api/cluster_status` what is taken (up to 5 s old), and `/nodes` the workers
that took it (up to 15 s old).
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from cockpit.clients import decoding
from cockpit.clients.decoding import Number, Whole
from cockpit.clients.ray.http import NULL, DashboardHttp
from cockpit.clients.ray.node_wire import NO_ACTOR, WireUsed, camel
from cockpit.clients.ray.state import SUPERVISOR_CLASS, SUPERVISOR_NAME, Filter, StateApi
from cockpit.model.actors import Actor
from cockpit.model.placement_groups import PlacementGroup
from cockpit.model.slices import in_slices
from cockpit.model.tasks import Task
from cockpit.model.why.facts import (
    MARKER,
    Asked,
    BundleKey,
    Demand,
    Holder,
    Offer,
    Resources,
    RuntimeEnv,
    bundle_key,
    in_group,
)

WAITING_ACTORS = ("PENDING_CREATION", "DEPENDENCIES_UNREADY", "RESTARTING")
# Members of a runtime environment for which something is fetched or installed (ray/_private/runtime_env).
PLUGINS = ("working_dir", "py_modules", "pip", "uv", "conda", "image_uri", "container", "java_jars", "py_executable")
WITH_URIS = ("working_dir", "py_modules", "java_jars")
MOST_BUNDLES = 10_000
# `CPU_group_0_<36 hexadecimal digits>` after `str.title` on each part.
_MANGLED_GROUP = re.compile(r"(.+)Group(\d+)??([0-9A-Fa-f]{36})")


class PendingActor(Actor, frozen=True, kw_only=True, gc=False):
    """An actor with what it asked for besides resources; its runtime environment stays undecoded until it is read."""

    serialized_runtime_env: str | None = msgspec.field(default=None)
    fallback_strategy: Any = None

    @property
    def asked(self) -> Asked:
        """What has to be there before it starts; no values of variables."""
        return _asked(self, _environment(self.serialized_runtime_env), self.fallback_strategy)


class _RuntimeEnvInfo(msgspec.Struct, frozen=True):
    serialized_runtime_env: str | None = None


class PendingTask(Task, frozen=True, kw_only=True, gc=False):
    """A task with what it asked for besides resources."""

    runtime_env_info: _RuntimeEnvInfo | None = None
    fallback_strategy: Any = None

    @property
    def asked(self) -> Asked:
        """What has to be there before it starts; no values of variables."""
        info = self.runtime_env_info or _RuntimeEnvInfo()
        return _asked(self, _environment(info.serialized_runtime_env), self.fallback_strategy)


def runtime_env_of(environment: Mapping[str, Any] | None) -> RuntimeEnv:
    """Which plugins an environment uses, and what they fetch."""
    given = environment or {}
    plugins = tuple(name for name in PLUGINS if given.get(name))
    uris = (uri for name in WITH_URIS for uri in _texts(given.get(name)))
    return RuntimeEnv(plugins=plugins, uris=tuple(uris))


def _texts(value: object) -> Iterable[str]:
    return (
        [value]
        if isinstance(value, str)
        else [one for one in value if isinstance(one, str)]
        if isinstance(value, list)
        else []
    )


def _environment(text: str | None) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(text or "{}")
    except decoding.MALFORMED:
        return {}
    return found if isinstance(found, dict) else {}


def _asked(one: Actor | Task, environment: Mapping[str, Any], fallback: object) -> Asked:
    demand = Demand(
        resources=one.required_resources or {}, labels=one.label_selector or {}, other_labels=_selectors(fallback)
    )
    return Asked(demand=demand, env=runtime_env_of(environment))


def _selectors(fallback: object) -> tuple[dict[str, str], ...]:
    """The label selectors that Ray tries next, as they are written in a program; none for a form we do not know."""
    try:
        options = msgspec.convert(fallback or {}, _WireFallback, strict=False).options
    except msgspec.ValidationError:
        return ()
    return tuple({one.label_key: one.text for one in option.label_selector.label_constraints} for option in options)


class _WireConstraint(msgspec.Struct):
    label_key: str
    operator: str = ""
    label_values: list[str] = []

    @property
    def text(self) -> str:
        values = f"in({','.join(self.label_values)})" if len(self.label_values) != 1 else self.label_values[0]
        return f"!{values}" if "NOT_IN" in self.operator else values


class _WireSelector(msgspec.Struct):
    label_constraints: list[_WireConstraint] = []


class _WireOption(msgspec.Struct):
    label_selector: _WireSelector = msgspec.field(default_factory=_WireSelector)


class _WireFallback(msgspec.Struct):
    options: list[_WireOption] = []


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes that live, when the head started (seconds since the epoch), and the strategies of waiting groups.

    Ray tells a strategy without the group it belongs to: it is found by what the group's bundles need.
    """

    offers: tuple[Offer, ...] = ()
    head_node_id: str | None = None
    head_started_at: float | None = None
    strategies: Mapping[BundleKey, str] = {}


class SchedulingApi:
    """Calls about what waits, each narrowed on the head."""

    def __init__(self, http: DashboardHttp, state: StateApi) -> None:
        self._http = http
        self._state = state

    async def grounds(self) -> Grounds:
        """The nodes with what is free and who holds the rest; three calls at once, 10 ms of the head."""
        nodes, status, held = await asyncio.gather(
            self._state.list("nodes", _WireStateNode, [("state", "=", "ALIVE")], detail=True),
            self._status(),
            self._held(),
        )
        offers = [_offer(node, status.report.usage_by_node or {}, held) for node in nodes.rows if node.state == "ALIVE"]
        names = Counter(offer.hostname for offer in offers)
        head = next((node for node in nodes.rows if node.is_head_node), _WireStateNode())
        return Grounds(
            offers=tuple(replace(offer, is_alone=names[offer.hostname] == 1) for offer in offers),
            head_node_id=head.node_id,
            head_started_at=head.start_time_ms / 1000 if head.start_time_ms else None,
            strategies=_strategies(status.report.pg_demand),
        )

    async def actor(self, actor_id: str) -> PendingActor | None:
        """One actor; None where Ray does not have it."""
        rows = (await self._state.list("actors", PendingActor, [("actor_id", "=", actor_id)], detail=True)).rows
        return rows[0] if rows else None

    async def waiting_actor(self, name: str) -> PendingActor | None:
        """The actor of this name that has not started; None where there is none."""
        for state in ("PENDING_CREATION", "DEPENDENCIES_UNREADY"):
            filters: list[Filter] = [("state", "=", state), ("name", "=", name)]
            rows = (await self._state.list("actors", PendingActor, filters, detail=True)).rows
            if rows:
                return rows[0]
        return None

    async def supervisor(self, submission_id: str) -> PendingActor | None:
        """The actor that is to run a pending job's entrypoint; None where Ray has not made it yet."""
        return await self.waiting_actor(SUPERVISOR_NAME + submission_id)

    async def waiting_supervisors(self) -> tuple[PendingActor, ...]:
        """The supervisor actors of pending jobs that are not placed yet."""
        filters: list[Filter] = [("state", "=", "PENDING_CREATION"), ("class_name", "=", SUPERVISOR_CLASS)]
        return (await self._state.list("actors", PendingActor, filters, detail=True)).rows

    async def task(self, task_id: str) -> PendingTask | None:
        """The latest attempt of a task; None where Ray does not have it."""
        rows = (await self._state.list("tasks", PendingTask, [("task_id", "=", task_id)], detail=True)).rows
        return max(rows, key=lambda row: row.attempt_number or 0, default=None)

    async def running_tasks(self, job_id: str) -> tuple[Task, ...]:
        """The tasks that a job runs now."""
        filters: list[Filter] = [("job_id", "=", job_id), ("state", "=", "RUNNING")]
        return (await self._state.list("tasks", Task, filters, detail=True)).rows

    async def group(self, group_id: str) -> PlacementGroup | None:
        """One placement group; Ray looks at all of them (1.4 s with 10,000)."""
        filters: list[Filter] = [("placement_group_id", "=", group_id)]
        rows = (await self._state.list("placement_groups", PlacementGroup, filters, detail=True)).rows
        return rows[0] if rows else None

    async def _status(self) -> "_Status":
        return self._http.envelope(await self._http.get_list("/api/cluster_status"), _Status)

    async def _held(self) -> dict[str, "_WireNode"]:
        """Host names, and the workers that hold something, by node ID."""
        body = await self._http.get_list("/nodes", {"view": "summary", "nocache": "1"})
        await asyncio.sleep(self._http.rest)
        parts = await self._http.envelope_in_turns(body, _Nodes)
        rows = await self._http.listed_in_turns(parts.summary)
        nodes = await in_slices((self._http.read_row(_WireNode, row) for row in rows), rest=self._http.rest)
        return {node.raylet.node_id: node for node in nodes if node and node.raylet and node.raylet.node_id}


def _offer(
    node: "_WireStateNode", usage: Mapping[str, Mapping[str, list[float]]], held: Mapping[str, "_WireNode"]
) -> Offer:
    total = {name: value for name, value in (node.resources_total or {}).items() if value is not None}
    exact = {camel(name): name for name in total}
    pairs = {
        _exact_name(name, exact): pair for name, pair in (usage.get(node.node_id or "") or {}).items() if len(pair) == 2
    }
    # What placement groups reserve has its total here alone.
    total |= {name: pair[1] for name, pair in pairs.items() if in_group(name)}
    detail = held.get(node.node_id or "", _WireNode())
    workers = (one for one in (detail.raylet and detail.raylet.core_workers_stats) or () if one.used_resources)
    return Offer(
        node_id=node.node_id,
        hostname=detail.hostname or node.node_name or node.node_ip,
        labels={name: value for name, value in (node.labels or {}).items() if value is not None},
        total=total,
        used={name: pair[0] for name, pair in pairs.items()},
        held=(*_reserved(total), *(_holder(worker, exact) for worker in workers)),
    )


def _exact_name(given: str, exact: Mapping[str, str]) -> str:
    """The name that a resource has, from the one that Ray camel-cased."""
    found = _MANGLED_GROUP.fullmatch(given)
    if found is None:
        return exact.get(given, given)
    name, bundle, group_id = found.groups()
    return "_".join([exact.get(name, name), "group", *([bundle] if bundle else []), group_id.lower()])


def _reserved(total: Resources) -> Iterable[Holder]:
    """Placement groups hold what they reserve, whether or not anything runs in them."""
    by_group: dict[str, Resources] = {}
    for name, amount in total.items():
        place = in_group(name)
        if place is not None and place.bundle is None and place.name != MARKER:
            by_group.setdefault(place.group_id, {})[place.name] = amount
    for group_id, resources in by_group.items():
        yield Holder(job_id=group_id[-8:], name=f"placement group {group_id[:12]}", resources=resources)


def _holder(worker: "_WireWorker", exact: Mapping[str, str]) -> Holder:
    resources = {
        _exact_name(name, exact): sum(slot.allocation or 0.0 for slot in used.resource_slots or ())
        for name, used in (worker.used_resources or {}).items()
        if used is not None
    }
    actor = None if worker.actor_id in (None, "", NO_ACTOR) else worker.actor_id
    return Holder(job_id=worker.job_id, actor_id=actor, pid=worker.pid, resources=resources)


def _strategies(demand: list[Any] | None) -> dict[BundleKey, str]:
    """From `[[{"strategy": "PACK", "bundles": [[{"GPU": 8.0}, 1]]}, 1]]`; what two strategies share is left out."""
    found: dict[BundleKey, set[str]] = {}
    for item in demand or ():
        group = item[0] if isinstance(item, list) and item else None
        try:
            waiting = msgspec.convert(group, _WireDemand, strict=False)
        except msgspec.ValidationError:
            continue
        bundles = [resources for resources, count in waiting.bundles for _ in range(min(count, MOST_BUNDLES))]
        found.setdefault(bundle_key(bundles), set()).add(waiting.strategy)
    return {key: next(iter(names)) for key, names in found.items() if len(names) == 1}


class _WireDemand(msgspec.Struct):
    strategy: str
    bundles: list[tuple[Resources, int]]


class _WireStateNode(msgspec.Struct, kw_only=True, gc=False):
    node_id: str | None = None
    node_name: str | None = None
    node_ip: str | None = None
    state: str | None = None
    is_head_node: bool | None = None
    resources_total: dict[str, Number | None] | None = None
    labels: dict[str, str | None] | None = None
    start_time_ms: Whole | None = None


class _WireWorker(msgspec.Struct, rename="camel", gc=False):
    pid: Whole | None = None
    job_id: str | None = None
    actor_id: str | None = None
    used_resources: dict[str, WireUsed | None] | None = None


class _WireRaylet(msgspec.Struct, rename="camel", gc=False):
    node_id: str | None = None
    core_workers_stats: list[_WireWorker] | None = None


class _WireNode(msgspec.Struct, rename="camel", gc=False):
    hostname: str | None = None
    raylet: _WireRaylet | None = None


class _Nodes(msgspec.Struct):
    summary: msgspec.Raw = NULL


class _Report(msgspec.Struct, rename="camel"):
    usage_by_node: dict[str, dict[str, list[Number]]] | None = None
    pg_demand: list[Any] | None = None


class _ClusterStatus(msgspec.Struct, rename="camel"):
    load_metrics_report: _Report | None = None


class _Status(msgspec.Struct, rename="camel"):
    cluster_status: _ClusterStatus | None = None

    @property
    def report(self) -> _Report:
        return (self.cluster_status and self.cluster_status.load_metrics_report) or _Report()
