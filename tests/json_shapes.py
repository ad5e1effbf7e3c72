"""What each command prints with `--json`: the page `help scripting` is written from it, and each test is held to it.

Rows that are records of the program take their fields and types from there. A shape is the name of a type (`text`,
`integer`, `number`, `yes/no`, `time`, `any`; a `?` behind it allows null), `[shape]` for a list, `{"*": shape}` for
an object whose keys are data, or an object by its fields.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from cockpit.model.actors import Actor
from cockpit.model.datasets import Dataset, Operator
from cockpit.model.events import ClusterEvent
from cockpit.model.jobs import Job
from cockpit.model.nodes import Gpu, Node
from cockpit.model.placement_groups import PlacementGroup
from cockpit.model.serve import ServeRow
from cockpit.model.tasks import Task
from cockpit.model.train import TrainRun, TrainWorker
from cockpit.model.workers import Worker
from cockpit.sdl.meaning import Port, Replicas

Shape = Any
NAMES = {
    inspect.StrType: "text",
    inspect.BoolType: "yes/no",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.AnyType: "any",
    inspect.DateTimeType: "time",
}


def shape_of(kind: inspect.Type) -> Shape:
    """The shape that a type of Python has in JSON."""
    if isinstance(kind, inspect.UnionType):
        rest = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        found = shape_of(rest[0]) if len(rest) == 1 else "any"
        return f"{found}?" if isinstance(found, str) and found != "any" else Maybe(found)
    if isinstance(kind, inspect.StructType):
        return {field.encode_name: shape_of(field.type) for field in kind.fields}
    if isinstance(kind, inspect.VarTupleType | inspect.ListType | inspect.FrozenSetType | inspect.SetType):
        return [shape_of(kind.item_type)]
    if isinstance(kind, inspect.TupleType):
        return [shape_of(kind.item_types[0])]
    if isinstance(kind, inspect.DictType):
        return {"*": shape_of(kind.value_type)}
    if isinstance(kind, inspect.LiteralType):
        return "integer" if isinstance(kind.values[0], int) else "text"
    return NAMES.get(type(kind), "any")


class Maybe(msgspec.Struct, frozen=True):
    """A shape, or null."""

    shape: Any


class OneOf(msgspec.Struct, frozen=True):
    """Rows of several kinds in one list."""

    shapes: tuple[Any, ...]


def struct(kind: Any, /, *left_out: str, **more: Shape) -> dict[str, Shape]:
    """The fields of a record of the program, and what its JSON has instead."""
    found = shape_of(inspect.type_info(kind))
    return {name: one for name, one in found.items() if name not in left_out} | more


def listing(name: str, row: Shape, **more: Shape) -> dict[str, Shape]:
    return {name: [row], "as_of": "time", "total": "integer", **more}


def table(name: str, row: Shape, **more: Shape) -> dict[str, Shape]:
    """A listing whose rows Ray gave; `unreadable` counts those that could not be decoded."""
    return listing(name, row, unreadable="integer", **more)


def state(name: str, row: Shape) -> dict[str, Shape]:
    """A listing of Ray's state API, which reports what it left out; null where the release does not."""
    return table(
        name, row, truncated="yes/no", ray_total="integer?", ray_num_after_truncation="integer?", warnings=["text"]
    )


def watched(name: str, row: Shape) -> dict[str, Shape]:
    """A line per change, with `--watch`; `change` is added, changed or removed."""
    return {name: row, "change": "text", "as_of": "time"}


