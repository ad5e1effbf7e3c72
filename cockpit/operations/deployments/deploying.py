"""The whole of a deployment: created, leased, started, reached and named; what fails is closed and rented elsewhere."""

import os
import secrets as randomness
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from cockpit.clients.akash.console import ConsoleClient, CreateRequest
from cockpit.errors import CockpitError, UsageError
from cockpit.model.akash.deployments import Deployment, LeaseStatus
from cockpit.operations.deployments.ending import close
from cockpit.operations.deployments.flow import ManifestRefusedError, Step, Terms, create, extend, lease
from cockpit.operations.deployments.journal import Entry, Journal
from cockpit.operations.deployments.news import News, Report
from cockpit.operations.deployments.plan import Plan
from cockpit.operations.deployments.preparing import Prepared, make_secrets, outgoing
from cockpit.operations.deployments.probing import Probe, probe
from cockpit.operations.deployments.reaching import Ready, address_in, has_address, nodes_alive, reach, write_context
from cockpit.operations.deployments.run_plan import RunPlan
from cockpit.operations.deployments.running import keep_copy
from cockpit.operations.deployments.starting import (
    GatewaySource,
    LeaseLostError,
    NeverReadyError,
    StatusSource,
    Watch,
)
from cockpit.operations.question import Ask, Question
from cockpit.render.deployments import per_hour

MOST_ROUNDS = 3

MakeSource = Callable[[ConsoleClient, Plan], StatusSource]


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """How to ask providers, and how to try an address; tests have others."""

    source: MakeSource
    probe: Probe = probe


def _gateways(console: ConsoleClient, plan: Plan) -> StatusSource:
    services = {number: tuple(part.service for part in group.parts) for number, group in enumerate(plan.groups, 1)}
    return GatewaySource(console, services)


TOOLS = Tools(source=_gateways)


class Deploying:
    """One `deploy`: up to three rounds, each with a confirmation of its own and one create."""

    def __init__(
        self,
        console: ConsoleClient,
        prepared: Prepared,
        terms: Terms,
        report: Report,
        *,
        waits: bool = True,
        avoided: tuple[str, ...] = (),
        tools: Tools | None = None,
    ) -> None:
        self._avoided = avoided
        self._console = console
        self._prepared = prepared
        self._terms = terms
        self._report = report
        self._waits = waits
        self._tools = tools or TOOLS
        self.journal: Journal | None = None

    async def run(self, ask: Ask) -> Ready:
        """Deploy, after the plan was agreed to; `ask` is for what comes up later: renting elsewhere after a failure.

        Raises what the steps raise; a lease that failed is closed first.
        """
        make_secrets(self._prepared)
        avoided = self._avoided
        for number in range(1, MOST_ROUNDS + 1):
            step = self._begin(avoided)
            try:
                return await self._round(step)
            except (ManifestRefusedError, LeaseLostError, NeverReadyError) as error:
                await self._give_up(step, error)
                avoided = step.excluded
                is_hopeless = isinstance(error, LeaseLostError) and error.is_blameless
                if is_hopeless or number == MOST_ROUNDS or not await ask(self._elsewhere(step, error)):
                    raise _closed(error) from error
            finally:
                step.journal.close()
        raise AssertionError("unreachable")

    def _begin(self, avoided: Sequence[str]) -> Step:
        prepared, runtime = self._prepared, self._prepared.plan.runtime
        token = randomness.token_hex(6)
        journal = Journal.begin(
            Entry(
                step="plan",
                at=self._console.clock.now().wall,
                file=os.path.abspath(prepared.file),
                scope=prepared.scope,
                sha256=prepared.sha256,
                console=str(self._console.address),
                name=f"{prepared.file.stem} {token}"[:256],
                token=token,
                runtime_hours=runtime.hours,
                runtime_at_create=runtime.at_create,
                max_usd_per_hour=prepared.plan.ceiling_usd_per_hour,
                **_run_fields(prepared.run),
            )
        )
        self.journal = journal
        keep_copy(journal.path, prepared.document)
        return Step(self._console, journal, prepared.plan, self._report, avoided=avoided)

    async def _round(self, step: Step) -> Ready:
        sent = await outgoing(self._console, self._prepared)
        request = CreateRequest(
            sdl=sent.sdl.reveal(),
            name=step.journal.attempt.last.name or "",
            runtime_limit_hours=self._prepared.plan.runtime.at_create,
            sealed_secrets=sent.sealed,
            holds_values=self._prepared.travel == "inside",
        )
        made = await create(step, request)
        await extend(step)
        leased = await lease(step, self._terms, made.manifest)
        return await finish(step, self._prepared, leased.deployment, self._tools, waits=self._waits)

    async def _give_up(self, step: Step, error: CockpitError) -> None:
        """Note who failed, and close: what it has cost is said."""
        is_blameless = isinstance(error, LeaseLostError) and error.is_blameless
        failed = None if is_blameless else step.journal.attempt.last.providers or ()
        step.write(Entry(step="failed", at=step.now(), providers=failed, reason=error.title))
        step.say(f"{error.title} Closing deployment {step.dseq}.")
        ended = await close(self._console, step.journal, step.dseq, try_it=self._tools.probe)
        spent = "" if ended.spent_usd is None else f" It cost ${ended.spent_usd:.4f}."
        step.say(f"Deployment {step.dseq} is closed.{spent}")

    def _elsewhere(self, step: Step, error: CockpitError) -> Question:
        ceiling = per_hour(self._prepared.plan.ceiling_usd_per_hour)
        return Question(
            f"Rent elsewhere, without this provider? At most {ceiling}.", "deploy-again", lines=(error.title,)
        )


