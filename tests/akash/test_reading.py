"""What happens to a deployment by itself, and replies of every shape, as the client reads them."""

from decimal import Decimal
from typing import Any

import pytest

from cockpit.clients.akash import settling
from cockpit.clients.akash.console import Grant
from cockpit.clients.akash.outcomes import Done, Refused
from cockpit.errors import (
    AuthenticationError,
    NotFoundError,
    RejectedError,
    ServerError,
)
from cockpit.model.akash.market import ResourceRequest, ScreeningRequest
from tests.akash.scene import LIST, Scene
from tests.akash_sim.faults import (
    Fault,
    error_body,
)
from tests.akash_sim.samples import PLAIN
from tests.akash_sim.world import SimWorld

# What happens by itself


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (10000, "unstable"),
        (10001, "decommission"),
        (10002, "unspecified"),
        (10003, "manifest_timeout"),
        (10004, "provider"),
    ],
)
@pytest.mark.parametrize("as_number", [False, True])
async def test_why_a_provider_closed_a_lease_is_read(reason: int, words: str, as_number: bool) -> None:
    scene = Scene()
    scene.sim.shape.reasons_as_numbers = as_number
    taken = await scene.taken()
    assert isinstance(taken, Done)
    (made,) = scene.sim.world.deployments.values()
    scene.sim.world.close_lease(made.leases[0], reason)
    found = await scene.console.deployment(made.dseq)
    assert found.leases[0].reason is not None
    assert found.leases[0].reason.endswith(words)
    assert not found.is_closed
    assert not found.costing


async def test_a_reclaimed_lease_costs_until_its_deadline() -> None:
    scene = Scene()
    await scene.taken()
    (made,) = scene.sim.world.deployments.values()
    made.leases[0].state, made.leases[0].reclaim_at = "reclaiming", scene.now + 600
    (lease,) = (await scene.console.deployment(made.dseq)).leases
    assert lease.costs
    assert lease.reclaim_deadline == pytest.approx(scene.now + 600, abs=10)
    await scene.console.clock.sleep(700)
    assert not (await scene.console.deployment(made.dseq)).costing


async def test_a_dry_escrow_reads_closed_and_overdrawn() -> None:
    scene = Scene(world=SimWorld(available=Decimal(5_500_000)))
    await scene.taken()
    await scene.console.clock.sleep(7200)
    (made,) = scene.sim.world.deployments.values()
    found = await scene.console.deployment(made.dseq)
    assert (found.is_closed, found.escrow.state, found.leases[0].state) == (True, "overdrawn", "insufficient_funds")
    assert found.escrow.funds_uact < 0
    assert found.left_usd(scene.sim.world.height()) == 0


async def test_what_is_left_is_counted_from_the_stale_record() -> None:
    scene = Scene()
    await scene.taken()
    await scene.console.clock.sleep(10 * 3600)
    (made,) = scene.sim.world.deployments.values()
    found, height = await scene.console.deployment(made.dseq), await scene.console.height()
    assert found.escrow.funds_uact > made.funds  # the chain's record is ten hours old
    assert abs(found.left_usd(height) * 1_000_000 - made.funds) <= 2 * made.rate
    assert abs(found.spent_usd(height) * 1_000_000 - made.spent) <= 2 * made.rate
    hours = found.hours_left(height)
    assert hours is not None
    assert 37 < hours < 39


# What replies look like


async def test_odd_shapes_are_read() -> None:
    scene = Scene()
    shape = scene.sim.shape
    shape.numbers = shape.single_coin = shape.unknown = True
    taken = await scene.taken()
    assert isinstance(taken, Done)
    (row,) = (await scene.console.deployments()).deployments
    assert row.dseq.isdigit()
    assert row.costing[0].uact_per_block > 0
    assert row.escrow.funds_uact > 0


async def test_a_list_that_mixes_leases_up_is_filed_by_dseq() -> None:
    scene = Scene(dialect="august")
    for _ in range(6):
        created = await scene.created()
        best = (await scene.bids(created))[0]
        await settling.take_leases(scene.console, [best.id], created.manifest)
    for _ in range(5):
        listed = (await scene.console.deployments()).deployments
        assert len(listed) == 6
        assert all({lease.id.dseq for lease in row.leases} == {row.dseq} for row in listed)


async def test_pages_are_read_to_their_end() -> None:
    scene = Scene()
    scene.sim.page_size = 100
    for number in range(230):
        scene.sim.world.create(PLAIN, name=f"n{number}")
    await scene.console.clock.sleep(30)
    listed = await scene.console.deployments()
    assert (len(listed.deployments), listed.has_all) == (230, True)


async def test_an_unreadable_row_is_counted_and_not_left_out_in_silence() -> None:
    body: dict[str, Any] = {"data": {"deployments": [{"what": 1}], "pagination": {"hasMore": False}}}
    listed = await Scene(Fault(match=LIST, do="answer", status=200, body=body)).console.deployments()
    assert (listed.deployments, listed.unreadable) == ((), 1)


@pytest.mark.parametrize("body", [{"deployments": []}, [], {"data": None}, "<html>", ""])
async def test_a_reply_without_its_envelope_is_an_error(body: Any) -> None:
    with pytest.raises(ServerError, match="does not answer as Akash Console does"):
        await Scene(Fault(match=LIST, do="answer", status=200, body=body)).console.deployments()


@pytest.mark.parametrize("status", [429, 502, 503])
async def test_reading_waits_and_asks_again(status: int) -> None:
    fault = Fault(match=LIST, do="answer", status=status, times=2, headers={"Retry-After": "7"})
    scene = Scene(fault)
    began = scene.now
    await scene.console.deployments()
    assert scene.sim.count("GET", "/v1/deployments") == 3
    assert 14 <= scene.now - began < 16


