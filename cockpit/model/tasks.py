"""Tasks, as Ray's state API lists them, a row per attempt; every field may be missing."""

import msgspec

from cockpit.model.secret_values import withhold_in

TASK_ENDS = ("FINISHED", "FAILED")
TASK_STATES = (
    "PENDING_ARGS_AVAIL",
    "PENDING_NODE_ASSIGNMENT",
    "PENDING_OBJ_STORE_MEM_AVAIL",
    "PENDING_ARGS_FETCH",
    "PENDING_ACTOR_TASK_ARGS_FETCH",
    "PENDING_ACTOR_TASK_ORDERING_OR_CONCURRENCY",
    "SUBMITTED_TO_WORKER",
    "RUNNING",
    "RUNNING_IN_RAY_GET",
    "RUNNING_IN_RAY_WAIT",
    "GETTING_AND_PINNING_ARGS",
    "NIL",
    *TASK_ENDS,
)


class TaskEvent(msgspec.Struct, frozen=True, gc=False):
    """When a task came into a state; milliseconds since the epoch."""

    state: str | None = None
    created_ms: float | None = None


class TaskLogInfo(msgspec.Struct, frozen=True, gc=False):
    """The files that its worker writes to, as paths on the node."""

    stdout_file: str | None = None
    stderr_file: str | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One attempt of a task; times in milliseconds since the epoch.

    What comes of `detail=true` alone is at its default without it. An ACTOR_CREATION_TASK has no `node_id` even when
    it is FINISHED: its actor has.
    """

    task_id: str | None = None
    attempt_number: int | None = None
    name: str | None = None
    state: str | None = None
    job_id: str | None = None
    actor_id: str | None = None
    type: str | None = None
    func_or_class_name: str | None = None
    parent_task_id: str | None = None
    node_id: str | None = None
    worker_id: str | None = None
    worker_pid: int | None = None
    error_type: str | None = None
    error_message: str | None = None
    required_resources: dict[str, float] | None = None
    label_selector: dict[str, str] | None = None
    placement_group_id: str | None = None
    creation_time_ms: float | None = None
    start_time_ms: float | None = None
    end_time_ms: float | None = None
    events: tuple[TaskEvent, ...] | None = None
    task_log_info: TaskLogInfo | None = None

    def __post_init__(self) -> None:
        withhold_in(self, "error_message")

    @property
    def is_over(self) -> bool:
        """Whether it will print no more."""
        return self.state in TASK_ENDS

    @property
    def is_running(self) -> bool:
        """Whether it has a worker and has begun."""
        return (self.state or "").startswith("RUNNING")

    @property
    def since_ms(self) -> float | None:
        """When it came into its present state; None where that is not known."""
        times = [event.created_ms for event in self.events or () if event.created_ms]
        return max(times, default=None)
