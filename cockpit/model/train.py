"""Ray Train runs (v2); every field may be missing."""

import msgspec


class TrainWorker(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A worker of a run, by rank."""

    world_rank: int | None = None
    local_rank: int | None = None
    node_rank: int | None = None
    actor_id: str | None = None
    node_id: str | None = None
    pid: int | None = None
    gpu_ids: tuple[int, ...] | None = None
    status: str | None = None
    log_file_path: str | None = None


class TrainAttempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One start of the run's workers."""

    attempt_id: str | None = None
    status: str | None = None
    status_detail: str | None = None
    resources: tuple[dict[str, float], ...] | None = None
    workers: tuple[TrainWorker, ...] | None = None


class TrainRun(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run; times in nanoseconds since the epoch. Ray tells no metrics of it: they are in the logs alone."""

    id: str | None = None
    name: str | None = None
    job_id: str | None = None
    controller_actor_id: str | None = None
    controller_log_file_path: str | None = None
    status: str | None = None
    status_detail: str | None = None
    start_time_ns: int | None = None
    end_time_ns: int | None = None
    attempts: tuple[TrainAttempt, ...] | None = None

    @property
    def workers(self) -> tuple[TrainWorker, ...]:
        """Those of the last attempt, by rank."""
        last = (self.attempts or (TrainAttempt(),))[-1]
        return tuple(sorted(last.workers or (), key=lambda worker: worker.world_rank or 0))
