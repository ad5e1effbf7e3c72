"""A deployment's life as a careful program leads it, and what it claims at its end, to be held against the network."""

import random
from collections.abc import Sequence

import msgspec

from cockpit.clients.akash import settling
from cockpit.clients.akash.console import ConsoleClient, Created, CreateRequest
from cockpit.clients.akash.outcomes import Done, Outcome, Refused, Unknown
from cockpit.errors import CockpitError
from cockpit.model.akash.deployments import LeaseId
from tests.akash_sim.console import SimConsole
from tests.akash_sim.faults import (
    BAD_KEY,
    HTML_502,
    MANIFEST_LOST,
    NO_LEASE_YET,
    SETTING_UP,
    UNDELIVERED,
    UNKNOWN_ERROR,
    UNREACHABLE,
    Fault,
    Kind,
)
from tests.akash_sim.samples import PLAIN

CREATE, LIST, LEASE = "POST /v1/deployments", "GET /v1/deployments", "POST /v1/leases"
GET, BIDS, DELETE = "GET /v1/deployments/", "GET /v1/bids", "DELETE /v1/deployments/"
CALLS = (CREATE, LIST, LEASE, GET, BIDS, DELETE)
MOST_BIDS = 3
KINDS: tuple[Kind, ...] = (
    "refuse", "cut-before", "cut-after", "cut-late", "hang", "hang-commit", "truncate", "empty", "page", "skip",
    "commit-answer", "answer", "answer",
)  # fmt: skip
BODIES = (UNKNOWN_ERROR, MANIFEST_LOST, NO_LEASE_YET, UNDELIVERED, UNREACHABLE, HTML_502, BAD_KEY, SETTING_UP, "")
HEADERS: tuple[dict[str, str], ...] = ({}, {"Retry-After": "2"}, {"Retry-After": "soon"}, {"Retry-After": "999999"})


class Life(msgspec.Struct, kw_only=True):
    """What a life claims at its end: `made` is the dseq it knows of, and the others are what it says of that.

    `refused` are providers of which it said that no lease exists there, and when.
    """

    made: str | None = None
    not_made: bool = False
    leased: bool = False
    closed: bool = False
    refused: dict[str, float] = {}
    errors: list[CockpitError] = []


async def live(console: ConsoleClient) -> Life:
    """One confirmation: create, choose a bid, lease, look, close; every error is kept, none is raised."""
    life = Life()
    try:
        before = frozenset(row.dseq for row in (await console.deployments()).deployments)
    except CockpitError as error:
        life.errors.append(error)
        life.not_made = True
        return life
    created = await _create(console, life, before)
    if created is None:
        return life
    life.made = created.dseq
    await _lease(console, life, created)
    await console.clock.sleep(30)
    for _ in range(2):
        closed = await settling.close(console, created.dseq)
        if isinstance(closed, Done):
            life.closed = True
            break
        life.errors.append(closed.error)
    return life


async def _create(console: ConsoleClient, life: Life, before: frozenset[str]) -> Created | None:
    request = CreateRequest(sdl=PLAIN, name="lab-4f1c9a", runtime_limit_hours=24)
    sent_at = console.clock.now().wall
    try:
        outcome: Outcome[Created] = await console.create(request)
    except CockpitError as error:  # before it was sent
        life.errors.append(error)
        life.not_made = True
        return None
    for _ in range(4):
        if not isinstance(outcome, Unknown):
            break
        life.errors.append(outcome.error)
        outcome = await settling.find_created(console, request, before=before, sent_at=sent_at)
    if isinstance(outcome, Refused):
        life.errors.append(outcome.error)
        life.not_made = True
    return outcome.value if isinstance(outcome, Done) else None


async def _lease(console: ConsoleClient, life: Life, created: Created) -> None:
    tried: set[str] = set()
    for _ in range(MOST_BIDS):
        chosen = await _bid(console, life, created.dseq, tried)
        if chosen is None:
            return
        tried.add(chosen.provider)
        try:
            taken = await settling.take_leases(console, [chosen], created.manifest)
        except CockpitError as error:
            life.errors.append(error)
            return
        if isinstance(taken, Done):
            life.leased = taken.value.is_sent
            life.errors += [taken.value.error] if taken.value.error else []
            return
        life.errors.append(taken.error)
        if isinstance(taken, Unknown):
            return
        life.refused[chosen.provider] = console.clock.now().wall


async def _bid(console: ConsoleClient, life: Life, dseq: str, tried: set[str]) -> LeaseId | None:
    for _ in range(14):
        await console.clock.sleep(5)
        try:
            bids = await console.bids(dseq)
        except CockpitError as error:
            life.errors.append(error)
            continue
        if fresh := [bid for bid in bids if bid.is_open and bid.id.provider not in tried]:
            return min(fresh, key=lambda bid: bid.price.amount).id
    return None


def broken(chance: random.Random) -> list[Fault]:
    """Some faults, anywhere."""
    return [_one(chance) for _ in range(chance.choice((1, 1, 2, 3, 5)))]


def _one(chance: random.Random) -> Fault:
    fault = _kind(chance, chance.choice(CALLS))
    fault.times, fault.after = chance.choice((1, 1, 2, 4)), chance.choice((0, 0, 1, 3))
    return fault


def _kind(chance: random.Random, match: str) -> Fault:
    do = chance.choice(KINDS)
    fault = Fault(match=match, do=do, body=chance.choice(BODIES), headers=chance.choice(HEADERS))
    if do == "cut-late":
        fault.seconds = chance.uniform(1, 30)
    elif do in ("hang", "hang-commit"):
        fault.seconds, fault.body = chance.choice((36, 90, 400)), UNKNOWN_ERROR
    elif do == "skip":
        fault.seconds = chance.choice((60, 300, 3600))
    # A Console that did not do it may say anything; one that did it does not say 4xx to a create or a close.
    signs = do in ("commit-answer", "hang-commit") and match in (CREATE, DELETE)
    fault.status = chance.choice((500, 502, 504) if signs else (500, 502, 503, 429, 404, 422, 504))
    return fault


def hold_against(sim: SimConsole, life: Life, *, confirmations: int = 1) -> None:
    """Raise AssertionError where the network and the claims differ, now or later."""
    world = sim.world
    world.check()
    assert sim.count("POST", "/v1/deployments") <= confirmations, "a create was sent again"
    world.clock.advance(120)  # whatever was still to land has landed
    world.check()
    active = [each for each in world.deployments.values() if each.state == "active"]
    if life.not_made:
        assert not active, "something exists that was called not made"
    if life.closed:
        assert not [each for each in active if each.dseq == life.made], "something costs that was called closed"
    for lease in [lease for each in world.deployments.values() for lease in each.leases]:
        refused_at = life.refused.get(lease.provider.address)
        assert refused_at is None or (lease.closed_at or refused_at + 1) <= refused_at, "a lease costs that was denied"
    known = {life.made} if life.made else set()
    unseen = [each.dseq for each in active if each.dseq not in known]
    assert not unseen or not life.not_made, f"unseen: {unseen}"
    if unseen:
        assert life.errors, "something may exist, and nothing says so"


def texts(errors: Sequence[CockpitError]) -> str:
    """All that errors could show."""
    return "\n".join(f"{error!r} {error.title} {error.detail} {error.hint} {error.__cause__!r}" for error in errors)