def _run_fields(run: RunPlan | None) -> dict[str, Any]:
    """What the journal keeps of what is to follow, so that a restart after a crash does the same."""
    if run is None:
        return {}
    return {
        "job_file": str(run.job) if run.job else None,
        "close_when": run.close_when.text if run.close_when else None,
        "fetch": run.fetch or None,
        "into": os.path.abspath(run.into),
    }


def _closed(error: CockpitError) -> CockpitError:
    """The failure, once its deployment is closed: what to do about a lease that goes on costing no longer holds."""
    error.hint = "The deployment is closed and costs nothing."
    return error


async def finish(step: Step, prepared: Prepared, deployment: Deployment, tools: Tools, *, waits: bool = True) -> Ready:
    """From an active lease to a cluster with a name. Raises LeaseLostError, NeverReadyError, UntrustedError."""
    price = deployment.usd_per_hour
    if not waits:
        return Ready(dseq=step.dseq, usd_per_hour=price, nodes_expected=prepared.nodes)
    source = tools.source(step.console, step.plan)
    try:
        statuses = await Watch(step, source).until_ready(
            deployment, is_whole=lambda found: has_address(prepared.document, found)
        )
    finally:
        await source.close()
    return await connect_to(step, prepared, statuses, price, tools)


async def connect_to(
    step: Step, prepared: Prepared, statuses: dict[int, LeaseStatus], price: Decimal, tools: Tools
) -> Ready:
    """Find the address, try it, and write the context."""
    try:
        access = prepared.access() if prepared.is_ray else None
    except UsageError as error:  # a token in plain text: the cluster runs, and can be added by hand
        step.say(f"No context was made. {error.title} {error.hint}")
        access = None
    found = address_in(prepared.document, statuses) if access is not None else None
    if access is None or found is None:
        step.say("All services are ready; no public port leads to a Ray dashboard, so no context was saved.")
        step.write(Entry(step="context", at=step.now()))
        return Ready(dseq=step.dseq, usd_per_hour=price, nodes_expected=prepared.nodes)
    await reach(step, found, access.pin, tools.probe)
    for note in access.notes:
        step.say(note)
    context = write_context(step, str(found), access, price)
    nodes = await nodes_alive(step, context, prepared.nodes) if tools.probe is probe else None
    return Ready(
        dseq=step.dseq,
        address=str(found),
        context=context,
        usd_per_hour=price,
        nodes=nodes,
        nodes_expected=prepared.nodes,
    )


def nothing_said(_: News) -> None:
    """A report that is dropped."""
