"""From a lease to services that are ready: what each has, what Kubernetes says of the last one, and the closing clock.

A provider closes a lease after about 8 minutes in which a service was not ready (akash-network/provider, monitor.go:
41 checks, one each 4 to 19 s); a ready service sets its clock back.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from cockpit.clients.akash.console import ConsoleClient, Grant, Scope
from cockpit.clients.akash.gateway import LogLine, ProviderGateway, gateway_address
from cockpit.clients.akash.provider_certificate import trust
from cockpit.errors import CockpitError, NotFoundError, RejectedError, UnreachableError
from cockpit.model.akash.deployments import Deployment, LeaseId, LeaseStatus
from cockpit.model.secret import Secret
from cockpit.operations.deployments.flow import POLL_S, Step
from cockpit.operations.deployments.journal import Entry
from cockpit.operations.deployments.news import News, ServiceNews, StartNews
from cockpit.operations.deployments.provider_pins import pin_of, pins_file, remember
from cockpit.render.units import duration

UNREADY_S = 475.0
PORTS_S = 60.0
CONSOLE_POLL_S = 30.0
START_S = 20 * 60.0
KEPT_LINES = 60
WATCHING: tuple[Scope, ...] = ("status", "logs", "events")

_REASONS = {
    "lease_closed_owner": "it was closed by you, or by its runtime limit",
    "lease_closed_reason_unstable": "a service was not ready for about 8 minutes",
    "lease_closed_reason_decommission": "the provider takes the machine out of service",
    "lease_closed_reason_unspecified": "the provider closed it without a reason",
    "lease_closed_reason_manifest_timeout": "the provider did not get the manifest within 5 minutes",
    "lease_closed_reason_provider": "the provider closed it",
    "lease_closed_reason_insufficient_funds": "the escrow ran dry",
    "lease_closed_invalid": "it never started",
}
_BLAMELESS = frozenset(("lease_closed_owner", "lease_closed_reason_insufficient_funds"))


class LeaseLostError(RejectedError):
    """The lease ended by itself; the rest of the escrow is still locked in the deployment.

    `is_blameless`: nothing that the provider did; another provider would end the same way.
    """

    is_blameless = False


class NeverReadyError(UnreachableError):
    """The services were not ready in time, or cannot be reached from here; the lease keeps costing money."""


class StatusSource(Protocol):
    """Tells how a lease is doing."""

    async def status(self, lease: LeaseId) -> LeaseStatus:
        """The services of the lease. Raises NotFoundError where it is gone, and UnreachableError."""

    def events(self, service: str) -> Sequence[str]:
        """What Kubernetes said of a service, in a few words each, the newest last."""

    def log(self, service: str) -> Sequence[str]:
        """The end of the log of a service, the newest line last."""

    async def close(self) -> None:
        """Let go of connections."""


class GatewaySource:
    """Asks the providers themselves, with a token for these leases alone."""

    def __init__(self, console: ConsoleClient, services: Mapping[int, tuple[str, ...]]) -> None:
        self._console = console
        self._services = services
        self._gateways: dict[str, ProviderGateway] = {}
        self._events: dict[str, deque[str]] = {}
        self._logs: dict[str, deque[str]] = {}
        self._listening: dict[tuple[LeaseId, str], asyncio.Task[None]] = {}

    async def status(self, lease: LeaseId) -> LeaseStatus:
        """The services of the lease, from its provider."""
        gateway = await self._gateway(lease)
        found = await gateway.status(lease)
        self._keep(lease, "", partial(self._hear_events, gateway, lease))
        for service in self._services[lease.gseq]:
            self._keep(lease, service, partial(self._read_log, gateway, lease, service))
        return found

    def _keep(self, lease: LeaseId, what: str, listen: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Keep a socket open: each status opens again what has ended."""
        found = self._listening.get((lease, what))
        if found is None or found.done():
            self._listening[lease, what] = asyncio.create_task(listen())

    async def _gateway(self, lease: LeaseId) -> ProviderGateway:
        if lease.provider not in self._gateways:
            self._gateways[lease.provider] = await gateway_of(self._console, lease, self._services[lease.gseq])
        return self._gateways[lease.provider]

    async def _hear_events(self, gateway: ProviderGateway, lease: LeaseId) -> None:
        with suppress(CockpitError):  # events are a help; the next status opens them again
            async for event in gateway.events(lease):
                for service in self._services[lease.gseq]:
                    if event.name == service or event.name.startswith(f"{service}-"):
                        _append(self._events, service, f"{event.reason}: {event.note}")

    async def _read_log(self, gateway: ProviderGateway, lease: LeaseId, service: str) -> None:
        with suppress(CockpitError):
            async for line in gateway.follow_logs(lease, service, tail=KEPT_LINES):
                if isinstance(line, LogLine):
                    _append(self._logs, service, line.text)

    def events(self, service: str) -> Sequence[str]:
        """The last events of the service."""
        return tuple(self._events.get(service, ()))

    def log(self, service: str) -> Sequence[str]:
        """The last lines of the service."""
        return tuple(self._logs.get(service, ()))

    async def close(self) -> None:
        """Close every connection."""
        for task in self._listening.values():
            task.cancel()
        await asyncio.gather(*self._listening.values(), return_exceptions=True)
        for gateway in self._gateways.values():
            await gateway.close()


def _append(kept: dict[str, deque[str]], service: str, text: str) -> None:
    lines = kept.setdefault(service, deque(maxlen=KEPT_LINES))
    if not lines or lines[-1] != text:  # a lasting event is reported again and again
        lines.append(text)