@pytest.mark.parametrize(("told", "most"), [("999999", 242), ("soon", 6), ("-5", 6), ("", 6)])
async def test_an_absurd_wait_is_bounded(told: str, most: int) -> None:
    scene = Scene(Fault(match=LIST, do="answer", status=429, times=2, headers={"Retry-After": told}))
    began = scene.now
    await scene.console.deployments()
    assert scene.now - began < most


async def test_reading_gives_up_after_three_times() -> None:
    scene = Scene(Fault(match=LIST, do="answer", status=503, times=9))
    with pytest.raises(ServerError):
        await scene.console.deployments()
    assert scene.sim.count("GET", "/v1/deployments") == 3


async def test_a_wrong_key_is_asked_for_once() -> None:
    scene = Scene()
    scene.sim.world.keys[0].is_revoked = True
    with pytest.raises(AuthenticationError, match="does not accept the API key"):
        await scene.console.deployments()
    assert scene.sim.count("GET", "/v1/deployments") == 1


async def test_the_unit_of_the_balance_is_proven_by_the_escrow() -> None:
    for in_usd in (False, True):
        scene = Scene()
        await scene.taken()
        scene.sim.balances_in_usd = in_usd
        balance = await scene.console.balance((await scene.console.deployments()).deployments)
        assert balance.unit_is_certain
        assert 900 < balance.total_usd <= 1000
    small = await Scene(world=SimWorld(available=Decimal(4000))).console.balance()
    assert not small.unit_is_certain


async def test_limits_are_extended_and_proven_or_said_to_be_missing() -> None:
    scene = Scene()
    created = await scene.created()
    await scene.bids(created)
    assert (await scene.console.set_runtime_limit(created.dseq, 48)).runtime_limit_hours == 48
    assert (await scene.console.set_runtime_limit(created.dseq, 200)).runtime_limit_hours == 200
    scene.sim.faults.add(Fault(match="PATCH /v2/deployment-settings", do="answer", status=200, body={"data": {}}))
    with pytest.raises(RejectedError, match="did not change"):
        await scene.console.set_runtime_limit(created.dseq, 210)
    old = Scene(dialect="august")
    made = await old.created()
    with pytest.raises(RejectedError, match="does not limit the runtime"):
        await old.console.set_runtime_limit(made.dseq, 24)


async def test_an_update_waits_until_the_provider_has_seen_the_last_one() -> None:
    scene = Scene()
    taken = await scene.taken()
    assert isinstance(taken, Done)
    dseq = taken.value.deployment.dseq
    early = error_body("Error", "manifest version validation failed", "unknown_error")
    scene.sim.faults.add(Fault(match="PUT /v1/deployments/", do="answer", status=422, body=early, times=2))
    newer = PLAIN.replace("caddy:2.10.2", "caddy:2.11.0")
    updated = await settling.update(
        scene.console, dseq, lambda: scene.console.put_sdl(dseq, newer), hash_before=taken.value.deployment.hash
    )
    assert isinstance(updated, Done)
    assert updated.value.hash != taken.value.deployment.hash
    bigger = PLAIN.replace("memory: {size: 32Gi}", "memory: {size: 64Gi}")
    refused = await settling.update(
        scene.console, dseq, lambda: scene.console.put_sdl(dseq, bigger), hash_before=updated.value.hash
    )
    assert isinstance(refused, Refused)
    assert refused.error.fault == "deployment_resources_changed"


async def test_a_token_is_granular_and_names_services() -> None:
    scene = Scene()
    taken = await scene.taken()
    assert isinstance(taken, Done)
    lease = taken.value.deployment.leases[0].id
    await scene.console.provider_token([Grant(lease=lease, services=("ray-head",), scope=("logs",))])
    sent = scene.sim.requests[-1].body.decode()
    assert '"access":"granular"' in sent
    assert '"access":"scoped"' not in sent
    with pytest.raises(RejectedError):
        await scene.console.provider_token([Grant(lease=lease, services=(), scope=("logs",))])


async def test_a_provider_that_nobody_knows_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        await Scene().console.provider("akash1nobody")


async def test_free_gpus_are_asked_for_again_and_not_twice_at_once() -> None:
    scene = Scene()
    await scene.console.dialect()
    await scene.console.gpu_offers()
    assert scene.sim.count("GET", "/v1/placement-options") == 1
    for provider in scene.sim.world.providers:
        provider.nodes = [1]
    await scene.console.clock.sleep(60)
    offers = await scene.console.gpu_offers()
    assert {offer.largest_free_node for offer in offers} == {1}


async def test_screening_and_tokens_are_asked_for_again_since_they_change_nothing() -> None:
    busy = [Fault(match=f"POST {path}", do="answer", status=503) for path in ("/v1/bid-screening", "/v1/create-jwt")]
    scene = Scene(*busy)
    request = ScreeningRequest(resources=(ResourceRequest(id=1, count=1, cpu_millicores=100, memory_bytes=1),))
    assert await scene.console.screen(request)
    taken = await scene.taken()
    assert isinstance(taken, Done)
    grant = Grant(lease=taken.value.deployment.leases[0].id, services=("gateway",), scope=("status",))
    assert (await scene.console.provider_token([grant])).reveal()


async def test_a_lease_in_a_state_that_nobody_has_heard_of_may_cost() -> None:
    scene = Scene()
    await scene.taken()
    (made,) = scene.sim.world.deployments.values()
    made.leases[0].state = "hibernating"
    found = await scene.console.deployment(made.dseq)
    assert found.leases[0].state == "hibernating"
    assert found.costing
