"""Running jobs as rows: what they hold, how well they use it, and what that costs."""

from cockpit.model.overview import RunningJob
from cockpit.render.curves import money
from cockpit.render.load import load_tone
from cockpit.render.meters import sparkline
from cockpit.render.table import Cell, Column, Fixed, Flexible, Measured, Part, Record, Row, RowContext, TableSpec
from cockpit.render.units import UNKNOWN, coarse

PAST_WIDTH = 12
MONEY_COLUMNS = ("usd_per_hour", "usd")
GPU_COLUMNS = ("gpus", "past", "use", "hours")

RUNNING_COLUMNS = (
    Column(key="id", title="JOB", width=Measured(10, 32), priority=0),
    Column(key="entrypoint", title="ENTRYPOINT", width=Flexible(12, 120), priority=3),
    Column(key="owner", title="OWNER", width=Measured(5, 16), priority=6),
    Column(key="gpus", title="GPUS", width=Measured(4, 7), align="right", priority=0),
    Column(key="past", title="USE, 1 H", width=Fixed(PAST_WIDTH), sortable=False, priority=2),
    Column(key="use", title="USE", width=Fixed(5), align="right", priority=1),
    Column(key="runs", title="RUNS", width=Measured(4, 8), align="right", priority=4),
    Column(key="hours", title="GPU-HOURS", width=Measured(9, 12), align="right", priority=1),
    Column(key="usd_per_hour", title="$/H", width=Measured(5, 10), align="right", priority=5),
    Column(key="usd", title="$", width=Measured(5, 12), align="right", priority=2),
)


def running_row(job: RunningJob, context: RowContext) -> Row:
    """One running job."""
    glyphs = context.glyphs
    seconds = None if job.started is None else context.now - job.started
    return Row(
        key=job.id,
        cells=(
            Cell(job.id, tone="strong"),
            Cell(job.entrypoint, tone="quiet"),
            job.owner,
            Cell(f"{job.gpus:g}" if job.gpus else UNKNOWN, sort=job.gpus, tone="" if job.gpus else "quiet"),
            Cell("", parts=_past(job, context)),
            Cell(f"{job.use:.0f} %", sort=job.use, tone=load_tone(job.use)) if job.use is not None else None,
            Cell(coarse(seconds), sort=seconds),
            Cell(_hours(job, "" if glyphs.is_ascii else "≥"), sort=job.hours) if job.gpus or job.hours else None,
            Cell(money(job.usd_per_hour), sort=job.usd_per_hour) if job.usd_per_hour is not None else None,
            Cell(money(job.usd), sort=job.usd) if job.usd is not None else None,
        ),
    )


def _past(job: RunningJob, context: RowContext) -> tuple[Part, ...]:
    """The use of its GPUs in the last hour, each level in its color."""
    signs = sparkline(job.past, PAST_WIDTH, glyphs=context.glyphs)
    values = [None] * (PAST_WIDTH - len(job.past)) + list(job.past)
    return tuple(Part(sign, load_tone(value)) for sign, value in zip(signs, values, strict=True))


def _hours(job: RunningJob, at_least: str) -> str:
    """GPU-hours; marked as a lower bound where the job is older than what is known of it."""
    return f"{'' if job.is_whole else at_least}{job.hours:.1f}"


def running_record(job: RunningJob) -> Record:
    """The JSON record of a running job."""
    return {
        "id": job.id,
        "entrypoint": job.entrypoint,
        "owner": job.owner,
        "gpus": job.gpus,
        "utilization_gpu": job.use,
        "gpu_hours": round(job.hours, 4),
        "is_whole": job.is_whole,
        "usd_per_hour": job.usd_per_hour,
        "usd": job.usd,
    }


RUNNING: TableSpec[RunningJob] = TableSpec(
    name="running",
    title="Running",
    columns=RUNNING_COLUMNS,
    row=running_row,
    record=running_record,
    noun="running jobs",
    empty="No jobs running. Press s to submit one.",
)
