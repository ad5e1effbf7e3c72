"""From an agreed plan to an active lease: create, bids, lease; every step is on disk before it is taken.

One confirmation sends one create. What goes wrong after it is closed, or left with a sentence that says what exists.
"""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from cockpit.clients.akash import settling
from cockpit.clients.akash.console import ConsoleClient, Created, CreateRequest
from cockpit.clients.akash.outcomes import Done, Refused
from cockpit.errors import CockpitError, NotFoundError, OutcomeUnknownError, RejectedError, UnreachableError
from cockpit.model.akash.deployments import Deployment, LeaseId
from cockpit.model.akash.market import Bid, Provider
from cockpit.operations.deployments.bids import BidRow, BidRule, HandPicked, chosen, key_of, rows_of
from cockpit.operations.deployments.ending import close
from cockpit.operations.deployments.journal import Entry, Journal, ProviderRecord, provider_records
from cockpit.operations.deployments.news import News, Report
from cockpit.operations.deployments.plan import Plan
from cockpit.render.deployments import dollars, per_hour

POLL_S = 5.0
VISIBLE_S = 60.0
MOST_BIDS_TRIED = 3
NEW_EACH_S = 60.0


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed to: the rule for bids, and how long to wait for the first one and for better ones, in seconds.

    With a `hand` a person chooses, and takes as long as the bids are open.
    """

    rule: BidRule = BidRule()
    bid_timeout_s: float = 300.0
    bid_wait_s: float = 15.0
    hand: HandPicked | None = None


class NoLeaseError(RejectedError):
    """No lease came of it, and the deployment was closed: nothing costs."""


class ManifestRefusedError(RejectedError):
    """A lease exists that will never start: the provider did not take its manifest."""


class Step:
    """What all steps of one deployment share: the Console, its journal, the plan, and who hears of it."""

    def __init__(
        self,
        console: ConsoleClient,
        journal: Journal,
        plan: Plan,
        report: Report,
        *,
        avoided: Sequence[str] = (),
    ) -> None:
        self.console = console
        self.journal = journal
        self.plan = plan
        self._report = report
        self._avoided = tuple(avoided)

    @property
    def excluded(self) -> tuple[str, ...]:
        """Providers that failed us in this attempt, or in the ones that it replaces."""
        return (*self._avoided, *self.journal.attempt.excluded)

    def now(self) -> float:
        """The time of day in seconds since the epoch."""
        return self.console.clock.now().wall

    def say(self, text: str) -> None:
        """Tell what happened."""
        self._report(News(text=text))

    def tell(self, news: News) -> None:
        """Tell what happened, with its figures."""
        self._report(news)

    def write(self, entry: Entry) -> None:
        """Put an entry on disk. Raises UsageError; what it announces must not be done then."""
        self.journal.write(entry)

    @property
    def dseq(self) -> str:
        """The deployment's number."""
        found = self.journal.attempt.dseq
        assert found is not None
        return found


# --- create ----------------------------------------------------------------------------------------------------------


async def create(step: Step, request: CreateRequest) -> Created:
    """Make the deployment: one POST, whatever comes back.

    Raises the Console's refusal (nothing exists then), and OutcomeUnknownError where reading could not tell.
    """
    known = step.plan.active_dseqs
    if known is None:
        known = tuple(row.dseq for row in (await step.console.deployments("active")).deployments)
    # A dseq is the Console's clock: what others made since the plan is older than this.
    sent_at = step.console.server_now()
    step.write(Entry(step="creating", at=step.now(), known_dseqs=known, sent_at=sent_at, name=request.name))
    outcome = await step.console.create(request)
    if not isinstance(outcome, Done | Refused):
        step.say("The Console's answer was lost; looking whether the deployment was created (up to 60 s).")
        outcome = await settling.find_created(
            step.console, request, before=frozenset(known), sent_at=sent_at, lost_at=step.now()
        )
    if isinstance(outcome, Refused):
        is_absent = outcome.error.fault == "not-created"
        step.write(Entry(step="absent" if is_absent else "refused", at=step.now(), reason=outcome.error.title))
        raise outcome.error
    if not isinstance(outcome, Done):
        raise unknown_create(outcome.error)
    step.write(Entry(step="created", at=step.now(), dseq=outcome.value.dseq))
    step.say(f"Created deployment {outcome.value.dseq}.")
    return outcome.value


def unknown_create(error: CockpitError) -> OutcomeUnknownError:
    """The error for a create of which reading could not tell whether it happened."""
    if isinstance(error, OutcomeUnknownError):
        return error
    return OutcomeUnknownError(
        "Whether the deployment was created is unknown; it may hold $0.50.",
        detail=f"{error.title} {error.detail}".strip(),
        hint="Run `rayakash-tui deployments resume` when the Console answers again; do not deploy again before that.",
        fault="create-unknown",
    )


