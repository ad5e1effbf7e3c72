"""Each fault of a change by itself: what the client makes of it, and how long that takes on the virtual clock."""

from decimal import Decimal

import pytest

from cockpit.clients.akash import settling
from cockpit.clients.akash.console import CreateRequest
from cockpit.clients.akash.outcomes import Done, Refused, Unknown
from cockpit.clients.akash.settling import AmbiguousError
from cockpit.errors import (
    AuthenticationError,
    CockpitError,
    NotRayError,
    OutcomeUnknownError,
    PaymentError,
    RejectedError,
    UnreachableError,
    UsageError,
)
from tests.akash.scene import CREATE, LEASE, LIST, REQUEST, Scene
from tests.akash_sim.console import SimConsole
from tests.akash_sim.faults import (
    BAD_KEY,
    HTML_502,
    MANIFEST_LOST,
    NO_LEASE_YET,
    SETTING_UP,
    UNDELIVERED,
    UNKNOWN_ERROR,
    Fault,
    error_body,
)
from tests.akash_sim.samples import PLAIN, TWO_GROUPS
from tests.akash_sim.world import SimWorld

# Create


@pytest.mark.parametrize(
    "fault",
    [
        Fault(match=CREATE, do="cut-after"),
        Fault(match=CREATE, do="hang-commit", seconds=36, body=UNKNOWN_ERROR),
        Fault(match=CREATE, do="hang-commit", seconds=90, body=UNKNOWN_ERROR),
        Fault(match=CREATE, do="truncate"),
        Fault(match=CREATE, do="empty"),
        Fault(match=CREATE, do="page"),
        Fault(match=CREATE, do="commit-answer", status=502, body=HTML_502),
        Fault(match=CREATE, do="cut-late", seconds=29),
    ],
    ids=lambda fault: f"{fault.do}-{fault.seconds:g}",
)
async def test_a_create_whose_answer_was_lost_is_found_by_its_name(fault: Fault) -> None:
    scene = Scene(fault)
    first, found, took = await scene.lost_create()
    assert isinstance(first, Unknown)
    assert isinstance(found, Done)
    assert found.value.dseq in scene.sim.world.deployments
    assert took < 40  # as soon as it shows, not after the whole minute
    assert scene.sim.count("POST", "/v1/deployments") == 1


async def test_a_create_that_never_landed_is_called_so_after_a_minute() -> None:
    scene = Scene(Fault(match=CREATE, do="cut-before"))
    first, found, took = await scene.lost_create()
    assert isinstance(first, Unknown)
    assert isinstance(found, Refused)
    assert "not created" in found.error.title
    assert 60 <= took < 70
    assert not scene.sim.world.deployments


async def test_without_names_the_time_of_the_create_decides_after_a_minute() -> None:
    scene = Scene(Fault(match=CREATE, do="cut-after"), dialect="august")
    first, found, took = await scene.lost_create()
    assert isinstance(first, Unknown)
    assert isinstance(found, Done)
    assert found.value.manifest is None
    assert 60 <= took < 70


async def test_without_names_a_known_hash_decides_at_once() -> None:
    other = SimConsole()
    version = other.world.create(PLAIN, name=None).hash
    scene = Scene(Fault(match=CREATE, do="cut-after"), dialect="august")
    _, found, took = await scene.lost_create(CreateRequest(sdl=PLAIN, name="lab", hash=version))
    assert isinstance(found, Done)
    assert took < 25


async def test_several_that_could_be_ours_are_shown_and_none_is_picked() -> None:
    def another(world: SimWorld) -> None:
        world.create(PLAIN, name=None)

    scene = Scene(
        Fault(match=CREATE, do="cut-after"), Fault(match=LIST, do="world", after=2, world=another), dialect="august"
    )
    _, found, _ = await scene.lost_create()
    assert isinstance(found, Unknown)
    assert isinstance(found.error, AmbiguousError)
    assert len(found.error.dseqs) == 2
    assert found.error.exit_code == 5


