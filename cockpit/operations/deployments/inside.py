"""Into a service of a deployment, by its provider's gateway: logs, events, shells."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec

from cockpit.clients.akash.console import ConsoleClient, Scope
from cockpit.clients.akash.gateway import ProviderGateway
from cockpit.errors import NotFoundError, UsageError
from cockpit.model.akash.deployments import LeaseId
from cockpit.operations.deployments.looking import leases_of
from cockpit.operations.deployments.starting import gateway_of


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """A service, its lease, and the gateway that leads there."""

    gateway: ProviderGateway
    lease: LeaseId
    service: str


@asynccontextmanager
async def inside(
    console: ConsoleClient, dseq: str, service: str | None, scope: tuple[Scope, ...]
) -> AsyncIterator[Inside]:
    """The way into a service, with a token of this scope for it alone; without a name the first group's services.

    Raises LeaseLostError, NotFoundError for another name, UsageError where one must be named.
    """
    names = await leases_of(console, dseq)
    lease, services = _found(dseq, names, service, needs_one="events" not in scope)
    gateway = await gateway_of(console, lease, services, scope)
    try:
        yield Inside(gateway=gateway, lease=lease, service=services[0])
    finally:
        await gateway.close()


async def services_of(console: ConsoleClient, dseq: str) -> tuple[str, ...]:
    """The services of a deployment that have a shell. Raises LeaseLostError, NotFoundError if none is reported."""
    names = tuple(name for services in (await leases_of(console, dseq)).values() for name in services)
    if not names:
        raise NotFoundError(f"The provider does not list the services of {dseq} now.")
    return names


def _found(
    dseq: str, names: Mapping[LeaseId, tuple[str, ...]], service: str | None, *, needs_one: bool
) -> tuple[LeaseId, tuple[str, ...]]:
    every = [name for services in names.values() for name in services]
    if service is None:
        if needs_one and len(every) != 1:
            raise UsageError(
                "Name a service.",
                hint=f"It has {', '.join(every)}." if every else "The provider has not listed its services yet.",
            )
        lease, services = next(iter(names.items()))
        if not services:
            raise NotFoundError(f"The provider does not list the services of {dseq} now.")
        return lease, services
    for lease, services in names.items():
        if service in services:
            return lease, (service,)
    if not every and len(names) == 1:  # the provider does not answer the Console; it may answer us
        return next(iter(names)), (service,)
    raise NotFoundError(f"Deployment {dseq} has no service {service!r}.", hint=f"It has {', '.join(every)}.")
