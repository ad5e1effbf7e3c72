"""Every deployment that is known, of the account and of our journals: which is whose, and what each costs."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from cockpit.clients.akash.console import ConsoleClient, CreateRequest
from cockpit.clients.akash.outcomes import Done, Refused
from cockpit.clients.akash.settling import find_created
from cockpit.errors import CockpitError, NotFoundError, UnreachableError
from cockpit.model.akash.deployments import Deployment, Lease, height_after
from cockpit.operations.clusters.contexts import known_clusters
from cockpit.operations.deployments.ending import remove_cluster
from cockpit.operations.deployments.flow import POLL_S, VISIBLE_S, note_lease, unknown_create
from cockpit.operations.deployments.journal import Attempt, BusyError, Entry, Journal, attempts, unfinished
from cockpit.operations.deployments.starting import end_of

ORPHAN_S = 600.0
"""A deployment without a lease for so long was probably abandoned."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment as it is shown. `is_ours` tells whether a journal of this machine made it.

    `state` is Akash's word for the deployment, or for its lease where it has one; `step` is where our journal stands.
    `ended` says why its leases are over, empty while one runs. Money is None if it is not known.
    """

    dseq: str
    state: str
    name: str = ""
    providers: tuple[str, ...] = ()
    usd_per_hour: Decimal | None = None
    spent_usd: Decimal | None = None
    left_usd: Decimal | None = None
    hours_left: Decimal | None = None
    context: str | None = None
    is_orphan: bool = False
    is_ours: bool = False
    step: str = ""
    ended: str = ""
    age_s: float | None = None


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """All rows, what costs first; `unresolved` are attempts whose create may have made one of them."""

    rows: tuple[Row, ...]
    unresolved: tuple[Attempt, ...] = ()
    has_all: bool = True


async def read(console: ConsoleClient) -> Register:
    """The account's active deployments with ours. Raises what the Console raises."""
    listed = await console.deployments("active")
    now = console.clock.now().wall
    known = attempts()
    by_dseq = {one.dseq: one for one in known if one.dseq}
    contexts = {row.name for row in known_clusters().rows}
    height = await height_now(console, listed.deployments, known)
    rows = [row_of(one, by_dseq.get(one.dseq), now, height, contexts) for one in listed.deployments]
    absent = [one for one in known if one.may_cost and one.dseq and _is_absent(one, listed.deployments)]
    rows += [_unlisted(one) for one in absent if await _may_exist(console, one)]
    return Register(
        rows=tuple(sorted(rows, key=lambda row: (-(row.usd_per_hour or 0), row.dseq))),
        unresolved=tuple(one for one in known if one.step == "creating"),
        has_all=listed.has_all and not listed.unreadable,
    )


async def height_now(console: ConsoleClient, deployments: Sequence[Deployment], known: Sequence[Attempt]) -> int | None:
    """The chain's height: from a lease that our journal timed, else asked for; None where neither works."""
    now = console.clock.now().wall
    active = {one.dseq for one in deployments}
    timed = [one for one in known if one.dseq in active and one.leased_at and one.leased_height]
    if timed:
        newest = max(timed, key=lambda one: one.leased_at or 0.0)
        return height_after(newest.leased_height or 0, now - (newest.leased_at or now))
    if not any(one.costing for one in deployments):
        return None
    try:
        return await console.height()
    except (UnreachableError, NotFoundError):  # public, and not promised
        return None


def row_of(found: Deployment, attempt: Attempt | None, now: float, height: int | None, contexts: set[str]) -> Row:
    """A deployment of the account, with what our journal knows of it."""
    age = max(0.0, now - int(found.dseq) / 1000) if found.dseq.isdigit() and len(found.dseq) == 13 else None
    context = attempt.last.context if attempt else None
    is_leased = bool(found.leases)
    return Row(
        dseq=found.dseq,
        state=_state(found),
        name=(attempt.title if attempt else found.name) or "",
        providers=tuple(dict.fromkeys(lease.id.provider for lease in found.leases)),
        usd_per_hour=found.usd_per_hour,
        spent_usd=found.spent_usd(height) if height is not None else None if is_leased else Decimal(0),
        left_usd=found.left_usd(height) if height is not None else None,
        hours_left=found.hours_left(height) if height is not None else None,
        context=context if context in contexts else None,
        is_orphan=_is_orphan(found, attempt, age),
        is_ours=attempt is not None,
        step=attempt.step if attempt else "",
        ended=end_of(found) if is_leased and not found.costing else "",
        age_s=age,
    )


def _is_orphan(found: Deployment, attempt: Attempt | None, age: float | None) -> bool:
    """Active without a live lease, and not being worked on: it holds money for nothing."""
    if found.is_closed or found.costing:
        return False
    return bool(found.leases) or (age is not None and age > ORPHAN_S) or (attempt is not None and not attempt.may_cost)