async def test_somebody_elses_deployment_of_the_same_minute_is_not_ours() -> None:
    scene = Scene(
        Fault(match=CREATE, do="cut-before"),
        Fault(match=LIST, do="world", after=1, world=lambda world: world.create(PLAIN, name="another program")),
    )
    _, found, _ = await scene.lost_create()
    assert isinstance(found, Refused)


async def test_while_reading_fails_nothing_is_called_not_created() -> None:
    scene = Scene(Fault(match=CREATE, do="cut-after"), Fault(match=LIST, do="cut-before", after=1, times=1000))
    _, found, _ = await scene.lost_create()
    assert isinstance(found, Unknown)
    scene.sim.faults.clear()
    found = await settling.find_created(scene.console, REQUEST, before=frozenset(), sent_at=0, lost_at=0)
    assert isinstance(found, Done)  # a later start finds it with one reading


async def test_a_key_revoked_meanwhile_leaves_it_unknown() -> None:
    def revoke(world: SimWorld) -> None:
        world.keys[0].is_revoked = True

    scene = Scene(Fault(match=CREATE, do="cut-after"), Fault(match=LIST, do="world", after=1, world=revoke))
    _, found, _ = await scene.lost_create()
    assert isinstance(found, Unknown)
    assert isinstance(found.error, AuthenticationError)


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (Fault(match=CREATE, do="answer", status=401, body=BAD_KEY), AuthenticationError, "unauthorized"),
        (Fault(match=CREATE, do="answer", status=403, body=error_body("", "", "fair_use_policy_required")),
         AuthenticationError, "fair_use_policy_required"),
        (Fault(match=CREATE, do="answer", status=402, body=error_body("", "", "insufficient_balance")), PaymentError,
         "insufficient_balance"),
        (Fault(match=CREATE, do="answer", status=402, body=error_body("", "", "balance_top_up_pending")), PaymentError,
         "balance_top_up_pending"),
        (Fault(match=CREATE, do="answer", status=402, body=error_body("", "", "payment_required")), PaymentError,
         "payment_required"),
        (Fault(match=CREATE, do="answer", status=409, body=SETTING_UP), RejectedError, "conflict"),
        (Fault(match=CREATE, do="refuse"), UnreachableError, "no-answer"),
        (Fault(match=CREATE, do="redirect"), NotRayError, "redirect"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
async def test_a_clear_refusal_is_one(fault: Fault, kind: type[CockpitError], code: str) -> None:
    scene = Scene(fault)
    refused = await scene.console.create(REQUEST)
    if fault.do == "redirect":  # a proxy may have let it through
        assert isinstance(refused, Unknown)
    else:
        assert isinstance(refused, Refused)
    assert isinstance(refused.error, kind)
    assert refused.error.fault == code
    assert not scene.sim.world.deployments


@pytest.mark.parametrize("status", [408, 425, 429, 499, 500, 503, 504])
async def test_a_refusal_that_is_not_clear_is_unknown(status: int) -> None:
    refused = await Scene(Fault(match=CREATE, do="answer", status=status, body="")).console.create(REQUEST)
    assert isinstance(refused, Unknown)


async def test_an_invalid_sdl_is_told_in_the_consoles_words() -> None:
    refused = await Scene().console.create(CreateRequest(sdl="services: [", name="x"))
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, RejectedError)


async def test_a_transaction_that_the_chain_rejects_is_refused() -> None:
    body = {"data": {"dseq": "1790000000000", "manifest": "", "signTx": {"code": 11, "rawLog": "out of gas"}}}
    refused = await Scene(Fault(match=CREATE, do="answer", status=201, body=body)).console.create(REQUEST)
    assert isinstance(refused, Refused)
    assert refused.error.detail == "out of gas"


async def test_a_poor_account_and_a_trial_hear_why() -> None:
    poor = await Scene(world=SimWorld(available=Decimal(1000))).console.create(REQUEST)
    trial = await Scene(world=SimWorld(is_trial=True)).console.create(REQUEST)
    for refused in (poor, trial):
        assert isinstance(refused, Refused)
        assert isinstance(refused.error, PaymentError)
        assert "Add credits" in refused.error.hint


# Bids


