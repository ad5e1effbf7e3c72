"""What was asked for a job's entrypoint: Ray's job API does not tell, its supervisor actor does while it lives."""

from cockpit.clients.ray import RayClient
from cockpit.errors import NotFoundError
from cockpit.model.asked import Asked
from cockpit.model.jobs import Job
from cockpit.operations.jobs.clone import recorded_resources


async def asked_for(client: RayClient, job: Job) -> Asked | None:
    """What its supervisor holds or waits for; of an ended job what `submit` wrote down, None where neither tells."""
    if job.is_driver or job.submission_id is None:
        return None
    actor_id = None if job.is_terminal else await client.state.supervisor_of(job.submission_id)
    if actor_id is not None:
        try:
            actor = await client.state.actor(actor_id)
        except NotFoundError:  # it has ended between the two requests
            return recorded_resources(job)
        if actor.required_resources is not None:
            return Asked(resources=actor.required_resources, labels=actor.label_selector or {})
    return recorded_resources(job)
