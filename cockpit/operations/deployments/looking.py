"""How a deployment is doing, as its providers say: the Console is asked only for what they cannot tell.

`GET /v1/deployments/{dseq}` takes 10 s and more, since the Console asks every provider for it (console#1759). Its list
is fast, and names the leases; the services of a lease, which its token must name, are in the SDL that was deployed.
"""

import asyncio
from contextlib import suppress
from typing import Literal, TypeAlias

import msgspec

from cockpit.clients.akash.console import ConsoleClient
from cockpit.errors import CockpitError
from cockpit.model.akash.deployments import Deployment, Lease, LeaseId, LeaseStatus
from cockpit.operations.background import aside
from cockpit.operations.deployments.groups import groups_of
from cockpit.operations.deployments.journal import Attempt, attempt_of
from cockpit.operations.deployments.running import known_sdl
from cockpit.operations.deployments.starting import gateway_of, lost

PROVIDER_S = 8.0

Source: TypeAlias = Literal["provider", "console"]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment with the status of its leases, and who said each; a lease that nobody answers for is absent."""

    deployment: Deployment
    sources: dict[LeaseId, Source] = {}

    @property
    def is_second_hand(self) -> bool:
        """Whether a status is what the Console last heard of a provider, which did not answer us."""
        return "console" in self.sources.values()


async def look(console: ConsoleClient, dseq: str) -> Look:
    """Ask the providers of a deployment how it is doing. Raises NotFoundError, and what the Console's list raises."""
    attempt = await aside(lambda: attempt_of(dseq))
    found, known = await _listed(console, dseq), await aside(lambda: services_of(attempt))
    if found is None or any(lease.id.gseq not in known for lease in found.costing):
        return _as_console_says(await console.deployment(dseq))
    told = await asyncio.gather(*(_status(console, lease, known[lease.id.gseq]) for lease in found.costing))
    statuses = {lease.id: status for lease, status in zip(found.costing, told, strict=True) if status is not None}
    by_provider = Look(deployment=_with(found, statuses), sources=dict.fromkeys(statuses, "provider"))
    if len(statuses) == len(found.costing):
        return by_provider
    try:
        second = _as_console_says(await console.deployment(dseq))
    except CockpitError:  # what the list and the other providers say stands
        return by_provider
    sources: dict[LeaseId, Source] = {**second.sources, **by_provider.sources}
    return Look(deployment=_with(second.deployment, statuses), sources=sources)


async def leases_of(console: ConsoleClient, dseq: str) -> dict[LeaseId, tuple[str, ...]]:
    """The leases that cost, with the names of their services as far as they are known. Raises LeaseLostError."""
    attempt = await aside(lambda: attempt_of(dseq))
    found, known = await _listed(console, dseq), await aside(lambda: services_of(attempt))
    if found is None or not found.costing or any(lease.id.gseq not in known for lease in found.costing):
        found = await console.deployment(dseq)
        if not found.costing:
            raise lost(found)
    return {
        lease.id: tuple(lease.status.services) if lease.status else known.get(lease.id.gseq, ())
        for lease in found.costing
    }


def services_of(attempt: Attempt | None) -> dict[int, tuple[str, ...]]:
    """The names of the services by the number of their group; none where the SDL is not known here."""
    document = known_sdl(attempt) if attempt is not None else None
    if document is None:
        return {}
    with suppress(CockpitError):
        return {
            number: tuple(part.service for part in group.parts) for number, group in enumerate(groups_of(document), 1)
        }
    return {}


async def _listed(console: ConsoleClient, dseq: str) -> Deployment | None:
    """The deployment by the list of active ones; None where it is not there, or its leases are not."""
    listed = (await console.deployments("active")).deployments
    return next((one for one in listed if one.dseq == dseq and one.leases), None)


async def _status(console: ConsoleClient, lease: Lease, services: tuple[str, ...]) -> LeaseStatus | None:
    try:
        async with asyncio.timeout(PROVIDER_S):
            gateway = await gateway_of(console, lease.id, services, ("status",))
            try:
                return await gateway.status(lease.id)
            finally:
                await gateway.close()
    except (CockpitError, TimeoutError):
        return None


def _with(found: Deployment, statuses: dict[LeaseId, LeaseStatus]) -> Deployment:
    leases = [msgspec.structs.replace(one, status=statuses.get(one.id, one.status)) for one in found.leases]
    return msgspec.structs.replace(found, leases=tuple(leases))


def _as_console_says(found: Deployment) -> Look:
    return Look(deployment=found, sources={one.id: "console" for one in found.leases if one.status is not None})