async def test_a_bid_that_ran_out_is_refused_and_another_may_be_taken() -> None:
    scene = Scene()
    created = await scene.created()
    best, *others = await scene.bids(created)
    scene.sim.faults.add(Fault(match=LEASE, do="skip", seconds=300))
    refused = await settling.take_leases(scene.console, [best.id], created.manifest)
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, RejectedError)
    assert others
    assert {bid.state for bid in await scene.console.bids(created.dseq)} == {"closed"}


async def test_no_bids_and_bids_of_unaudited_providers_are_an_empty_list() -> None:
    scene = Scene()
    for provider in scene.sim.world.providers:
        provider.is_audited = False
    assert await scene.bids(await scene.created()) == []


# Leases


@pytest.mark.parametrize(
    "fault",
    [
        Fault(match=LEASE, do="cut-after"),
        Fault(match=LEASE, do="cut-late", seconds=25),
        Fault(match=LEASE, do="hang-commit", seconds=36, body=UNKNOWN_ERROR),
        Fault(match=LEASE, do="hang-commit", seconds=400, body=UNKNOWN_ERROR),
        Fault(match=LEASE, do="truncate"),
        Fault(match=LEASE, do="empty"),
        Fault(match=LEASE, do="commit-answer", status=404, body=MANIFEST_LOST),
        Fault(match=LEASE, do="commit-answer", status=404, body=NO_LEASE_YET),
        Fault(match=LEASE, do="commit-answer", status=502, body=HTML_502),
        Fault(match=LEASE, do="commit-answer", status=502, body=UNDELIVERED),
        Fault(match=LEASE, do="commit-answer", status=500, body=UNKNOWN_ERROR),
    ],
    ids=lambda fault: f"{fault.do}-{fault.status}-{fault.seconds:g}",
)
async def test_a_lease_that_exists_is_found_whatever_the_answer(fault: Fault) -> None:
    scene = Scene()
    taken = await scene.taken(fault)
    assert isinstance(taken, Done)
    assert taken.value.is_sent  # by the second call, which makes nothing anew
    (deployment,) = scene.sim.world.deployments.values()
    assert len(deployment.leases) == 1
    assert scene.sim.count("POST", "/v1/leases") == 2


async def test_a_provider_that_refuses_the_manifest_costs_and_is_said() -> None:
    scene = Scene()
    for provider in scene.sim.world.providers:
        provider.manifest = "refuses"
    taken = await scene.taken()
    assert isinstance(taken, Done)
    assert not taken.value.is_sent
    assert taken.value.error is not None
    assert scene.sim.count("POST", "/v1/leases") == 1  # it would refuse it again
    assert taken.value.deployment.costing


async def test_a_manifest_lost_for_good_is_given_up_after_three_tries() -> None:
    scene = Scene()
    for provider in scene.sim.world.providers:
        provider.manifest, provider.losses = "loses", 99
    taken = await scene.taken()
    assert isinstance(taken, Done)
    assert not taken.value.is_sent
    assert scene.sim.count("POST", "/v1/leases") == 3


async def test_a_provider_that_is_unreachable_has_no_lease() -> None:
    scene = Scene()
    created = await scene.created()
    best = (await scene.bids(created))[0]
    provider = scene.sim.world.provider(best.id.provider)
    assert provider is not None
    provider.is_reachable = False
    began = scene.now
    refused = await settling.take_leases(scene.console, [best.id], created.manifest)
    assert isinstance(refused, Refused)
    assert refused.error.fault == "provider_unreachable"
    assert scene.now - began < 20
    assert not scene.sim.world.deployments[created.dseq].leases


async def test_an_answer_lost_before_the_lease_was_made_is_no_lease_after_a_minute() -> None:
    scene = Scene()
    taken = await scene.taken(Fault(match=LEASE, do="cut-before"))
    assert isinstance(taken, Refused)


async def test_a_lease_that_cannot_be_read_back_may_cost() -> None:
    scene = Scene()
    taken = await scene.taken(
        Fault(match=LEASE, do="cut-after"), Fault(match="GET /v1/deployments/", do="answer", status=503, times=1000)
    )
    assert isinstance(taken, Unknown)


