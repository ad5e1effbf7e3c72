"""Ray Data: datasets and their operators; every field may be missing."""

from collections.abc import Iterable

import msgspec


class Operator(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A step of a dataset's plan; `progress` counts blocks of `total`."""

    operator: str | None = None
    name: str | None = None
    state: str | None = None
    progress: int | None = None
    total: int | None = None
    total_rows: int | None = None
    queued_blocks: int | None = None


class Dataset(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A dataset that a job executes; times in seconds since the epoch."""

    dataset: str | None = None
    job_id: str | None = None
    state: str | None = None
    progress: int | None = None
    total: int | None = None
    total_rows: int | None = None
    start_time: float | None = None
    end_time: float | None = None
    operators: tuple[Operator, ...] | None = None


class DataRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A dataset, or one of its operators below it, as a row of one table."""

    dataset: Dataset
    operator: Operator | None = None

    @property
    def key(self) -> str:
        """Job, dataset and operator."""
        of = f"{self.dataset.job_id}/{self.dataset.dataset}"
        return of if self.operator is None else f"{of}/{self.operator.operator}"


def data_rows(datasets: Iterable[Dataset]) -> list[DataRow]:
    """Each dataset, and below it its operators in the order of the plan."""
    return [
        row
        for one in datasets
        for row in (DataRow(dataset=one), *(DataRow(dataset=one, operator=step) for step in one.operators or ()))
    ]
