"""What is done with a deployment that exists: it is resumed, connected to, or extended."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from cockpit.clients.akash.console import ConsoleClient, Settings
from cockpit.errors import NotFoundError, UsageError
from cockpit.model.akash.deployments import Deployment, Lease
from cockpit.operations.deployments import deploying
from cockpit.operations.deployments.deploying import Tools, connect_to, finish
from cockpit.operations.deployments.flow import Step, Terms, lease
from cockpit.operations.deployments.journal import Attempt, Entry, Journal, attempt_of
from cockpit.operations.deployments.news import Report
from cockpit.operations.deployments.preparing import Prepared, Wish, as_deployed, prepare
from cockpit.operations.deployments.reaching import Ready, has_address
from cockpit.operations.deployments.register import settle_one
from cockpit.operations.deployments.running import keep_copy, running_sdl
from cockpit.operations.deployments.starting import Watch, lost
from cockpit.sdl.files import read_document


def file_of(attempt: Attempt | None, given: Path | None = None) -> Path:
    """The SDL of a deployment: as given, else as its journal says. Raises UsageError."""
    if given is not None:
        return given
    if attempt is None or attempt.last.file is None:
        raise UsageError("The SDL of this deployment is not known here.", hint="Name it: --sdl FILE")
    return Path(attempt.last.file)


async def prepared_of(console: ConsoleClient, attempt: Attempt | None, file: Path) -> Prepared:
    """The file of a deployment, checked again; its price limit and runtime are those that were agreed to.

    Raises UsageError where the file has changed since.
    """
    hours = attempt.last.runtime_hours if attempt else None
    scope = attempt.last.scope if attempt else None
    prepared = await prepare(console, read_document(file), file, Wish(hours=hours, scope=scope))
    if attempt is not None and attempt.last.sha256 not in (None, prepared.sha256):
        raise UsageError(
            f"{file} has changed since deployment {attempt.dseq} was created from it.",
            hint=f"Close it (rayakash-tui deployments close {attempt.dseq}) and deploy the file as it is now.",
        )
    cap = attempt.last.max_usd_per_hour if attempt else None
    return msgspec.structs.replace(prepared, plan=msgspec.structs.replace(prepared.plan, max_usd_per_hour=cap))


# --- resume ----------------------------------------------------------------------------------------------------------


async def resume(
    console: ConsoleClient, attempt: Attempt, terms: Terms, report: Report, *, tools: Tools | None = None
) -> Ready:
    """Go on with an unfinished deployment from where it stands: bids, start or context.

    Raises NotFoundError where nothing is left of it, and what the steps raise.
    """
    found = await settle_one(console, attempt)
    if found is None:
        raise UsageError("Another rayakash-tui is working on this deployment.")
    deployment = found.deployment
    if deployment is None:
        raise NotFoundError(f"Nothing is left of {attempt.title}: it costs nothing.")
    if deployment.leases and not deployment.costing:
        raise lost(deployment)
    if deployment.costing:  # only its start is left, whatever has become of the file
        prepared = _deployed(deployment, found.attempt, None, None)
    else:
        prepared = await prepared_of(console, found.attempt, file_of(found.attempt))
    journal = Journal.resume(attempt.path)
    try:
        step = Step(console, journal, prepared.plan, report)
        if not deployment.costing:
            deployment = (await lease(step, terms, None)).deployment
        return await finish(step, prepared, deployment, tools or deploying.TOOLS)
    finally:
        journal.close()


# --- connect ---------------------------------------------------------------------------------------------------------


async def connect(
    console: ConsoleClient,
    dseq: str,
    file: Path | None,
    report: Report,
    *,
    scope: str | None = None,
    tools: Tools | None = None,
) -> Ready:
    """Make a cluster of a deployment that runs, made here or elsewhere; `scope` is where its token is.

    Raises NotFoundError, LeaseLostError, and UsageError where neither we nor the Console know its SDL.
    """
    attempt = attempt_of(dseq)
    deployment = await console.deployment(dseq)
    if not deployment.costing:
        raise lost(deployment)
    prepared = _deployed(deployment, attempt, file, scope)
    document = prepared.document
    journal = _journal_for(console, deployment, attempt, prepared)
    try:
        step, chosen = Step(console, journal, prepared.plan, report), tools or deploying.TOOLS
        source = chosen.source(console, prepared.plan)
        try:
            statuses = await Watch(step, source).until_ready(
                deployment, is_whole=lambda found: has_address(document, found)
            )
        finally:
            await source.close()
        return await connect_to(step, prepared, statuses, deployment.usd_per_hour, chosen)
    finally:
        journal.close()


def _deployed(deployment: Deployment, attempt: Attempt | None, file: Path | None, scope: str | None) -> Prepared:
    """The SDL that runs: the file that is named, else the one that it was made of, else what is kept of it."""
    scope = scope or (attempt.last.scope if attempt else None)
    if file is not None:
        return as_deployed(read_document(file), file, scope)
    running = running_sdl(deployment, attempt, prefers_file=True)
    if attempt is not None and attempt.last.file is not None:
        return as_deployed(running.document, Path(attempt.last.file), scope)
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", deployment.name or "").strip("-") or f"deployment-{deployment.dseq}"
    return as_deployed(running.document, Path(f"{stem[:64]}.yaml"), scope)


async def follow(console: ConsoleClient, dseq: str, report: Report, *, tools: Tools | None = None) -> Ready | None:
    """Wait until a deployment that was changed is ready again, and give its cluster the ports that it has now.

    None without a saved cluster. Raises what `connect` raises.
    """
    attempt = attempt_of(dseq)
    if attempt is None or attempt.last.context is None:
        return None
    return await connect(console, dseq, None, report, tools=tools)


def _journal_for(
    console: ConsoleClient, deployment: Deployment, attempt: Attempt | None, prepared: Prepared
) -> Journal:
    """The journal of a deployment; one that was made elsewhere gets one now, so that its cluster is known to be its."""
    if attempt is not None:
        return Journal.resume(attempt.path)
    now = console.clock.now().wall
    file = str(prepared.file.absolute()) if prepared.file.exists() else None
    token = f"connected-{deployment.dseq}"
    journal = Journal.begin(
        Entry(
            step="plan", at=now, file=file, scope=prepared.scope, sha256=prepared.sha256,
            name=deployment.name, token=token, console=str(console.address),
        )
    )  # fmt: skip
    keep_copy(journal.path, prepared.document)
    journal.write(Entry(step="created", at=now, dseq=deployment.dseq))
    leases: Sequence[Lease] = deployment.costing
    heights = [one.created_height for one in leases if one.created_height is not None]
    journal.write(
        Entry(
            step="leased", at=now, providers=tuple(one.id.provider for one in leases),
            uact_per_block=deployment.uact_per_block, height=max(heights, default=None),
        )
    )  # fmt: skip
    return journal


# --- extend ----------------------------------------------------------------------------------------------------------


async def extend(console: ConsoleClient, dseq: str, hours: int | None) -> Settings:
    """Set the whole runtime, counted from the lease; None lets it run on. Raises RejectedError where unproven."""
    found = await console.set_runtime_limit(dseq, hours)
    attempt = attempt_of(dseq)
    if attempt is not None and attempt.may_cost:
        journal = Journal.resume(attempt.path)
        try:
            journal.write(Entry(step=attempt.step, at=console.clock.now().wall, runtime_hours=hours))
        finally:
            journal.close()
    return found
