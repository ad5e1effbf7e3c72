"""Jobs as Ray's dashboard reports them, and the request that makes one."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cockpit.model.secret_values import withhold_in

TERMINAL_STATUSES = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})
STATUSES = ("PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED")

MASK = "***"
OWNER_KEYS = ("owner", "user", "job_owner")  # of a job's metadata
METADATA_PREFIX = "rayakash."  # of what we keep with a job for ourselves

# Ray accepts more, but an id with a slash leaves a job behind that can be neither stopped nor deleted,
# and one with `..` writes its log outside the log directory (measured on 2.60).
_SUBMISSION_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def is_submission_id(text: str) -> bool:
    """Whether `text` is safe as a submission id of a new job."""
    return _SUBMISSION_ID.fullmatch(text) is not None


class DriverInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False, gc=False):
    """Where the driver of a job runs; `id` is the job id that `ray.init` was given."""

    id: str | None = None
    node_ip_address: str | None = None
    pid: int | None = None


class Job(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One job; every field may be missing. Times are milliseconds since the epoch.

    Field names are those of Ray's `JobDetails` (dashboard/modules/job/pydantic_models.py). `job_id` and
    `driver_info` stay null until the entrypoint calls `ray.init`; values of `runtime_env.env_vars` are
    masked when a reply is decoded.
    """

    type: str | None = None
    job_id: str | None = None
    submission_id: str | None = None
    driver_info: DriverInfo | None = None
    status: str | None = None
    entrypoint: str | None = None
    message: str | None = None
    error_type: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    metadata: dict[str, Any] | None = None
    runtime_env: dict[str, Any] | None = None
    driver_agent_http_address: str | None = None
    driver_node_id: str | None = None
    driver_exit_code: int | None = None

    def __post_init__(self) -> None:
        withhold_in(self, "entrypoint", "message")

    @property
    def id(self) -> str | None:
        """The id to address the job by: the submission id, or a driver's job id."""
        return self.submission_id or self.job_id

    @property
    def owner(self) -> str | None:
        """Whose job it is, by its metadata."""
        metadata = self.metadata or {}
        return next((str(metadata[key]) for key in OWNER_KEYS if metadata.get(key)), None)

    @property
    def is_terminal(self) -> bool:
        """Whether Ray will not change the job's status any more."""
        return self.status in TERMINAL_STATUSES

    @property
    def is_driver(self) -> bool:
        """Whether this is a script that called `ray.init` by itself, not a submission.

        Ray cannot stop or delete it, keeps no log for it, and shows SUCCEEDED however it ended.
        """
        return self.type == "DRIVER"

    @property
    def was_stopped_at_start(self) -> bool:
        """Whether Ray calls it FAILED because a stop, asked for while it was pending, ended it as it was started.

        Its supervisor then looks for a process that it has killed itself (job_supervisor.py, measured on 2.60).
        """
        return self.error_type == "JOB_ENTRYPOINT_COMMAND_START_ERROR" and "psutil.NoSuchProcess" in (
            self.message or ""
        )

    @property
    def outcome_is_known(self) -> bool:
        """False for a driver that Ray calls SUCCEEDED: Ray reports that for crashed ones too."""
        return not (self.is_driver and self.status == "SUCCEEDED")


def masked(job: Job) -> Job:
    """The job without values of `runtime_env.env_vars`, whose names stay."""
    environment = (job.runtime_env or {}).get("env_vars")
    if not environment:
        return job
    hidden = {str(name): MASK for name in environment} if isinstance(environment, Mapping) else MASK
    return msgspec.structs.replace(job, runtime_env={**(job.runtime_env or {}), "env_vars": hidden})


class JobRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of `POST /api/jobs/`; fields that are None are not sent.

    `entrypoint_memory` is in bytes; the source of the names is Ray's `JobSubmitRequest`
    (dashboard/modules/job/common.py).
    """

    entrypoint: str
    submission_id: str | None = None
    runtime_env: dict[str, Any] | None = None
    metadata: dict[str, str] | None = None
    entrypoint_num_cpus: float | None = None
    entrypoint_num_gpus: float | None = None
    entrypoint_memory: int | None = None
    entrypoint_resources: dict[str, float] | None = None
    entrypoint_label_selector: dict[str, str] | None = None