def _state(found: Deployment) -> str:
    lease: Lease | None = next(iter(found.costing), None) or next(iter(found.leases), None)
    if found.is_closed or lease is None:
        return found.state
    return lease.state if lease.costs else f"lease {lease.state}"


def _is_absent(attempt: Attempt, deployments: Sequence[Deployment]) -> bool:
    return all(one.dseq != attempt.dseq for one in deployments)


async def _may_exist(console: ConsoleClient, attempt: Attempt) -> bool:
    """Whether one that is not listed is not proven closed; the proof goes into its journal."""
    try:
        found = await settle_one(console, attempt)
    except CockpitError:
        return True
    return found is None or found.deployment is not None


def _unlisted(attempt: Attempt) -> Row:
    """One of ours that the list of active ones lacks: it was closed, or does not show yet."""
    return Row(
        dseq=attempt.dseq or "", state="unknown", name=attempt.title, is_ours=True, step=attempt.step,
        context=attempt.last.context,
    )  # fmt: skip


# --- after a crash ---------------------------------------------------------------------------------------------------


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What an unfinished attempt has left: the deployment as it is now, or None where nothing exists any more."""

    attempt: Attempt
    deployment: Deployment | None = None

    @property
    def sentence(self) -> str:
        """What exists, what it costs, and what can be done, in one line."""
        one, found = self.attempt, self.deployment
        if found is None or found.is_closed:
            return f"{one.title}: nothing is left of it."
        ways = (
            f"resume: rayakash-tui deployments resume {found.dseq}; close: rayakash-tui deployments close {found.dseq}"
        )
        if found.costing:
            return f"{one.title}: deployment {found.dseq} costs ${found.usd_per_hour:.2f}/h ({one.step}). To {ways}"
        return f"{one.title}: deployment {found.dseq} holds $0.50 and has no lease ({one.step}). To {ways}"


async def settle(console: ConsoleClient) -> list[Found]:
    """Look up every unfinished attempt that no process works on, and bring its journal up to date.

    Raises OutcomeUnknownError where the Console cannot tell whether a create has made one.
    """
    found = [await settle_one(console, attempt) for attempt in unfinished() if attempt.is_unfinished]
    return [one for one in found if one is not None]


async def settle_one(console: ConsoleClient, attempt: Attempt) -> Found | None:
    """Look up one; None while another process works on it."""
    try:
        journal = Journal.resume(attempt.path)
    except BusyError:
        return None
    try:
        return await _settled(console, journal)
    finally:
        journal.close()


async def _settled(console: ConsoleClient, journal: Journal) -> Found:
    attempt = journal.attempt
    now = console.clock.now().wall
    if attempt.dseq is None:
        dseq = await _lost_create(console, journal, attempt)
        if dseq is None:
            return Found(attempt=journal.attempt)
    deployment = await _deployment(console, journal, journal.attempt.dseq or "")
    if deployment is None or deployment.is_closed:
        journal.write(Entry(step="closed", at=now))
        if (context := journal.attempt.last.context) is not None:
            remove_cluster(context)
        return Found(attempt=journal.attempt)
    if deployment.costing and journal.attempt.leased_at is None:
        note_lease(journal, deployment, now)
    return Found(attempt=journal.attempt, deployment=deployment)


async def _lost_create(console: ConsoleClient, journal: Journal, attempt: Attempt) -> str | None:
    """The number of the deployment that an interrupted create has made; None where it made none."""
    last, now = attempt.last, console.clock.now().wall
    began = next(entry.at for entry in journal.entries if entry.step == "creating")
    outcome = await find_created(
        console,
        CreateRequest(sdl="", name=last.name or "", hash=last.hash),
        before=frozenset(last.known_dseqs or ()),
        sent_at=last.sent_at or began,
        lost_at=began,
    )
    if isinstance(outcome, Refused):
        journal.write(Entry(step="absent", at=now, reason=outcome.error.title))
        return None
    if not isinstance(outcome, Done):
        raise unknown_create(outcome.error)
    journal.write(Entry(step="created", at=now, dseq=outcome.value.dseq))
    return outcome.value.dseq


async def _deployment(console: ConsoleClient, journal: Journal, dseq: str) -> Deployment | None:
    """The deployment; one that was just created shows on the chain after about 20 s, and is waited for."""
    now = console.clock.now().wall
    shows_at = VISIBLE_S + next((entry.at for entry in journal.entries if entry.step == "created"), now)
    while True:
        try:
            return await console.deployment(dseq)
        except NotFoundError:
            if console.clock.now().wall >= shows_at:
                return None
        await console.clock.sleep(POLL_S)
