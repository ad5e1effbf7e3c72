"""What runs in the simulated cluster: tasks, placement groups, workers and events, as Ray's state API lists them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

from tests.sim.gpus import worker_pid
from tests.sim.jobs import SimJob
from tests.sim.machines import Machine
from tests.sim.plan import Plan
from tests.sim.workers import SERVER_JOB, actor_id

Row = dict[str, Any]

MOST_ROWS = 10_000
# What the head itself filters by, with `=` alone or `!=` too (ray-depth section 1).
_ON_THE_HEAD = {
    "actors": {"actor_id", "state", "job_id"},
    "tasks": {"task_id", "actor_id", "job_id", "name", "state"},
    "nodes": {"node_id", "state", "node_name"},
    "workers": {"is_alive"},
}
_DETAILS = {
    "actors": ("required_resources", "death_cause", "is_detached", "placement_group_id", "num_restarts",
               "label_selector", "serialized_runtime_env", "fallback_strategy", "repr_name", "call_site",
               "num_restarts_due_to_lineage_reconstruction", "num_restarts_due_to_node_preemption"),
    "tasks": ("required_resources", "runtime_env_info", "placement_group_id", "events", "creation_time_ms",
              "start_time_ms", "end_time_ms", "error_message", "task_log_info", "label_selector"),
    "placement_groups": ("bundles", "is_detached", "stats", "topology_strategy", "topology_assignments"),
    "workers": ("exit_detail", "worker_launch_time_ms", "worker_launched_time_ms", "start_time_ms", "end_time_ms",
                "debugger_port", "num_paused_threads"),
    "cluster_events": ("custom_fields",),
}  # fmt: skip
_NEVER = 18_446_744_073_709_551_615


class Host(Protocol):
    """What the workloads need of their cluster."""

    plan: Plan
    machines: list[Machine]

    def running(self) -> list[SimJob]:
        """The jobs that have workers now."""

    def actors(self) -> list[Row]:
        """Every actor that belongs to a job."""


class Workloads:
    """Rows by kind; tests add to `more`, and may take a kind away with `absent`, as an older Ray does."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.more: dict[str, list[Row]] = {}
        self.absent: set[str] = set()
        self.is_bare = False
        """Whether nothing is there but what a test added."""

    def rows(self, kind: str) -> list[Row]:
        """Every row of a kind, with its details."""
        makers = {
            "actors": self._actors,
            "tasks": self._tasks,
            "placement_groups": self._groups,
            "workers": self._workers,
            "cluster_events": self._events,
            "nodes": self._nodes,
        }
        own = [] if self.is_bare or kind not in makers else list(makers[kind]())
        return own + self.more.get(kind, [])

    def _actors(self) -> list[Row]:
        return [self.actor(**row) for row in self._host.actors()]

    def actor(self, **fields: Any) -> Row:
        """An actor with every field of a detailed list."""
        return {
            "actor_id": "", "class_name": "Actor", "state": "ALIVE", "job_id": SERVER_JOB, "name": "", "node_id": None,
            "pid": 0, "ray_namespace": "default", "serialized_runtime_env": '{"env_vars": {"TOKEN": "sim-secret"}}',
            "required_resources": {"CPU": 1.0}, "death_cause": None, "is_detached": False, "placement_group_id": None,
            "repr_name": "", "num_restarts": "0", "num_restarts_due_to_lineage_reconstruction": "0",
            "num_restarts_due_to_node_preemption": "0", "call_site": None, "label_selector": {},
            "fallback_strategy": None, **fields,
        }  # fmt: skip

    def task(self, number: int, **fields: Any) -> Row:
        """A task with every field of a detailed list."""
        begun = (self._host.plan.origin - 60 - number) * 1000
        state = fields.get("state", "RUNNING")
        return {
            "task_id": self._host.plan.hex_id(40, "task", number) + SERVER_JOB, "attempt_number": 0, "name": "step",
            "state": state, "job_id": SERVER_JOB, "actor_id": None, "type": "NORMAL_TASK",
            "func_or_class_name": "step", "parent_task_id": "f" * 40 + SERVER_JOB,
            "node_id": self._host.machines[0].node_id, "worker_id": None, "worker_pid": None, "error_type": None,
            "required_resources": {"CPU": 1.0},
            "runtime_env_info": {"serialized_runtime_env": "{}", "runtime_env_config": {}}, "placement_group_id": None,
            "events": [{"state": "PENDING_NODE_ASSIGNMENT", "created_ms": begun},
                       {"state": state, "created_ms": begun + 400}],
            "creation_time_ms": begun, "start_time_ms": begun + 400, "end_time_ms": None, "task_log_info": None,
            "error_message": None, "label_selector": {}, **fields,
        }  # fmt: skip

    def _tasks(self) -> Iterator[Row]:
        """Every worker runs a task, and each job has tasks that wait, ended and failed."""
        number = 0
        for job in self._host.running():
            if job.job_id is None:
                continue
            for index, share in enumerate(job.shares):
                number += 1
                yield self.task(
                    number, name=f"{job.kind.actor or job.kind.name}.step", job_id=job.job_id,
                    type="ACTOR_TASK" if job.kind.actor else "NORMAL_TASK",
                    actor_id=actor_id(self._host.plan, job, index) if job.kind.actor else None,
                    node_id=self._host.machines[share.node].node_id, worker_pid=worker_pid(job, index),
                    worker_id=self._host.plan.hex_id(56, "worker", job.id, index),
                )  # fmt: skip
            for state, error in (("PENDING_NODE_ASSIGNMENT", None), ("FINISHED", None), ("FAILED", "WORKER_DIED")):
                number += 1
                words = None if error is None else "The worker died unexpectedly while executing this task."
                placed = {"node_id": None} if error is None and state != "FINISHED" else {}
                yield self.task(
                    number, name="preprocess", state=state, job_id=job.job_id, error_type=error, error_message=words,
                    **placed,
                )  # fmt: skip

    def group(self, number: int, **fields: Any) -> Row:
        """A placement group of two bundles."""
        group_id = self._host.plan.hex_id(28, "group", number) + SERVER_JOB
        node_id = self._host.machines[0].node_id
        bundles = [
            {"bundle_id": {"placement_group_id": group_id, "bundle_index": index}, "unit_resources": {"GPU": 1.0},
             "node_id": node_id if fields.get("state", "CREATED") == "CREATED" else "", "label_selector": {}}
            for index in range(2)
        ]  # fmt: skip
        asked = int((self._host.plan.origin - 60 - number) * 1e9)
        stats = {"creation_request_received_ns": str(asked), "scheduling_started_time_ns": str(asked),
                 "scheduling_latency_us": "4898", "end_to_end_creation_latency_us": "5021", "scheduling_attempt": 1,
                 "scheduling_state": "FINISHED", "highest_retry_delay_ms": 0.0}  # fmt: skip
        return {
            "placement_group_id": group_id, "name": "", "creator_job_id": SERVER_JOB, "state": "CREATED",
            "bundles": bundles, "is_detached": False, "stats": stats, "topology_strategy": {},
            "topology_assignments": {}, **fields,
        }  # fmt: skip

    def _groups(self) -> Iterator[Row]:
        jobs = [job for job in self._host.running() if job.job_id is not None and job.kind.actor]
        for number, job in enumerate(jobs):
            yield self.group(number, creator_job_id=job.job_id, name=f"{job.kind.name}-workers")
        stats = {"scheduling_state": "INFEASIBLE", "scheduling_attempt": 12, "creation_request_received_ns": "0"}
        yield self.group(len(jobs), state="PENDING", name="too-big", stats=stats)
        yield self.group(len(jobs) + 1, state="REMOVED", name="gone")

    def worker(self, number: int, **fields: Any) -> Row:
        """A worker process with every field of a detailed list."""
        begun = int((self._host.plan.origin - 600 - number) * 1000)
        return {
            "worker_id": self._host.plan.hex_id(56, "process", number), "is_alive": True, "worker_type": "WORKER",
            "exit_type": None, "node_id": self._host.machines[0].node_id, "ip": "10.0.0.1", "pid": 9_000 + number,
            "exit_detail": None, "worker_launch_time_ms": begun, "worker_launched_time_ms": begun + 900,
            "start_time_ms": begun + 1000, "end_time_ms": 0, "debugger_port": None, "num_paused_threads": None,
            **fields,
        }  # fmt: skip

    def _workers(self) -> Iterator[Row]:
        number = 0
        for job in self._host.running():
            if job.job_id is None:
                continue
            number += 1
            yield self.worker(
                number, worker_id=job.job_id + "f" * 48, worker_type="DRIVER", pid=job.pid,
                worker_launch_time_ms=_NEVER, worker_launched_time_ms=_NEVER,
            )  # fmt: skip
            for index, share in enumerate(job.shares):
                number += 1
                yield self.worker(
                    number, worker_id=self._host.plan.hex_id(56, "worker", job.id, index),
                    node_id=self._host.machines[share.node].node_id, pid=worker_pid(job, index),
                )  # fmt: skip
        yield self.worker(
            number + 1, is_alive=False, exit_type="SYSTEM_ERROR", end_time_ms=int(self._host.plan.origin * 1000),
            exit_detail="Worker unexpectedly exits with a connection error code 2. End of file.",
        )  # fmt: skip

    def _nodes(self) -> Iterator[Row]:
        for machine in self._host.machines:
            yield {
                "node_id": machine.node_id, "node_ip": machine.ip, "is_head_node": machine.number == 0,
                "state": "DEAD" if machine.is_dead else "ALIVE",
                "state_message": "Unexpected termination: health check failed" if machine.is_dead else None,
                "node_name": machine.ip, "resources_total": machine.resources(), "labels": {},
                "start_time_ms": int((self._host.plan.origin - 86_400) * 1000),
                "end_time_ms": int((self._host.plan.origin - 300) * 1000) if machine.is_dead else 0,
            }  # fmt: skip

    def event(self, number: int, *, ago: float, **fields: Any) -> Row:
        """A cluster event; its time is text, by the server's clock."""
        moment = datetime.fromtimestamp(self._host.plan.origin - ago, UTC)
        return {
            "severity": "INFO", "time": f"{moment:%Y-%m-%d %H:%M:%S}", "source_type": "JOBS", "message": "Event",
            "event_id": self._host.plan.hex_id(36, "event", number), "custom_fields": {}, **fields,
        }  # fmt: skip

    def _events(self) -> Iterator[Row]:
        for number, job in enumerate(self._host.running()):
            yield self.event(
                number, ago=self._host.plan.origin - job.created, message=f"Started a ray job {job.id}.",
                custom_fields={"submission_id": job.submission_id},
            )  # fmt: skip
        for repeat in range(40):
            yield self.event(
                1000 + repeat, ago=400 - repeat * 5, source_type="AUTOSCALER",
                message="Error: No available node types can fulfill resource request {'GPU': 64.0}.",
            )  # fmt: skip


