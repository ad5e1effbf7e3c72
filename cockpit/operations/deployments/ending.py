"""The end of a deployment: asked for, read back until it is proven, its refund said, its context taken away."""

import asyncio
from contextlib import suppress
from decimal import Decimal

import msgspec

from cockpit.clients.akash import settling
from cockpit.clients.akash.console import ConsoleClient
from cockpit.clients.akash.outcomes import Done
from cockpit.errors import CockpitError, NotRayError, OutcomeUnknownError, UnreachableError, UsageError
from cockpit.model.akash.deployments import Deployment
from cockpit.model.akash.money import usd
from cockpit.operations.clusters.connect import Selection, choose
from cockpit.operations.clusters.contexts import known_clusters, remove_context
from cockpit.operations.deployments.journal import Entry, Journal, attempt_of
from cockpit.operations.deployments.probing import Probe, probe

DEAD_S = 20.0
DEAD_POLL_S = 2.0


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment that is proven closed. `refund_usd` is None where the Console did not tell what escrow had left.

    `port_is_dead` is None without an address to try.
    """

    dseq: str
    refund_usd: Decimal | None = None
    spent_usd: Decimal | None = None
    port_is_dead: bool | None = None
    context: str | None = None


async def close(
    console: ConsoleClient, journal: Journal | None, dseq: str, *, context: str | None = None, try_it: Probe = probe
) -> Ended:
    """Close a deployment and wait for the proof; its context is removed.

    Raises AuthenticationError, and OutcomeUnknownError as long as it may still cost: the journal stays at `closing`.
    """
    now = console.clock.now
    if journal is not None:
        journal.write(Entry(step="closing", at=now().wall))
        context = context or journal.attempt.last.context
    # The last read before the close says best what is left in escrow.
    before = await _read(console, dseq)
    outcome = await settling.close(console, dseq)
    if not isinstance(outcome, Done):
        raise outcome.error if isinstance(outcome.error, OutcomeUnknownError) else _may_cost(dseq, outcome.error)
    found = outcome.value.deployment
    refund, spent = _money(before, found)
    if journal is not None:
        journal.write(Entry(step="closed", at=now().wall, refund_usd=refund))
    is_dead = await _is_dead(console, context, try_it) if context else None
    removed = context if context and remove_cluster(context) else None
    return Ended(dseq=dseq, refund_usd=refund, spent_usd=spent, port_is_dead=is_dead, context=removed)


async def end(console: ConsoleClient, dseq: str, *, context: str | None = None, try_it: Probe = probe) -> Ended:
    """Close a deployment, with the journal that made it if there is one. Raises what `close` raises, and BusyError."""
    attempt = await asyncio.to_thread(attempt_of, dseq)
    journal = Journal.resume(attempt.path) if attempt is not None and attempt.may_cost else None
    try:
        known = context or (attempt.last.context if attempt else None)
        return await close(console, journal, dseq, context=known, try_it=try_it)
    finally:
        if journal is not None:
            journal.close()


def _may_cost(dseq: str, error: CockpitError) -> CockpitError:
    hint = error.hint or f"Try again: rayakash-tui deployments close {dseq}"
    error.hint = f"Deployment {dseq} was not closed, and may still cost money. {hint}"
    return error


async def _read(console: ConsoleClient, dseq: str) -> Deployment | None:
    try:
        return await console.deployment(dseq)
    except CockpitError:  # closing goes on without
        return None


def _money(before: Deployment | None, after: Deployment | None) -> tuple[Decimal | None, Decimal | None]:
    """What came back from escrow, and what the leases cost: deposits less what providers were paid."""
    if after is None:
        return None, None
    paid = sum((coin.amount for coin in after.escrow.transferred if coin.denom == "uact"), Decimal(0))
    if before is None:
        return None, usd(paid)
    already = sum((coin.amount for coin in before.escrow.transferred if coin.denom == "uact"), Decimal(0))
    refund = before.escrow.funds_uact - (paid - already)
    return max(Decimal(0), usd(refund)), usd(paid)


async def _is_dead(console: ConsoleClient, context: str, try_it: Probe) -> bool | None:
    """Whether the cluster's port answers no more; providers take a few seconds."""
    try:
        target = choose(Selection(context=context))
    except CockpitError:
        return None
    if target.bastion is not None:
        return None
    deadline = console.clock.now().wall + DEAD_S
    while console.clock.now().wall < deadline:
        try:
            await try_it(target.address, None)
        except NotRayError:  # something answers
            pass
        except UnreachableError:
            return True
        await console.clock.sleep(DEAD_POLL_S)
    return False


def remove_cluster(context: str) -> bool:
    """Take away the cluster of a deployment that is closed; returns whether it was there."""
    known = known_clusters().row(context)
    if known is None or known.source != "config":
        return False
    with suppress(UsageError):  # a file that the user locked stays as it is, and is said to
        remove_context(context)
        return True
    return False
