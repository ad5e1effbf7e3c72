"""Who holds resources: Ray's workers know IDs only, and names and moments are asked for, of a few of them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from msgspec.structs import replace

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.state import SUPERVISOR_NAME
from cockpit.errors import NotFoundError
from cockpit.model.jobs import Job
from cockpit.model.tasks import Task
from cockpit.model.why.facts import Demand, Holder, Offer
from cockpit.model.why.placement import fit, holders

MOST_HOLDERS = 12
"""So many are asked about, some milliseconds each; the others keep their IDs."""
# The ID of the task that makes an actor is this and the actor's (src/ray/common/id.h).
CREATION = "f" * 16
# States in which a task has its resources.
_PLACED = ("SUBMITTED_TO_WORKER", "PENDING_ARGS_FETCH", "GETTING_AND_PINNING_ARGS", "RUNNING")

_Key = tuple[str | None, int | None]


async def with_names(client: RayClient, offers: Sequence[Offer], demands: Sequence[Demand]) -> tuple[Offer, ...]:
    """The nodes, with names for those who hold what a demand needs on a node that would do but for them."""
    in_the_way = {
        _key(offer, holder): holder
        for offer in offers
        for demand in demands
        if (one := fit(offer, demand)).verdict == "busy"
        for holder in holders(one)
        if holder.pid
    }
    keys = list(in_the_way)[:MOST_HOLDERS]
    found = await asyncio.gather(*(_named(client, in_the_way[key]) for key in keys))
    named = dict(zip(keys, found, strict=True))
    return tuple(
        replace(offer, held=tuple(named.get(_key(offer, holder), holder) for holder in offer.held)) for offer in offers
    )


def _key(offer: Offer, holder: Holder) -> _Key:
    return offer.node_id, holder.pid


async def _named(client: RayClient, holder: Holder) -> Holder:
    """A holder with its name, its submission, and since when it holds."""
    if holder.actor_id:
        return await _actor(client, holder, holder.actor_id)
    if not holder.job_id:
        return holder
    job, tasks = await asyncio.gather(_job(client, holder.job_id), client.scheduling.running_tasks(holder.job_id))
    task = next((one for one in tasks if one.worker_pid == holder.pid), None)
    return replace(
        holder,
        submission_id=job.submission_id if job else None,
        name=_with_job(task.name or task.func_or_class_name, job) if task else None,
        since=_placed_at(task),
    )


async def _actor(client: RayClient, holder: Holder, actor_id: str) -> Holder:
    actor, made = await asyncio.gather(client.scheduling.actor(actor_id), client.scheduling.task(CREATION + actor_id))
    name = actor.name or "" if actor else ""
    if name.startswith(SUPERVISOR_NAME):
        # Supervisors share the job ID of Ray's job manager; the entrypoint's resources are theirs.
        submission_id = name.removeprefix(SUPERVISOR_NAME)
        return replace(holder, submission_id=submission_id, job_id=None, name=submission_id, since=_placed_at(made))
    job = await _job(client, holder.job_id) if holder.job_id else None
    return replace(
        holder,
        submission_id=job.submission_id if job else None,
        name=_with_job(name or (actor.class_name if actor else None), job),
        since=_placed_at(made),
    )


def _with_job(name: str | None, job: Job | None) -> str | None:
    if name and job is not None and job.submission_id:
        return f"{name} of {job.submission_id}"
    return name or (job.id if job else None)


async def _job(client: RayClient, job_id: str) -> Job | None:
    with suppress(NotFoundError):  # drivers that are long gone
        return await client.jobs.get(job_id)
    return None


def _placed_at(task: Task | None) -> float | None:
    """When a task was given its resources, in seconds since the epoch."""
    events = {event.state: event.created_ms for event in (task.events or () if task else ()) if event.created_ms}
    moment = next((events[state] for state in _PLACED if state in events), None)
    return moment / 1000 if moment else None
