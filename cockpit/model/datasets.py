"""Ray Data: datasets and their operators; every field may be missing."""

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
