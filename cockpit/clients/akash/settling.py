"""From an unknown outcome to a known one, by reading, with the waits that the network needs.

A create shows on the chain 18 to 21 s after it was sent; a call that signs may lie for 36 s, and its transaction can
land for 30: what has not shown 60 s after a lost answer will not come any more, if the reading itself worked.
"""

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

import msgspec

from cockpit.clients.akash.console import ConsoleClient, Created, CreateRequest
from cockpit.clients.akash.outcomes import Done, Outcome, Refused, Unknown
from cockpit.errors import (
    AuthenticationError,
    CockpitError,
    NotFoundError,
    OutcomeUnknownError,
    RejectedError,
    UnreachableError,
)
from cockpit.model.akash.deployments import Deployment, LeaseId

POLL_S = 5.0
LANDING_S = 60.0
READING_S = 120.0  # how long reading may fail before we stop
CLOSING_S = 180.0
_SKEW_S = 5.0
_TRIES = 3
_LAG_POLLS = 3  # an answer came, so the chain is settled; one of its nodes may lag behind
_MANIFEST_PAUSE_S = 6.0
_SETTLED_FAULTS = ("provider_unreachable", "manifest_not_delivered")


class AmbiguousError(OutcomeUnknownError):
    """Several new deployments could be the one that was asked for: `dseqs`."""

    def __init__(self, dseqs: Sequence[str]) -> None:
        super().__init__(
            f"{len(dseqs)} new deployments could be the one just created: {', '.join(dseqs)}.",
            hint="Look at them with `rayakash-tui deployments`, and close those that you do not want.",
            fault="ambiguous",
        )
        self.dseqs = tuple(dseqs)


class Leased(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment whose leases are active and cost money; `error` says why a provider did not take its manifest.

    With `is_sent` False the services do not start, and the provider closes the lease after five minutes.
    """

    deployment: Deployment
    is_sent: bool = True
    error: CockpitError | None = None


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment that is proven closed; None where the Console does not know it any more."""

    deployment: Deployment | None


# A create


async def find_created(
    console: ConsoleClient,
    request: CreateRequest,
    *,
    before: frozenset[str],
    sent_at: float,
    lost_at: float | None = None,
) -> Outcome[Created]:
    """Which deployment a create with an unknown outcome has made, if any.

    `before` are the active dseqs from just before it, `sent_at` its time by the Console's clock, and `lost_at` when the
    answer was lost by ours, both in seconds since the epoch (default: now). Refused means that it was not made, and
    will not be.
    """
    started = console.clock.now().wall
    settled_at = (started if lost_at is None else lost_at) + LANDING_S
    give_up_at = max(started, settled_at) + READING_S
    while True:
        asked_at = console.clock.now().wall
        try:
            listed = await console.deployments("active")
        except AuthenticationError as error:
            return Unknown(error)
        except (UnreachableError, RejectedError, NotFoundError) as error:
            if asked_at >= give_up_at:
                return Unknown(error)
        else:
            new = [row for row in listed.deployments if row.dseq not in before]
            ours = [row for row in new if _is_named_so(row, request)]
            if len(ours) == 1:
                return Done(Created(dseq=ours[0].dseq))
            if asked_at >= settled_at and listed.has_all and not listed.unreadable:
                return _after_landing(ours or [row for row in new if _may_be_ours(row, sent_at)])
            if asked_at >= give_up_at:
                return Unknown(OutcomeUnknownError("The list of deployments could not be read completely."))
        await console.clock.sleep(POLL_S)


def _is_named_so(row: Deployment, request: CreateRequest) -> bool:
    return (row.name is not None and row.name == request.name) or (
        request.hash is not None and row.hash == request.hash
    )


def _may_be_ours(row: Deployment, sent_at: float) -> bool:
    """Whether a deployment without a name is from the right time: its dseq is the Console's clock in milliseconds."""
    return row.name is None and sent_at - _SKEW_S <= int(row.dseq) / 1000 <= sent_at + LANDING_S + _SKEW_S


def _after_landing(found: Sequence[Deployment]) -> Outcome[Created]:
    if len(found) == 1:
        return Done(Created(dseq=found[0].dseq))
    if found:
        return Unknown(AmbiguousError([row.dseq for row in found]))
    return Refused(
        RejectedError(
            "The deployment was not created: Akash Console's answer was lost, and it did not appear within 60 s.",
            hint="Nothing costs; deploy again.",
            fault="not-created",
        )
    )


# Leases


async def take_leases(console: ConsoleClient, leases: Sequence[LeaseId], manifest: str | None) -> Outcome[Leased]:
    """Accept bids for all groups of one deployment, and have its manifests taken by the providers.

    After anything but success the deployment is read back: a lease that is active costs, whatever the answer said, and
    then the same call is safe to repeat. Refused means that no lease exists: the next bid may be accepted.
    """
    for attempt in range(_TRIES):
        sent = await console.post_leases(leases, manifest)
        if isinstance(sent, Done) and _has_all(sent.value, leases):
            return Done(Leased(deployment=sent.value))
        error = None if isinstance(sent, Done) else sent.error
        if attempt == 0 and isinstance(error, UnreachableError) and not error.was_sent:
            return Refused(error)
        is_settled = isinstance(sent, Done | Refused) or sent.error.fault in _SETTLED_FAULTS
        found = await _read_leases(console, leases, is_settled=is_settled, error=error)
        if not isinstance(found, Done):
            return found
        if error is None:
            return Done(Leased(deployment=found.value))
        if _is_final(error) or attempt == _TRIES - 1:
            return Done(Leased(deployment=found.value, is_sent=False, error=error))
        await console.clock.sleep(_MANIFEST_PAUSE_S)
    raise AssertionError("unreachable")


def _has_all(deployment: Deployment, leases: Sequence[LeaseId]) -> bool:
    return all(any(lease.costs and lease.id.is_same(wanted) for lease in deployment.leases) for wanted in leases)


def _is_final(error: CockpitError) -> bool:
    """Whether the provider refused the manifest itself, so that it would again."""
    return isinstance(error, RejectedError | AuthenticationError)


async def _read_leases(
    console: ConsoleClient, leases: Sequence[LeaseId], *, is_settled: bool, error: CockpitError | None
) -> Outcome[Deployment]:
    """The deployment once its leases are active; Refused once they will not become so."""
    dseq = leases[0].dseq
    settled_at = console.clock.now().wall + (POLL_S * (_LAG_POLLS - 1) if is_settled else LANDING_S)
    give_up_at = settled_at + READING_S
    while True:
        asked_at = console.clock.now().wall
        try:
            found = await console.deployment(dseq)
        except AuthenticationError as denied:
            return Unknown(denied)
        except (UnreachableError, RejectedError, NotFoundError) as failure:
            if asked_at >= give_up_at:
                return Unknown(failure)
        else:
            if _has_all(found, leases):
                return Done(found)
            if found.is_closed:
                return Refused(error or _closed_meanwhile(dseq))
            if asked_at >= settled_at:
                return _without_leases(found, leases, error)
        await console.clock.sleep(POLL_S)


def _without_leases(found: Deployment, leases: Sequence[LeaseId], error: CockpitError | None) -> Outcome[Deployment]:
    if found.costing:
        others = ", ".join(sorted({lease.id.provider for lease in found.costing}))
        return Unknown(
            OutcomeUnknownError(
                f"Deployment {found.dseq} has an unrequested lease, at {others}. It costs money.",
                hint=f"Close it: rayakash-tui deployments close {found.dseq}",
                fault="other-lease",
            )
        )
    return Refused(error or RejectedError(f"The bid of {leases[0].provider} was not accepted.", fault="no-lease"))


def _closed_meanwhile(dseq: str) -> CockpitError:
    return RejectedError(f"Deployment {dseq} was closed in the meantime.", fault="closed")


# Closing


async def close(console: ConsoleClient, dseq: str) -> Outcome[Closed]:
    """Close a deployment, and wait until the Console says that it is closed.

    Refused (no access) and Unknown both mean that it may still cost money.
    """
    give_up_at = console.clock.now().wall + CLOSING_S
    error: CockpitError = _not_proven(dseq)
    while True:
        sent = await console.delete(dseq)
        if isinstance(sent, Refused) and isinstance(sent.error, AuthenticationError):
            return Refused(sent.error)
        error = error if isinstance(sent, Done) else sent.error
        closed = await _read_closed(console, dseq, is_gone=_is_absent(sent))
        if closed is not None:
            return Done(closed)
        if console.clock.now().wall >= give_up_at:
            return Unknown(_not_proven(dseq, error))
        await console.clock.sleep(POLL_S)


def _is_absent(sent: Outcome[None]) -> bool:
    return isinstance(sent, Refused) and isinstance(sent.error, NotFoundError)


async def _read_closed(console: ConsoleClient, dseq: str, *, is_gone: bool) -> Closed | None:
    try:
        found = await console.deployment(dseq)
    except NotFoundError:
        return Closed(deployment=None) if is_gone and _is_old(console, dseq) else None
    except (UnreachableError, RejectedError, AuthenticationError):
        return None
    return Closed(deployment=found) if found.is_closed else None


def _is_old(console: ConsoleClient, dseq: str) -> bool:
    """Whether a deployment would show by now if it existed: its dseq is the time of its create in milliseconds."""
    return Decimal(console.clock.now().wall) - Decimal(dseq) / 1000 > LANDING_S


def _not_proven(dseq: str, cause: CockpitError | None = None) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"Deployment {dseq} is not confirmed closed: it may still cost money.",
        detail=cause.title if cause else "",
        hint=f"Try again: rayakash-tui deployments close {dseq}",
        fault="not-closed",
    )