JOB = struct(Job, start_time="time?", end_time="time?")
NODE = struct(
    Node, now="time?", boot_time="time?",
    load_avg=Maybe({"1m": "number?", "5m": "number?", "15m": "number?"}),
    network_speed=Maybe({"sent": "number?", "received": "number?"}),
    disk_io_speed=Maybe({"read": "number?", "written": "number?", "read_ops": "number?", "write_ops": "number?"}),
)  # fmt: skip
GPU = {
    "node_id": "text?",
    "hostname": "text?",
    "ip": "text?",
    "is_head_node": "yes/no?",
    "now": "time?",
    **struct(Gpu),
}
IDLE_GPU = {
    "node": "text",
    "index": "integer?",
    "name": "text?",
    "utilization_gpu": "number?",
    "memory_used": "integer?",
    "memory_total": "integer?",
    "power_w": "number?",
    "share": "number?",
    "submission_id": "text?",
    "job_id": "text?",
    "owner": "text?",
    "actor_id": "text?",
    "pid": "integer?",
    "foreign_pids": ["integer"],
    "idle_seconds": "integer",
    "known_for_seconds": "integer?",
    "wasted_usd_per_hour": "number?",
    "counts": "yes/no",
}
USE = {
    "gpu_hours": "number",
    "idle_gpu_hours": "number",
    "cost_usd": "number?",
    "idle_cost_usd": "number?",
    "first_seen": "time?",
    "last_seen": "time?",
}
TASK = struct(
    Task, "creation_time_ms", "start_time_ms", "end_time_ms",
    creation_time="time?", start_time="time?", end_time="time?", events=[{"state": "text?", "time": "time?"}],
)  # fmt: skip
WORKER = struct(
    Worker, "worker_launch_time_ms", "start_time_ms", "end_time_ms",
    worker_launch_time="time?", start_time="time?", end_time="time?",
)  # fmt: skip
GROUP = struct(PlacementGroup, bundles=["any"], requested_at="time?")
ACTOR = struct(Actor, death_cause=Maybe({"reason": "text?", "message": "text?"}))
CLUSTER = {
    "name": "text",
    "address": "text?",
    "source": "text",
    "current": "yes/no",
    "ssh": "text?",
    "usd_per_hour": "number?",
    "read_only": "yes/no",
}
CHECK = {"name": "text", "state": "text", "message": "text", "hint": "text?", "fault": "text?"}
DIAGNOSIS = {"name": "text", "address": "text?", "ok": "yes/no", "checks": [CHECK]}
LOCAL = {
    "running": "yes/no",
    "address": "text?",
    "gcs_address": "text?",
    "temp_dir": "text?",
    "supervisor_pid": "integer?",
    "ray_version": "text?",
}
CONTAINER = {
    "cluster": "text",
    "service": "text",
    "container": "text",
    "file": "text?",
    "state": "text",
    "exit_code": "integer?",
    "restarts": "integer",
    "started": "any",
    "ip": "text?",
    "ports": [{"port": "integer", "host": "text", "host_port": "integer"}],
}
DEPLOYMENT = {
    "dseq": "text",
    "state": "text",
    "price_per_hour": "number?",
    "spent": "number?",
    "hours_left": "number?",
    "provider": "text?",
    "context": "text?",
    "orphan": "yes/no",
}
LEASE = {
    "provider": "text",
    "group": "integer",
    "state": "text",
    "reason": "text?",
    "status_source": "text?",
    "services": [{"name": "text", "available": "integer", "total": "integer", "uris": ["text"]}],
    "ports": [{"service": "text", "port": "integer", "host": "text", "external_port": "integer"}],
}
BID = {
    "provider": "text",
    "name": "text?",
    "group": "integer",
    "state": "text",
    "usd_per_hour": "number?",
    "region": "text?",
    "gpu": "text?",
    "uptime_7d": "number?",
    "audited": "yes/no?",
    "our_leases": "integer",
    "our_leases_reached": "integer",
}
RAN = {
    "dseq": "text",
    "context": "text?",
    "job": Maybe({"submission_id": "text", "status": "text?"}),
    "fetched": ["text"],
    "closed": "yes/no",
    "spent": "number?",
}
CONNECTED = {
    "dseq": "text",
    "context": "text?",
    "address": "text?",
    "price_per_hour": "number?",
    "nodes": "integer?",
}
DEPLOYED = {**CONNECTED, "nodes_expected": "integer?", "runtime_hours": "number?"}
PLAN = {
    "file": "text",
    "services": [
        {
            "name": "text",
            "group": "text",
            "count": "integer",
            "cpu": "number",
            "memory": "integer",
            "gpus": "integer",
            "gpu_models": ["text"],
            "max_usd_per_hour": "number?",
        }
    ],
    "max_usd_per_hour": "number?",
    "observed_usd_per_hour": "number?",
    "locked_usd": "number?",
    "locked_hours": "number?",
    "balance_usd": "number?",
    "balance_hours": "number?",
    "runtime_hours": "number?",
    "providers": "integer?",
    "problems": ["text"],
    "images": [{"image": "text", "compressed_bytes": "integer?", "problem": "text?"}],
    "secrets": ["text"],
    "secrets_travel": "any",
    "unchecked": ["text"],
    "job": "text?",
    "close_when": "text?",
    "fetch": ["text"],
}
ENDED = {
    "dseq": "text",
    "state": "text",
    "spent": "number?",
    "refund": "number?",
    "port_dead": "yes/no?",
    "context_removed": "text?",
}
OFFER = {
    "model": "text",
    "ram": "text?",
    "interface": "text?",
    "free": "integer?",
    "total": "integer?",
    "largest_free_node": "integer?",
    "min_usd_per_hour": "number?",
    "median_usd_per_hour": "number?",
    "max_usd_per_hour": "number?",
    "providers": "integer?",
    "regions": ["text"],
}
SCREENING = {
    "group": "text",
    "providers": [{"address": "text", "host_uri": "text?", "region": "text?", "audited": "yes/no?"}],
    "exclusions": [{"line": "integer?", "requirement": "text", "providers_without": "integer?"}],
}
LINT = {
    "file": "text",
    "portable": "yes/no",
    "go": "text",
    "typescript": "text",
    "problems": [
        {
            "line": "integer",
            "column": "integer",
            "severity": "text",
            "code": "text",
            "message": "text",
            "refused_by": "any",
            "fixable": "yes/no",
        }
    ],
}
DIFFERENCE = {
    "subject": "text",
    "what": "text",
    "before": "any",
    "after": "any",
    "in_place": "yes/no",
    "sentence": "text",
}
MEANING = {
    "file": "text",
    "portable": "yes/no",
    "services": [
        {
            "name": "text",
            "role": "text?",
            "image": "text?",
            "count": "integer?",
            "resolves": "any",
            "env": ["text"],
            "mounts": "any",
            "replicas": [
                struct(
                    Replicas, usd_per_hour="number?", models=[{"model": "text", "ram": "text?", "interface": "text?"}]
                )
            ],
            "ports": [struct(Port, endpoint="text?", target="text?", becomes="text")],
            "line": "integer",
        }
    ],
    "gpus": "integer?",
    "usd_per_hour": "number?",
}
TEMPLATE = {
    "name": "text",
    "title": "text",
    "services": {"*": "integer?"},
    "gpus": "integer?",
    "usd_per_hour": "number?",
}
LOST = {"path": "text", "line": "integer?", "message": "text"}
SECRET = {
    "name": "text",
    "scope": "text?",
    "store": "text?",
    "present": "yes/no?",
    "is_secret": "yes/no",
    "purpose": "text?",
    "used_by": [{"kind": "text", "where": "text"}],
    "created": "time?",
    "changed": "time?",
}
STORES = {
    "store": "text?",
    "keyring": {"usable": "yes/no?", "backend": "text?", "reason": "text?"},
    "vault": {"usable": "yes/no?", "path": "text", "exists": "yes/no", "unlocked": "yes/no", "reason": "text?"},
    "index": {"path": "text", "total": "integer?"},
    "secret_command": "text?",
    "environment": ["text"],
}
WHY = {
    "id": "text",
    "kind": "text",
    "state": "text?",
    "verdict": "text",
    "reason": "text?",
    "gives_up_at": "time?",
    "nodes": [
        {
            "node_id": "text?",
            "hostname": "text?",
            "needs": {"*": "number"},
            "total": {"*": "number"},
            "free": {"*": "number"},
            "held_by": ["any"],
            "verdict": "text",
        }
    ],
}
SERIES = {
    "name": "text",
    "job": "text?",
    "count": "integer",
    "not_finite": "integer",
    "min": "number?",
    "max": "number?",
    "last": "number?",
    "slope": "number?",
    "by_step": "yes/no",
    "points": [{"at": "number", "value": "number?"}],
}
LOG_REPORT = {"reports": "integer?", "metrics_from_log": "any"}
TRAIN = OneOf(
    (
        struct(
            TrainRun, "start_time_ns", "end_time_ns", kind="text", start_time="time?", end_time="time?", **LOG_REPORT
        ),
        struct(TrainWorker, kind="text", run_id="text?", **LOG_REPORT),
    )
)
OF_SWEEP = {"kind": "text", "submission_id": "text?", "job_id": "text?", "state": "text?"}
TUNE = OneOf(
    (
        {**OF_SWEEP, "printed_in_log": "any"},
        {**OF_SWEEP, "trial": "text", "values_from_log": "any"},
        {
            **OF_SWEEP,
            "actor_id": "text?",
            "class_name": "text?",
            "node_id": "text?",
            "pid": "integer?",
            "placement_group_id": "text?",
            "required_resources": "any",
        },
    )
)
DATA = OneOf(
    (
        struct(Dataset, kind="text", start_time="time?", end_time="time?"),
        struct(Operator, kind="text", job_id="text?", dataset="text?"),
    )
)
SERVE = struct(
    ServeRow,
    "replica",
    "running",
    "target",
    "since",
    replica_id="text?",
    running_replicas="integer?",
    target_num_replicas="integer?",
    last_deployed_time="time?",
    start_time="time?",
    id="text",
)
SAMPLE = {"name": "text", "title": "text", "needs": "text", "packages_mb": "integer", "seconds": "integer"}
DIFFERENCES = {"differences": [DIFFERENCE], "total": "integer", "in_place": "any"}
CURVE = {"name": "text", "unit": "text", "points": [{"at": "time", "value": "number?"}]}

