"""The simulated network keeps its own rules, so that what clients are tried on is not kinder than the real one."""

from decimal import Decimal

import pytest

from tests.akash_sim.bodies import lease_status
from tests.akash_sim.console import SimConsole, SimRequest
from tests.akash_sim.market import SimProvider
from tests.akash_sim.pods import PodPlan
from tests.akash_sim.samples import PLAIN, TWO_GROUPS
from tests.akash_sim.world import RefusedError, SimDeployment, SimWorld

CHEAPEST = 0


def leased(world: SimWorld, sdl: str = PLAIN, **rest: int) -> SimDeployment:
    """A deployment with a lease at the cheapest provider of each group, and its manifest."""
    made = world.create(sdl, name="test", **rest)
    world.clock.advance(60)
    choices = []
    for gseq, _ in enumerate(made.groups, 1):
        bids = [bid for bid in world.bids(made) if bid.gseq == gseq]
        choices.append((gseq, min(bids, key=lambda bid: bid.price).provider.address))
    assert world.lease(made, choices)
    for lease in made.leases:
        lease.manifest_at = world.clock.time()
    return made


def test_a_whole_life_keeps_the_money() -> None:
    world = SimWorld()
    made = leased(world)
    world.check()
    world.clock.advance(3600)
    world.check()
    spent = made.spent
    assert spent > 0
    world.close(made)
    world.check()
    assert made.spent >= spent
    assert world.available == world.deposited - made.spent


def test_nothing_costs_after_closed() -> None:
    world = SimWorld()
    made = leased(world)
    world.close(made)
    spent = made.spent
    world.clock.advance(100_000)
    world.check()
    assert made.spent == spent


def test_no_lease_without_an_open_bid() -> None:
    world = SimWorld()
    made = world.create(PLAIN, name="test")
    address = world.providers[0].address
    with pytest.raises(RefusedError, match="bid not open"):
        world.lease(made, [(1, address)])
    world.clock.advance(400)  # the bid came, and was withdrawn
    with pytest.raises(RefusedError, match="bid not open"):
        world.lease(made, [(1, address)])
    world.check()


def test_a_second_call_for_another_group_makes_nothing() -> None:
    world = SimWorld()
    made = world.create(TWO_GROUPS, name="test")
    world.clock.advance(60)
    assert world.lease(made, [(1, world.bids(made)[0].provider.address)])
    assert not world.lease(made, [(2, world.bids(made)[0].provider.address)])
    assert len(made.leases) == 1


def test_winning_a_bid_loses_the_others() -> None:
    world = SimWorld()
    made = leased(world)
    states = sorted(bid.state for bid in made.bids)
    assert states.count("active") == 1
    assert "open" not in states


def test_a_lease_without_a_manifest_ends_after_five_minutes() -> None:
    world = SimWorld()
    made = leased(world)
    made.leases[0].manifest_at = None
    world.clock.advance(299)
    world.settle(made)
    assert made.costing
    world.clock.advance(2)
    world.settle(made)
    assert (made.leases[0].reason, made.state) == (10003, "active")
    world.check()


@pytest.mark.parametrize(
    "plan",
    [
        PodPlan(trouble="pulling"), PodPlan(trouble="pull-error"), PodPlan(trouble="crash-loop"),
        PodPlan(trouble="pending", stuck=1), PodPlan(pull_s=600),
    ],
    ids=lambda plan: f"{plan.trouble}-{plan.pull_s:g}",
)  # fmt: skip
def test_an_unready_service_ends_the_lease_after_eight_minutes(plan: PodPlan) -> None:
    world = SimWorld()
    made = leased(world)
    made.leases[0].provider.plans["ray-worker"] = plan
    world.clock.advance(470)
    world.settle(made)
    assert made.costing
    world.clock.advance(10)
    world.settle(made)
    assert (made.leases[0].state, made.leases[0].reason) == ("closed", 10000)
    world.check()


def test_an_eviction_ends_the_lease_eight_minutes_later() -> None:
    world = SimWorld()
    made = leased(world)
    made.leases[0].provider.plans["ray-worker"] = PodPlan(trouble="evicted", fails_at=1000)
    world.clock.advance(1470)
    world.settle(made)
    assert made.costing
    world.clock.advance(10)
    world.settle(made)
    assert not made.costing


def test_a_pod_that_comes_back_in_time_keeps_the_lease() -> None:
    world = SimWorld()
    made = leased(world)
    made.leases[0].provider.plans["ray-worker"] = PodPlan(trouble="oom", fails_at=1000, back_after=60)
    world.clock.advance(5000)
    world.settle(made)
    assert made.costing


def test_a_dry_escrow_closes_the_whole_deployment_at_once() -> None:
    world = SimWorld(available=Decimal(5_500_000))  # nothing above the headroom that Console keeps
    made = leased(world)
    assert made.funds <= 500_000
    world.clock.advance(3600)
    world.check()
    assert (made.state, made.leases[0].state, made.escrow) == ("closed", "insufficient_funds", "overdrawn")
    assert made.funds < 0


def test_console_funds_two_days_and_keeps_some_headroom() -> None:
    world = SimWorld()
    made = leased(world)
    hours = made.funds / (made.rate * 3600 / Decimal("6.1"))
    assert 47 < hours <= 48
    for _ in range(10):
        world.clock.advance(86_400)
        world.check()
        assert made.state == "active"
    poor = SimWorld(available=Decimal(9_000_000))
    leased(poor)
    assert poor.available == 5_000_000


def test_a_runtime_limit_ends_it_and_pays_back() -> None:
    world = SimWorld()
    made = leased(world, runtime_limit_h=2)
    world.clock.advance(2 * 3600 + 1)
    world.check()
    assert made.state == "closed"
    expected = made.leases[0].price * int(7200 / 6.1)
    assert abs(made.spent - expected) <= 2 * made.leases[0].price


def test_the_clean_up_takes_what_has_no_lease_twice_a_day() -> None:
    world = SimWorld()
    made = world.create(PLAIN, name="test")
    world.clock.advance(3600)
    world.settle(made)
    first = made.state
    world.clock.advance(86_400)
    world.check()
    assert (first, made.state) == ("active", "closed")
    assert world.available == world.deposited


def test_bids_of_unaudited_providers_are_dropped() -> None:
    world = SimWorld()
    made = world.create(PLAIN, name="test")
    world.clock.advance(120)
    assert made.bids
    assert all(bid.provider.is_audited for bid in world.bids(made))


def test_a_replica_needs_one_node() -> None:
    world = SimWorld(market=[SimProvider(address="akash1x", host="x", nodes=[1, 1])])
    split = PLAIN.replace("gpu: {units: 1,", "gpu: {units: 2,")
    assert world.create(PLAIN, name="fits").bids
    assert not world.create(split, name="does not").bids


def test_a_console_call_takes_its_time() -> None:
    console = SimConsole()
    before = console.world.clock.time()
    reply = console.exchange(SimRequest(method="GET", path="/v1/providers"))
    assert reply.status == 200
    assert console.world.clock.time() > before


def test_a_port_may_lead_to_a_real_place() -> None:
    world = SimWorld()
    made = leased(world)
    made.leases[0].provider.forwards["gateway", 8443] = ("127.0.0.1", 4711)
    status = lease_status(world, made, made.leases[0])
    assert status is not None
    (port,) = status["forwarded_ports"]["gateway"]
    assert (port["host"], port["externalPort"], port["port"]) == ("127.0.0.1", 4711, 8443)
