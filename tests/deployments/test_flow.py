"""From a plan to a lease against the simulated network: one create per confirmation, nothing left unseen."""

import contextlib
import json

import pytest

from cockpit.errors import AuthenticationError, CockpitError, OutcomeUnknownError, PaymentError, RejectedError
from cockpit.operations.deployments.bids import BidRule, HandPicked
from cockpit.operations.deployments.ending import close
from cockpit.operations.deployments.flow import (
    POLL_S,
    Lease,
    ManifestRefusedError,
    NoLeaseError,
    Step,
    Terms,
    create,
    extend,
    lease,
)
from cockpit.operations.deployments.news import News
from tests.akash_sim.console import SimConsole
from tests.akash_sim.faults import BAD_KEY, HTML_502, UNKNOWN_ERROR, UNREACHABLE, Fault
from tests.akash_sim.samples import TWO_GROUPS
from tests.deployments.stage import CHEAP, Stage


async def _leased(stage: Stage, terms: Terms = Terms()) -> Lease:  # noqa: B008 - frozen
    made = await create(stage.step, stage.request)
    return await lease(stage.step, terms, made.manifest)


@pytest.mark.parametrize("dialect", ["august", "autumn"])
async def test_from_a_plan_to_a_lease_and_back_to_nothing(dialect: str) -> None:
    """Every step is on disk, the money comes back, and nothing costs."""
    console = SimConsole(dialect=dialect)  # type: ignore[arg-type]
    stage = Stage(console)
    found = await _leased(stage)
    assert stage.steps() == ["plan", "creating", "created", "bidding", "leasing", "leased"]
    assert console.count("POST", "/v1/deployments") == console.count("POST", "/v1/leases") == 1
    assert stage.journal.attempt.leased_height == found.deployment.leases[0].created_height
    ended = await close(stage.client, stage.journal, found.deployment.dseq)
    assert stage.steps()[-2:] == ["closing", "closed"]
    assert ended.refund_usd is not None
    assert stage.costing() == []


async def test_bids_are_waited_for_unless_every_screened_provider_has_bid() -> None:
    """The best of those that came, or at once when no other can come."""
    console = SimConsole()
    stage = Stage(console)
    screened = await stage.client.screen(stage.plan.groups[0].request())
    began = console.world.clock.time()
    await _leased(Stage(console, token="all", screened=screened), Terms(bid_wait_s=240.0))
    assert console.world.clock.time() - began < 120


async def test_a_person_chooses_for_each_group_among_the_bids_that_are_open() -> None:
    """Nothing is leased before every group has one."""
    console = SimConsole()
    hand = HandPicked()
    stage = Stage(console, sdl=TWO_GROUPS)
    shown: list[str] = []

    def choose(news: News) -> None:
        for row in news.bids or ():
            if row.bid.id.gseq not in hand.keys and news.text:
                hand.pick(row)
                shown.append(row.address)

    stage.step = Step(stage.client, stage.journal, stage.plan, choose)
    found = await _leased(stage, Terms(hand=hand))
    assert {one.id.provider for one in found.deployment.costing} <= set(shown)
    assert console.count("POST", "/v1/leases") == 1


async def test_bids_that_nobody_takes_are_withdrawn_and_nothing_is_left() -> None:
    """A person has as long as the bids are open: five minutes, and no shorter for a shorter wait for the first."""
    console = SimConsole()
    stage = Stage(console)
    began = console.world.clock.time()
    with pytest.raises(NoLeaseError):
        await _leased(stage, Terms(bid_timeout_s=60.0, hand=HandPicked()))
    assert 300 < console.world.clock.time() - began < 400
    assert stage.costing() == []


async def test_one_is_chosen_so_long_after_the_first_bid() -> None:
    """Not earlier, since better ones may come, and at the next look then."""
    console = SimConsole()
    stage = Stage(console)
    made = await create(stage.step, stage.request)
    deployment = console.world.deployments[made.dseq]
    await lease(stage.step, Terms(bid_wait_s=40.0), made.manifest)
    first = min(bid.opens_at for bid in console.world.bids(deployment))
    assert 40 <= deployment.leases[0].created_at - first <= 40 + 2 * POLL_S + 5


async def test_all_groups_are_leased_in_one_call() -> None:
    """A second call would answer 200 and create nothing."""
    console = SimConsole()
    stage = Stage(console, sdl=TWO_GROUPS)
    found = await _leased(stage)
    assert sorted(one.id.gseq for one in found.deployment.costing) == [1, 2]
    assert console.count("POST", "/v1/leases") == 1


async def test_no_bid_closes_the_deployment() -> None:
    """The error says that nothing costs."""
    console = SimConsole()
    for provider in console.world.providers:
        provider.is_online = False
    stage = Stage(console)
    with pytest.raises(NoLeaseError) as caught:
        await _leased(stage, Terms(bid_timeout_s=60.0))
    assert stage.costing() == []
    assert "costs nothing" in caught.value.hint


async def test_bids_above_the_price_are_not_taken() -> None:
    """What the cheapest would have cost is said."""
    console = SimConsole()
    stage = Stage(console, max_usd_per_hour=CHEAP)
    with pytest.raises(NoLeaseError, match="the cheapest was"):
        await _leased(stage, Terms(bid_timeout_s=60.0))
    assert stage.costing() == []
    assert console.count("POST", "/v1/leases") == 0


