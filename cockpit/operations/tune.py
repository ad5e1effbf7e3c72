"""Sweeps of Ray Tune, put together from the log of their job, its actors and its placement groups."""

from collections.abc import Iterable, Sequence

from cockpit.clients.ray import RayClient
from cockpit.model.actors import Actor
from cockpit.model.jobs import Job
from cockpit.model.placement_groups import PlacementGroup
from cockpit.model.query import Query
from cockpit.model.tune import TRIAL_CLASS, Sweep, last_printed
from cockpit.operations.logs.tails import job_lines

LINES = 1_500  # a block of 1,000 trials and what the program prints after it


async def running_sweeps(client: RayClient, jobs: Iterable[Job]) -> list[Sweep]:
    """Jobs of which trial actors live now; a sweep whose trials are classes of its own is found by its job only."""
    actors = (await client.workloads.of_class(TRIAL_CLASS)).rows
    by_job: dict[str, list[Actor]] = {}
    for actor in actors:
        by_job.setdefault(actor.job_id or "", []).append(actor)
    return [await _sweep(client, job, by_job[job.job_id]) for job in jobs if job.job_id in by_job]


async def sweep_of(client: RayClient, job: Job) -> Sweep | None:
    """The sweep of one job, running or ended; None where neither its actors nor its log tell of trials."""
    found = await client.workloads.actors(Query(job_id=job.job_id or ""))
    sweep = await _sweep(client, job, [actor for actor in found.rows if actor.class_name == TRIAL_CLASS])
    return sweep if sweep.actors or sweep.printed else None


async def _sweep(client: RayClient, job: Job, actors: Sequence[Actor]) -> Sweep:
    printed = last_printed(await job_lines(client, job, lines=LINES))
    groups = (await client.workloads.placement_groups(Query(job_id=job.job_id or ""))).rows if actors else ()
    return Sweep(job=job, printed=printed, actors=tuple(actors), needs=_needs(actors, groups))


def _needs(actors: Iterable[Actor], groups: Sequence[PlacementGroup]) -> dict[str, dict[str, float]]:
    """What each trial asks for: of an actor in a placement group all of the group's bundles."""
    demands = {group.placement_group_id: group.demand for group in groups}
    return {
        actor.actor_id or "": demands.get(actor.placement_group_id) or dict(actor.required_resources or {})
        for actor in actors
    }
