"""Why the pending jobs wait, in a few words each: what the list of jobs has room for."""

from collections.abc import Mapping

from cockpit.clients.ray import RayClient
from cockpit.clients.ray.state import SUPERVISOR_NAME
from cockpit.feeds.topics import Topic, Visit
from cockpit.model.why.causes import of_actor
from cockpit.model.why.verdicts import Cause


async def pending_reasons(client: RayClient) -> Mapping[str, str]:
    """The reasons in a few words, by submission ID."""
    return {job: cause.short for job, cause in (await pending_causes(client)).items()}


async def pending_causes(client: RayClient) -> Mapping[str, Cause]:
    """The causes by submission ID: four calls for all jobs together, whatever their number."""
    actors = [actor for actor in await client.scheduling.waiting_supervisors() if actor.name]
    if not actors:
        return {}
    offers = (await client.scheduling.grounds()).offers
    return {(actor.name or "").removeprefix(SUPERVISOR_NAME): of_actor(actor, actor.asked, offers) for actor in actors}


async def _fetch(visit: Visit[Mapping[str, str]]) -> Mapping[str, str]:
    return await pending_reasons(visit.client)


async def _fetch_causes(visit: Visit[Mapping[str, Cause]]) -> Mapping[str, Cause]:
    return await pending_causes(visit.client)


PENDING_REASONS: Topic[Mapping[str, str]] = Topic(
    name="pending-reasons", fetch=_fetch, interval=5.0, passing=True, is_costly=True
)

PENDING_CAUSES: Topic[Mapping[str, Cause]] = Topic(
    name="pending-causes", fetch=_fetch_causes, interval=30.0, passing=True, is_costly=True
)