async def test_only_the_named_provider_is_taken() -> None:
    """Cheaper ones are not."""
    console = SimConsole()
    wanted = console.world.providers[2].address
    stage = Stage(console)
    found = await _leased(stage, Terms(rule=BidRule("provider", wanted)))
    assert {one.id.provider for one in found.deployment.costing} == {wanted}


@pytest.mark.parametrize("do", ["cut-before", "cut-after", "hang", "hang-commit", "truncate", "empty", "page"])
async def test_a_lost_answer_to_create_makes_no_second_deployment(do: str) -> None:
    """It is looked for, for 60 s; what was not made is said to cost nothing."""
    console = SimConsole()
    console.faults.add(Fault(match="POST /v1/deployments", do=do, seconds=36.0, status=500, body=UNKNOWN_ERROR))  # type: ignore[arg-type]
    stage = Stage(console)
    with contextlib.suppress(RejectedError):
        await create(stage.step, stage.request)
    exists = stage.costing()
    assert stage.steps()[-1] == ("created" if exists else "absent")
    assert exists == ([stage.step.dseq] if exists else [])
    assert console.count("POST", "/v1/deployments") == 1


async def test_what_reading_cannot_tell_stays_on_disk_as_open() -> None:
    """Exit 5: the next start looks again."""
    console = SimConsole()
    console.faults.add(
        Fault(match="POST /v1/deployments", do="cut-after"),
        Fault(match="GET /v1/deployments", do="answer", after=1, times=99, status=503, body=HTML_502),
    )
    stage = Stage(console)
    with pytest.raises(OutcomeUnknownError) as caught:
        await create(stage.step, stage.request)
    assert caught.value.exit_code == 5
    assert stage.journal.attempt.may_cost
    assert stage.steps()[-1] == "creating"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(401, BAD_KEY, AuthenticationError), (402, {"code": "insufficient_balance"}, PaymentError)],
)
async def test_a_refused_create_costs_nothing(status: int, body: object, kind: type[CockpitError]) -> None:
    """It is over, on disk too."""
    console = SimConsole()
    console.faults.add(Fault(match="POST /v1/deployments", do="answer", status=status, body=body))
    stage = Stage(console)
    with pytest.raises(kind):
        await create(stage.step, stage.request)
    assert stage.steps()[-1] == "refused"
    assert not stage.journal.attempt.may_cost


async def test_an_unreachable_provider_is_excluded_and_the_next_bid_taken() -> None:
    """In the same deployment: no lease exists, so the order is open."""
    console = SimConsole()
    console.faults.add(Fault(match="POST /v1/leases", do="answer", status=502, body=UNREACHABLE))
    stage = Stage(console)
    found = await _leased(stage)
    first = stage.journal.attempt.excluded
    assert len(first) == 1
    assert {one.id.provider for one in found.deployment.costing}.isdisjoint(first)
    assert console.count("POST", "/v1/deployments") == 1


async def test_providers_that_give_no_lease_are_tried_three_times_in_all() -> None:
    """Then it is closed."""
    console = SimConsole()
    console.faults.add(Fault(match="POST /v1/leases", do="answer", times=99, status=502, body=UNREACHABLE))
    stage = Stage(console)
    with pytest.raises(NoLeaseError):
        await _leased(stage, Terms(bid_timeout_s=120.0))
    assert stage.costing() == []


async def test_a_refused_manifest_is_a_lease_that_costs() -> None:
    """It is on disk as leased, so that nobody takes it for nothing."""
    console = SimConsole()
    for provider in console.world.providers:
        provider.manifest = "refuses"
    stage = Stage(console)
    with pytest.raises(ManifestRefusedError, match="rejected the manifest") as caught:
        await _leased(stage)
    assert "It costs $" in caught.value.hint
    assert stage.steps()[-1] == "leased"
    assert stage.costing() == [stage.step.dseq]


async def test_more_than_48_hours_are_set_at_once() -> None:
    """Created with 48, extended, and read back."""
    console = SimConsole()
    stage = Stage(console, hours=72)
    await create(stage.step, stage.request)
    await extend(stage.step)
    assert "The runtime limit is 72 h." in stage.words


async def test_a_week_is_set_in_steps_of_48_hours() -> None:
    """A call adds no more."""
    console = SimConsole()
    stage = Stage(console, hours=168)
    await create(stage.step, stage.request)
    await extend(stage.step)
    assert "The runtime limit is 168 h." in stage.words
    asked = [json.loads(one.body)["data"]["runtimeLimitHours"] for one in console.requests if one.method == "PATCH"]
    assert asked[-3:] == [96, 144, 168]
    assert next(iter(console.world.deployments.values())).runtime_limit_h == 168


async def test_a_close_that_is_not_proven_is_not_called_closed() -> None:
    """The journal stays at closing."""
    console = SimConsole()
    stage = Stage(console)
    found = await _leased(stage)
    console.faults.add(Fault(match="DELETE /v1/deployments", do="answer", times=999, status=503, body=HTML_502))
    with pytest.raises(OutcomeUnknownError, match="may still cost"):
        await close(stage.client, stage.journal, found.deployment.dseq)
    assert stage.steps()[-1] == "closing"
    console.faults.clear()
    await close(stage.client, stage.journal, found.deployment.dseq)
    assert stage.costing() == []
