"""From services that are ready to a cluster that answers from here, and to its context."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from cockpit.clients.address import Address, parse_address
from cockpit.errors import AuthenticationError, CockpitError, UnreachableError, UntrustedError
from cockpit.local.containers.plan import doors_of
from cockpit.model.akash.deployments import LeaseStatus
from cockpit.operations.clusters.connect import Selection, choose, connect
from cockpit.operations.clusters.contexts import add_context, known_clusters, set_in_context
from cockpit.operations.clusters.sdl_access import SdlAccess
from cockpit.operations.deployments.flow import POLL_S, Step
from cockpit.operations.deployments.journal import Entry
from cockpit.operations.deployments.news import News
from cockpit.operations.deployments.probing import Probe, probe
from cockpit.operations.deployments.starting import NeverReadyError
from cockpit.render.text import last_word
from cockpit.sdl.document import SdlDocument
from cockpit.secrets.names import CERTIFICATE_NAME
from cockpit.settings import Context

REACH_S = 120.0
NODES_S = 180.0


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster that answers; without a context where the SDL holds no Ray dashboard that is public."""

    dseq: str
    address: str | None = None
    context: str | None = None
    usd_per_hour: Decimal
    nodes: int | None = None
    nodes_expected: int = 0


def address_in(document: SdlDocument, statuses: Mapping[int, LeaseStatus]) -> Address | None:
    """Where the dashboard, or the gateway in front of it, is reached; None where no public port leads there."""
    services = document.cluster.view.services
    for service, port in doors_of(document.cluster):
        # The gateway of the templates ends TLS by itself where it is given a certificate.
        is_encrypted = services[service].env_value(CERTIFICATE_NAME) is not None
        for status in statuses.values():
            if (found := status.forwarded(service, port)) is not None and found.host:
                return Address("https" if is_encrypted else "http", found.host, found.external_port)
            known = status.services.get(service)
            is_ingress = any(expose.port == port and expose.is_ingress for expose in services[service].exposes)
            if known is not None and known.uris and is_ingress:
                return parse_address(f"http://{known.uris[0]}:80")
    return None


def has_address(document: SdlDocument, statuses: Mapping[int, LeaseStatus]) -> bool:
    """Whether the address is known, or there will be none."""
    return address_in(document, statuses) is not None or not any(doors_of(document.cluster))


async def reach(step: Step, address: Address, pin: str | None, try_it: Probe = probe) -> None:
    """Try the address until it answers. Raises NeverReadyError after two minutes, and UntrustedError."""
    step.tell(News(text=f"All services are ready; trying {address} from here.", phase="ready"))
    deadline = step.now() + REACH_S
    while True:
        try:
            await try_it(address, pin)
        except UntrustedError:
            raise
        except UnreachableError as error:
            if step.now() >= deadline:
                raise NeverReadyError(
                    f"The services are ready, but {address} does not answer from here after {REACH_S:g} s.",
                    detail=error.title,
                    hint=f"The lease keeps costing money. Close it: rayakash-tui deployments close {step.dseq}",
                    fault="never-reachable",
                ) from error
        else:
            step.write(Entry(step="reachable", at=step.now(), address=str(address), pin=pin))
            return
        await step.console.clock.sleep(POLL_S)


def write_context(step: Step, address: str, access: SdlAccess, usd_per_hour: Decimal) -> str:
    """Add the cluster under the name of its file, and make it the one in use; returns the name.

    One that was added before is kept, with the address that it has now: an update of a deployment changes its ports.
    """
    known = known_clusters().row(step.journal.attempt.last.context or "")
    if known is not None and known.source == "config":
        if known.address != address:
            set_in_context(known.name, "address", address)
            step.say(f"The cluster {known.name} is at {address} now.")
        step.write(Entry(step="context", at=step.now(), context=known.name))
        return known.name
    name = _free_name(access.scope)
    # The name first, so that a close takes the cluster away; the step once the cluster is really there.
    step.write(Entry(step="reachable", at=step.now(), context=name))
    context = Context(
        address=address,
        token=access.token,
        pin=access.pin,
        scope=access.scope if access.scope != name else None,
        cost=float(round(usd_per_hour, 4)),
    )
    add_context(name, context, use=True)
    step.write(Entry(step="context", at=step.now(), context=name))
    step.say(f"Added the cluster {name}: {address}.")
    return name


def _free_name(stem: str) -> str:
    known = known_clusters()
    names = (stem, *(f"{stem}-{number}" for number in range(2, 1000)))
    return next(name for name in names if known.row(name) is None)


async def nodes_alive(step: Step, context: str, expected: int) -> int | None:
    """Wait until so many Ray nodes are alive, at most three minutes; None where Ray did not answer."""
    alive: int | None = None
    deadline = step.now() + NODES_S
    while step.now() < deadline:
        try:
            target = await asyncio.to_thread(choose, Selection(context=context))
            async with await connect(target) as client:
                found = sum(node.is_alive for node in (await client.nodes.list()).rows)
        except (UntrustedError, AuthenticationError) as error:
            step.say(f"The nodes were not counted. {error.title} {error.hint}".rstrip())
            return alive
        except CockpitError:
            await step.console.clock.sleep(POLL_S)
            continue
        if found != alive:
            alive = found
            step.say(f"{alive} of {expected} nodes.")
        if alive >= expected:
            return alive
        await step.console.clock.sleep(POLL_S)
    counted = "The nodes could not be counted" if alive is None else f"{alive} of {expected} nodes joined"
    step.say(f"{counted} within {NODES_S / 60:g} min; look again: rayakash-tui -c {last_word(context)} nodes")
    return alive