async def gateway_of(
    console: ConsoleClient, lease: LeaseId, services: tuple[str, ...], scope: tuple[Scope, ...] = WATCHING
) -> ProviderGateway:
    """The gateway of the lease's provider, once it has proven whose it is; the token is for this lease alone."""
    provider = await console.provider(lease.provider)
    address = gateway_address(provider.host_uri)
    tls = await trust(address, lease.provider, pin=pin_of(lease.provider), pins=str(pins_file()))
    if tls.pin is not None:
        remember(lease.provider, tls.pin)

    async def mint() -> Secret:
        return await console.provider_token([Grant(lease=lease, services=services, scope=scope)])

    return ProviderGateway(address, tls, mint, clock=console.clock)


class Watch:
    """Looks at the leases of one deployment until every service is ready."""

    def __init__(self, step: Step, source: StatusSource) -> None:
        self._step = step
        self._source = source
        self._shown = ""
        self._console_at = 0.0
        self._statuses: dict[int, LeaseStatus] = {}

    async def until_ready(
        self, deployment: Deployment, *, is_whole: Callable[[Mapping[int, LeaseStatus]], bool] = lambda _: True
    ) -> dict[int, LeaseStatus]:
        """The status of each group's lease once all are ready; a minute more until `is_whole`: ports may come late.

        Raises LeaseLostError, and NeverReadyError where it takes longer than any provider waits.
        """
        ready_at: float | None = None
        step = self._step
        step.tell(News(phase="start"))
        step.write(Entry(step="starting", at=step.now()))
        began = self._console_at = step.now()
        while True:
            for lease in deployment.costing:
                await self._look(lease.id)
            if self._statuses and len(self._statuses) == len(deployment.costing):
                self._tell(began)
                if all(status.is_ready for status in self._statuses.values()):
                    ready_at = step.now() if ready_at is None else ready_at
                    if is_whole(self._statuses) or step.now() - ready_at >= PORTS_S:
                        return self._statuses
            if step.now() - self._console_at >= CONSOLE_POLL_S:
                await self._check()
            if step.now() - began > START_S:
                raise NeverReadyError(
                    f"The services are not ready after {duration(step.now() - began)}: {self._unready()}.",
                    hint=f"The lease keeps costing money. Close it: rayakash-tui deployments close {step.dseq}",
                    fault="not-ready",
                )
            await step.console.clock.sleep(POLL_S)

    async def _look(self, lease: LeaseId) -> None:
        try:
            self._statuses[lease.gseq] = await self._source.status(lease)
        except NotFoundError:  # gone at the provider, or not there yet: the Console knows which
            await self._check()
        except CockpitError:  # the Console tells the same, slower
            if self._step.now() - self._console_at >= CONSOLE_POLL_S:
                await self._check()

    async def _check(self) -> None:
        """Ask the Console, which knows whether the lease still exists. Raises LeaseLostError."""
        self._console_at = self._step.now()
        try:
            found = await self._step.console.deployment(self._step.dseq)
        except UnreachableError:
            return
        if not found.costing:
            raise lost(found)
        for lease in found.costing:
            if lease.status is not None:
                self._statuses[lease.id.gseq] = lease.status

    def _tell(self, began: float) -> None:
        news = self._figures(began)
        counts = " · ".join(f"{one.name} {one.available}/{one.total}" for one in news.services)
        culprit = news.culprit
        trouble = culprit.events[-1] if culprit and culprit.events else ""
        shown = f"{counts}{f' · {culprit.name}: {trouble}' if culprit and trouble else ''}"
        text = "" if shown == self._shown or not counts else f"{shown}.{self._clock(news)}"
        self._shown = shown
        self._step.tell(News(text=text, start=news))

    def _figures(self, began: float) -> StartNews:
        """The services as they are, with what was heard of each."""
        services = tuple(
            ServiceNews(
                name=one.name, available=one.available, total=one.total,
                events=tuple(self._source.events(one.name)), log=tuple(self._source.log(one.name)),
            )
            for status in self._statuses.values()
            for one in status.services.values()
        )  # fmt: skip
        is_ready = all(one.is_ready for one in services)
        return StartNews(services=services, closes_at=None if is_ready else began + UNREADY_S)

    def _clock(self, news: StartNews) -> str:
        if news.closes_at is None:
            return ""
        left = max(0.0, news.closes_at - self._step.now())
        return f" The provider closes the lease in about {duration(left)} unless all are ready."

    def _unready(self) -> str:
        services = [one for status in self._statuses.values() for one in status.services.values()]
        words = [f"{one.name} {one.available} of {one.total}" for one in services if not one.is_ready]
        return ", ".join(words) or "the provider does not answer"


def lost(deployment: Deployment) -> LeaseLostError:
    """The error for a deployment whose leases have all ended."""
    reason = next((lease.reason for lease in deployment.leases if lease.reason), "")
    error = LeaseLostError(
        f"The lease of deployment {deployment.dseq} ended: {end_of(deployment)}.",
        hint=f"The rest of the escrow is locked until you close it: rayakash-tui deployments close {deployment.dseq}",
        fault=reason or "lease-lost",
    )
    error.is_blameless = reason in _BLAMELESS
    return error


def end_of(deployment: Deployment) -> str:
    """Why the leases of a deployment ended, in words."""
    reason = next((lease.reason for lease in deployment.leases if lease.reason), "")
    return _REASONS.get(reason, reason or "the reason is not known")