async def test_all_groups_are_leased_in_one_call() -> None:
    scene = Scene()
    created = await scene.created(TWO_GROUPS)
    bids = await scene.bids(created)
    chosen = [next(bid.id for bid in bids if bid.id.gseq == gseq) for gseq in (1, 2)]
    taken = await settling.take_leases(scene.console, chosen, created.manifest)
    assert isinstance(taken, Done)
    assert {lease.id.gseq for lease in taken.value.deployment.costing} == {1, 2}
    assert scene.sim.count("POST", "/v1/leases") == 1


async def test_another_lease_than_the_one_asked_for_is_told_as_costing() -> None:
    scene = Scene()
    created = await scene.created()
    best, second, *_ = await scene.bids(created)
    await settling.take_leases(scene.console, [best.id], created.manifest)
    other = await settling.take_leases(scene.console, [second.id], created.manifest)
    assert isinstance(other, Unknown)
    assert other.error.fault == "other-lease"
    assert best.id.provider in other.error.title


async def test_august_needs_the_manifest_that_was_lost() -> None:
    scene = Scene(dialect="august")
    created = await scene.created()
    best = (await scene.bids(created))[0]
    with pytest.raises(UsageError, match="was lost") as caught:
        await settling.take_leases(scene.console, [best.id], None)
    assert created.dseq in caught.value.hint


# Closing


@pytest.mark.parametrize(
    "fault",
    [
        Fault(match="DELETE /v1/deployments/", do="cut-after"),
        Fault(match="DELETE /v1/deployments/", do="cut-before"),
        Fault(match="DELETE /v1/deployments/", do="cut-late", seconds=20),
        Fault(match="DELETE /v1/deployments/", do="hang", seconds=90),
        Fault(match="DELETE /v1/deployments/", do="answer", status=400, body=error_body("", "cannot be settled", "")),
        Fault(match="DELETE /v1/deployments/", do="answer", status=200, body={"data": {"success": True}}),
        Fault(match="DELETE /v1/deployments/", do="commit-answer", status=500, body=UNKNOWN_ERROR),
        Fault(match="DELETE /v1/deployments/", do="answer", status=404, body=error_body("", "", "not_found")),
    ],
    ids=lambda fault: f"{fault.do}-{fault.status}-{fault.seconds:g}",
)
async def test_a_close_is_done_once_it_reads_closed(fault: Fault) -> None:
    scene = Scene()
    created = await scene.created()
    await scene.bids(created)
    scene.sim.faults.add(fault)
    closed = await settling.close(scene.console, created.dseq)
    assert isinstance(closed, Done)
    assert scene.sim.world.deployments[created.dseq].state == "closed"


async def test_a_close_that_is_refused_again_and_again_may_cost() -> None:
    scene = Scene()
    created = await scene.created()
    scene.sim.faults.add(Fault(match="DELETE /v1/deployments/", do="answer", status=503, times=1000))
    closed = await settling.close(scene.console, created.dseq)
    assert isinstance(closed, Unknown)
    assert isinstance(closed.error, OutcomeUnknownError)
    assert "may still cost money" in closed.error.title


async def test_a_close_right_after_the_create_does_not_take_absent_for_closed() -> None:
    scene = Scene()
    created = await scene.created()
    closed = await settling.close(scene.console, created.dseq)  # it does not show on the chain yet
    assert isinstance(closed, Done)
    assert scene.sim.world.deployments[created.dseq].state == "closed"


async def test_a_deployment_that_never_was_is_gone() -> None:
    closed = await settling.close(Scene().console, "1600000000000")
    assert isinstance(closed, Done)
    assert closed.value.deployment is None


async def test_a_close_without_access_says_so_at_once() -> None:
    scene = Scene()
    created = await scene.created()
    scene.sim.world.keys[0].is_revoked = True
    began = scene.now
    closed = await settling.close(scene.console, created.dseq)
    assert isinstance(closed, Refused)
    assert isinstance(closed.error, AuthenticationError)
    assert scene.now - began < 10
