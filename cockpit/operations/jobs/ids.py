"""From what a user types for a job to its id: unique prefixes, the last submission, and the nearest matches."""

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError
from cockpit.model.jobs import Job
from cockpit.model.nearest import nearest_hint

GENERATED_PREFIX = "raysubmit_"
MOST_MATCHES = 3  # of IDs that begin alike


async def last_submission(client: RayClient) -> str:
    """The submission ID of the newest submitted job. Raises NotFoundError where there is none."""
    for job in (await client.jobs.list()).rows:
        if job.submission_id:
            return job.submission_id
    raise NotFoundError("No submitted jobs.", hint="Submit one with: rayakash-tui submit -- ENTRYPOINT")


async def find_job(client: RayClient, given: str) -> Job:
    """A job by submission ID, by the job ID of its driver, or by the start of either. Raises NotFoundError."""
    try:
        return await client.jobs.get(given)
    except NotFoundError:
        jobs = (await client.jobs.list()).rows
    matches = [
        job for job in jobs if given and any(one.startswith(given) for one in (job.submission_id, job.job_id) if one)
    ]
    if len(matches) == 1:
        return matches[0]
    if matches:
        listed = _listed([job.id or "" for job in matches])
        raise NotFoundError(f"{len(matches)} jobs start with {given}: {listed}.", hint="Type more of the ID.")
    raise _not_found(given, _ids(jobs))


async def complete_id(client: RayClient, given: str, *, changes: bool) -> str:
    """The full ID of the one job whose ID starts with `given`, for a `given` that is not an ID itself.

    With `changes` only IDs that Ray or submit generated are completed: `train` may be the ID of a deleted job, and
    stopping `train-2` in its place would be wrong. Raises NotFoundError that names the nearest matches.
    """
    ids = _ids((await client.jobs.list()).rows)
    matches = [one for one in ids if given and one.startswith(given)]
    if len(matches) == 1 and (not changes or _is_part_of_generated(given)):
        return matches[0]
    if len(matches) > 1:
        raise NotFoundError(f"{len(matches)} jobs start with {given}: {_listed(matches)}.", hint="Type more of the ID.")
    raise _not_found(given, ids)


def _not_found(given: str, ids: list[str]) -> NotFoundError:
    hint = nearest_hint(given, ids, "`rayakash-tui jobs` lists the jobs.")
    return NotFoundError(f"Job {given or '(no id)'} not found.", hint=hint)


def _ids(jobs: tuple[Job, ...]) -> list[str]:
    return list(dict.fromkeys(job.id for job in jobs if job.id))


def _is_part_of_generated(given: str) -> bool:
    return given.startswith(GENERATED_PREFIX) and len(given) > len(GENERATED_PREFIX)


def _listed(ids: list[str]) -> str:
    shown = ", ".join(ids[:MOST_MATCHES])
    return shown if len(ids) <= MOST_MATCHES else f"{shown} and {len(ids) - MOST_MATCHES} more"