# Several shapes of one command are those of its options.
SHAPES: dict[str, tuple[dict[str, Shape], ...]] = {
    "actors": (state("actors", ACTOR), watched("actor", ACTOR)),
    "clusters add": ({"cluster": Maybe(CLUSTER)},),
    "clusters check": (
        listing("clusters", DIAGNOSIS),
        listing("clusters", DIAGNOSIS, burn_in="any"),
    ),
    "clusters list": (table("clusters", CLUSTER),),
    "clusters remove": ({"removed": "text"},),
    "clusters use": ({"cluster": CLUSTER},),
    "data": (state("data", DATA), watched("data", DATA)),
    "delete": ({"deleted": ["text"], "total": "integer"},),
    "deploy": (DEPLOYED, PLAN, RAN),
    "deployments": (listing("deployments", DEPLOYMENT),),
    "deployments bids": (listing("bids", BID),),
    "deployments close": ({"closed": [ENDED]},),
    "deployments connect": (CONNECTED,),
    "deployments cp": ({"path": "text", "bytes": "integer", "sha256": "text", "resumed": "integer"},),
    "deployments events": (
        {"type": "text?", "reason": "text?", "note": "text?", "object": "text?", "received_at": "time?"},
    ),
    "deployments extend": ({"dseq": "text", "runtime_hours": "number?", "ends_at": "any"},),
    "deployments list": (listing("deployments", DEPLOYMENT),),
    "deployments logs": ({"pod": "text", "line": "text", "received_at": "number"},),
    "deployments redeploy": (DEPLOYED, PLAN, RAN, CONNECTED),
    "deployments resume": (CONNECTED, DEPLOYED, RAN),
    "deployments show": ({"deployment": {**DEPLOYMENT, "leases": [LEASE]}},),
    "deployments update": ({"dseq": "text", "updated": ["text"], "address": "text?"},),
    "doctor": (
        {
            "rayakash_tui": "text",
            "ok": "yes/no",
            "faults": ["text"],
            "checks": [CHECK],
            "clusters": [DIAGNOSIS],
            "as_of": "time",
        },
    ),
    "events": (state("events", struct(ClusterEvent, time="time?", first_time="time?")),),
    "gallery list": (
        {
            "samples": [
                {"name": "text", "title": "text", "needs": "text", "packages_mb": "integer", "seconds": "integer"}
            ]
        },
    ),
    "gallery run": ({"ok": "yes/no", "*": "any"},),
    "gpus": (
        table("gpus", GPU),
        table("gpus", IDLE_GPU, wasted_usd_per_hour="number?"),
        watched("gpu", GPU),
    ),
    "history": ({"cluster": "text", "since": "time", "as_of": "time", "series": [CURVE]},),
    "jobs": (table("jobs", JOB), watched("job", JOB)),
    "jobs show": (JOB,),
    "local down": ({"ended": "any"},),
    "local status": (LOCAL,),
    "local up": (LOCAL,),
    "logs": (
        listing("files", {"node_id": "text", "kind": "text", "name": "text"}),
        listing("files", {"name": "text", "size": "integer"}, missing=["text"]),
        listing("series", SERIES),
    ),
    "nodes": (table("nodes", NODE), watched("node", NODE)),
    "offers": (listing("offers", OFFER), listing("groups", SCREENING)),
    "placement-groups": (state("placement_groups", GROUP), watched("placement_group", GROUP)),
    "sdl diff": (
        {"differences": [DIFFERENCE], "total": "integer", "in_place": "any"},
        {
            "differences": [DIFFERENCE],
            "total": "integer",
            "in_place": "any",
            "source": "text",
            "not_compared": ["text"],
        },
    ),
    "sdl down": ({"name": "text", "ended": "integer"},),
    "sdl export": (
        {
            "file": "text",
            "format": "text",
            "name": "text",
            "output": "text?",
            "text": "text",
            "secrets": ["any"],
            "losses": [LOST],
        },
    ),
    "sdl import": ({"file": "text", "losses": [{"path": "text", "reason": "text"}]},),
    "sdl lint": ({"files": [LINT]},),
    "sdl ps": (listing("containers", CONTAINER),),
    "sdl show": (MEANING,),
    "sdl templates": (table("templates", TEMPLATE),),
    "sdl up": ({"name": "text", "address": "text?", "certificate": "text?", "containers": [CONTAINER]},),
    "secrets list": (table("secrets", SECRET),),
    "secrets status": (STORES,),
    "serve": (table("serve", SERVE), watched("serve", SERVE)),
    "stop": (listing("jobs", JOB),),
    "tasks": (state("tasks", TASK), watched("task", TASK)),
    "train": (state("train", TRAIN), watched("train", TRAIN)),
    "tune": (state("tune", TUNE), watched("tune", TUNE)),
    "usage": (
        listing("usage", {"job": "text?", "owner": "text?", **USE}, by="text", since="time"),
        listing("usage", {"owner": "text?", "jobs": "integer", **USE}, by="text", since="time"),
    ),
    "version": (
        {
            "version": "text",
            "platform": "text",
            "python": "text",
            "textual": "text",
            "httpx": "text",
            "*": "text",
        },
    ),
    "wait": (listing("jobs", JOB),),
    "why": (WHY,),
    "workers": (state("workers", WORKER), watched("worker", WORKER)),
}


