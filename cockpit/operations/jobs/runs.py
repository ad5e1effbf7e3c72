"""Which jobs are runs of the same thing."""

import re
from collections.abc import Sequence

from cockpit.model.jobs import Job
from cockpit.operations.jobs.ids import GENERATED_PREFIX

_NAME_KEYS = ("job_name", "name")  # of a job's metadata
_RUN_SUFFIX = re.compile(r"[-_.](?:(?:r|run|try|attempt|v)?\d{1,14}|[0-9a-f]{6,32})$", re.IGNORECASE)


def run_name(job: Job) -> str:
    """What runs of the same thing have in common.

    The name in the metadata; else a chosen submission ID without its number (`mistral-sft-r41` is a run of
    `mistral-sft`); else, of a generated ID, the entrypoint.
    """
    metadata = job.metadata or {}
    named = next((str(metadata[key]) for key in _NAME_KEYS if metadata.get(key)), "")
    if named and named != job.submission_id:
        return named
    if job.submission_id and not job.submission_id.startswith(GENERATED_PREFIX):
        return _RUN_SUFFIX.sub("", job.submission_id)
    return job.entrypoint or job.id or ""


def earlier_runs(job: Job, jobs: Sequence[Job], *, most: int) -> list[Job]:
    """Jobs of the same name that started before, the newest first; `most` of them."""
    name, begin = run_name(job), job.start_time or 0
    found = [
        other
        for other in jobs
        if other.id != job.id and other.submission_id and (other.start_time or 0) <= begin and run_name(other) == name
    ]
    return sorted(found, key=lambda other: -(other.start_time or 0))[:most]
