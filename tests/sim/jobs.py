"""Jobs of the simulated cluster: what each is at a time, and what the dashboard says of it.

Texts of messages are Ray's own (dashboard/modules/job/common.py and job_supervisor.py of 2.60).
"""

import re
from typing import Any

import msgspec

from tests.sim.work import SMOKE, Kind, Mishap

START_SECONDS = 3.6  # from POST to RUNNING, as measured (ray-api section 1)
STOP_SECONDS = 2.2

REDACTED = "<redacted>"


class Share(msgspec.Struct, frozen=True):
    """A part of a GPU that one worker holds; nodes by number."""

    node: int
    gpu: int
    part: float


class SimJob(msgspec.Struct, kw_only=True):
    """A job with its whole life, past and to come; times in seconds since the epoch.

    `started` is None for one that waits for what it will not get. A driver has no submission id.
    """

    submission_id: str | None
    job_id: str | None
    kind: Kind
    entrypoint: str
    created: float
    started: float | None
    ends: float | None = None
    outcome: str = "SUCCEEDED"
    mishap: Mishap | None = None
    metadata: dict[str, str] | None = None
    runtime_env: dict[str, Any] | None = None
    node: int = 0
    pid: int = 0
    shares: tuple[Share, ...] = ()
    asks_resources: bool = False
    stop_at: float | None = None

    @property
    def is_driver(self) -> bool:
        """Whether it is a script that connected by itself."""
        return self.submission_id is None

    @property
    def id(self) -> str:
        """The id in its address."""
        return self.submission_id or self.job_id or ""

    def end(self) -> float | None:
        """When it is over, by itself or because it was stopped."""
        known = [moment for moment in (self.ends, self.stop_at) if moment is not None]
        return min(known) if known and self.started is not None else None

    def status(self, now: float) -> str:
        """Ray's word for the state it is in."""
        end = self.end()
        if end is not None and now >= end:
            return "STOPPED" if end == self.stop_at else self.outcome
        return "RUNNING" if self.started is not None and now >= self.started else "PENDING"

    def is_running(self, now: float) -> bool:
        """Whether it has workers."""
        return self.status(now) == "RUNNING"

    def is_terminal(self, now: float) -> bool:
        """Whether it is over."""
        return self.status(now) in ("SUCCEEDED", "FAILED", "STOPPED")

    def stop(self, now: float) -> bool:
        """Ask it to end; returns what Ray answers: True for a pending one too, which goes on waiting."""
        if self.is_terminal(now):
            return False
        if self.is_running(now) and self.stop_at is None:
            self.stop_at = now + STOP_SECONDS
        return True


def details(job: SimJob, now: float, *, place: tuple[str, str], log_tail: str, redact: bool) -> dict[str, Any]:
    """What the dashboard says of a job; `place` is id and address of its node (JobDetails, pydantic_models.py)."""
    status = job.status(now)
    ran = status != "PENDING" and (job.mishap is None or job.mishap.exit_code is not None)
    end = job.end() if job.is_terminal(now) else None
    calls_init = ran and job.job_id is not None
    node_id, address = place
    return {
        "type": "DRIVER" if job.is_driver else "SUBMISSION",
        "job_id": job.job_id if calls_init else None,
        "submission_id": job.submission_id,
        "driver_info": {"id": job.job_id, "node_ip_address": address, "pid": str(job.pid)} if calls_init else None,
        "status": status,
        "entrypoint": job.entrypoint,
        "message": None if job.is_driver else message(job, status, log_tail),
        "error_type": job.mishap.error_type if status == "FAILED" and job.mishap else None,
        "start_time": round(job.created * 1000),
        "end_time": (0 if job.is_driver else None) if end is None else round(end * 1000),
        "metadata": {} if job.is_driver else job.metadata,
        "runtime_env": {} if job.is_driver else shown_environment(job.runtime_env, redact=redact),
        "driver_agent_http_address": f"http://{address}:52365" if ran and not job.is_driver else None,
        "driver_node_id": node_id if ran and not job.is_driver else None,
        "driver_exit_code": None if job.is_driver else exit_code(job, status),
    }


def exit_code(job: SimJob, status: str) -> int | None:
    """The entrypoint's exit code once it has one."""
    if status == "FAILED" and job.mishap:
        return job.mishap.exit_code
    return 0 if status == "SUCCEEDED" else None


def message(job: SimJob, status: str, log_tail: str) -> str:
    """Ray's sentence about the state of a job."""
    if status == "FAILED" and job.mishap:
        return job.mishap.message or (
            f"Job entrypoint command failed with exit code {job.mishap.exit_code}, last available logs "
            f"(truncated to 20,000 chars):\n{log_tail}"
        )
    if status == "PENDING":
        return _pending(job)
    return {
        "RUNNING": "Job is currently running.",
        "STOPPED": "Job was intentionally stopped.",
        "SUCCEEDED": "Job finished successfully.",
        "FAILED": "Job failed.",
    }[status]


def _pending(job: SimJob) -> str:
    text = "Job has not started yet."
    if job.asks_resources:
        text += " It may be waiting for resources (CPUs, GPUs, memory, custom resources) to become available."
    if job.runtime_env:
        text += " It may be waiting for the runtime environment to be set up."
    return text


def shown_environment(runtime_env: dict[str, Any] | None, *, redact: bool) -> dict[str, Any] | None:
    """The runtime env as Ray shows it; to browsers without env values (dashboard/runtime_env_redaction.py)."""
    if not redact or not runtime_env or "env_vars" not in runtime_env:
        return runtime_env
    return {**runtime_env, "env_vars": dict.fromkeys(runtime_env["env_vars"], REDACTED)}


def life_of(entrypoint: str) -> tuple[float, Mishap | None]:
    """How long a submitted command takes here, and how it fails: `sleep N` and `exit N` are understood."""
    naps = [float(nap) for nap in re.findall(r"\bsleep (\d+(?:\.\d+)?)", entrypoint)]
    code = re.search(r"\bexit (\d+)", entrypoint)
    seconds = sum(naps) if naps else (2.0 if code or entrypoint.startswith(("echo", "true")) else 90.0)
    failed = int(code[1]) if code else 0
    return seconds, Mishap(exit_code=failed, lines=(f"exit {failed}",)) if failed else None


SUBMITTED = msgspec.structs.replace(SMOKE, name="submitted", line_seconds=1.0)