# Updates


async def update(
    console: ConsoleClient, dseq: str, send: Callable[[], Awaitable[Outcome[Deployment]]], *, hash_before: str
) -> Outcome[Deployment]:
    """Send an update, again while the provider has not seen the last one's block; a new hash proves that it arrived.

    `send` calls `ConsoleClient.put_sdl` or `patch`, which change nothing more when they are repeated.
    """
    give_up_at = console.clock.now().wall + LANDING_S
    is_unclear = False
    while True:
        sent = await send()
        if isinstance(sent, Done):
            return sent
        is_unclear = is_unclear or isinstance(sent, Unknown)
        is_late = console.clock.now().wall >= give_up_at
        if isinstance(sent, Refused) and (is_late or not _is_too_early(sent.error)):
            return await _updated(console, dseq, hash_before, sent, is_unclear=is_unclear)
        if isinstance(sent, Unknown) and is_late:
            return await _updated(console, dseq, hash_before, sent, is_unclear=True)
        await console.clock.sleep(POLL_S)


def _is_too_early(error: CockpitError) -> bool:
    """422 `manifest version validation failed`, which comes without a code of its own."""
    return isinstance(error, RejectedError) and error.fault in ("unknown_error", "http-422")


async def _updated(
    console: ConsoleClient, dseq: str, hash_before: str, sent: Refused | Unknown, *, is_unclear: bool
) -> Outcome[Deployment]:
    """The deployment where a call without an answer has changed it: the next one is then refused as too late."""
    try:
        found = await console.deployment(dseq)
    except (UnreachableError, RejectedError, NotFoundError, AuthenticationError):
        return sent
    return Done(found) if found.hash != hash_before and is_unclear else sent
