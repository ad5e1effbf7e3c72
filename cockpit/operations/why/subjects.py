"""Which thing an ID means: Ray's IDs differ in length, and the start of one is enough where it is unique."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError
from cockpit.model.jobs import Job
from cockpit.model.nearest import nearest_hint
from cockpit.model.query import Query
from cockpit.model.why.verdicts import Kind

# Lengths in hexadecimal digits (src/ray/common/id.h); a job ID has 8, and may be anybody's submission ID.
LENGTHS: dict[int, Kind] = {32: "actor", 36: "placement-group", 48: "task"}
SHORTEST_PREFIX = 4
MOST_NAMED = 3
_HEX = re.compile(r"[0-9a-f]+")


class Subject(NamedTuple):
    """A thing and its ID; the job itself where it had to be asked for."""

    kind: Kind
    id: str
    job: Job | None = None


async def find_subject(client: RayClient, text: str) -> Subject:
    """What the user means. Raises NotFoundError where nothing, or more than one thing, has this ID."""
    text = text.strip()
    if "#" in text:
        return Subject("replica", text)
    kind = LENGTHS.get(len(text)) if _HEX.fullmatch(text) else None
    if kind is not None:
        return Subject(kind, text)
    try:
        return Subject("job", text, await client.jobs.get(text))
    except NotFoundError as missing:
        return await _by_prefix(client, text, missing)


async def _by_prefix(client: RayClient, text: str, missing: NotFoundError) -> Subject:
    jobs = (await client.jobs.list()).rows
    found = [Subject("job", job.id or "", job) for job in jobs if _starts(job, text)]
    if not found and len(text) >= SHORTEST_PREFIX and _HEX.fullmatch(text):
        found = [Subject(kind, one) for kind, ids in await _living(client) for one in ids if one.startswith(text)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFoundError(
            f"{text or '(no ID)'} not found: no job, actor, task or placement group has this ID.",
            detail=missing.detail,
            hint=nearest_hint(text, [job.id for job in jobs if job.id], "") or await _restart_hint(client),
        )
    named = ", ".join(f"{one.kind} {one.id}" for one in found[:MOST_NAMED])
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    raise NotFoundError(f"{len(found)} IDs start with {text}: {named}{more}.", hint="Type more of the ID.")


def _starts(job: Job, text: str) -> bool:
    return bool(text) and any(one.startswith(text) for one in (job.submission_id, job.job_id) if one)


async def _living(client: RayClient) -> list[tuple[Kind, Iterable[str]]]:
    """The IDs of what lives or waits; ended things need their whole ID."""
    actors = await client.workloads.actors(Query())
    tasks = await client.workloads.tasks(Query())
    groups = await client.workloads.placement_groups(Query())
    return [
        ("actor", [one.actor_id for one in actors.rows if one.actor_id]),
        ("task", dict.fromkeys(one.task_id for one in tasks.rows if one.task_id)),
        ("placement-group", [one.placement_group_id for one in groups.rows if one.placement_group_id]),
    ]


async def _restart_hint(client: RayClient) -> str:
    """A restarted head has forgotten its jobs: say when this one started."""
    from cockpit.render.times import iso

    started = (await client.scheduling.grounds()).head_started_at
    since = f"The head started at {iso(started)}, and" if started else "A head that was restarted"
    return f"{since} does not know jobs from before. `rayakash-tui jobs` lists the jobs."
