"""Ray Train runs (v2); every field may be missing."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from cockpit.model.secret_values import withhold_in
from cockpit.model.training_reports import Report

NO_REPORTS: Mapping[str, Report] = MappingProxyType({})


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

    def __post_init__(self) -> None:
        withhold_in(self, "status_detail")


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

    def __post_init__(self) -> None:
        withhold_in(self, "status_detail")

    @property
    def workers(self) -> tuple[TrainWorker, ...]:
        """Those of the last attempt, by rank."""
        last = (self.attempts or (TrainAttempt(),))[-1]
        return tuple(sorted(last.workers or (), key=lambda worker: worker.world_rank or 0))


class TrainRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A run, or one of its workers below it, as a row of one table; `report` is read from the worker's log.

    The report of a run is that of rank 0.
    """

    run: TrainRun
    worker: TrainWorker | None = None
    report: Report | None = None

    @property
    def key(self) -> str:
        """The run's ID, with the rank of a worker."""
        run = self.run.id or ""
        return run if self.worker is None else f"{run}/{self.worker.world_rank}"


def train_rows(runs: Iterable[TrainRun], reports: Mapping[str, Report] = NO_REPORTS) -> list[TrainRow]:
    """Each run, and below it the workers of its last attempt by rank; reports are by the worker's log."""
    return [row for run in runs for row in _rows(run, reports)]


def _rows(run: TrainRun, reports: Mapping[str, Report]) -> list[TrainRow]:
    workers = [
        TrainRow(run=run, worker=worker, report=reports.get(worker.log_file_path or "")) for worker in run.workers
    ]
    first = next((row.report for row in workers if row.worker and row.worker.world_rank == 0), None)
    return [TrainRow(run=run, report=first), *workers]