def page() -> Iterator[str]:
    """The shapes as Markdown."""
    for command, shapes in SHAPES.items():
        yield f"\n### `{command}`\n\n```"
        yield from ("\n\n".join(_drawn(shape) for shape in shapes if "change" not in shape)).splitlines()
        yield "```"


def _drawn(shape: Shape, indent: int = 0) -> str:
    """A shape in as few lines as fit in 110 columns."""
    if isinstance(shape, Maybe):
        return f"{_drawn(shape.shape, indent)}?"
    if isinstance(shape, list):
        return f"[{_drawn(shape[0], indent)}]"
    if isinstance(shape, OneOf):
        return (",\n" + " " * indent + "or ").join(_drawn(one, indent) for one in shape.shapes)
    if not isinstance(shape, Mapping):
        return str(shape)
    parts = [
        "any other: " + _drawn(one, indent + 2) if name == "*" else f'"{name}": {_drawn(one, indent + 2)}'
        for name, one in shape.items()
    ]
    flat = "{" + ", ".join(parts) + "}"
    if len(flat) + indent <= 110 and "\n" not in flat:
        return flat
    lines, pad = [""], " " * (indent + 2)
    for part in parts:
        if lines[-1] and ("\n" in part or "\n" in lines[-1] or len(pad) + len(lines[-1]) + len(part) > 108):
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + part + ","
    return "{\n" + "\n".join(pad + line for line in lines).rstrip(",") + "\n" + " " * indent + "}"
