"""The recorded past of a cluster: curves, who held a GPU, and what a job or owner used."""

import msgspec

PERCENT = "percent"


class Point(msgspec.Struct, frozen=True):
    """The mean of a series from `at` (seconds since the epoch) to the next point; None where it was not known."""

    at: int
    value: float | None


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """A job's share of a GPU for a time; seconds since the epoch, `idle` and `idle_since` of the time in disuse."""

    gpu: str
    job: str
    owner: str | None
    share: float
    begin: float
    end: float
    idle: float = 0.0
    idle_since: float | None = None


class Curve(msgspec.Struct, frozen=True):
    """One quantity over time; its points may be none."""

    name: str
    unit: str
    points: tuple[Point, ...] = ()


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What a job or an owner used in the time that the history covers; `cost` in USD, None where it is not known."""

    name: str
    owner: str | None = None
    jobs: int = 1
    gpu_hours: float = 0.0
    idle_gpu_hours: float = 0.0
    cost: float | None = None
    idle_cost: float | None = None
    first: float | None = None
    last: float | None = None


class JobPast(msgspec.Struct, frozen=True, kw_only=True):
    """The mean use of a job's GPUs over time, and GPU-hours with their cost; None where it held no GPU yet."""

    curve: Curve | None = None
    use: Use | None = None
