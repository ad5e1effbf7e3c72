"""Every field of a job, in words."""

from cockpit.model.jobs import Job
from cockpit.render.jobs import is_failed_entrypoint, is_users, outcome, own_lines, seconds_run, status
from cockpit.render.text import visible
from cockpit.render.times import local_time
from cockpit.render.units import UNKNOWN, duration

LONGEST = 20_000
LAST_LINES = 8


def detail_lines(job: Job, now: float, *, is_forgotten: bool = False) -> list[tuple[str, str]]:
    """Label and text of each field; env values are masked already. `now` in seconds since the epoch.

    Of a failed job how it ended and the last it said come first, for that is why one looks.
    """
    info = job.driver_info
    where = f"{info.node_ip_address or UNKNOWN} pid {info.pid or UNKNOWN}" if info else UNKNOWN
    ending = [
        ("exit code", UNKNOWN if job.driver_exit_code is None else str(job.driver_exit_code)),
        ("error type", job.error_type or UNKNOWN),
    ]
    has_failed = job.status == "FAILED"
    lines = [("status", status(job))]
    if is_forgotten:
        lines.append(("", "The head was restarted and has forgotten this job: it was last seen like this."))
    if not job.outcome_is_known or job.was_stopped_at_start:
        lines.append(("", outcome(job, now)))
    lines += [*ending, *_last_lines(job), ("job", "")] if has_failed else []
    lines += [
        ("submission id", job.submission_id or UNKNOWN),
        ("job id", job.job_id or UNKNOWN),
        ("type", job.type or UNKNOWN),
        ("entrypoint", job.entrypoint or UNKNOWN),
        ("started", local_time(job.start_time, now)),
        ("ended", local_time(job.end_time, now)),
        ("duration", duration(seconds_run(job, now))),
        *([] if has_failed else ending),
        ("driver", where),
        ("node", job.driver_node_id or UNKNOWN),
        ("node's agent", job.driver_agent_http_address or UNKNOWN),
    ]
    lines += _section("metadata", [(key, str(value)) for key, value in (job.metadata or {}).items() if is_users(key)])
    lines += _section("runtime environment", _environment_lines(job))
    message = (job.message or "")[:LONGEST].expandtabs(4).splitlines()
    lines += [("message", ""), *(("", line) for line in message)] if message else []
    return [(label, visible(text)) for label, text in lines]


def _last_lines(job: Job) -> list[tuple[str, str]]:
    said = own_lines(job)
    is_quote = bool(said) and is_failed_entrypoint(said[0])
    said = said[is_quote:][-LAST_LINES:]
    if not said:
        return [("last lines", "none but Ray's own")] if is_quote else []
    return [("last lines", ""), *(("", line[-LONGEST:]) for line in said)]


def _section(title: str, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(title, ""), *((f"  {visible(key)}", text or '""') for key, text in pairs)] if pairs else []


def environment_lines(job: Job) -> list[tuple[str, str]]:
    """The runtime environment and the metadata alone; values of variables are masked already."""
    metadata = [(key, str(value)) for key, value in (job.metadata or {}).items() if is_users(key)]
    lines = _section("runtime environment", _environment_lines(job)) + _section("metadata", metadata)
    return [(label, visible(text)) for label, text in lines] or [("", "The job has no runtime environment.")]


def _environment_lines(job: Job) -> list[tuple[str, str]]:
    environment = dict(job.runtime_env or {})
    variables = environment.pop("env_vars", None) or {}
    lines = [(key, str(value)) for key, value in environment.items() if not key.startswith("_ray")]
    return lines + [(f"env {name}", str(value)) for name, value in dict(variables).items()]