async def extend(step: Step) -> None:
    """Set the whole runtime where a create could not, and say when it ends."""
    runtime = step.plan.runtime
    if not runtime.is_extended or runtime.hours is None:
        return
    give_up_at = step.now() + VISIBLE_S
    while True:
        try:
            await step.console.set_runtime_limit(step.dseq, runtime.hours, known=runtime.at_create)
        except NotFoundError as error:  # a create shows on the chain after about 20 s
            if step.now() < give_up_at:
                await step.console.clock.sleep(POLL_S)
                continue
            _not_extended(step, error)
        except CockpitError as error:
            _not_extended(step, error)
        else:
            step.say(f"The runtime limit is {runtime.hours} h.")
        return


def _not_extended(step: Step, error: CockpitError) -> None:
    runtime = step.plan.runtime
    step.say(
        f"It ends by itself after {runtime.at_create} h, not {runtime.hours}: {error.title} "
        f"Try again: rayakash-tui deployments extend {step.dseq} --for {runtime.hours}h"
    )


# --- bids ------------------------------------------------------------------------------------------------------------


class BidBook:
    """The bids of one deployment as they come: with their providers, our record with each, and their age."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._seen: dict[str, float] = {}
        self._providers: Mapping[str, Provider] | None = None
        self._screened = {one.address: one.provider for one in step.plan.screened or ()}
        self._records: Mapping[str, ProviderRecord] = provider_records()

    async def read(self) -> list[BidRow]:
        """The open bids now; the list of providers is read once, where one bids that the screening did not name."""
        bids = [bid for bid in await self._step.console.bids(self._step.dseq) if bid.is_open]
        now = self._step.now()
        for bid in bids:
            self._seen.setdefault(key_of(bid), now)
        known = self._providers or self._screened
        if self._providers is None and any(bid.id.provider not in known for bid in bids):
            known = self._providers = await self._read_providers()
        ages = {name: now - since for name, since in self._seen.items()}
        return rows_of(bids, known, self._records, ages)

    async def _read_providers(self) -> Mapping[str, Provider]:
        try:
            return {one.address: one for one in await self._step.console.providers()}
        except UnreachableError:  # names and uptimes are a help, no condition
            return {}


async def collect(step: Step, book: BidBook, terms: Terms) -> list[BidRow]:
    """Wait for bids, and choose one for each group.

    Raises NoLeaseError where none within the price came in time; the deployment is closed then, as far as it can be.
    """
    began, first_at, shown = step.now(), None, None
    hand = terms.hand
    cap, groups = step.plan.ceiling_usd_per_hour, len(step.plan.groups)
    screened = {one.address for one in step.plan.screened or ()}
    said_at = began
    step.tell(News(phase="bids"))
    step.write(Entry(step="bidding", at=began))
    while True:
        rows = await _readable(book)
        now = step.now()
        excluded = step.excluded
        usable = [row for row in rows if row.address not in excluded]
        first_at = now if usable and first_at is None else first_at
        seen = usable if hand is not None else rows  # a provider that failed is not offered again
        if hand is not None:
            hand.cap = cap
        if rows and (names := tuple(key_of(row.bid) for row in rows)) != shown:
            shown = names
            cheapest = per_hour(min(row.usd_per_hour for row in rows))
            count = f"{len(rows)} bid{'' if len(rows) == 1 else 's'}"
            step.tell(News(text=f"{count}, from {cheapest}.", bids=tuple(seen)))
        elif hand is not None:  # ages, and bids that are gone
            step.tell(News(bids=tuple(seen)))
        has_all = bool(screened) and screened <= {row.address for row in rows}
        is_due = first_at is not None and now - first_at >= terms.bid_wait_s
        if hand is not None:
            picked = hand.chosen(rows, groups, cap, excluded)
        else:
            picked = chosen(rows, terms.rule, groups, cap, excluded) if has_all or is_due else None
        if picked is not None:
            return picked
        if now - began >= terms.bid_timeout_s and not (hand and usable):
            raise await _without_lease(step, _why_none(step, usable, terms))
        if not rows and now - said_at >= NEW_EACH_S:
            said_at = now
            step.say(f"No bid yet after {int(now - began)} s.")
        await _pause(step, hand)


async def _pause(step: Step, hand: HandPicked | None) -> None:
    """Until the next look at the bids, or until the user has chosen."""
    sleeping = asyncio.ensure_future(step.console.clock.sleep(POLL_S))
    picking = asyncio.ensure_future(hand.picked.wait()) if hand else None
    try:
        await asyncio.wait({sleeping, picking} if picking else {sleeping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sleeping, picking):
            if task is not None:
                task.cancel()
        if hand is not None:
            hand.picked.clear()


async def _readable(book: BidBook) -> list[BidRow]:
    """The bids, or none where they could not be read this time."""
    try:
        return await book.read()
    except UnreachableError:
        return []


def _why_none(step: Step, rows: Sequence[BidRow], terms: Terms) -> str:
    minutes = f"{terms.bid_timeout_s / 60:g} minutes"
    if terms.rule.kind == "provider" and all(row.address != terms.rule.provider for row in rows):
        return f"{terms.rule.provider} did not bid within {minutes}."
    if rows:
        cheapest = min(row.usd_per_hour for row in rows)
        ceiling = dollars(step.plan.ceiling_usd_per_hour)
        return f"No bids within {ceiling}/h came in {minutes}; the cheapest was {dollars(cheapest)}/h."
    could = step.plan.screened
    if could is not None and not could:
        return f"No bid came within {minutes}, as expected: no provider fits this SDL now."
    return f"No bid came within {minutes}."


async def _without_lease(step: Step, why: str) -> CockpitError:
    """Close what is without a lease; returns the error to raise."""
    step.say(f"{why} Closing deployment {step.dseq}.")
    await close(step.console, step.journal, step.dseq)
    return NoLeaseError(
        why,
        hint="It is closed and costs nothing. `rayakash-tui offers --sdl FILE` names the line that excludes most.",
        fault="no-bid",
    )


# --- lease -----------------------------------------------------------------------------------------------------------


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """What is leased now: it costs `usd_per_hour`."""

    deployment: Deployment
    usd_per_hour: Decimal


async def lease(step: Step, terms: Terms, manifest: str | None) -> Lease:
    """Collect bids and accept them, for all groups at once; a provider that gives no lease is excluded.

    Raises NoLeaseError (closed), ManifestRefusedError (a lease exists, and costs), OutcomeUnknownError.
    """
    book = BidBook(step)
    reason = ""
    for _ in range(MOST_BIDS_TRIED):
        picked = await collect(step, book, terms)
        names = ", ".join(dict.fromkeys(_name(row) for row in picked))
        price = sum((row.usd_per_hour for row in picked), Decimal(0))
        step.tell(News(text=f"Leasing {names} at {per_hour(price)}.", phase="lease"))
        found = await _take(step, [row.bid for row in picked], manifest)
        if not isinstance(found, CockpitError):
            return found
        reason = found.title
        step.say(f"{names} gave no lease: {reason} Trying another bid.")
    raise await _without_lease(step, f"{MOST_BIDS_TRIED} providers gave no lease. {reason}")


def _name(row: BidRow) -> str:
    known = row.provider
    return (known.name or known.host_uri.removeprefix("https://").partition(":")[0] if known else "") or row.address


async def _take(step: Step, bids: Sequence[Bid], manifest: str | None) -> Lease | CockpitError:
    """Accept these bids; an error that is returned means that no lease exists."""
    ids: list[LeaseId] = [bid.id for bid in bids]
    providers = tuple(dict.fromkeys(one.provider for one in ids))
    price = sum((bid.price.amount for bid in bids), Decimal(0))
    step.write(Entry(step="leasing", at=step.now(), providers=providers, uact_per_block=price))
    outcome = await settling.take_leases(step.console, ids, manifest)
    if isinstance(outcome, Refused):
        step.write(Entry(step="unleased", at=step.now(), providers=providers, reason=outcome.error.title))
        return outcome.error
    if not isinstance(outcome, Done):
        raise unknown_lease(step.dseq, outcome.error)
    leased = outcome.value
    note_lease(step.journal, leased.deployment, step.now())
    if not leased.is_sent:
        error = leased.error
        reason = error.title if error else "The provider rejected the manifest."
        raise ManifestRefusedError(
            f"The provider rejected the manifest, so the lease cannot start: {reason}",
            detail=error.detail if error else "",
            hint=f"It costs {per_hour(leased.deployment.usd_per_hour)} until you close it: "
            f"rayakash-tui deployments close {step.dseq}",
            fault="manifest-refused",
        )
    step.say(f"Leased: {per_hour(leased.deployment.usd_per_hour)} from now on.")
    return Lease(deployment=leased.deployment, usd_per_hour=leased.deployment.usd_per_hour)


def note_lease(journal: Journal, deployment: Deployment, now: float) -> None:
    """Put an active lease on disk, with the height that its money is counted from."""
    heights = [one.created_height for one in deployment.costing if one.created_height is not None]
    providers = tuple(dict.fromkeys(one.id.provider for one in deployment.costing))
    journal.write(
        Entry(
            step="leased",
            at=now,
            providers=providers,
            uact_per_block=deployment.uact_per_block,
            height=max(heights, default=None),
        )
    )


def unknown_lease(dseq: str, error: CockpitError) -> OutcomeUnknownError:
    """The error for leases of which reading could not tell whether they exist."""
    if isinstance(error, OutcomeUnknownError):
        return error
    return OutcomeUnknownError(
        f"Whether deployment {dseq} has a lease is unknown; it may cost money.",
        detail=f"{error.title} {error.detail}".strip(),
        hint=f"Look: rayakash-tui deployments show {dseq}. Close it: rayakash-tui deployments close {dseq}",
        fault="lease-unknown",
    )