def listed(kind: str, rows: list[Row], query: list[tuple[str, str]]) -> dict[str, Any] | str:
    """The part of a reply that holds rows and totals, or Ray's complaint.

    Filters that the head knows come before the cut to 10,000, the others after it.
    """
    fields = dict(query)
    limit = int(fields.get("limit", "100"))
    if limit > MOST_ROWS:
        return f"Given limit {limit} exceeds the supported limit {MOST_ROWS}. Use a lower limit."
    parts = [[value for key, value in query if key == f"filter_{part}"] for part in ("keys", "predicates", "values")]
    filters = list(zip(*parts, strict=True))
    known = _ON_THE_HEAD.get(kind, set())
    early = [one for one in filters if one[0] in known and (one[1] == "=" or kind == "tasks")]
    passed = [row for row in rows if _passes(row, early)]
    kept = passed[:MOST_ROWS]
    late = [row for row in kept if _passes(row, [one for one in filters if one not in early])]
    names = () if fields.get("detail") == "true" else _DETAILS.get(kind, ())
    shown = [{key: value for key, value in row.items() if key not in names} for row in late[:limit]]
    return {
        "total": len(rows), "num_after_truncation": len(kept) + len(rows) - len(passed), "num_filtered": len(late),
        "result": shown, "partial_failure_warning": "", "warnings": None,
    }  # fmt: skip


def _passes(row: Row, filters: list[tuple[str, ...]]) -> bool:
    return all((str(row.get(key)).lower() == value.lower()) == (sign == "=") for key, sign, value in filters)
